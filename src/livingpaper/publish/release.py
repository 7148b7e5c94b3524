"""A build as one file for an archive, from which the pages can be made again without training.

It is a zip file that is an RO-Crate, with the digest of every file in ``SHA256SUMS``.
"""

from collections.abc import Sequence
from pathlib import Path

from livingpaper.build import archive, stamp
from livingpaper.build.assemble import Chapter
from livingpaper.build.plan import Step
from livingpaper.build.project import Project
from livingpaper.errors import PaperError
from livingpaper.files import below, sha256, write_atomically
from livingpaper.publish import bundle, crate
from livingpaper.publish.identity import Identity

REQUIRED = ("LICENSE", "CITATION.cff", crate.LOCK)


def write(project: Project, identity: Identity, steps: Sequence[Step], output: Path) -> int:
    """Pack the site of these steps, what it was rendered from, and the sources; how many files these are.

    The same build gives the same bytes.
    """
    for name in REQUIRED:
        if not (project.root / name).is_file():
            raise PaperError(f"there is no {project.root / name}: a release needs it, add the file")
    site = project.site(identity.variant)
    contents = {f"site/{name}": (site / name).read_bytes() for name in (stamp.FILE, *stamp.read(site)["files"])}
    contents |= {f"book/{name}": content for name, content in below(project.work(identity.variant) / "tree")}
    bundle.check_settings(output, contents["book/_config.yml"])  # what nobody could render is no release
    contents |= {f"source/{name}": (project.root / name).read_bytes() for name in archive.sources(project.root, steps)}
    bundle.check_sources(output, contents)
    contents |= {name: (project.root / name).read_bytes() for name in ("LICENSE", "CITATION.cff")}
    contents["README.md"] = _readme(identity).encode()
    contents = dict(sorted(contents.items()))
    chapters = [Chapter.of(project, step) for step in steps]
    contents[crate.METADATA] = crate.metadata(identity, _described(identity), contents, chapters)
    # as `sha256sum --check` reads it
    contents[bundle.SUMS] = "".join(f"{sha256(content)}  {name}\n" for name, content in contents.items()).encode()
    write_atomically(output, archive.packed(contents))
    return len(contents)


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
- `{bundle.SUMS}`: the digest of every file. `sha256sum --check {bundle.SUMS}` compares. It tells of damage, not of a
  forger, who would write new digests too: for that, compare the digest of the whole file with that of the archive.

The pages can be made again without training, and come out the same. Rendering runs nothing of this file, but to install
the package in `source/` is to run code of whoever made it. With Python 3.11 and this file unpacked:

```
python3.11 -m venv .venv
.venv/bin/pip install --requirement source/requirements.txt
.venv/bin/pip install --no-build-isolation --no-deps ./source
.venv/bin/{identity.command} render {identity.stem}.zip
```

Everything anew, with all trainings: `make book` in `source/`.
"""
