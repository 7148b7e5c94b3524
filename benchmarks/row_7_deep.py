"""Row 7: deep networks, many at once, against the PyTorch loop and against ensembling by ``torch.func``."""

import dataclasses

import harness
import torch
from row import Agreement, Row, ratio_of_times
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn import functional as F
from torch.nn.utils import skip_init

from benign.networks.activations import relu
from benign.networks.deep import Deep, initialise
from benign.seeds import generator
from benign.train import deep, history

STEP_SIZE = 1e-3


class Network(nn.Module):
    """One perceptron with the weights of a run."""

    def __init__(self, weights: list[torch.Tensor]):
        super().__init__()
        self.layers = nn.ModuleList(
            skip_init(nn.Linear, w.shape[1], w.shape[0], bias=False, device=w.device) for w in weights
        )
        with torch.no_grad():
            for layer, w in zip(self.layers, weights, strict=True):
                layer.weight.copy_(w)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x).squeeze(-1)


def risk(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The logistic loss: unlike soft_margin_loss, logsigmoid has a batching rule."""
    return -F.logsigmoid(labels * outputs).mean()


def loop(network: Deep, x: torch.Tensor, labels: torch.Tensor, runs: int, steps: int):
    """A candidate: some of the networks, one after the other."""
    networks = [Network([w[run] for w in network.weights]) for run in range(runs)]

    def work() -> None:
        for run, module in enumerate(networks):
            optimiser = torch.optim.SGD(module.parameters(), lr=STEP_SIZE)
            for _ in range(steps):
                optimiser.zero_grad()
                risk(module(x[run]), labels[run]).backward()
                optimiser.step()

    return work


def ensemble(network: Deep, x: torch.Tensor, labels: torch.Tensor, steps: int):
    """A candidate: all networks by stacked parameters, vmap and grad."""
    modules = [Network([w[run] for w in network.weights]) for run in range(len(x))]
    stacked, _ = stack_module_state(modules)
    parameters = {name: value.detach() for name, value in stacked.items()}

    def of_parameters(parameters, x, labels):
        return risk(functional_call(modules[0], parameters, (x,)), labels)

    gradients = vmap(grad(of_parameters))

    def work() -> None:
        for _ in range(steps):
            for name, gradient in gradients(parameters, x, labels).items():
                parameters[name].sub_(gradient, alpha=STEP_SIZE)

    work.losses = lambda: vmap(of_parameters)(parameters, x, labels)
    return work


def measure(options: harness.Options) -> Row:
    runs, n, d, width, steps = (3, 6, 5, 16, 4) if options.quick else (32, 200, 100, 512, 100)
    some_runs, some_steps, repetitions = (2, 2, 2) if options.quick else (2, 20, 3)
    rng = generator(0, "benchmark sample")
    x = torch.tensor(rng.standard_normal((runs, n, d)))
    x = (x / x.norm(dim=2, keepdim=True)).float().to(options.device)
    labels = torch.tensor(rng.choice([-1.0, 1.0], (runs, n))).float().to(options.device)
    double = initialise((d, width, width, 1), range(runs), relu(), parameterisation="standard")
    network = dataclasses.replace(double, weights=tuple(w.float().to(options.device) for w in double.weights))

    def train(steps: int):
        return deep.train(network, x, labels, step_size=STEP_SIZE, steps=steps, observe={"loss": history.loss})

    together = ensemble(network, x, labels, some_steps)
    candidates = {
        "benign": lambda: train(steps),
        "loop": loop(network, x, labels, some_runs, some_steps),
        "torch.func": together,
    }
    seconds = harness.interleaved(candidates, repetitions)
    taken = (1 + repetitions) * some_steps
    losses = train(taken).final["loss"]
    apart = float(((losses - together.losses()) / losses).abs().max())
    # Forward, backward to the weights, and backward to the inputs of the middle layer.
    flop = {"benign": 2 * runs * n * width * (2 * d + 3 * width) * steps}
    return Row(
        7,
        f"{runs} networks of 3 layers, width {width}, n = {n}, d = {d}, {steps} full-batch steps, float32, all layers",
        "PyTorch",
        [
            ratio_of_times(
                "a loop with nn.Module, autograd and torch.optim.SGD", ">= 1.8", seconds, "loop", "benign",
                scale=runs * steps / (some_runs * some_steps), flop=flop,
                extrapolated_from=f"{some_steps} of {steps} steps on {some_runs} of {runs} networks",
            ),
            ratio_of_times(
                "torch.func: stack_module_state, vmap, grad", ">= 1.5", seconds, "torch.func", "benign",
                scale=steps / some_steps, flop=flop, extrapolated_from=f"{some_steps} of {steps} steps",
                agreement=Agreement(f"largest relative difference of a run's losses after {taken} steps", apart, 1e-3),
            ),
        ],
        note=f"step size {STEP_SIZE}",
    )  # fmt: skip


if __name__ == "__main__":
    harness.main(measure)
