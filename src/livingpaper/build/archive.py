"""The sources of a book as one file, which its site offers, and zip files that are the same whenever they are made."""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from livingpaper.build.plan import Step
from livingpaper.build.repository import git, tracks

FILE = "source.zip"  # in the tree, and in the site
_BEFORE_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that zip can say


def of_sources(root: Path, steps: Sequence[Step], folder: str) -> bytes:
    """The archive of a book's sources; unpacked it is a folder of that name."""
    return packed({f"{folder}/{name}": (root / name).read_bytes() for name in sources(root, steps)})


def sources(root: Path, steps: Sequence[Step] = ()) -> list[str]:
    """The files that the book's history has; without one, all but what is hidden or made and was not read by a step."""
    listed = (git(root, "ls-files", "-z") or "").split("\0") if tracks(root) else []
    if tracked := [name for name in listed if name and (root / name).is_file()]:
        return sorted(tracked)
    read = {name for step in steps for name in step.entry.run["files"] if (root / name).resolve().is_relative_to(root)}
    return sorted({*read, *(str(path.relative_to(root)) for path in _unmade(root))})


def packed(contents: Mapping[str, bytes]) -> bytes:
    """A zip file: equal contents give equal bytes, whenever and wherever they are written."""
    with zipfile.ZipFile(written := io.BytesIO(), "w") as archive:
        for name, content in contents.items():
            about = zipfile.ZipInfo(name, _BEFORE_TIME)
            about.create_system, about.external_attr = 3, 0o100644 << 16  # Unix, readable by all
            about.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(about, content, compresslevel=9)
    return written.getvalue()


def _unmade(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name in ("_build", "__pycache__") or path.suffix == ".egg-info":
            continue
        if path.is_file():
            yield path
        elif not (path / "pyvenv.cfg").exists():
            yield from _unmade(path)
