"""Where the sources are: the commit that is built, the address of its repository, and the lines of a cell there."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pydantic import TypeAdapter

from livingpaper.errors import InputError, PaperError

RECORD = "source.json"  # in an assembled tree, which is under no version control itself

_ADDRESS = re.compile(
    r"(?:https?://|ssh://)(?:[^/@]*@)?(?P<host>[\w.-]+)(?::\d+)?/(?P<path>.+)"
    r"|(?:[^/@:]+@)(?P<scp_host>[\w.-]+):(?P<scp_path>[^/].*)"
)
# How forges address a file at a commit, and lines {0} to {1} of it; any host but GitLab is taken for one like GitHub.
_GITHUB = ("{url}/blob/{commit}/{path}", "#L{0}-L{1}")
_GITLAB = ("{url}/-/blob/{commit}/{path}", "#L{0}-{1}")
# Notebooks and Markdown are shown without line numbers unless their plain text is asked for.
_RENDERED = (".ipynb", ".md")


@dataclass(frozen=True)
class Repository:
    """A state of the sources: what is known of it."""

    url: str | None = None  #: https address of the repository, without credentials
    commit: str | None = None
    dirty: bool | None = None  #: whether files differ from the commit
    prefix: str = ""  #: the book's folder in the repository, with a slash at the end, or nothing
    date: str = ""  #: the commit's day, so that the same sources are cited alike whenever they are rendered

    @classmethod
    def of(cls, root: Path, configured: str = "") -> "Repository":
        """The repository of a folder; ``configured`` is the address that its settings name, if any.

        Raises:
            InputError: a configured address that is none of a repository.
            PaperError: a repository of which git does not say what it is at.
        """
        url = address(configured)
        if configured and url is None:
            raise InputError(
                f"repository.url in _config.yml is {configured!r}: write the address of the repository's page, e.g. "
                "https://github.com/OWNER/NAME, or leave it empty"
            )
        commit = git(root, "rev-parse", "--verify", "--quiet", "HEAD") if tracks(root) else None
        if commit is None:
            return cls(url)  # an unpacked archive has no history
        url = url or address(git(root, "config", "--local", "remote.origin.url") or "")
        prefix = git(root, "rev-parse", "--show-prefix") or ""
        # said in full, for a person's configuration may hide changes or show signatures
        changes = git(root, "status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=none")
        dirty = bool(changes) or any(_unwatched(root))
        return cls(url, commit, dirty, prefix, git(root, "log", "-1", "--no-show-signature", "--format=%cs"))

    @property
    def state(self) -> str:
        """The commit in words, and whether it is all of the truth."""
        if self.commit is None:
            return "an unknown commit"
        return f"commit {self.commit[:10]}" + (", with changes that are not committed" if self.dirty else "")

    def permalink(self, path: str, lines: tuple[int, int] | None = None) -> str | None:
        """The address of a file of the book at this commit, of some of its lines; None if it is not known."""
        if self.url is None or self.commit is None:
            return None
        file, part = _GITLAB if "gitlab" in self.url.split("/")[2] else _GITHUB
        link = file.format(url=self.url, commit=self.commit, path=quote(self.prefix + path))
        if lines is None:
            return link
        return link + ("?plain=1" if path.endswith(_RENDERED) else "") + part.format(*lines)


@dataclass(frozen=True)
class Place:
    """Where an object of the book is made: a cell of a notebook, and the lines of its source in that file."""

    path: str
    cell: str
    lines: tuple[int, int] | None


@dataclass(frozen=True)
class Sources:
    """The repository, and where in it each figure, table and claim is made."""

    repository: Repository
    places: dict[str, Place]
    variant: str = ""  #: the name of the choice of parameters that was built, if it is not the published one

    @classmethod
    def of(
        cls, root: Path, made: Mapping[Path, Mapping[str, str]], configured: str = "", variant: str = ""
    ) -> "Sources":
        """The sources of a book at ``root``; ``made`` says by notebook which cell hands over which id."""
        places = {}
        for path, cells in made.items():
            lines = cell_lines(root / path) if cells else {}
            places |= {id: Place(path.as_posix(), cell, lines.get(cell)) for id, cell in cells.items()}
        return cls(Repository.of(root, configured), places, variant)

    @classmethod
    def read(cls, tree: Path) -> "Sources | None":
        """What an assembled tree has recorded; None in any other folder."""
        record = tree / RECORD
        return TypeAdapter(cls).validate_json(record.read_bytes()) if record.exists() else None

    def write(self, tree: Path) -> None:
        """Record the sources of an assembled tree in it."""
        (tree / RECORD).write_bytes(TypeAdapter(Sources).dump_json(self, indent=1))


def tracks(root: Path) -> bool:
    """Whether there is a repository that has the book in this folder; one around it may have nothing to do with it."""
    return git(root, "ls-files", "--error-unmatch", "_toc.yml") is not None


def git(root: Path, *words: str) -> str | None:
    """What git says about a folder; None if it says no, or if there is no repository.

    Raises:
        PaperError: there is a repository, and git is not installed or refuses to read it.
    """
    # GIT_DIR and the like, as hooks have them, mean another repository; GIT_CONFIG_* may say which folders to trust.
    foreign = [name for name in os.environ if name.startswith("GIT_") and not name.startswith("GIT_CONFIG_")]
    environment = {name: value for name, value in os.environ.items() if name not in foreign} | {"LC_ALL": "C"}
    command = ["git", "-C", str(root), *words]
    try:
        done = subprocess.run(command, capture_output=True, env=environment, encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        if any((folder / ".git").exists() for folder in (root, *root.parents)):
            why = f"git cannot be run ({error.strerror}): install it, or build a copy without .git"
            raise PaperError(f"{root} is in a git repository, and {why}") from None
        return None
    if done.returncode == 128 and "not a git repository (or any" not in done.stderr:
        why = f"git does not say which commit it is: {' '.join(done.stderr.split())}"
        raise PaperError(f"{root} is in a git repository, and {why}")
    return done.stdout.strip() if done.returncode == 0 else None


def _unwatched(root: Path) -> Iterator[str]:
    """The files that git was told not to look at (``update-index --assume-unchanged``): they may have changed."""
    for line in (git(root, "ls-files", "-v", "-z") or "").split("\0"):
        if line and line[0] != "H" and (root / line[2:]).is_file():
            yield line[2:]


def address(text: str) -> str | None:
    """The https address of a repository on a forge, without credentials, out of any that git takes; else None."""
    match = _ADDRESS.fullmatch(text.strip())
    if match is None:
        return None
    host = (match["host"] or match["scp_host"]).lower()
    path = (match["path"] or match["scp_path"]).strip("/").removesuffix(".git")
    # A host without a dot, or a path without an owner, is a machine of somebody's own.
    return f"https://{host}/{path}" if "." in host.strip(".") and re.fullmatch(r"[^/]+(/[^/]+)+", path) else None


def cell_lines(notebook: Path) -> dict[str, tuple[int, int]]:
    """The first and last line of the source of each cell in a notebook file, by the cell's id.

    Empty for a file that is not laid out as Jupyter does it, a line of code a line.
    """
    content = notebook.read_bytes()
    text = content.decode(json.detect_encoding(content))
    ids = [cell.get("id") for cell in json.loads(text)["cells"]]
    lines = re.split("\r?\n", text)  # not splitlines: a text may hold what Python takes for more ends of lines
    starts = [number for number, line in enumerate(lines, 1) if re.fullmatch(r'   "source": \[(\])?,?', line)]
    if len(starts) != len(ids):
        return {}
    ends = (next(n for n in range(start, len(lines) + 1) if lines[n - 1].rstrip(",").endswith("]")) for start in starts)
    return {id: (start + 1, max(end - 1, start)) for id, start, end in zip(ids, starts, ends, strict=True)}
