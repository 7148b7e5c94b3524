"""Row 1: span training against the loop that people write, ``nn.Module``, autograd and ``torch.optim.SGD``."""

import math

import harness
import torch
from problem import SLOPE, TINY, Problem, Sizes, disagreement, draw
from row import Agreement, Row, ratio_of_times
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import skip_init


class Network(nn.Module):
    """One network; its second layer is not trained."""

    def __init__(self, weights: torch.Tensor, signs: torch.Tensor):
        super().__init__()
        width, p = weights.shape
        # Without the usual initial draw: the weights are those of the other side.
        self.first = skip_init(nn.Linear, p, width, bias=False, device=weights.device)
        self.second = skip_init(nn.Linear, width, 1, bias=False, device=weights.device).requires_grad_(False)
        with torch.no_grad():
            self.first.weight.copy_(weights)
            self.second.weight.copy_(signs / math.sqrt(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(F.leaky_relu(self.first(x), SLOPE)).squeeze(-1)


class Loop:
    """A candidate: some of the runs, one after the other, each a few steps further than it was."""

    def __init__(self, problem: Problem, runs: int, steps: int):
        self.problem, self.steps, self.taken = problem, steps, 0
        self.networks = [Network(problem.network.weights[run], problem.network.signs[run]) for run in range(runs)]

    def __call__(self) -> None:
        for run in range(len(self.networks)):
            self.train(run, self.steps)
        self.taken += self.steps

    def train(self, run: int, steps: int) -> None:
        network, x, labels = self.networks[run], self.problem.x[run], self.problem.labels[run]
        optimiser = torch.optim.SGD(network.first.parameters(), lr=self.problem.step_size)
        for _ in range(steps):
            optimiser.zero_grad()
            loss = F.soft_margin_loss(network(x), labels)
            loss.backward()
            optimiser.step()

    def loss(self, run: int) -> torch.Tensor:
        with torch.no_grad():
            return F.soft_margin_loss(self.networks[run](self.problem.x[run]), self.problem.labels[run])


def measure(options: harness.Options) -> Row:
    sizes, p = (TINY, 50) if options.quick else (Sizes(), 20_000)
    some_runs, some_steps, repetitions = (2, 2, 2) if options.quick else (2, 25, 7)
    problem = draw(sizes, p, device=options.device)
    loop = Loop(problem, some_runs, some_steps)

    def with_weights() -> None:
        _ = problem.train(sizes.steps).network.weights

    seconds = harness.interleaved(
        {"span": lambda: problem.train(sizes.steps), "span, weights formed": with_weights, "loop": loop},
        repetitions,
    )
    loop.train(0, sizes.steps - loop.taken)  # one run to its end: do both sides end at the same loss?
    apart = disagreement(problem.train(sizes.steps).final["loss"][:1], loop.loss(0))
    common = {
        "over": "loop",
        "scale": sizes.runs * sizes.steps / (some_runs * some_steps),
        "extrapolated_from": f"{some_steps} of {sizes.steps} steps on {some_runs} of {sizes.runs} runs of the loop",
        "agreement": Agreement(f"relative difference of a run's losses after {sizes.steps} steps", apart, 1e-3),
        "flop": {"span": sizes.flop},
    }
    return Row(
        1,
        f"{sizes}, p = {p:,}, float32, two-layer leaky ReLU, logistic loss, first layer trained",
        "a loop with nn.Module, autograd and torch.optim.SGD, one run at a time",
        [
            ratio_of_times("from X, W_0 and labels to the outputs", ">= 400", seconds, under="span", **common),
            ratio_of_times("with the weights in R^p formed", None, seconds, under="span, weights formed", **common),
        ],
    )


if __name__ == "__main__":
    harness.main(measure)
