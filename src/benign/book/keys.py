"""When is an executed chapter still good? When everything its numbers depend on is as it was."""

import ast
from pathlib import Path

from nbformat import NotebookNode

from benign.book import colab, parameters, presentation
from benign.book.benchmarks import FOLDER
from benign.errors import InputError
from benign.files import sha256
from benign.sweep import closure, environment
from benign.sweep.store import digest

SCHEMA = 2  # counted up when the book layer changes what an executed notebook holds


def parts(notebook: NotebookNode, values: dict[str, object], root: Path | None = None) -> dict:
    """Everything that the outputs of a chapter depend on, for given values of its parameters.

    The digests of data files are constants of the loaders' source, hence among the modules. Measured speeds are files
    of the project at ``root`` that the cells name.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    code = {cell.id: _computed(cell) for cell in cells if colab.TAG not in cell.metadata.get("tags", [])}
    device = values.get("device", "cpu")
    return {
        "schema": SCHEMA,
        "cells": [[name, digest(source)] for name, source in code.items()],
        "modules": closure.of_source("\n".join(code.values())),
        "files": _files("\n".join(code.values()), root) if root else {},
        "parameters": values,
        "versions": environment.versions((*environment.NUMERICAL, "matplotlib", "seaborn")),
        "device": environment.device_class(str(device)),
    }


def values(notebook: NotebookNode, overrides: dict[str, object]) -> dict[str, object]:
    """The values of all parameters of a chapter under some overrides."""
    return {name: parameter.default for name, parameter in parameters.read(notebook).items()} | overrides


def changes(old: dict, new: dict) -> list[str]:
    """What differs between the parts of two keys, in words."""
    if old["schema"] != new["schema"]:
        return ["the book layer keeps executed notebooks differently now"]
    said = []
    for what in ("cells", "modules", "files", "parameters", "versions"):
        before, after = dict(old[what]), dict(new[what])
        for name in [*after, *(name for name in before if name not in after)]:
            if before.get(name) == after.get(name):
                continue
            said.append(_say(what, name, before.get(name), after.get(name)))
    if not said and old["cells"] != new["cells"]:
        said.append("cells in another order")
    if old["device"] != new["device"]:
        said.append(f"device {old['device']} → {new['device']}")
    return said


def _computed(cell: NotebookNode) -> str:
    if "parameters" in cell.metadata.get("tags", []):
        return ""  # the values in force are a part by themselves, and their help is only said
    try:
        return presentation.computed(cell.source)
    except SyntaxError as error:
        raise InputError(
            f"line {error.lineno} of cell {cell.id} is not plain Python, which a key is made from: {error.msg}; "
            "write a magic or a shell command in Python"
        ) from None


def _files(code: str, root: Path) -> dict[str, str]:
    """The digests of the files in the folder of benchmarks that string literals of the code name."""
    texts = {node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)}
    paths = sorted(text for text in texts if isinstance(text, str) and text.startswith(f"{FOLDER}/"))
    return {path: sha256((root / path).read_bytes()) for path in paths if (root / path).is_file()}


def _say(what: str, name: str, before: object, after: object) -> str:
    if what in ("cells", "modules", "files"):
        how = "added" if before is None else "removed" if after is None else "changed"
        return {"cells": f"cell {name} {how}", "modules": f"src/{name} {how}", "files": f"{name} {how}"}[what]
    return f"{name} {'–' if before is None else before} → {'–' if after is None else after}"
