"""The training problem of rows 1, 2, 3 and 8: polluted Gaussian clusters, a two-layer leaky ReLU network, float32."""

from dataclasses import dataclass

import torch
from torch import Tensor

from benign.data import mixtures
from benign.networks.activations import leaky_relu
from benign.networks.two_layer import TwoLayer, output_signs
from benign.theory import xu2023
from benign.train import history, span
from benign.train.history import Trained

SLOPE = 0.1
SIGNAL_INDEX = 10  # n ||mu||^4 / p: a test error of about one per cent, at every p
LABEL_NOISE = 0.1


@dataclass(frozen=True)
class Sizes:
    """How large the problem is; p is given apart."""

    runs: int = 16
    n: int = 100
    width: int = 256
    steps: int = 1000

    def __str__(self) -> str:
        return f"{self.runs} runs, n = {self.n}, m = {self.width}, {self.steps} steps"

    @property
    def flop(self) -> int:
        """Floating-point operations of the one large matrix product in each of our steps, C G."""
        return 2 * self.runs * self.width * self.n**2 * self.steps


TINY = Sizes(runs=3, n=8, width=16, steps=20)


@dataclass(frozen=True)
class Problem:
    """Where both sides start: the networks, the inputs (runs, n, d), the labels (runs, n), the step size."""

    network: TwoLayer
    x: Tensor
    labels: Tensor
    step_size: float

    def train(self, steps: int) -> Trained:
        """Our training, with the losses and the outputs at its end."""
        observe = {"loss": history.loss, "outputs": lambda s: s.outputs}
        return span.train(self.network, self.x, self.labels, step_size=self.step_size, steps=steps, observe=observe)


def signal(sizes: Sizes, p: int) -> float:
    """||mu||."""
    return xu2023.signal_of_index(sizes.n, p, SIGNAL_INDEX)


def draw(sizes: Sizes, p: int, frame: str = "ambient", device: str = "cpu") -> Problem:
    """The samples and the initial weights of the seeds 0, 1, ..., one a run."""
    scale = xu2023.initial_scale(sizes.n, p, sizes.width)
    d = p if frame == "ambient" else 1 + min(sizes.n + sizes.width, p - 1)
    # Filled run by run, not stacked: row 8 measures the memory, and a stack is there twice for a moment.
    x, weights = torch.empty(sizes.runs, sizes.n, d), torch.empty(sizes.runs, sizes.width, d)
    labels, signs = torch.empty(sizes.runs, sizes.n), torch.empty(sizes.runs, sizes.width)
    for run in range(sizes.runs):
        sample = mixtures.sample(sizes.n, p, signal(sizes, p), LABEL_NOISE, run, directions=sizes.width, frame=frame)
        x[run], weights[run], labels[run] = sample.x, scale * sample.directions, sample.labels
        signs[run] = output_signs(sizes.width, run)
    network = TwoLayer(weights, signs, leaky_relu(SLOPE)).to(device)
    return Problem(network, x.to(device), labels.to(device), xu2023.step_size(sizes.n, p))


def disagreement(losses: Tensor, others: Tensor) -> float:
    """The largest relative difference between two sets of losses."""
    return float(((losses - others.to(losses)) / losses).abs().max())
