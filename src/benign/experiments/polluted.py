"""The training problem that experiments on polluted Gaussian clusters share: what is drawn, and how it is trained."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import pandas as pd
import torch
from pydantic import AfterValidator
from torch import Tensor

from benign.data import mixtures
from benign.data.mixtures import Mixture
from benign.errors import InputError
from benign.experiments.setting import ACTIVATION, AMOUNT, POSITIVE, SHARE, Setting, at_least, one_of, tuple_of
from benign.networks import activations
from benign.networks.activations import Activation
from benign.networks.two_layer import TwoLayer, output_signs
from benign.theory import xu2023
from benign.train import dense, losses, span
from benign.train.history import Observable, Snapshot, Trained
from benign.train.problem import Stop, never

ENGINES = {"span": span, "dense": dense}
LOSSES = {loss.name: loss for loss in (losses.LOGISTIC, losses.EXPONENTIAL, losses.HINGE)}


def _none(records: tuple[int, ...]) -> None:
    if records:
        raise ValueError("this experiment measures at the end: leave them out")


def _homogeneous(activation: Activation) -> None:
    if activation.name.partition("(")[0] not in ("relu", "leaky_relu"):
        raise ValueError("this experiment needs a positively homogeneous one, relu or leaky_relu")


AT_END = Annotated[tuple, AfterValidator(_none)]  # the records of an experiment that measures after training only
HOMOGENEOUS = Annotated[ACTIVATION, AfterValidator(_homogeneous)]


def check_start(init_scale: float, activation: str) -> None:
    """Refuse zero weights at which the gradient is zero too: no step would ever leave them."""
    if init_scale == 0 and activations.named(activation).derivative(torch.zeros(1)) == 0:
        raise InputError(f"init_scale is {init_scale}: it must be positive with {activation}, whose slope at 0 is 0")


@dataclass(frozen=True)
class Polluted(Setting):
    """A two-layer network trained on n points of the mixture y* mu + N(0, I_p), a share of whose labels is wrong.

    ``signal_index`` is n ||mu||^4 / p. ``step`` is the step size in units of n/p and ``init_scale`` the
    standard deviation of the initial weights in units of step size / sqrt(m p), both as in Xu & Gu (2023).
    Training takes ``steps`` steps; ``records`` are steps at which an experiment measures. ``frame`` is that of
    ``data.mixtures.sample``, ``engine`` the trainer: ``span``, or its slow twin ``dense``.
    """

    n: int
    p: int
    signal_index: float
    label_noise: float
    seed: int
    activation: str = "relu"
    width: int = 128
    step: float = 0.2
    init_scale: float = 1.0
    loss_function: str = "logistic"
    steps: int = 300
    records: tuple[int, ...] = ()
    frame: str = "reduced"
    engine: str = "span"

    allows = dict(
        n=at_least(1), p=at_least(1), signal_index=AMOUNT, label_noise=SHARE, activation=ACTIVATION,
        width=at_least(1), step=POSITIVE, init_scale=AMOUNT, loss_function=one_of(*LOSSES), steps=at_least(0),
        records=tuple_of(at_least(0)), frame=one_of("reduced", "ambient"),
        engine=one_of(*ENGINES),
    )  # fmt: skip
    batched_by: ClassVar[tuple[str, ...]] = ("n", "p", "width", "loss_function", "steps", "records", "frame", "engine")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_start(self.init_scale, self.activation)
        if any(record > self.steps for record in self.records):
            raise InputError(f"records is {self.records}: it must hold steps from 0 to {self.steps}, the last")
        if self.paired and self.width % 2:
            raise InputError(f"width is {self.width}: neurons can be paired only if their number is even")

    @property
    def paired(self) -> bool:
        """Whether each initial weight vector occurs twice, with opposite output signs, so that f_0 = 0."""
        return False

    @property
    def signal(self) -> float:
        """||mu||."""
        return xu2023.signal_of_index(self.n, self.p, self.signal_index)

    @property
    def step_size(self) -> float:
        """The step size of gradient descent."""
        return xu2023.step_size(self.n, self.p, self.step)

    @property
    def initial_scale(self) -> float:
        """The standard deviation of the initial weights."""
        return self.init_scale * xu2023.initial_scale(self.n, self.p, self.width, self.step)

    def sample(self) -> Mixture:
        """The polluted sample, with the distinct directions of the initial weights."""
        return mixtures.sample(
            self.n, self.p, self.signal, self.label_noise, self.seed,
            directions=self.width // (1 + self.paired), frame=self.frame,
        )  # fmt: skip

    def network(self, sample: Mixture) -> TwoLayer:
        """The network before training, a batch of one."""
        weights, signs = self.initial_scale * sample.directions, output_signs(len(sample.directions), self.seed)
        if self.paired:
            weights, signs = torch.cat([weights, weights]), torch.cat([signs, -signs])
        return TwoLayer(weights.unsqueeze(0), signs.unsqueeze(0), activations.named(self.activation))


def initial_networks(batch: Sequence[Polluted], samples: Sequence[Mixture]) -> TwoLayer:
    """The networks before training."""
    networks = [run.network(sample) for run, sample in zip(batch, samples, strict=True)]
    return TwoLayer(
        torch.cat([network.weights for network in networks]),
        torch.cat([network.signs for network in networks]),
        activations.per_run([network.activation for network in networks]),
    )


def descent(batch: Sequence[Polluted], stop: Stop = never) -> dict[str, object]:
    """How a batch descends, in the words of the trainers of two-layer networks."""
    step_size = torch.tensor([run.step_size for run in batch], dtype=torch.float64)
    return dict(step_size=step_size, steps=batch[0].steps, loss=LOSSES[batch[0].loss_function], stop=stop)


def train(
    batch: Sequence[Polluted],
    samples: Sequence[Mixture],
    observe: Mapping[str, Observable],
    device: str = "cpu",
    stop: Stop = never,
    record: Sequence[int] | None = None,
) -> Trained:
    """The trained batch, observed at the steps ``record``, or at its records and after the last step."""
    first = batch[0]
    return ENGINES[first.engine].train(
        initial_networks(batch, samples).to(device),
        torch.stack([sample.x for sample in samples]).to(device),
        torch.stack([sample.labels for sample in samples]).to(device),
        observe=observe,
        record=(*first.records, first.steps) if record is None else record,
        **descent(batch, stop),
    )


def of_each(s: Snapshot, look: Callable[[int, TwoLayer], float | Sequence[float]]) -> Tensor:
    """The numbers that ``look`` sees of each run of a snapshot, from its place in the batch and its network."""
    networks = s.network.to("cpu")
    seen = [look(which, networks.alone(index)) for index, which in enumerate(s.runs.tolist())]
    return torch.tensor(seen, dtype=torch.float64, device=s.outputs.device)


def tables_at_records(
    batch: Sequence[Polluted], look: Callable[[Polluted, Mixture, TwoLayer], dict], device: str
) -> list[pd.DataFrame]:
    """One table a run: records in order, and at each the columns that ``look`` sees of the network of the run."""
    samples, tables = [run.sample() for run in batch], [[] for _ in batch]

    def observe(s: Snapshot) -> Tensor:
        networks = s.network.to("cpu")
        for index, which in enumerate(s.runs.tolist()):
            columns = look(batch[which], samples[which], networks.alone(index))
            tables[which].append(pd.DataFrame({"at_step": s.step, **columns}))
        return s.runs

    train(batch, samples, {"tables": observe}, device)
    return [pd.concat(table, ignore_index=True) for table in tables]
