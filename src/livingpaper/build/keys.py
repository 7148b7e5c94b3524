"""When is an executed chapter still good? When everything its numbers depend on is as it was."""

import ast
import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from nbformat import NotebookNode

from livingpaper.build import parameters
from livingpaper.errors import InputError
from livingpaper.files import sha256
from livingpaper.sweep import closure, environment
from livingpaper.sweep.store import digest

SCHEMA = 4  # counted up when the book layer changes what an executed notebook holds

_STARTUP = "sitecustomize"  # the module that a Python imports unasked, where a machine has one
_STYLE = "matplotlibrc"  # what matplotlib reads unasked, where it works
_DRAWS = ("dark", "figures", "marks", "moving", "panels", "plots", "style")
_DRAWING = tuple(f"livingpaper/say/{name}.py" for name in _DRAWS)
_NOT_KEPT = ("python", "matplotlib", "seaborn")
_SHORT = 16  # hexadecimal digits of a digest tell one state of a file from another
_NAME = re.compile(r"[^\0\n]{1,200}\.\w+")  # what may be the name of a file


def parts(
    notebook: NotebookNode,
    values: dict[str, object],
    packages: Collection[str] = (),
    folders: Sequence[Path] = (),
    data: Mapping[str, str] | None = None,
) -> dict:
    """Everything that the outputs of a chapter depend on, for given values of its parameters.

    ``packages`` are those of which modules count, beside the press; ``folders`` those in which files that the cells
    name are looked for: its own, where modules count too, and the root. ``data`` are the digests of declared files.
    """
    if missing := [package for package in packages if closure.home(package) is None]:  # none of its code would count
        raise InputError(
            f"there is no package {missing[0]!r}: install it, or correct `packages` in [tool.livingpaper] of "
            "pyproject.toml"
        )
    code = {cell.id: _computed(cell) for cell in notebook.cells if cell.cell_type == "code"}
    whole = "\n".join(code.values())
    device = values.get("device", "cpu")
    return {
        "schema": SCHEMA,
        "cells": [[name, digest(source)] for name, source in code.items()],
        "modules": _modules(whole, {*packages, "livingpaper"}, folders),
        "files": dict(data or {}) | _files(whole, folders),
        "parameters": values,
        "versions": environment.versions(environment.KEYED),
        "device": environment.device_class(str(device)),
    }


def values(notebook: NotebookNode, overrides: dict[str, object]) -> dict[str, object]:
    """The values of all parameters of a chapter under some overrides."""
    return {name: parameter.default for name, parameter in parameters.read(notebook).items()} | overrides


def portable(parts: Mapping, without: str) -> dict:
    """The parts of a key that decide the numbers of a claim, as they are on every machine with the same sources.

    Not among them are the device, the version of Python, what the machine runs unasked, what only draws, and one
    parameter.
    """
    modules = {name: value for name, value in parts["modules"].items() if not name.startswith((_STARTUP, *_DRAWING))}
    versions = {name: version.partition("+")[0] for name, version in parts["versions"].items() if name not in _NOT_KEPT}
    return {
        "schema": parts["schema"],
        "cells": {name: value[:_SHORT] for name, value in parts["cells"]},
        "modules": {name: value[:_SHORT] for name, value in sorted(modules.items())},
        "files": {name: value[:_SHORT] for name, value in sorted(parts["files"].items())},
        "parameters": {name: value for name, value in parts["parameters"].items() if name != without},
        "versions": versions,
        "device": "",
    }


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
    if not said and list(dict(old["cells"])) != list(dict(new["cells"])):
        said.append("cells in another order")
    if old["device"] != new["device"]:
        said.append(f"device {old['device']} → {new['device']}")
    return said


def _computed(cell: NotebookNode) -> str:
    if "parameters" in cell.metadata.get("tags", []):
        return ""  # the values in force are a part by themselves, and their help is only said
    try:
        return ast.unparse(closure.parsed(cell.source, f"cell {cell.id}"))  # comments and formatting compute nothing
    except InputError as error:
        raise InputError(f"{error}; write a magic or a shell command in Python") from None


def _modules(code: str, packages: Collection[str], folders: Sequence[Path]) -> dict[str, str]:
    """The digests of the modules that code imports: of packages by path in them, of others by path from the root."""
    found = closure.of_source(code, packages, next(iter(folders), None)) | closure.of_modules([_STARTUP], [_STARTUP])
    own = {name for name in found if name.partition("/")[0].removesuffix(".py") in {*packages, _STARTUP}}
    return {name if name in own else _from_root(folders[0] / name, folders): found[name] for name in found}


def _files(code: str, folders: Sequence[Path]) -> dict[str, str]:
    """The digests of the files that string literals of the code name, and of matplotlib's, in the first folder."""
    texts = {node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)}
    names = sorted({_STYLE, *(text for text in texts if isinstance(text, str) and _NAME.fullmatch(text))})
    paths = [[path for folder in folders if (path := folder / name).is_file()] for name in names]
    return {_from_root(found[0], folders): sha256(found[0].read_bytes()) for found in paths if found}


def _from_root(path: Path, folders: Sequence[Path]) -> str:
    return Path(os.path.relpath(path, folders[-1])).as_posix()


def _say(what: str, name: str, before: object, after: object) -> str:
    if what in ("cells", "modules", "files"):
        how = "added" if before is None else "removed" if after is None else "changed"
        return {"cells": f"cell {name} {how}", "modules": f"{name} {how}", "files": f"{name} {how}"}[what]
    return f"{name} {'–' if before is None else before} → {'–' if after is None else after}"
