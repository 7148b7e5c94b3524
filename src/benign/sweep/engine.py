"""Settings times seeds, in batches, each training done once."""

import dataclasses
import difflib
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Protocol, Self

import pandas as pd

from benign.errors import InputError
from benign.sweep import closure, environment
from benign.sweep.progress import progress
from benign.sweep.store import Store, digest


class Experiment(Protocol):
    """One training with its measurements: a frozen dataclass whose fields are the setting, one of them the seed."""

    seed: int
    batched_by: ClassVar[tuple[str, ...]]  #: fields that all runs of a batch must share

    @staticmethod
    def run(batch: Sequence[Self]) -> list[pd.DataFrame]:
        """Train the batch; one tidy table a run, at least one row each, the same whatever else is in the batch."""


def sweep(
    experiment: type[Experiment],
    settings: Iterable[dict[str, Any]],
    seeds: int | Iterable[int],
    *,
    batch_size: int = 16,
    device: str = "cpu",
) -> pd.DataFrame:
    """The table of an experiment over settings and seeds: the setting's fields, then what was measured.

    ``seeds`` is their number (0, 1, ...) or the seeds themselves. Runs that were done before, by the same
    code and software, come from the store; the others are computed batch by batch and stored at once, so
    that an interrupted sweep goes on where it stopped. Rows are ordered as settings, then seeds, and do
    not depend on ``batch_size``.
    """
    if batch_size < 1:
        raise InputError(f"batch_size is {batch_size}: a batch holds at least one run")
    seeds = list(range(seeds) if isinstance(seeds, int) else seeds)
    settings = list(settings)
    if not seeds or not settings:
        raise InputError(f"{len(settings)} settings and {len(seeds)} seeds: a sweep needs at least one of each")
    runs = [_make(experiment, setting | {"seed": seed}) for setting in settings for seed in seeds]
    names = [digest(dataclasses.asdict(run)) for run in runs]
    store = Store(
        {
            "experiment": f"{experiment.__module__}.{experiment.__qualname__}",
            "modules": closure.of_modules([experiment.__module__]),
            "versions": environment.versions(),
            "device": environment.device_class(device),
        }
    )
    done = store.load(names)
    missing = {name: run for name, run in zip(names, runs, strict=True) if name not in done}
    with progress(experiment.__name__, len(set(names))) as display:
        display.advance(len(set(names)) - len(missing))
        for batch in _batches(missing, experiment.batched_by, batch_size):
            tables = dict(zip(batch, experiment.run(list(batch.values())), strict=True))
            store.save(tables)
            display.advance(len(batch))
    done |= store.load(missing)  # fresh tables too are read back, so that fresh and stored cannot differ
    fields = [field.name for field in dataclasses.fields(experiment)]
    tables = [
        done[name].assign(**{field: [getattr(run, field)] * len(done[name]) for field in fields})
        for name, run in zip(names, runs, strict=True)
    ]
    table = pd.concat(tables, ignore_index=True)
    return table[fields + [column for column in table.columns if column not in fields]]


def _make(experiment: type[Experiment], setting: dict[str, Any]) -> Experiment:
    fields = [field.name for field in dataclasses.fields(experiment)]
    for name in setting:
        if name not in fields:
            nearest = difflib.get_close_matches(name, fields, 1)
            hint = f"did you mean {nearest[0]!r}?" if nearest else f"it has {', '.join(fields)}"
            raise InputError(f"{experiment.__name__} has no setting {name!r}: {hint}")
    return experiment(**setting)


def _batches(runs: dict[str, Experiment], batched_by: tuple[str, ...], size: int) -> Iterable[dict[str, Experiment]]:
    """Runs that share the fields ``batched_by``, at most ``size`` at a time, in the order given."""
    groups: dict[tuple, list[str]] = {}
    for name, run in runs.items():
        groups.setdefault(tuple(getattr(run, field) for field in batched_by), []).append(name)
    for group in groups.values():
        for first in range(0, len(group), size):
            yield {name: runs[name] for name in group[first : first + size]}
