"""Plan, execute, assemble, render: from sources to a published site."""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import filelock
import nbformat

from livingpaper.build import archive, assemble, execute, keys, render, replications, stamp, used
from livingpaper.build.cache import Entry, NotebookCache
from livingpaper.build.execute import Job
from livingpaper.build.plan import Step, parts_of
from livingpaper.build.project import Project, Variant
from livingpaper.build.repository import Repository
from livingpaper.errors import PaperError
from livingpaper.files import cannot_write, digests, sha256, write_atomically
from livingpaper.say import figures
from livingpaper.say.claims import estimate_text
from livingpaper.sweep import closure, environment
from livingpaper.sweep.store import digest

#: What draws the pages, beside our own extension.
RENDERERS = (
    "jupyter-book", "sphinx", "myst-nb", "sphinx-book-theme", "pydata-sphinx-theme", "sphinx-proof",
    "sphinx-codeautolink",
)  # fmt: skip

Watch = Callable[[Sequence[Job]], None]


@dataclass(frozen=True)
class Site:
    """A published site."""

    folder: Path
    made: str  #: in words, whether it had to be rendered
    figures: int
    claims: int
    left_out: list[str]  #: of the outputs of cells, in words

    @property
    def address(self) -> str:
        """Where a browser finds its first page."""
        return (self.folder / "index.html").as_uri()


@contextmanager
def lock(project: Project) -> Iterator[None]:
    """The right to write below ``_build``; it ends with the ``with`` block, or with the process."""
    held = filelock.FileLock(project.build / ".lock", timeout=0)
    try:
        project.build.mkdir(parents=True, exist_ok=True)
        held.acquire()
    except filelock.Timeout:
        raise PaperError(f"another build is at work in {project.build}: wait for it, or stop it") from None
    except OSError as error:
        raise cannot_write(project.build, error) from error
    try:
        yield
    finally:
        held.release()


def run_stale(project: Project, steps: Sequence[Step], jobs: int, watch: Watch) -> list[Job]:
    """Execute the chapters that are not fresh and keep what they gave; the jobs, those that failed too."""
    cache, stale = NotebookCache(project.cache), [step for step in steps if not step.fresh]
    work = [_job(project, step) for step in stale]
    cache.mark()
    seen: set[Path] = set()

    def keep_finished(everything: Sequence[Job]) -> None:
        # As soon as a chapter is done, so that a kill costs only what still runs.
        for step, job in zip(stale, work, strict=True):
            if job.seconds is not None and job.output not in seen:
                seen.add(job.output)
                if job.failure is None:
                    _keep(project, step, job, cache)
        watch(everything)

    try:
        execute.run(
            work, jobs, max((step.variant.time_limit for step in stale), default=0), project.cache, keep_finished
        )
    except OSError as error:
        raise cannot_write(project.build, error) from error
    return work


def _job(project: Project, step: Step) -> Job:
    where = (project.root / project.chapter(step.chapter)).parent
    return Job(step.chapter, step.notebook, step.parameters, where, project.work(step.variant), step.label)


def _keep(project: Project, step: Step, job: Job, cache: NotebookCache) -> None:
    now = parts_of(project, step.chapter, step.notebook, step.parts["parameters"])
    if now != step.parts:
        # The cells ran with the old code or the new one, or with some of each: the outputs belong to neither key.
        what = "; ".join(keys.changes(step.parts, now))
        job.failure = f"not kept, since {what} while it ran: run the same command again"
        return
    paper, chapter = project.settings, project.chapter(step.chapter)
    try:
        used.check(used.told(job.file("used")), step.parts, project.root, chapter, paper.packages, paper.data)
    except PaperError as error:
        job.failure = f"not kept, since {error}"
        return
    notebook = nbformat.read(job.output, as_version=4)
    step.entry = Entry(notebook, step.parts, _record(project, step, job))
    cache.save(step.key, step.entry)
    step.reasons = []


def make_site(project: Project, variant: Variant, steps: list[Step]) -> Site:
    """Assemble the executed chapters and render them, unless the site is already made of just these."""
    work, site, packages = project.work(variant), project.site(variant), project.settings.packages
    tree = work / "tree"
    chapters = [assemble.Chapter.of(project, step) for step in steps]
    _check_unique(chapters)
    _check_record(variant, chapters, project.settings.command)
    try:
        assemble.assemble(project, variant, chapters, tree)
        (tree / archive.FILE).write_bytes(archive.of_sources(project.root, steps, project.settings.command))
        made = _stale(site, _facts(tree, packages, variant.name))
        if made:
            render.put_up(pages_of(tree, packages, variant.name, work, work / "render.log"), site)
    except OSError as error:
        raise cannot_write(work, error) from error
    left_out = [f"{chapter.name}: {told}" for chapter in chapters for told in chapter.left_out]
    counts = (sum(len(chapter.figures) for chapter in chapters), sum(len(chapter.claims) for chapter in chapters))
    return Site(site, made or "nothing had changed", *counts, left_out)


def _stale(site: Path, facts: dict) -> str:
    """Why a site must be rendered, in words; nothing, if it is what these facts make."""
    known = stamp.read(site)
    if {name: known.get(name) for name in facts} != facts:
        return "rendered"
    damage = stamp.damage(site)
    more = f" and {len(damage) - 1} more" if len(damage) > 1 else ""
    return f"rendered again, for these were not as published: {damage[0]}{more}" if damage else ""


def pages_of(tree: Path, packages: Sequence[str], variant: str, work: Path, log: Path, ours: bool = True) -> Path:
    """Render a tree, ours or somebody else's; the folder of the pages, which says what they were made from."""
    made = render.render(tree, work / "site", log, ours)
    stamp.write(made, _facts(tree, packages, variant))
    return made


def extract(project: Project, step: Step, folder: Path) -> assemble.Chapter:
    """Write an executed chapter, the files of its figures and its claims into a folder, for whoever re-ran it."""
    chapter = assemble.Chapter.of(project, step)
    write_atomically(folder / f"{step.chapter}.ipynb", nbformat.writes(chapter.notebook).encode())
    for id, figure in chapter.figures.items():
        for suffix, content in figures.contents(figure).items():
            write_atomically(folder / "figures" / f"{id}.{suffix}", content)
    claims = [
        {key: value for key, value in claim.items() if key not in ("cell", "schema")}
        for claim in chapter.claims.values()
    ]
    content = json.dumps({"schema": 1, "claims": claims}, indent=2, ensure_ascii=False, sort_keys=True)
    write_atomically(folder / "claims.json", f"{content}\n".encode())
    write_atomically(folder / "run.json", json.dumps(step.entry.run, indent=1, sort_keys=True).encode())
    return chapter


def _check_unique(chapters: list[assemble.Chapter]) -> None:
    places: dict[str, str] = {}
    for chapter in chapters:
        for id in chapter.shown:
            if other := places.get(id):
                raise PaperError(
                    f"the id {id!r} is used in {other} and again in {chapter.name}: ids are unique in the "
                    "book, rename the newer one"
                )
            places[id] = chapter.name


def _check_record(variant: Variant, chapters: list[assemble.Chapter], command: str) -> None:
    """Refuse to publish the paper when a claim's verdict is not the one on record."""
    if not variant.published:
        return
    differing = [
        (chapter.name, claim)
        for chapter in chapters
        for claim in chapter.claims.values()
        if claim["verdict"] != claim["on_record"]
    ]
    if not differing:
        return
    told = ["verdicts differ from those on record, nothing was published:"]
    for name, claim in differing:
        why = [estimate_text(claim), f"holds if {claim['holds_if']}", replications.in_words(claim)]
        why = "; ".join(filter(None, why))
        told.append(f"{name}: {claim['id']} {claim['verdict']}, on record: {claim['on_record']} ({why})")
    remedy = "Find out why. If the new verdict is right, put it into :record: of its directive; nothing is executed."
    if outdated := dict.fromkeys(name for name, claim in differing if claim["replications_outdated"]):
        remedy += f"\nOutdated draws decide nothing: `{command} replicate {' '.join(outdated)}` makes new ones."
    raise PaperError("\n  ".join(told) + f"\n{remedy}")


def _record(project: Project, step: Step, job: Job) -> dict:
    """The record of a run: what was computed, from what, where and how long it took."""
    repository = Repository.of(project.root, project.repository_url)
    return {
        "chapter": step.chapter,
        "variant": step.variant.name,
        "preset": step.variant.preset or "published",
        "parameters": step.parts["parameters"],
        "overrides": step.parameters,
        "started": datetime.fromtimestamp(time.time() - job.seconds, UTC).isoformat(timespec="seconds"),
        "seconds": round(job.seconds, 2),
        "sweeps": job.sweeps(),
        "commit": repository.commit,
        "dirty": repository.dirty,
        "modules": step.parts["modules"],
        "files": step.parts["files"],
        "versions": step.parts["versions"],
        "python": environment.machine()["python"],
        "lock": _lock_digest(project.root),
        "machine": environment.machine(),
        "device": step.parts["device"],
        "threads": int(execute.SINGLE_THREADED["OMP_NUM_THREADS"]),
        "key": step.key,
    }


def _lock_digest(root: Path) -> str | None:
    path = root / "requirements.txt"
    return sha256(path.read_bytes()) if path.is_file() else None


def _facts(tree: Path, packages: Sequence[str], variant: str) -> dict:
    """What a site is made from."""
    # All of it: the press draws the pages, and they show the reference and the source of the paper's packages.
    press = closure.of_packages(["livingpaper"], "*")
    key = digest([digests(tree), press, closure.of_packages(packages), environment.versions(RENDERERS)])
    return {"key": key, "variant": variant, "packages": packages}


def default_jobs() -> int:
    """As many chapters at a time as there are processors to run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
