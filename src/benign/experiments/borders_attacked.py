"""The borders under an adversary who knows the noise."""

import dataclasses
from dataclasses import dataclass

from benign.data import adversaries
from benign.data.mixtures import Mixture
from benign.errors import InputError
from benign.experiments.borders import Border


@dataclass(frozen=True)
class Attacked(Border):
    """A ``Border`` whose wrong labels are chosen by ``adversaries.greedy_flips``; wants n <= p."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n > self.p or self.flips != "random":
            raise InputError(
                f"n is {self.n}, p is {self.p} and flips is {self.flips!r}: this adversary needs n <= p, and is the "
                "one who chooses, so leave flips out"
            )

    def sample(self) -> Mixture:
        """The sample, its wrong labels chosen by the adversary."""
        drawn = super().sample()
        return dataclasses.replace(
            drawn, labels=adversaries.greedy_flips(drawn.x, drawn.clean, int(drawn.flipped.sum()))
        )
