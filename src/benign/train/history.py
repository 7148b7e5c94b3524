"""What a training run hands back, whichever engine ran it: the final state and the history that was asked for."""

import bisect
import dataclasses
import functools
import operator
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from benign.errors import InputError
from benign.train.losses import Loss, Squared

#: A batch of functions f, of the kind that was trained. No network is imported here: a change of one kind of network
#: must not make the trainings of another kind stale.
Network = Callable[[Tensor], Tensor]


class Batch:
    """A dataclass whose tensors, and parts that can ``select``, have the run as their first axis."""

    def select(self, rows: Tensor) -> "Batch":
        """The same, of the given rows only."""
        parts = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        chosen = {
            name: part[rows] if isinstance(part, Tensor) else part.select(rows)
            for name, part in parts.items()
            if isinstance(part, Tensor) or hasattr(part, "select")
        }
        return dataclasses.replace(self, **chosen)


@dataclass(frozen=True)
class Snapshot(Batch):
    """The state of some runs of a batch after a number of gradient steps; every tensor's first axis is the run."""

    step: int
    runs: Tensor  #: which runs of the batch these are, shape (runs,)
    outputs: Tensor  #: f(x_i), shape (runs, n)
    labels: Tensor  #: the training labels y_i, shape (runs, n)
    criterion: Loss | Squared  #: the loss l

    @functools.cached_property
    def losses(self) -> Tensor:
        """l(y_i f(x_i)), shape (runs, n)."""
        return self.criterion.at(self.outputs, self.labels)


Observable = Callable[[Snapshot], Tensor]


def loss(s: Snapshot) -> Tensor:
    """The empirical risk, the mean over the sample of l(y_i f(x_i)), shape (runs,)."""
    return s.losses.mean(-1)


def margins(s: Snapshot) -> Tensor:
    """The margins y_i f(x_i), shape (runs, n)."""
    return s.labels * s.outputs


def training_error(s: Snapshot) -> Tensor:
    """The share of training points that are not on the right side, y_i f(x_i) > 0, shape (runs,)."""
    # NaN, the output of a run that diverged, is on no side.
    return (~(margins(s) > 0)).to(s.outputs.dtype).mean(-1)


def in_training(flipped: Tensor) -> dict[str, Observable]:
    """What to see of polluted samples: the risk, the smallest margin, and the error on right and on wrong labels.

    ``flipped`` marks the wrong labels of all runs of the batch, shape (runs, n). An error of no label is NaN.
    """

    def error_on(s: Snapshot, marked: Tensor) -> Tensor:
        return (~(margins(s) > 0) & marked).sum(-1).double() / marked.sum(-1)

    return {
        "loss": loss,
        "smallest_margin": lambda s: margins(s).min(-1).values,
        "training_error": training_error,
        "training_error_clean": lambda s: error_on(s, ~flipped[s.runs]),
        "training_error_flipped": lambda s: error_on(s, flipped[s.runs]),
    }


@dataclass(frozen=True)
class Trained:
    """A batch of finished runs.

    ``network`` is the final state, formed when it is asked for: an engine that trains without the weights need not
    have them. ``steps`` (runs,) is the number of gradient steps that each run took.
    ``history[name]`` has the values of an observable at the steps ``recorded``: first axis the record,
    second the run. ``final[name]`` has its values at the end, first axis the run. A run that stopped
    early keeps its final values in the records after its stop.
    """

    form: Callable[[], Network]
    steps: Tensor
    recorded: Tensor
    history: Mapping[str, Tensor]
    final: Mapping[str, Tensor]

    @functools.cached_property
    def network(self) -> Network:
        """The trained networks."""
        return self.form()


class Recorder:
    """Evaluates observables at the steps asked for, and at each run's last."""

    def __init__(self, observe: Mapping[str, Observable], record: Sequence[int], runs: int, last: int):
        self.steps = sorted({operator.index(step) for step in record})
        if outside := [step for step in self.steps if not 0 <= step <= last]:
            raise InputError(f"record holds the step {outside[0]}: steps are counted from 0 to {last}, the last")
        self._recorded, self._stations = set(self.steps), sorted({*self.steps, last})
        self._observe = dict(observe)
        self._runs = runs
        self._new = threading.Lock()
        self._rows: dict[str, Tensor] = {}  # one row a record, and a last one for the final values

    def __call__(self, snapshot: Snapshot, stopping: Tensor | None) -> None:
        """Take note of a state; the boolean mask ``stopping`` marks the runs for which it is the last, None of them."""
        recorded, ending = self.takes(snapshot.step), stopping is not None and bool(stopping.any())
        if not recorded:
            if not ending:
                return
            snapshot, stopping = snapshot.select(stopping), stopping[stopping]
        at = bisect.bisect_left(self.steps, snapshot.step)
        for name, observable in self._observe.items():
            value = observable(snapshot)  # once, even where the last step is recorded: a test error is not cheap
            if value.shape[:1] != snapshot.runs.shape:
                raise InputError(
                    f"the observable {name!r} has shape {tuple(value.shape)}: its first axis must be the "
                    f"{len(snapshot.runs)} runs of the snapshot"
                )
            rows = self._rows_of(name, value)
            if recorded:
                rows[at].index_copy_(0, snapshot.runs, value)
            if ending:
                rows[at:, snapshot.runs[stopping]] = value[stopping]

    def takes(self, step: int) -> bool:
        """Whether a step was asked for."""
        return step in self._recorded

    def next(self, step: int) -> int:
        """The first step after the given one at which there is something to take note of; the last is one."""
        return self._stations[bisect.bisect_right(self._stations, step)]

    def _rows_of(self, name: str, value: Tensor) -> Tensor:
        with self._new:  # several threads train
            if name not in self._rows:
                # Every entry is written: at its record, or when its run is over.
                self._rows[name] = value.new_empty((len(self.steps) + 1, self._runs, *value.shape[1:]))
            return self._rows[name]

    def trained(self, form: Callable[[], Network], steps: Tensor) -> Trained:
        """The finished batch; ``form`` makes its networks."""
        return Trained(
            form=form,
            steps=steps,
            recorded=torch.tensor(self.steps, dtype=torch.long),
            history={name: rows[:-1] for name, rows in self._rows.items()},
            final={name: rows[-1] for name, rows in self._rows.items()},
        )
