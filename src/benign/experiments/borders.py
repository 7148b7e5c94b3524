"""Gradient descent on polluted clusters until the risk says that every label is fitted, at and beyond the borders.

Xu & Gu (2023), Theorem 3.1, eq. (9): a risk below 1/(2n) means that every training label is fitted. Runs that stop
there are compared at equal training loss, whatever their step size, width, initialisation or label noise.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
from torch import Tensor

from benign.data.mixtures import Mixture
from benign.errors import InputError
from benign.experiments import polluted
from benign.experiments.polluted import AT_END, Polluted
from benign.experiments.setting import AMOUNT, at_least, one_of
from benign.measure import errors
from benign.train import history, neurons, problem


@dataclass(frozen=True)
class Border(Polluted):
    """One training that ends with the first step at which the risk is at most level/(2n), or after ``steps`` steps.

    ``flips`` says who chooses the round(label_noise * n) wrong labels:

    - ``random``: chance;
    - ``deepest``: an adversary who flips the points deepest in their own cluster, of the largest <y* x, mu>; of all
      choices this takes most from <sum_i y_i x_i, mu>;
    - ``one class``: an adversary who flips points of the class +1, and of the other only when these are used up.

    ``paired`` makes the initial network the zero function: the second half of the neurons has the weights of the first
    and the opposite signs. During the first ``watched`` steps the loss is looked at after every step.
    """

    flips: str = "random"
    level: float = 1.0
    paired: bool = False
    watched: int = 1
    test_points: int = 2_000

    allows = dict(
        flips=one_of("random", "deepest", "one class"), level=AMOUNT, records=AT_END, watched=at_least(1),
        test_points=at_least(1),
    )  # fmt: skip
    batched_by: ClassVar[tuple[str, ...]] = (*Polluted.batched_by, "level", "paired", "watched")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.watched > self.steps:
            raise InputError(
                f"watched is {self.watched}: it must be a number of steps from 1 to {self.steps}, the last"
            )

    def sample(self) -> Mixture:
        """The sample, its wrong labels chosen as ``flips`` says, with the directions of the initial weights."""
        drawn = super().sample()
        return dataclasses.replace(drawn, labels=chosen_labels(drawn, self.flips))

    @staticmethod
    def run(batch: Sequence["Border"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run, of one row."""
        first = batch[0]
        samples = [run.sample() for run in batch]
        observe = {
            "loss": history.loss,
            "margins": history.margins,
            "distance": neurons.distance,
            "pattern_change": neurons.flipped_share,
            "helpers": lambda s: (s.signs.unsqueeze(2) == s.labels.unsqueeze(1)) & neurons.active(s),
        }
        trained = polluted.train(
            batch, samples, observe, device, problem.loss_at_most(first.level / (2 * first.n)), range(first.watched + 1)
        )
        rises = (trained.history["loss"].diff(dim=0) > 0).sum(0)
        finished = trained.network.to("cpu")
        tables = []
        for index, (run, sample) in enumerate(zip(batch, samples, strict=True)):
            margins = trained.history["margins"][:, index].cpu()
            fell = (margins[1] < margins[0])[sample.flipped]
            helpers = trained.history["helpers"][:, index].cpu()
            at_wrong = helpers[0] & sample.flipped
            fresh, _ = errors.fresh_margins(finished.alone(index), run.signal, run.seed, run.test_points)
            wrong = int((~(fresh > 0)).sum())
            last = trained.final["margins"][index].cpu()
            row = {
                "steps_taken": int(trained.steps[index]),
                "loss": float(trained.final["loss"][index]),
                "training_error": float((~(last > 0)).double().mean()),
                "test_errors": wrong,
                "test_error": wrong / run.test_points,
                "averaging_test_error": errors.averaging_test_error(sample.x, sample.labels, run.signal),
                "wrong_labels": int(sample.flipped.sum()),
                "wrong_labels_fell": int(fell.sum()),
                "rises": int(rises[index]),
                "covered": bool(helpers[0].any(0).all()),
                "helpers_of_wrong": int(at_wrong.sum()),
                "helpers_of_wrong_died": int((at_wrong & ~helpers[1]).sum()),
                "initial_output": float(margins[0].square().mean().sqrt()),
                "distance": float(trained.final["distance"][index]) / float(run.network(sample).weights.norm()),
                "pattern_change": float(trained.final["pattern_change"][index]),
            }
            tables.append(pd.DataFrame([row]))
        return tables


def chosen_labels(sample: Mixture, flips: str) -> Tensor:
    """The labels of a sample, shape (n,): as many wrong ones as in ``sample.labels``, chosen as ``flips`` says."""
    if flips == "random":
        return sample.labels
    key = sample.clean * sample.x[:, 0] if flips == "deepest" else sample.clean  # the first axis is mu / ||mu||
    chosen = key.argsort(descending=True, stable=True)[: int(sample.flipped.sum())]
    labels = sample.clean.clone()
    labels[chosen] *= -1
    return labels
