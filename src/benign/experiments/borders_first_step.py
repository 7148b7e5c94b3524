"""The borders after a first step of another size: what the first step decides, and what all others do."""

from dataclasses import dataclass

import torch

from benign.data.mixtures import Mixture
from benign.experiments.borders import Border
from benign.experiments.polluted import LOSSES
from benign.experiments.setting import POSITIVE
from benign.networks.two_layer import TwoLayer
from benign.theory import xu2023
from benign.train import dense


@dataclass(frozen=True)
class AfterFirstStep(Border):
    """A ``Border`` before whose training there is one step of size ``first_step``, in units of n/p.

    The initial weights are those without it, of the scale that belongs to ``step``. What is counted and measured
    from the start on, as steps and distance, begins after it.
    """

    first_step: float = 1.0

    allows = dict(first_step=POSITIVE)

    def network(self, sample: Mixture) -> TwoLayer:
        """The network after the first step, a batch of one."""
        size = torch.tensor([xu2023.step_size(self.n, self.p, self.first_step)], dtype=torch.float64)
        points = sample.x.unsqueeze(0), sample.labels.unsqueeze(0)
        loss = LOSSES[self.loss_function]
        return dense.train(super().network(sample), *points, step_size=size, steps=1, loss=loss).network
