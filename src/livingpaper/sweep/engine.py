"""Settings times seeds, in batches, each training done once."""

import dataclasses
import itertools
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import pandas as pd

from livingpaper import settings as of_paper
from livingpaper.errors import InputError, PaperError, nearest
from livingpaper.files import project_root
from livingpaper.sweep import closure, cluster, data, environment, imported
from livingpaper.sweep.progress import note, progress
from livingpaper.sweep.store import RUN, SECONDS, Store, digest


class Experiment(Protocol):
    """One training with its measurements: a frozen dataclass whose fields are the setting, one of them the seed."""

    seed: int
    batched_by: ClassVar[tuple[str, ...]]  #: fields that all runs of a batch must share

    @staticmethod
    def run(batch: Sequence[Self], device: str) -> list[pd.DataFrame]:
        """Train the batch; one tidy table a run, at least one row each, the same whatever else is in the batch."""


def sweep(
    experiment: type[Experiment],
    settings: Iterable[dict[str, Any]],
    seeds: int | Iterable[int],
    *,
    batch_size: int = 16,
    device: str = "cpu",
    scheduler: str | None = None,
) -> pd.DataFrame:
    """The table of an experiment over settings and seeds: the setting's fields, then what was measured.

    ``seeds`` is their number (0, 1, ...) or the seeds themselves. Runs that were done before, by the same
    code and software, come from the store; the others are computed batch by batch and stored soon, so
    that an interrupted sweep goes on where it stopped. Rows are ordered as settings, then seeds, and do
    not depend on ``batch_size``. A run that is asked for twice, by grids that overlap, is in the table once: counted
    twice, it would make every interval over seeds too short.

    With the address of a Dask ``scheduler`` (or one in ``DASK_SCHEDULER_ADDRESS``) the batches are computed by its
    workers, and the table is the same. Results come back to this process, which stores them.

    Raises:
        InputError: no setting or no seed, a setting that the experiment does not have, lacks or refuses, an experiment
            that no file defines.
        PaperError: a device that is not there, a store that cannot be written.
    """
    if batch_size < 1:
        raise InputError(f"batch_size is {batch_size}: a batch holds at least one run")
    seeds = list(range(seeds) if isinstance(seeds, int) else seeds)
    settings = list(settings)
    if not seeds or not settings:
        raise InputError(f"{len(settings)} settings and {len(seeds)} seeds: a sweep needs at least one of each")
    if not closure.of_modules([experiment.__module__]):
        raise InputError(
            f"{experiment.__name__} is defined in {experiment.__module__!r}, and results are kept with the digests of "
            "files: move it into a file beside the notebook, e.g. my_experiment.py, and import it from there"
        )
    every = [_make(experiment, setting, seed) for setting in settings for seed in seeds]
    runs = {name_of(run): run for run in every}
    scheduler = cluster.address(scheduler)
    parts = {
        "experiment": f"{experiment.__module__}.{experiment.__qualname__}",
        "modules": _modules(experiment),
        "versions": environment.versions(),
        # On a cluster the device is the workers'; only its kind is known here.
        "device": device.partition(":")[0] if scheduler else environment.device_class(device),
    }
    if read := _data():
        parts["data"] = read
    _check_imported(parts["modules"])
    store = Store(parts)
    table = store.load(runs)
    done = set(table[RUN])
    missing = {name: run for name, run in runs.items() if name not in done}
    with progress(experiment.__name__, len(runs)) as display, store.collecting() as save:
        display.advance(len(runs) - len(missing))
        work, batches = Work(experiment, device), _batches(missing, experiment.batched_by, batch_size)
        finished = (
            cluster.compute(scheduler, work, parts, batches, _beside(parts["modules"]))
            if scheduler
            else ((b, work(b)) for b in batches)
        )
        for batch, (tables, seconds) in finished:
            _check_names(experiment, tables[0])
            _check_imported(parts["modules"])  # the run itself may import what it needs
            save(dict(zip((name_of(run) for run in batch), tables, strict=True)), seconds)
            display.advance(len(batch))
    if missing:
        table = store.load(runs)  # fresh tables too are read back, so that fresh and stored cannot differ
    seconds = table.groupby(RUN)[SECONDS].first().sum()
    note(
        experiment=experiment.__name__, runs=len(runs), computed=len(missing), seconds=round(float(seconds), 6),
        seeds=[int(min(seeds)), int(max(seeds))],
    )  # fmt: skip
    rows = [runs[name] for name in table[RUN]]
    fields = {field.name: [getattr(run, field.name) for run in rows] for field in dataclasses.fields(experiment)}
    measured = table.drop(columns=[RUN, SECONDS]).reset_index(drop=True)
    return pd.concat([pd.DataFrame(fields), measured], axis=1)


def _modules(experiment: type[Experiment]) -> dict[str, str]:
    """The digests of the modules that an experiment runs: of its package, the paper's, and what lies beside it."""
    name, packages = experiment.__module__, of_paper.read().packages
    own, home = name.split(".")[0], closure.home(name)
    beside = None if own in packages or imported.installed(str(home)) else home
    return closure.of_modules([name], {own, *packages}, beside)


def _beside(modules: Iterable[str]) -> list[Path]:
    """The files of one's own that an experiment runs, which a worker does not have."""
    single = {name: closure.home(name.removesuffix(".py")) for name in modules if "/" not in name}
    packages = of_paper.read().packages
    return [
        home / name
        for name, home in single.items()
        if name.removesuffix(".py") not in packages and not imported.installed(str(home))
    ]


def _data() -> dict[str, str]:
    """The digests of the book's data files, but those in its packages: their digests stand in what loads them."""
    paper, root = of_paper.read(), project_root()
    found = data.digests(root, paper.data) if root else {}
    packages = tuple(f"{place}{name}/" for place in ("src/", "") for name in paper.packages)
    return {name: digest for name, digest in found.items() if not name.startswith(packages)}


def _check_imported(modules: Mapping[str, str]) -> None:
    """Refuse to keep results under digests that are not those of the code that runs here."""
    if edited := imported.differing(modules):
        raise PaperError(
            f"{', '.join(edited)} changed after this process had imported it, so that results of the old code would "
            "be kept as those of the new: restart the kernel"
        )


def _check_names(experiment: type[Experiment], table: pd.DataFrame) -> None:
    """Refuse a measured column that has the name of a field, which stands beside it in the result."""
    if both := [field.name for field in dataclasses.fields(experiment) if field.name in table.columns]:
        raise PaperError(
            f"{experiment.__name__} measures {', '.join(both)}, and has a setting of that name: rename one of them"
        )


def name_of(run: Experiment) -> str:
    """The digest of a run's setting and seed."""
    return digest(dataclasses.asdict(run))


@dataclasses.dataclass(frozen=True)
class Work:
    """What is done to a batch, here or on a worker: its tables, and the seconds that they took."""

    experiment: type[Experiment]
    device: str

    def __call__(self, batch: Sequence[Experiment]) -> tuple[list[pd.DataFrame], float]:
        started = time.perf_counter()
        return self.experiment.run(batch, self.device), time.perf_counter() - started


def _make(experiment: type[Experiment], setting: dict[str, Any], seed: int) -> Experiment:
    fields = {field.name: field.default is dataclasses.MISSING for field in dataclasses.fields(experiment)}
    del fields["seed"]
    for name in setting:
        if name == "seed":
            raise InputError("seed is not a setting: give the seeds as the argument seeds of the sweep")
        if name not in fields:
            hint = nearest(name, fields, f"it has {', '.join(fields)}")
            raise InputError(f"{experiment.__name__} has no setting {name!r}: {hint}")
    if lacking := [name for name, required in fields.items() if required and name not in setting]:
        raise InputError(f"{experiment.__name__} needs {', '.join(lacking)}: the setting {setting} does not say")
    try:
        return experiment(**setting, seed=seed)
    except ValueError as error:  # an experiment knows nothing of the press and its errors
        raise InputError(f"{experiment.__name__}: {error}") from None


def _batches(runs: dict[str, Experiment], batched_by: tuple[str, ...], size: int) -> Iterable[list[Experiment]]:
    """Runs that share the fields ``batched_by``, at most ``size`` at a time, otherwise in the order given.

    Those of one seed stand together, for what they draw is often the same.
    """
    of_seeds: dict[int, list[Experiment]] = {}
    for run in runs.values():
        of_seeds.setdefault(run.seed, []).append(run)
    groups: dict[tuple, list[Experiment]] = {}
    for run in itertools.chain(*of_seeds.values()):
        groups.setdefault(tuple(getattr(run, field) for field in batched_by), []).append(run)
    for group in groups.values():
        for first in range(0, len(group), size):
            yield group[first : first + size]
