"""How a figure or table was made, and what its columns mean: the panels below it, for people and not for programs."""

import shlex
from collections.abc import Sequence
from html import escape
from pathlib import Path

from sphinx.application import Sphinx

from livingpaper import settings
from livingpaper.build import archive, columns
from livingpaper.say.figures import contents
from livingpaper.sphinx import sources
from livingpaper.sphinx.cite import named
from livingpaper.sphinx.details import Details, rows
from livingpaper.sphinx.later import Later, fills
from livingpaper.sphinx.records import MAIN, has_archive, read_records
from livingpaper.sphinx.references import address


@fills("columns")
def columns_panel(app: Sphinx, place: Later) -> Sequence[Details]:
    """What the columns of a figure's or table's data mean, if the book says so of any."""
    id = place["shown_id"]
    known = [(column["name"], column["meaning"]) for column in described(app, id) if column["meaning"]]
    html = rows((f"<code>{escape(name)}</code>", escape(meaning)) for name, meaning in known)
    return [Details(kind="columns", what=f"of {named(app, id)}", summary="columns", html=html)] if known else []


def described(app: Sphinx, id: str) -> list[dict[str, str]]:
    """The columns of a figure's or table's data, each with its meaning."""
    table = contents(app.env.get_domain("paper").figures[id])["csv"]
    return columns.described(Path(app.srcdir), id, columns.names(table))


@fills("made")
def made_panel(app: Sphinx, place: Later) -> Sequence[Details]:
    """How a figure or table was made: by which code, with which values, where and when; and how it is made again."""
    id = place["shown_id"]
    figure = app.env.get_domain("paper").figures[id]
    chapter, command = figure["docname"].rpartition("/")[2], settings.read(Path(app.srcdir)).command
    target, words = sources.link(app, id, figure["docname"])
    uri = escape(target if "://" in target else address(app, target))
    said = {"code": f'<a href="{uri}">{escape(words)}</a>'}
    record = read_records(Path(app.srcdir)).get(chapter)
    if record:
        said |= {name: escape(words) for name, words in _run(record).items()}
        again = _again(record, chapter, id, command)
        said["again"] = "<br>".join(f"<code>{escape(line)}</code>" for line in again)
    else:
        versions = figure["environment"]["versions"]
        said["software"] = escape(_software(figure["environment"]["python"], versions))
        said["run"] = f"no record: <code>{escape(command)} build</code> keeps one"
    if has_archive(app):
        said["sources"] = f'<a href="{address(app, archive.FILE)}">{archive.FILE}</a>'
    said["everything"] = f'<a href="{address(app, f"figures/{id}.json")}">{id}.json</a>, with all digests'
    words = {"kind": "made", "summary": "how it was made", "what": f"({named(app, id)})", "anchor": anchor(id)}
    return [Details(html=rows(said.items()), **words)]


def anchor(id: str) -> str:
    """Where the page says how a figure or table was made."""
    return f"{id}-made"


def _run(record: dict) -> dict[str, str]:
    """The run of a chapter in words."""
    runs, seeds = {}, {}
    for sweep in record["sweeps"]:
        name = sweep["experiment"]
        runs[name] = runs.get(name, 0) + sweep["runs"]
        seeds.setdefault(name, []).extend(sweep["seeds"])
    trained = [f"{runs[name]:,} of {name}, seeds {min(seeds[name])} to {max(seeds[name])}" for name in runs]
    machine, state = record["machine"], ", with changes that were not committed" if record["dirty"] else ""
    said = {
        "commit": f"{record['commit'][:10]}{state}" if record["commit"] else "unknown",
        "parameters": ", ".join(f"{name} = {value!r}" for name, value in record["parameters"].items()),
        "preset": record["preset"],
        "trainings": "; ".join(trained),
        "software": _software(record["python"], record["versions"]),
        "machine": f"{machine['processor']}, {machine['system']}; device {record['device']}",
        "run": f"{record['started']}, the whole chapter in {record['seconds']:.0f} s beside what was stored",
    }
    return {name: words for name, words in said.items() if words}


def _software(python: str, versions: dict[str, str]) -> str:
    return ", ".join([f"Python {python}", *(f"{name} {versions[name]}" for name in MAIN if name in versions)])


def _again(record: dict, chapter: str, id: str, command: str) -> list[str]:
    """The commands that execute the chapter with the same values, and compare what comes out with what is here."""
    run, verify = [command, "run", chapter], [command, "verify", id]
    if record["variant"] != record["preset"]:
        values = {name: value if isinstance(value, str) else repr(value) for name, value in record["overrides"].items()}
        return [shlex.join([*run, *(part for name in values for part in ("-p", f"{name}={values[name]}"))])]
    preset = [] if record["preset"] == "published" else ["--preset", record["preset"]]
    return [shlex.join([*run, *preset]), shlex.join([*verify, *preset])]
