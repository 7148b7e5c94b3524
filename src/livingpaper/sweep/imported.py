"""Which source this process runs: the digest of each module's, taken when it was imported.

No time stamp decides this. A file that is moved into place brings an old one with it, a clock may be wrong, and Python
itself takes byte code for that of any source of the same time and size. So a module that somebody may be working on is
compiled from the very bytes that are digested.
"""

import sys
import sysconfig
from collections.abc import Callable, Mapping
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

import psutil

from livingpaper.sweep import closure

_STANDARD = sysconfig.get_path("stdlib")
_digests: dict[str, set[str]] = {}  # by file; several, if it was edited and imported again
listeners: list[Callable[[str, str, str], None]] = []  #: called with the name, the file and the digest of each module


def differing(modules: Mapping[str, str]) -> list[str]:
    """Those files of a closure that this process has not imported as the digests say; a file that it has not, is none.

    A module that was imported before this one is held to be its file unless that was changed since the process started,
    by the time of the file system, which nobody can set.
    """
    found = []
    for path, digest in modules.items():
        file = closure.home(path.partition("/")[0]) / path
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        if digests := _digests.get(str(file)):
            found += [path] * (digests != {digest})
        elif name in sys.modules:
            # a second for the grain of the clocks: nobody edits what a process imports in its first
            found += [path] * (file.stat().st_ctime > _started() + 1)
    return found


def _started() -> float:
    """When this process began."""
    return psutil.Process().create_time()


class _Finder:
    """Finds modules as Python does without it, and sees to it that their code is compiled from digested bytes."""

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        others = (finder for finder in sys.meta_path if finder is not cls and hasattr(finder, "find_spec"))
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in others)), None)
        if spec and isinstance(spec.loader, SourceFileLoader) and not installed(spec.loader.path):
            # this one loader, whose class may be that of another hook: only where its code comes from is changed
            spec.loader.get_code = partial(_compiled, spec.loader)
        return spec


def installed(file: str) -> bool:
    """Whether a module is Python's own or was installed, so that nobody works on it."""
    return not {"site-packages", "dist-packages"}.isdisjoint(Path(file).parts) or file.startswith(_STANDARD)


def _compiled(loader: SourceFileLoader, name: str) -> CodeType:
    source = loader.get_data(loader.path)
    digest = closure.source_digest(source)
    _digests.setdefault(loader.path, set()).add(digest)
    for listen in listeners:
        listen(name, loader.path, digest)
    return loader.source_to_code(source, loader.path)


sys.meta_path.insert(0, _Finder)
