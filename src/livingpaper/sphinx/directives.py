"""What a page can ask for: its parameters, the run records and times, where its sources are."""

import json
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from livingpaper.build import parameters
from livingpaper.errors import InputError
from livingpaper.sphinx.tables import table, text

NUMERIC = ("seconds", "trainings", "of these new", "training seconds")
MAIN = ("torch", "numpy", "scipy", "scikit-learn", "pandas", "matplotlib")  # the versions that the status page names


class ParametersTable(SphinxDirective):
    """The parameters of the chapter that the directive stands in, published values beside this build's."""

    def run(self) -> list[nodes.Node]:
        try:
            notebook = self.state.document["nb_renderer"].renderer.nb_client.notebook
        except KeyError:
            raise self.error(
                "{parameters-table} stands in a page that is no notebook: move it into a chapter"
            ) from None
        try:
            declared, values = parameters.read(notebook), parameters.effective(notebook)
        except InputError as error:
            raise self.error(str(error)) from None
        rows = [self._row(parameter, values[name]) for name, parameter in declared.items()]
        header = ["name", "meaning", "allowed", "published value", "value in this build"]
        grid = table([text(title) for title in header], rows)
        return [nodes.container("", grid, classes=["parameters"])]

    def _row(self, parameter: parameters.Parameter, value: object) -> list[list[nodes.Node]]:
        meaning, _ = self.state.inline_text(parameter.help, self.lineno)
        here = [nodes.literal("", repr(value))]
        if value != parameter.default:
            here += [nodes.Text(" "), nodes.inline("", "differs", classes=["differs"])]
        name, published = nodes.literal("", parameter.name), nodes.literal("", repr(parameter.default))
        return [[name], meaning, text(parameter.describe()), [published], here]


class RunRecords(SphinxDirective):
    """When, where and with what each chapter was executed."""

    def run(self) -> list[nodes.Node]:
        # a record that appears later than this page was read must still be shown
        self.env.note_reread()
        records = read_records(Path(self.env.srcdir))
        if not records:
            words = (
                "There are no run records: the chapters were executed by this very build of the pages. "
                "Run records are written by benign build."
            )
            return [nodes.paragraph("", words)]
        return [
            nodes.container("", _records_table(_run_cells(records)), classes=["run-records"]),
            nodes.container("", _records_table(_machine_cells(records)), classes=["run-records"]),
        ]


class RunTimes(SphinxDirective):
    """How long each chapter takes where nothing is stored yet."""

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()
        records = read_records(Path(self.env.srcdir))
        if not records:
            return [nodes.paragraph("", "This build kept no times: benign build does.")]
        header = ["chapter", "trainings", "training", "all of the chapter"]
        rows = [[text(cell) for cell in row] for row in _times(records)]
        grid = table([text(title) for title in header], rows, numeric=[False, True, True, True])
        devices = sorted({str(record.get("machine", {}).get("processor", "unknown")) for record in records.values()})
        words = (
            f"On one core of {' or '.join(devices)}. A training's time is the one it took when it was done, so "
            "that these are the times of a first build, where nothing is stored yet."
        )
        return [nodes.container("", grid, classes=["run-records"]), nodes.paragraph("", words)]


class BuiltFrom(SphinxDirective):
    """The commit that the pages were built from, and how to get it."""

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()
        repository = self.env.paper_sources.repository
        words = nodes.paragraph("", f"These pages were built from {repository.state}. ", classes=["built-from"])
        if repository.url is None or repository.commit is None:
            words += nodes.Text(
                "They do not know the address of a repository: use the copy of the sources that you have."
            )
            return [words]
        commands = f"git clone {repository.url} book\ncd book/{repository.prefix}\ngit checkout {repository.commit}"
        words += nodes.Text("To get the same:")
        return [words, nodes.literal_block(commands, commands, language="none")]


def read_records(srcdir: Path) -> dict[str, dict]:
    """The run records ``runs/<chapter-stem>.json`` below the source folder, by chapter."""
    paths = sorted(srcdir.joinpath("runs").glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def _records_table(columns: dict[str, list[str]]) -> nodes.table:
    rows = [[text(cell) for cell in cells] for cells in zip(*columns.values(), strict=True)]
    return table([text(title) for title in columns], rows, numeric=[title in NUMERIC for title in columns])


def _times(records: dict[str, dict]) -> list[list[str]]:
    """For each chapter and the whole: trainings, their seconds, and those of the chapter if all had to be done."""
    rows, whole = [], [0.0, 0.0, 0.0]
    for chapter, record in records.items():
        sweeps = record.get("sweeps", [])
        training = sum(sweep["seconds"] for sweep in sweeps)
        new = sum(sweep["seconds"] * sweep["computed"] / sweep["runs"] for sweep in sweeps)
        every = max(record.get("seconds", 0.0) - new, 0.0) + training
        numbers = [sum(sweep["runs"] for sweep in sweeps), training, every]
        whole = [total + number for total, number in zip(whole, numbers, strict=True)]
        rows.append([chapter, *_counted(numbers)])
    return [*rows, ["the whole book", *_counted(whole)]]


def _counted(numbers: list[float]) -> list[str]:
    trainings, *seconds = numbers
    return [f"{trainings:,.0f}", *(f"{s:.0f} s" if s < 100 else f"{s / 60:.0f} min" for s in seconds)]


def _run_cells(records: dict[str, dict]) -> dict[str, list[str]]:
    """When each chapter was executed, and what it trained."""
    rows = []
    for chapter, record in records.items():
        sweeps = record.get("sweeps", [])
        rows.append(
            {
                "chapter": chapter,
                "preset": str(record.get("preset", "–")),
                "executed at": str(record.get("started", "–")),
                "seconds": f"{record['seconds']:.0f}" if "seconds" in record else "–",
                "trainings": f"{sum(sweep['runs'] for sweep in sweeps):,}",
                "of these new": f"{sum(sweep['computed'] for sweep in sweeps):,}",
                "training seconds": f"{sum(sweep['seconds'] for sweep in sweeps):.0f}",
            }
        )
    return {title: [row[title] for row in rows] for title in rows[0]}


def _machine_cells(records: dict[str, dict]) -> dict[str, list[str]]:
    """On which machines, with which software, which chapters were executed."""
    chapters: dict[tuple[str, ...], list[str]] = {}
    for chapter, record in records.items():
        machine, versions = record.get("machine", {}), record.get("versions", {})
        device = f"{record.get('device', '–')}, {record.get('threads', '–')} thread a chapter"
        kind = ", ".join(str(machine[key]) for key in ("processor", "system") if key in machine) or "–"
        main = ", ".join(f"{name} {versions[name]}" for name in MAIN if name in versions) or "–"
        chapters.setdefault((kind, device, str(record.get("python", "–")), main), []).append(chapter)
    titles = ("machine", "device", "Python", "versions")
    return {"chapters": [", ".join(names) for names in chapters.values()]} | {
        title: [key[position] for key in chapters] for position, title in enumerate(titles)
    }


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("parameters-table", ParametersTable)
    app.add_directive("run-records", RunRecords)
    app.add_directive("run-times", RunTimes)
    app.add_directive("built-from", BuiltFrom)
