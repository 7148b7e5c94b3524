"""A release as its readers have it: one zip file, every file of it with its digest in ``SHA256SUMS``."""

import hashlib
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from livingpaper.errors import PaperError

SUMS = "SHA256SUMS"
_BEFORE_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that zip can say


class Bundle:
    """A release that is open for reading."""

    def __init__(self, path: Path, archive: zipfile.ZipFile):
        self._path, self._archive = path, archive

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["Bundle"]:
        """Open a release whose every file is there, is as it was written, and is listed."""
        try:
            archive = zipfile.ZipFile(path)
        except OSError as error:
            raise PaperError(f"cannot read {path}: {error.strerror or error}") from None
        except zipfile.BadZipFile:
            raise PaperError(f"{path} is no zip file, or its end is missing: get it again") from None
        with archive:
            bundle = cls(path, archive)
            bundle._check()
            yield bundle

    def read(self, name: str) -> bytes:
        """The content of a file."""
        try:
            return self._archive.read(name)
        except KeyError:
            raise PaperError(f"{self._path} has no file {name}: it is no release of this book") from None
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError):
            raise PaperError(f"{self._path} is damaged: {name} in it cannot be read; get it again") from None

    def digests(self, folder: str) -> dict[str, str]:
        """The digests of the files below a folder, by name relative to it."""
        return {name.removeprefix(folder): value for name, value in self._sums.items() if name.startswith(folder)}

    def unpack(self, folder: str, target: Path) -> None:
        """Write the files below one of the release's folders into another one."""
        for name in self.digests(folder):
            path = target / name
            if not path.resolve().is_relative_to(target.resolve()):
                raise PaperError(f"{self._path} has a file {folder}{name}, which leads out of it: do not trust it")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.read(folder + name))

    def _check(self) -> None:
        try:
            lines = [line.split("  ", 1) for line in self.read(SUMS).decode().splitlines()]
            self._sums = {name: digest for digest, name in lines}
        except ValueError:
            raise PaperError(f"{self._path} is damaged: {SUMS} in it is no list of digests; get it again") from None
        there = {name for name in self._archive.namelist() if name != SUMS}
        if missing := sorted(self._sums.keys() - there):
            raise PaperError(f"{self._path} is not whole: {_named(missing)} not in it; get it again")
        if unlisted := sorted(there - self._sums.keys()):
            raise PaperError(f"{self._path} was changed since it was made: {_named(unlisted)} not in its {SUMS}")
        for name, digest in self._sums.items():
            if hashlib.sha256(self.read(name)).hexdigest() != digest:
                raise PaperError(f"{self._path} is damaged: {name} in it is not what {SUMS} says; get it again")


def write(path: Path, contents: Mapping[str, bytes]) -> None:
    """Write a bundle: equal contents give equal bytes, whenever and wherever they are written."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            about = zipfile.ZipInfo(name, _BEFORE_TIME)
            about.create_system, about.external_attr = 3, 0o100644 << 16  # Unix, readable by all
            about.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(about, content, compresslevel=9)


def sums(digests: Mapping[str, str]) -> bytes:
    """The list of digests, as ``sha256sum --check`` reads it."""
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()


def _named(names: list[str]) -> str:
    return f"{names[0]} is" if len(names) == 1 else f"{names[0]} and {len(names) - 1} more are"
