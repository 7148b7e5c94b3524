"""Files that are either whole or not there, and folders known to the whole package."""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from livingpaper.errors import InputError, PaperError


def sha256(content: bytes) -> str:
    """The SHA-256 digest in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def below(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files below a folder, by name relative to it, in alphabetical order of their paths."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 digest of each file below a folder, by name relative to it."""
    return {name: sha256(content) for name, content in below(folder)}


def inside(root: Path, name: str | Path, where: str) -> Path:
    """The file that ``name`` stands for below a folder; ``where`` is what names it.

    Raises:
        InputError: a name that leads out of the folder, through a link too.
    """
    path = root / name
    if Path(name).is_absolute() or ".." in Path(name).parts or not path.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{where} names {str(name)!r}, which leads out of {root}: what a book is made of lies in it")
    return path


def write_atomically(path: Path, content: bytes) -> None:
    """Write under a temporary name, then rename: a reader sees the old file or the new one, never half of it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        except BaseException:  # an interrupt too leaves nothing behind
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> PaperError:
    """The error to show when the operating system refuses to write."""
    remedy = {
        errno.ENOSPC: "the disk is full: free some space and run the same command again, finished work is kept",
        errno.EDQUOT: "the disk quota is used up: free some space and run the command again, finished work is kept",
        errno.EROFS: "the file system is read-only: choose another folder, or set LIVINGPAPER_CACHE_DIR for the cache",
        errno.EACCES: "permission denied: make the folder writable, or set LIVINGPAPER_CACHE_DIR for the cache",
        errno.EPERM: "permission denied: make the folder writable, or set LIVINGPAPER_CACHE_DIR for the cache",
    }.get(error.errno, "check that the folder exists and can be written")
    return PaperError(f"cannot write {path}: {error.strerror or error}; {remedy}")


def project_root(start: Path | None = None) -> Path | None:
    """The nearest folder at or above the working directory (or ``start``) that holds a book: a ``_toc.yml``."""
    start = (start or Path.cwd()).resolve()
    return next((folder for folder in (start, *start.parents) if (folder / "_toc.yml").is_file()), None)


def cache_folder(start: Path | None = None) -> Path:
    """Where results are kept: ``LIVINGPAPER_CACHE_DIR``, else the book's ``_build/cache``, else the user's cache."""
    if folder := os.environ.get("LIVINGPAPER_CACHE_DIR"):
        return Path(folder)
    if root := project_root(start):
        return root / "_build" / "cache"
    import pooch  # only needed outside a book, and slow to import

    return Path(pooch.os_cache("livingpaper"))
