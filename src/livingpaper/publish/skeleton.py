"""A new chapter that already runs: one experiment, one figure, one claim, to be replaced piece by piece.

The notebook, an entry in the table of contents, values in the presets, its ids among those that stay. YAML files are
edited as text, so that their comments stay, and nothing is written unless each of them says afterwards what it should.
"""

import difflib
import re
from pathlib import Path

import nbformat
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from livingpaper.build import words
from livingpaper.build.project import Project
from livingpaper.errors import InputError, PaperError
from livingpaper.files import write_atomically

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
VALUES = {
    "smoke": {"dimension": 500, "noise_rates": [0.0, 0.2], "width": 16, "steps": 100, "seeds": 3, "test_points": 200},
    "full": {"noise_rates": [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3], "width": 512, "seeds": 100, "test_points": 10000},
}

INTRODUCTION = """\
(chapter-{name})=
# {title}

:::{{opening}}

Say in one sentence what a reader learns here.
:::

Say what is asked, and what an answer would look like. This skeleton asks how much of the label noise comes through to
the test error of a network that fits every label."""

PARAMETERS = """\
n: int = 50  # training samples, in [10, 10000]
dimension: int = 5000  # dimension, in [100, 1000000000]
signal_index: float = 16.0  # signal index $n\\|\\mu\\|^4/p$, in [1, 1000]
noise_rates: list = [0.0, 0.1, 0.2]  # shares of wrong labels, in [0, 0.5)
width: int = 64  # hidden neurons, in [2, 4096]
steps: int = 300  # gradient steps, in [10, 1000000]
seeds: int = 10  # independent repetitions, in [2, 1000]
test_points: int = 4000  # fresh points of each test error, in [100, 1000000]
device: str = "cpu"  # where to train, one of cpu, cuda"""

SETUP = """\
import matplotlib.pyplot as plt
from livingpaper.say import style
from livingpaper.say.claims import Claim
from livingpaper.say.figures import Figure
from livingpaper.say.glue import glue
from benign.experiments.clusters import PollutedClusters
from benign.measure.statistics import bootstrap_interval
from livingpaper.sweep import grid, sweep

style.use()"""

EXPERIMENT = """\
An experiment is a class in `src/benign/experiments/`; its fields are what a grid can vary. Another kind of training
is a new class beside it."""

RUN = """\
settings = grid(
    n=n,
    p=dimension,
    signal_index=signal_index,
    label_noise=noise_rates,
    width=width,
    steps=steps,
    test_points=test_points,
)
table = sweep(PollutedClusters, settings, seeds=seeds, device=device)"""

FIGURE = """\
errors = table.groupby("label_noise").test_error.agg(["mean", "min", "max"])
figure, ax = plt.subplots(figsize=style.SINGLE)
ax.fill_between(
    errors.index,
    errors["min"],
    errors["max"],
    alpha=style.BAND_ALPHA,
    linewidth=0,
)
ax.plot(errors.index, errors["mean"], marker="o", label="network")
ax.plot(
    errors.index,
    errors.index,
    color=style.INK,
    linestyle=(0, (2, 3)),
    linewidth=1.5,
    label="all of the noise",
)
ax.set(xlabel="share of wrong labels", ylabel="test error on clean labels")
ax.legend()
Figure(
    id="fig-{name}",
    figure=figure,
    data=errors.reset_index(),
    caption="Test error against the share of wrong training labels, in dimension {{glue:text}}`dimension:,d`. Line: mean over {{glue:text}}`seeds` seeds; band: all seeds. On the dotted line all of the noise comes through.",
    alt="Test error against label noise: a line that rises slowly from zero and stays below the dotted diagonal.",
)"""  # noqa: E501

NUMBERS = """\
noisy = table[table.label_noise == max(noise_rates)]
glue("dimension", dimension)
glue("seeds", seeds)
glue("noise", max(noise_rates))
glue("error", noisy.test_error.mean())
glue("training-error", noisy.training_error.max())"""

READING = """\
Say what {{numref}}`fig-{name}` shows. With {{glue:text}}`noise:.0%` of the labels wrong, the largest training error
over the seeds is {{glue:text}}`training-error:.1%`, and the mean test error {{glue:text}}`error:.1%`. No number is
typed by hand."""

CLAIM = """\
excess = (noisy.test_error - noisy.label_noise).to_numpy()
Claim(
    id="claim-{name}",
    paper=None,
    where="This chapter",
    statement="At the largest noise rate, less of the noise comes through to the test error than went into the labels.",
    estimate=excess.mean(),
    interval=bootstrap_interval(excess),
    holds_if="< 0",
    on_record="holds",
    figure="fig-{name}",
)"""

END = """\
## What it does not show

Say it.

## Run it again

```
benign run {name} -p seeds=30
papermill chapters/{name}.ipynb out.ipynb -p seeds 30
```

```{{parameters-table}}
```"""


def notebook(name: str, title: str) -> nbformat.NotebookNode:
    """The notebook of a new chapter."""

    def code(id: str, source: str, *tags: str) -> nbformat.NotebookNode:
        return new_code_cell(source, id=id, metadata={"tags": list(tags)} if tags else {})

    cells = [
        new_markdown_cell(INTRODUCTION.format(name=name, title=title), id="title"),
        code("parameters", PARAMETERS, "parameters", "hide-input"),
        code("setup", SETUP, "hide-input"),
        new_markdown_cell(EXPERIMENT, id="experiment"),
        code("run", RUN),
        code("errors-figure", FIGURE.format(name=name), "hide-input"),
        code("numbers", NUMBERS, "remove-cell"),
        new_markdown_cell(READING.format(name=name), id="reading"),
        code("claim", CLAIM.format(name=name), "hide-input"),
        new_markdown_cell(END.format(name=name), id="end"),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def add(project: Project, name: str, title: str | None = None, part: str | None = None) -> list[Path]:
    """Write a new chapter into a book; the files written or changed, relative to its root.

    Raises:
        InputError: a name that is no name or that something has already, a part that there is not.
        PaperError: a YAML file that is not laid out in blocks, or that cannot be written.
    """
    _check_name(project, name)
    made = notebook(name, title or name.replace("-", " ").capitalize())
    contents = {Path("chapters", f"{name}.ipynb"): nbformat.writes(made) + "\n"}
    contents[Path("_toc.yml")] = _in_toc((project.root / "_toc.yml").read_text(encoding="utf-8"), name, part)
    for preset, values in VALUES.items():
        if preset in project.presets:
            path = Path("presets", f"{preset}.yml")
            contents[path] = _in_preset((project.root / path).read_text(encoding="utf-8"), name, values, path)
    for path, content in contents.items():
        write_atomically(project.root / path, content.encode())
    return list(contents)


def _check_name(project: Project, name: str) -> None:
    if not NAME.fullmatch(name):
        raise InputError(
            f"a chapter cannot be called {name!r}: its name is its address and part of the ids in it, so use "
            "lower-case words joined by single hyphens, e.g. my-question"
        )
    taken = {page.stem: page for page in project.pages} | {
        path.stem: path.relative_to(project.root) for path in project.root.glob("chapters/*")
    }
    if name in taken:
        raise InputError(f"there is already {taken[name]}: choose another name")
    for chapter in project.chapters:
        if both := {f"fig-{name}", f"claim-{name}"} & words.said(project.notebook(chapter)).keys():
            raise InputError(f"{chapter} has the id {min(both)!r} already: choose another name")


def _in_toc(text: str, name: str, part: str | None) -> str:
    """The table of contents with the chapter after the last one of a part (None: of the last part that has any)."""
    before = yaml.safe_load(text)
    parts = before.get("parts", [])
    captions = [str(entry.get("caption", "")) for entry in parts]
    if part is not None and part not in captions:
        near = difflib.get_close_matches(part, captions, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(map(repr, captions)) or 'no parts'}"
        raise InputError(f"_toc.yml has no part {part!r}: {hint}")
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if re.match(r"\s*-\s+(caption|chapters):", line)]
    wanted = range(len(lines))
    if part is not None:
        position = captions.index(part)
        wanted = range(starts[position], [*starts, len(lines)][position + 1])
    entries = [n for n in wanted if re.match(r"\s*-\s+file:\s*\"?chapters/", lines[n])]
    if part is not None:
        entries = entries or [n for n in wanted if re.match(r"\s*-\s+file:", lines[n])]
    if not entries:
        raise PaperError(f"_toc.yml has no chapter after which {name} could stand: add `- file: chapters/{name}`")
    last = entries[-1]
    indent = re.match(r"\s*", lines[last])[0]
    end = last + 1
    while end < len(lines) and lines[end].startswith(f"{indent} "):
        end += 1  # what belongs to that chapter
    after = "\n".join([*lines[:end], f"{indent}- file: chapters/{name}", *lines[end:], ""])
    if _files(yaml.safe_load(after)) != sorted([*_files(before), f"chapters/{name}"]):
        raise PaperError(f"_toc.yml is not laid out in blocks: add `- file: chapters/{name}` where it belongs")
    return after


def _in_preset(text: str, name: str, values: dict[str, object], path: Path) -> str:
    """The text of a preset with the values of one more chapter, the last."""
    before = yaml.safe_load(text) or {}
    block = "".join(f"    {parameter}: {value}\n" for parameter, value in values.items())
    start = text.rstrip("\n") + "\n" + ("" if "chapters" in before else "chapters:\n")
    after = f"{start}  {name}:\n{block}"
    expected = before | {"chapters": (before.get("chapters") or {}) | {name: values}}
    if not _reads(after, expected):
        raise PaperError(f"{path}: its chapters are not its last block; add to them, by hand,\n  {name}:\n{block}")
    return after


def _reads(text: str, expected: object) -> bool:
    """Whether YAML says what it should; a text that lines were added to may say something else, or nothing."""
    try:
        return yaml.safe_load(text) == expected
    except yaml.YAMLError:
        return False


def _files(toc: object) -> list[str]:
    if isinstance(toc, dict):
        here = [toc["file"]] if isinstance(toc.get("file"), str) else []
        return sorted(here + [name for value in toc.values() for name in _files(value)])
    return sorted(name for value in toc for name in _files(value)) if isinstance(toc, list) else []
