"""Which files of the book and which modules a chapter used: told by the process that ran it, compared with its key.

Python announces what its code opens, imports and lists. What compiled code opens by itself, or another process such as
a Dask worker, is not seen.
"""

import json
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.util import source_from_cache
from pathlib import Path
from types import FrameType

from livingpaper.errors import PaperError
from livingpaper.files import cache_folder
from livingpaper.settings import TABLE
from livingpaper.sweep import data, environment, imported

_READ, _LISTED = ("open", "sqlite3.connect"), ("os.listdir", "os.scandir")
_PRESS = ("livingpaper.settings", "livingpaper.sweep.data")  # what reads the paper's settings, and the declared files
_PYTHON = ("importlib", "pkgutil", "pkg_resources")  # what looks through the folders of modules


def watch(report: Path, root: Path) -> None:
    """From now on, write down what this process uses: each file below ``root`` once, each module with its digest."""
    out = os.open(report, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def tell(**what: object) -> None:
        os.write(out, json.dumps(what).encode() + b"\n")

    tell(versions=environment.versions(environment.KEYED))
    imported.listeners.append(lambda name, file, digest: tell(module=name, path=file, digest=digest))
    ours, seen, here = (str(root) + os.sep, os.path.realpath(root) + os.sep), set(), os.path.join(root, "")
    # the press may be in the book: its modules are told, and Python opens those of the kernel again for a warning
    press, made = Path(__file__).parents[1], (root / "_build", cache_folder(root).absolute())
    others = (press, *made, Path(sys.prefix), Path(sys.base_prefix))
    left_out = tuple(f"{folder}{os.sep}" for folder in others if folder.is_relative_to(root))

    def note(event: str, arguments: tuple) -> None:
        if event not in _READ and event not in _LISTED or not arguments or isinstance(arguments[0], int):
            return
        end, flags = os.sep if event in _LISTED else "", arguments[2] if event == "open" else 0
        try:
            path = os.path.abspath(os.fsdecode(arguments[0] or os.curdir)) + end
            if path in seen:
                return
            if not path.startswith(ours):
                seen.add(path)
                path = os.path.realpath(path) + end
            if not path.startswith(ours) or path.startswith(left_out) or _is_of_python(path):
                return
            caller = sys._getframe(1)
            if end and any(name in caller.f_code.co_filename for name in _PYTHON):
                return
            if any(frame.f_globals.get("__name__") in _PRESS for frame in _callers(caller)):
                return
            path = source_from_cache(path) if "__pycache__" in path else path
            made_now = flags & os.O_TRUNC or flags & os.O_CREAT and not os.path.exists(path)
        except (OSError, ValueError, TypeError):
            return  # no file has such a name, and whoever opens it will hear of it
        if made_now:
            seen.add(path)  # what it made itself it may read
        elif not flags & os.O_WRONLY:
            seen.add(path)
            tell(file=os.path.relpath(path, here) + end)

    sys.addaudithook(note)


def _is_of_python(path: str) -> bool:
    """Whether something was installed, in an environment inside the book, or describes what was."""
    parts = path.split(os.sep)
    return not {"site-packages", "dist-packages"}.isdisjoint(parts) or any(
        part.endswith((".egg-info", ".dist-info")) for part in parts
    )


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def told(report: Path) -> list[dict]:
    """What a process has written down so far; nothing, where none was watched."""
    return [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []


def check(
    lines: Sequence[Mapping],
    parts: Mapping,
    root: Path,
    chapter: Path,
    packages: Collection[str],
    patterns: Collection[str],
) -> None:
    """Compare what a chapter used with the parts of its key.

    Raises:
        PaperError: something of which the key knows nothing, or knows otherwise.
    """
    modules = [line for line in lines if "module" in line]
    for line in modules:
        _check_module(line["module"], Path(line["path"]), line["digest"], parts["modules"], root, packages)
    ran = {line["path"] for line in modules}
    known = {*parts["files"], *parts["modules"], *(f"src/{name}" for name in parts["modules"]), str(chapter)}
    listed = data.listed(root, patterns)
    for name in (line["file"] for line in lines if "file" in line):
        path, how = root / name, ""
        if name.endswith(os.sep) and path.is_dir() and path not in listed:
            how, name = f"went through the folder {path.relative_to(root)}", Path(name, "*").as_posix()
        elif path.is_file() and name not in known and str(path) not in ran:
            how = f"read {name}"
        if how:
            raise PaperError(
                f'it {how}, and would not be executed again when that changes: declare data = ["{name}"] in [{TABLE}] '
                "of pyproject.toml, with all else that it reads"
            )


def _check_module(
    module: str, file: Path, digest: str, known: Mapping[str, str], root: Path, packages: Collection[str]
) -> None:
    dotted, beside = module.replace(".", "/"), os.path.relpath(file, root)
    recorded = [known[name] for name in (f"{dotted}.py", f"{dotted}/__init__.py", beside) if name in known]
    if digest in recorded:
        return
    if recorded:
        raise PaperError(
            f"it ran {file}, of which the key has other content: run the same command again; if that is no help, this "
            f"is another {module} than the book's, and Python finds it first"
        )
    personal = [Path(folder).absolute() for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    if module.partition(".")[0] in packages or any(map(file.is_relative_to, (root, *personal))):
        raise PaperError(
            f"it ran {file}, and would not be executed again when that changes: import it by its whole name where it "
            f"is used, and name its package in packages in [{TABLE}] of pyproject.toml if it is not beside the chapter"
        )
