"""A build as one file for an archive, from which the pages can be made again without training."""

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from livingpaper.build import assemble, render
from livingpaper.build import pipeline as build
from livingpaper.build.plan import Step
from livingpaper.build.project import Project
from livingpaper.build.repository import git
from livingpaper.errors import PaperError
from livingpaper.files import cannot_write, sha256
from livingpaper.publish import bundle, crate
from livingpaper.publish.bundle import Bundle
from livingpaper.publish.identity import Identity

LOCK = "requirements.txt"
REQUIRED = ("LICENSE", "CITATION.cff", LOCK)


@dataclass(frozen=True)
class Release:
    """A written bundle."""

    path: Path
    files: int
    size: int


def write(project: Project, identity: Identity, steps: Sequence[Step], output: Path) -> Release:
    """Pack the site of these steps, what it was rendered from, and the sources; the same build, the same bytes."""
    for name in REQUIRED:
        if not (project.root / name).is_file():
            raise PaperError(f"there is no {project.root / name}: a release needs it, add the file")
    site, tree = project.site(identity.variant), project.work(identity.variant) / "tree"
    paths = {f"site/{name}": site / name for name in _below(site)}
    paths |= {f"book/{name}": tree / name for name in _below(tree)}
    paths |= {f"source/{name}": project.root / name for name in sources(project.root)}
    paths |= {name: project.root / name for name in ("LICENSE", "CITATION.cff")}
    contents = {name: path.read_bytes() for name, path in paths.items()}
    contents["README.md"] = _readme(identity).encode()
    contents = dict(sorted(contents.items()))
    members = {name: crate.Member(len(content), sha256(content)) for name, content in contents.items()}
    runs = [_run(project, step, contents.keys()) for step in steps]
    contents[crate.METADATA] = crate.metadata(identity, _described(identity), members, runs)
    digests = {name: member.sha256 for name, member in members.items()}
    contents[bundle.SUMS] = bundle.sums(digests | {crate.METADATA: sha256(contents[crate.METADATA])})
    temporary = output.with_name(f".{output.name}.part")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        bundle.write(temporary, contents)
        os.replace(temporary, output)
    except OSError as error:
        raise cannot_write(output, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    return Release(output, len(contents), output.stat().st_size)


def sources(root: Path) -> list[str]:
    """The files that the book's history has; without one, all but what is hidden or made."""
    listed = (git(root, "ls-files", "-z") or "").split("\0")
    if tracked := [name for name in listed if name and (root / name).is_file()]:
        return sorted(tracked)
    return sorted(str(path.relative_to(root)) for path in _unmade(root))


def render_again(path: Path, output: Path) -> int:
    """Render a bundle's pages into a new folder and compare them with those in the bundle; how many files are alike."""
    if output.exists():
        raise PaperError(f"{output} is there already: name a folder that is not, with --output")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with Bundle.open(path) as opened, tempfile.TemporaryDirectory(dir=output.parent, prefix=".render-") as work:
            tree, log = Path(work, "tree"), output.with_name(f"{output.name}.log")
            opened.unpack("book/", tree)
            stamp = json.loads(opened.read(f"site/{build.STAMP}"))
            made = build.pages_of(tree, stamp["packages"], stamp["variant"], Path(work), log)
            expected = opened.digests("site/")
            found = {name: sha256((made / name).read_bytes()) for name in _below(made)}
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


def _run(project: Project, step: Step, names: Sequence[str]) -> crate.Run:
    record = step.entry.run
    path = project.chapter(step.chapter)
    files = {f"site/figures/{id}." for id in assemble.Chapter.of(project, step).figures}
    results = [name for name in names if name.startswith(tuple(files))] if files else []
    return crate.Run(
        chapter=step.chapter,
        record=record,
        source=f"source/{path}",
        inputs=[f"source/{LOCK}", *(name for name in names if name.removeprefix("source/src/") in record["modules"])],
        results=[f"book/{path}", *results],
        log=f"book/runs/{step.chapter}.json",
    )


def _below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


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
- `{bundle.SUMS}`: the digest of every file. `sha256sum --check {bundle.SUMS}` compares.

The pages can be made again without training, and come out the same. With Python 3.11 and this file unpacked:

```
python3.11 -m venv .venv
.venv/bin/pip install --requirement source/requirements.txt
.venv/bin/pip install --no-build-isolation --no-deps ./source
.venv/bin/{identity.command} render {identity.stem}.zip
```

Everything anew, with all trainings: `make book` in `source/`.
"""
