"""What a page can ask of the build: its parameters, the records and times of the runs, where its sources are."""

import json
from collections.abc import Sequence
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from livingpaper import settings
from livingpaper.build import archive, parameters
from livingpaper.errors import InputError
from livingpaper.sphinx.later import Later, fills
from livingpaper.sphinx.references import address
from livingpaper.sphinx.tables import Cell, boxed

NUMERIC = ("seconds", "trainings", "of these new", "training seconds")
MAIN = ("torch", "numpy", "scipy", "scikit-learn", "pandas", "matplotlib")  # the versions that the status page names


class ParametersTable(SphinxDirective):
    """The parameters of the chapter that the directive stands in, published values beside this build's."""

    def run(self) -> list[nodes.Node]:
        try:
            notebook = self.state.document["nb_renderer"].renderer.nb_client.notebook
            declared, values = parameters.read(notebook), parameters.effective(notebook)
        except KeyError:
            raise self.error(
                "{parameters-table} stands in a page that is no notebook: move it into a chapter"
            ) from None
        except InputError as error:
            raise self.error(str(error)) from None
        rows = [self._row(parameter, values[name]) for name, parameter in declared.items()]
        return [boxed("parameters", ["name", "meaning", "allowed", "published value", "value in this build"], rows)]

    def _row(self, parameter: parameters.Parameter, value: object) -> list[Cell]:
        meaning, _ = self.state.inline_text(parameter.help, self.lineno)
        here = [nodes.literal("", repr(value))]
        if value != parameter.default:
            here += [nodes.Text(" "), nodes.inline("", "differs", classes=["differs"])]
        name, published = nodes.literal("", parameter.name), nodes.literal("", repr(parameter.default))
        return [[name], meaning, parameter.describe(), [published], here]


@fills("run-records", directive=True)
def run_records(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """When, where and with what each chapter was executed."""
    records = read_records(Path(app.srcdir))
    if not records:
        words = (
            "There are no run records: the chapters were executed by this very build of the pages. "
            f"Run records are written by {settings.read().command} build."
        )
        return [nodes.paragraph("", words)]
    return [_records_table([_run(*item) for item in records.items()]), _records_table(_machines(records))]


@fills("run-times", directive=True)
def run_times(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """How long each chapter takes where nothing is stored yet."""
    records = read_records(Path(app.srcdir))
    if not records:
        return [nodes.paragraph("", f"This build kept no times: {settings.read().command} build does.")]
    header = ["chapter", "trainings", "training", "all of the chapter"]
    devices = sorted({str(record.get("machine", {}).get("processor", "unknown")) for record in records.values()})
    words = (
        f"On one core of {' or '.join(devices)}. A training’s time is the one it took when it was done, so "
        "that these are the times of a first build, where nothing is stored yet."
    )
    grid = boxed("run-records", header, _times(records), numeric=[False, True, True, True])
    return [grid, nodes.paragraph("", words)]


@fills("built-from", directive=True)
def built_from(app: Sphinx, place: Later) -> Sequence[nodes.Node]:
    """The commit that the pages were built from, and how to get it."""
    repository = app.env.paper_sources.repository
    words = nodes.paragraph("", f"These pages were built from {repository.state}. ", classes=["built-from"])
    if has_archive(app):
        packed = nodes.reference("", archive.FILE, refuri=address(app, archive.FILE))
        words += [nodes.Text("All of it, without its history, is in "), packed, nodes.Text(". ")]
    if repository.url is None or repository.commit is None:
        words += nodes.Text("The address of a repository is not known here.")
        return [words]
    commands = f"git clone {repository.url} book\ncd book/{repository.prefix}\ngit checkout {repository.commit}"
    words += nodes.Text("With its history:")
    return [words, nodes.literal_block(commands, commands, language="none")]


def has_archive(app: Sphinx) -> bool:
    """Whether the site offers its sources."""
    return app.builder.format == "html" and Path(app.srcdir, archive.FILE).is_file()


def read_records(srcdir: Path) -> dict[str, dict]:
    """The run records ``runs/<chapter-stem>.json`` below the source folder, by chapter."""
    paths = sorted(srcdir.joinpath("runs").glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def _records_table(rows: Sequence[dict[str, str]]) -> nodes.container:
    """A table of rows by the titles of their columns."""
    return boxed(
        "run-records", list(rows[0]), [list(row.values()) for row in rows], [title in NUMERIC for title in rows[0]]
    )


def _times(records: dict[str, dict]) -> list[list[str]]:
    """For each chapter and the whole: trainings, their seconds, and those of the chapter if all had to be done."""
    found = {}
    for chapter, record in records.items():
        sweeps = record.get("sweeps", [])
        training = sum(sweep["seconds"] for sweep in sweeps)
        new = sum(sweep["seconds"] * sweep["computed"] / sweep["runs"] for sweep in sweeps)
        every = max(record.get("seconds", 0.0) - new, 0.0) + training
        found[chapter] = (sum(sweep["runs"] for sweep in sweeps), training, every)
    found["the whole book"] = map(sum, zip(*found.values(), strict=True))
    return [
        [chapter, f"{trainings:,.0f}", *(f"{s:.0f} s" if s < 100 else f"{s / 60:.0f} min" for s in seconds)]
        for chapter, (trainings, *seconds) in found.items()
    ]


def _run(chapter: str, record: dict) -> dict[str, str]:
    """When a chapter was executed, and what it trained."""
    sweeps = record.get("sweeps", [])
    return {
        "chapter": chapter,
        "preset": str(record.get("preset", "–")),
        "executed at": str(record.get("started", "–")),
        "seconds": f"{record['seconds']:.0f}" if "seconds" in record else "–",
        "trainings": f"{sum(sweep['runs'] for sweep in sweeps):,}",
        "of these new": f"{sum(sweep['computed'] for sweep in sweeps):,}",
        "training seconds": f"{sum(sweep['seconds'] for sweep in sweeps):.0f}",
    }


def _machines(records: dict[str, dict]) -> list[dict[str, str]]:
    """On which machines, with which software, which chapters were executed."""
    chapters: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for chapter, record in records.items():
        machine, versions = record.get("machine", {}), record.get("versions", {})
        where = {
            "machine": ", ".join(str(machine[key]) for key in ("processor", "system") if key in machine) or "–",
            "device": f"{record.get('device', '–')}, {record.get('threads', '–')} thread a chapter",
            "Python": str(record.get("python", "–")),
            "versions": ", ".join(f"{name} {versions[name]}" for name in MAIN if name in versions) or "–",
        }
        chapters.setdefault(tuple(where.items()), []).append(chapter)
    return [{"chapters": ", ".join(names)} | dict(where) for where, names in chapters.items()]


def setup(app: Sphinx) -> None:
    """Register the table of parameters."""
    app.add_directive("parameters-table", ParametersTable)
