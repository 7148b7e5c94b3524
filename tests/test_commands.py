"""Every command that the documents show is one that there is, with options and parameters that it takes."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from distributed.cli import dask_scheduler, dask_worker

from livingpaper.build import parameters
from livingpaper.build.project import Project
from livingpaper.cli.app import app
from livingpaper.errors import PaperError

ROOT = Path(__file__).parents[1]
PROJECT = Project(ROOT)
DOCUMENTS = {
    path: (ROOT / path).read_text(encoding="utf-8")
    for path in ("README.md", "CONTRIBUTING.md", "chapters/run.md", "chapters/intro.md")
}
DOCUMENTS |= {
    f"chapters/{name}.ipynb": "\n".join(
        cell.source for cell in PROJECT.notebook(name).cells if cell.cell_type == "markdown"
    )
    for name in PROJECT.chapters
}
FENCE = re.compile(r"^ *(`{3,})([^`\n]*)\n(.*?)^ *\1$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!\})`((?:benign|papermill|make) [^`]+)`")


def commands():
    found = []
    for path, text in DOCUMENTS.items():
        blocks = [
            block
            for _, language, block in FENCE.findall(text)
            if language in ("", "bash") and "├──" not in block and ":::" not in block
        ]
        shown = [line for block in blocks for line in block.splitlines() if line.strip()]
        # `name value` in prose stands for a family of commands when it is in capitals.
        shown += [line for line in INLINE.findall(FENCE.sub("", text)) if not re.search(r"\b[A-Z]{2,}\b", line)]
        found += [pytest.param(line, id=f"{path}: {line}") for line in dict.fromkeys(shown)]
    return found


@pytest.mark.parametrize("line", commands())
def test_a_command_in_a_document_is_one_that_there_is(line):
    for command in line.replace("$(hostname)", "login").removesuffix(" &").split(" && "):
        check(shlex.split(command, comments=True))


def check(words):
    program, *arguments = words
    program = program.removeprefix(".venv/bin/")
    checks = {
        "benign": check_benign,
        "papermill": check_papermill,
        "make": check_make,
        "dask": check_dask,
        "sbatch": check_sbatch,
        "jupyter-book": lambda words: words == ["build", "."] or pytest.fail(f"jupyter-book {words}"),
        "jupyter": lambda words: words == ["lab", "chapters/"] or pytest.fail(f"jupyter {words}"),
        "source": lambda words: words == [".venv/bin/activate"] or pytest.fail(f"source {words}"),
        "pytest": lambda words: words == [] or pytest.fail(f"pytest {words}"),
        "ruff": lambda words: words in (["check"], ["format", "--check"]) or pytest.fail(f"ruff {words}"),
        "nbstripout": lambda words: words[0] == "--keep-id" or pytest.fail(f"nbstripout {words}"),
        "sha256sum": lambda words: words == ["--check", "SHA256SUMS"] or pytest.fail(f"sha256sum {words}"),
        "python": lambda words: (ROOT / words[0]).is_file() or pytest.fail(f"there is no {words[0]}"),
    }
    assert program in checks, f"{program}: say in this test how to check it"
    checks[program](arguments)


def parse(command, words):
    """The values of a command's options, as click reads them."""
    try:
        return command.make_context(command.name, list(words)).params
    except Exception as error:  # typer brings a click of its own, with exceptions of its own
        if type(error).__name__ == "Exit":
            return {}
        raise AssertionError(f"{command.name} {words}: {error}") from None


def check_benign(words):
    group = typer.main.get_command(app)
    name, *arguments = words
    if name.startswith("-"):
        assert name in {option for parameter in group.params for option in parameter.opts} | {
            "--help", "--install-completion"
        }  # fmt: skip
        return
    command = group.commands.get(name)
    assert command is not None, f"there is no `benign {name}`"
    if not arguments:
        return  # a command that prose speaks of by its name
    given = parse(command, arguments)
    named = given.get("chapter")
    for chapter in [*(named if isinstance(named, list | tuple) else [named]), *(given.get("only") or [])]:
        assert chapter is None or name == "new" or PROJECT.chapter(chapter)
    for text in given.get("p") or []:
        target, _, value = text.partition("=")
        chapter, _, parameter = target.rpartition(".")
        check_parameter(chapter or given["chapter"], parameter, value)
    if preset := given.get("preset"):
        assert preset in PROJECT.presets


def check_parameter(chapter, name, text):
    declared = PROJECT.parameters(chapter)
    assert name in declared, f"{chapter} has no parameter {name}"
    parameters.validate(chapter, declared, {name: parameters.parse_value(text, declared[name])})


def check_papermill(words):
    source, output, *options = words
    assert (ROOT / source).is_file(), source
    assert output.endswith(".ipynb")
    for option, name, text in zip(*(options[place::3] for place in range(3)), strict=True):
        assert option == "-p"
        check_parameter(Path(source).stem, name, text)


def check_make(words):
    makefile = (ROOT / "Makefile").read_text()
    for word in words:
        assert "=" in word or re.search(rf"^{word}:", makefile, re.MULTILINE), f"the Makefile has no {word}"


def check_dask(words):
    command = {"scheduler": dask_scheduler.main, "worker": dask_worker.main}[words[0]]
    assert parse(command, words[1:])


def check_sbatch(words):
    options = dict(word.removeprefix("--").split("=", 1) for word in words)
    assert options.keys() <= {"ntasks", "mem-per-cpu", "time", "wrap"}, options
    srun, *task = shlex.split(options["wrap"])
    assert srun == "srun"
    check(task)


@pytest.mark.parametrize(
    "words",
    [
        ["benign", "buld"],
        ["benign", "build", "--no-such-option"],
        ["benign", "run", "no-such-chapter"],
        ["benign", "replicate", "test-error", "no-such-chapter"],
        ["benign", "run", "test-error", "-p", "sedes=3"],
        ["benign", "build", "--preset", "tiny"],
        ["papermill", "chapters/test-error.ipynb", "out.ipynb", "-p", "sedes", "3"],
        ["papermill", "chapters/none.ipynb", "out.ipynb"],
        ["make", "coffee"],
        ["dask", "worker", "tcp://a:1", "--threads", "many"],
        ["sbatch", "--wrap=srun make coffee"],
        ["no-such-program"],
    ],
)
def test_the_checks_would_notice(words):
    with pytest.raises((AssertionError, PaperError)):
        check(words)


def test_the_errors_that_the_page_explains_are_errors_that_there_are():
    code = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    code = re.sub(r'"\s*f?"', "", code)  # literals that go on in the next line
    lines = re.findall(r"^(`.*`)\n:", DOCUMENTS["chapters/run.md"], re.MULTILINE)
    terms = [term for line in lines for term in line.split("`")[1::2]]
    assert len(terms) > 5
    assert [term for term in terms if term not in code] == []
