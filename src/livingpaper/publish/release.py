"""A build as one file for an archive, from which the pages can be made again without training.

It is a zip file that is an RO-Crate, with the digest of every file in ``SHA256SUMS``.
"""

import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from livingpaper.build import pipeline, render, stamp
from livingpaper.build.assemble import Chapter
from livingpaper.build.plan import Step
from livingpaper.build.project import Project
from livingpaper.build.repository import git, tracks
from livingpaper.errors import PaperError
from livingpaper.files import cannot_write, sha256
from livingpaper.publish import crate
from livingpaper.publish.identity import Identity

SUMS = "SHA256SUMS"
REQUIRED = ("LICENSE", "CITATION.cff", crate.LOCK)
_BEFORE_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that zip can say


def write(project: Project, identity: Identity, steps: Sequence[Step], output: Path) -> int:
    """Pack the site of these steps, what it was rendered from, and the sources; how many files these are.

    The same build gives the same bytes.
    """
    for name in REQUIRED:
        if not (project.root / name).is_file():
            raise PaperError(f"there is no {project.root / name}: a release needs it, add the file")
    site = project.site(identity.variant)
    contents = {f"site/{name}": (site / name).read_bytes() for name in (stamp.FILE, *stamp.read(site)["files"])}
    contents |= {f"book/{name}": content for name, content in _below(project.work(identity.variant) / "tree")}
    contents |= {f"source/{name}": (project.root / name).read_bytes() for name in sources(project.root)}
    contents |= {name: (project.root / name).read_bytes() for name in ("LICENSE", "CITATION.cff")}
    contents["README.md"] = _readme(identity).encode()
    contents = dict(sorted(contents.items()))
    chapters = [Chapter.of(project, step) for step in steps]
    contents[crate.METADATA] = crate.metadata(identity, _described(identity), contents, chapters)
    # as `sha256sum --check` reads it
    contents[SUMS] = "".join(f"{sha256(content)}  {name}\n" for name, content in contents.items()).encode()
    temporary = output.with_name(f".{output.name}.part")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        _pack(temporary, contents)
        os.replace(temporary, output)
    except OSError as error:
        raise cannot_write(output, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    return len(contents)


def read(path: Path) -> dict[str, bytes]:
    """The files of a release by name, if every one is there, is as it was written, and is listed."""
    contents = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                try:
                    contents[name] = archive.read(name)
                except (EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError):
                    raise PaperError(f"{path} is damaged: {name} in it cannot be read; get it again") from None
    except OSError as error:
        raise PaperError(f"cannot read {path}: {error.strerror or error}") from None
    except zipfile.BadZipFile:
        raise PaperError(f"{path} is no zip file, or its end is missing: get it again") from None
    if SUMS not in contents:
        raise PaperError(f"{path} has no file {SUMS}: it is no release of this book")
    try:
        lines = [line.split("  ", 1) for line in contents.pop(SUMS).decode().splitlines()]
        sums = {name: digest for digest, name in lines}
    except ValueError:
        raise PaperError(f"{path} is damaged: {SUMS} in it is no list of digests; get it again") from None
    if missing := sorted(sums.keys() - contents.keys()):
        raise PaperError(f"{path} is not whole: {_named(missing)} not in it; get it again")
    if unlisted := sorted(contents.keys() - sums.keys()):
        raise PaperError(f"{path} was changed since it was made: {_named(unlisted)} not in its {SUMS}")
    for name, content in contents.items():
        if sha256(content) != sums[name]:
            raise PaperError(f"{path} is damaged: {name} in it is not what {SUMS} says; get it again")
    return contents


def sources(root: Path) -> list[str]:
    """The files that the book's history has; without one, all but what is hidden or made."""
    listed = (git(root, "ls-files", "-z") or "").split("\0") if tracks(root) else []
    if tracked := [name for name in listed if name and (root / name).is_file()]:
        return sorted(tracked)
    return sorted(str(path.relative_to(root)) for path in _unmade(root))


def render_again(path: Path, output: Path) -> int:
    """Render a release's pages into a new folder and compare them with those in it; how many files are alike."""
    if output.exists():
        raise PaperError(f"{output} is there already: name a folder that is not, with --output")
    contents = read(path)
    expected = {name.removeprefix("site/"): content for name, content in contents.items() if name.startswith("site/")}
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".render-") as work:
            tree, log = Path(work, "tree"), output.with_name(f"{output.name}.log")
            for name in (name for name in contents if name.startswith("book/")):
                target = tree / name.removeprefix("book/")
                if not target.resolve().is_relative_to(tree.resolve()):
                    raise PaperError(f"{path} has a file {name}, which leads out of it: do not trust it")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(contents[name])
            facts = json.loads(expected[stamp.FILE])
            made = pipeline.pages_of(tree, facts["packages"], facts["variant"], Path(work), log)
            found = dict(_below(made))
            render.put_up(made, output)
            log.unlink()
    except OSError as error:
        raise cannot_write(output, error) from error
    if differing := sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)):
        shown = ", ".join(differing[:3]) + (f" and {len(differing) - 3} more" if len(differing) > 3 else "")
        raise PaperError(
            f"{len(differing)} of {len(expected)} files in {output} are not as in {path}: {shown}\n"
            "They were rendered with other versions: install source/requirements.txt and the package in source/, "
            "both of the bundle, and render again."
        )
    return len(found)


def _pack(path: Path, contents: Mapping[str, bytes]) -> None:
    """Write a zip file: equal contents give equal bytes, whenever and wherever they are written."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            about = zipfile.ZipInfo(name, _BEFORE_TIME)
            about.create_system, about.external_attr = 3, 0o100644 << 16  # Unix, readable by all
            about.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(about, content, compresslevel=9)


def _named(names: list[str]) -> str:
    return f"{names[0]} is" if len(names) == 1 else f"{names[0]} and {len(names) - 1} more are"


def _below(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files below a folder, by name relative to it."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _unmade(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name in ("_build", "__pycache__") or path.suffix == ".egg-info":
            continue
        if path.is_file():
            yield path
        elif not (path / "pyvenv.cfg").exists():
            yield from _unmade(path)


def _described(identity: Identity) -> str:
    values = "" if identity.variant.published else f", at the values of {identity.variant.name}"
    at = f"commit {identity.commit}" if identity.commit else "sources without a history"
    changed = ", with changes that were not committed" if identity.changed else ""
    return (
        f"Version {identity.version} of the book, built from {at}{changed}{values}: its pages, the executed notebooks, "
        "tables, claims, the records of the runs, and the sources."
    )


def _readme(identity: Identity) -> str:
    folders = "\n".join(f"- `{name}`: {what}" for name, what in crate.FOLDERS.items())
    return f"""# {identity.title}

{", ".join(identity.authors)}

{_described(identity)}

To read it, open `site/index.html`. How to cite it is in `CITATION.cff`.

{folders}
- `{crate.METADATA}`: what made what, as an RO-Crate (profile Process Run Crate).
- `{SUMS}`: the digest of every file. `sha256sum --check {SUMS}` compares.

The pages can be made again without training, and come out the same. With Python 3.11 and this file unpacked:

```
python3.11 -m venv .venv
.venv/bin/pip install --requirement source/requirements.txt
.venv/bin/pip install --no-build-isolation --no-deps ./source
.venv/bin/{identity.command} render {identity.stem}.zip
```

Everything anew, with all trainings: `make book` in `source/`.
"""
