"""Computing published tables again, from what was recorded with them."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat

from livingpaper.build import execute, keys, parameters
from livingpaper.build import words as saying
from livingpaper.build.execute import Job
from livingpaper.build.pipeline import Watch
from livingpaper.build.plan import parts_of
from livingpaper.build.project import Project
from livingpaper.errors import InputError, PaperError
from livingpaper.publish.compare import Comparison, compare, in_words, read_csv
from livingpaper.publish.published import Published
from livingpaper.say import figures
from livingpaper.sweep import closure
from livingpaper.sweep.store import digest


@dataclass(frozen=True)
class Verified:
    """What came out for one figure or table; ``changed`` is what was other than when it was published."""

    id: str
    chapter: str
    verdict: str
    words: str
    comparison: Comparison | None
    changed: list[str]

    @property
    def passed(self) -> bool:
        """Whether the published table was reproduced."""
        return self.verdict in ("identical", "within the seed band")

    def facts(self) -> dict:
        """All of it, for a program."""
        return asdict(self)


class Verification:
    """The recomputation of some figures of a site, by the code that is here.

    Chapters are executed from scratch, nothing comes from the cache of executed notebooks; trainings are done again
    too, unless ``stored`` allows the results that the project keeps. What an interrupted verification has trained is
    kept below ``_build/verify`` until the same one is finished. Tables are compared with the published ones, or with
    that in the file ``against``, which is read before anything runs.
    """

    def __init__(
        self, project: Project, site: Published, ids: Sequence[str], stored: bool = False, against: Path | None = None
    ):
        closure.check_here((*project.settings.packages, "livingpaper"), project.root)
        self.project, self.site = project, site
        self._against = None if against is None else read_csv(_read(against), str(against))
        self.records = {id: site.provenance(id) for id in ids}
        self._folder = project.build / "verify" / digest([str(site.folder), sorted(self.records.items()), stored])[:8]
        self._cache = project.cache if stored else self._folder / "cache"
        self.jobs = {chapter: self._job(chapter, run) for chapter, run in self._runs().items()}

    def run(self, parallel: int, time_limit: float, watch: Watch) -> None:
        """Execute the chapters; the jobs say which failed."""
        execute.run(list(self.jobs.values()), parallel, time_limit, self._cache, watch)

    def results(self) -> list[Verified]:
        """Compare each table; chapters that failed have none."""
        found = []
        for chapter, job in self.jobs.items():
            if job.failure:
                continue
            notebook = nbformat.read(job.output, as_version=4)
            made = {entry["id"]: entry for _, entry in saying.handed_over(notebook) if "files" in entry}
            ours = [id for id, record in self.records.items() if _chapter(record) == chapter]
            changed = self._changed(job, self.records[ours[0]]["run"])
            found += [self._result(id, chapter, made.get(id), changed) for id in ours]
        return found

    def finish(self) -> None:
        """Forget what was computed, so that the next verification computes it again, unless a chapter failed."""
        if not any(job.failure for job in self.jobs.values()):
            shutil.rmtree(self._folder, ignore_errors=True)

    def _runs(self) -> dict[str, dict]:
        """The recorded runs by chapter, in reading order."""
        runs = {}
        for id, record in self.records.items():
            if record["run"] is None:
                build = f"{self.project.settings.command} build"
                raise PaperError(f"{id} has no record of its run in {self.site.folder}: build it with `{build}`")
            runs[_chapter(record)] = record["run"]
        return runs

    def _job(self, chapter: str, run: dict) -> Job:
        where = (self.project.root / self.project.chapter(chapter)).parent
        declared = self.project.parameters(chapter)
        values = parameters.validate(chapter, declared, run["parameters"])
        overrides = {name: value for name, value in values.items() if value != declared[name].default}
        return Job(chapter, self.project.notebook(chapter), overrides, where, self._folder)

    def _changed(self, job: Job, run: dict) -> list[str]:
        now = parts_of(self.project, job.chapter, job.notebook, keys.values(job.notebook, job.parameters))
        names = ("modules", "files", "versions", "parameters", "device")
        then = {name: run[name] for name in names if name in run}  # a site of old does not know its files
        return keys.changes(now | then, now)

    def _result(self, id: str, chapter: str, made: dict | None, changed: list[str]) -> Verified:
        if made is None:
            return Verified(id, chapter, "different", "the chapter makes no such figure or table now", None, changed)
        before = read_csv(self.site.data(id), f"{id}.csv") if self._against is None else self._against
        comparison = compare(before, read_csv(figures.contents(made)["csv"], f"the new {id}.csv"))
        words = in_words(comparison) or f"{comparison.rows[0]} rows"
        return Verified(id, chapter, comparison.verdict, words, comparison, changed)


def _chapter(record: dict) -> str:
    return record["chapter"].rpartition("/")[2]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from None
