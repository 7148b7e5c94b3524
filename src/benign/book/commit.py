"""Which state of the sources a build was made from."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FILE = "commit.json"  # in the tree that Sphinx renders, so that a tree without history still knows


@dataclass(frozen=True)
class Commit:
    """A commit of the sources, whether they had been changed since, and the day that a citation gives.

    ``variant`` names the choice of parameters, if it is not the published one.
    """

    hash: str | None
    dirty: bool | None
    date: str
    variant: str = ""

    def __str__(self) -> str:
        return f"{(self.hash or 'unknown')[:12]}{' with later changes' if self.dirty else ''}"


def of(root: Path) -> Commit:
    """The commit that is checked out in a folder.

    The day is the commit's, so that the same state is cited alike whenever it is rendered; where sources were
    changed, or have no history (an unpacked archive), it is today.
    """
    today = datetime.now(UTC).date().isoformat()
    try:
        hash, day = _git(root, "log", "-1", "--format=%H %cs").split()
        dirty = bool(_git(root, "status", "--porcelain"))
    except (OSError, subprocess.CalledProcessError, ValueError):
        return Commit(None, None, today)
    return Commit(hash, dirty, today if dirty else day)


def _git(root: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=True).stdout
