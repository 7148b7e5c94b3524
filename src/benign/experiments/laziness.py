"""A network beside its linearisation at the start and beside the kernel machine, all trained to the same loss.

With the output layer fixed, the linearisation of f at W(0) is a kernel machine itself,

    f_lin(x) = f_0(x) + sum_i beta_i K_0(x, x_i),    beta <- beta + (step_size / n) (g y),

where K_0 is the tangent kernel at the start. That is gradient descent for one linear neuron whose inputs have the Gram
matrix K_0 and whose initial preactivations are f_0: ``train.span.train_on_grams`` does it. The kernel machine is the
same with the kernel of an infinitely wide first layer and f_0 = 0.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import torch
from torch import Tensor

from benign import seeds
from benign.data import mixtures
from benign.data.grams import Grams
from benign.data.mixtures import Mixture
from benign.experiments import polluted
from benign.experiments.polluted import AT_END, HOMOGENEOUS, Polluted
from benign.experiments.setting import POSITIVE, at_least, one_of
from benign.measure import errors
from benign.measure.influence import sample_weights
from benign.networks import activations
from benign.networks.two_layer import TwoLayer, read_out
from benign.ntk import analytic, empirical, regression
from benign.train import history, neurons, span
from benign.train.history import Trained
from benign.train.neurons import TwoLayerSnapshot
from benign.train.problem import loss_at_most

KERNEL = ("kernel_change", "kernel_change_between", "alignment", "obedient")


@dataclass(frozen=True)
class Laziness(Polluted):
    """How far a network goes from its start until the training loss is ``level``, and how its rivals do by then.

    With ``start="paired"`` each initial weight vector occurs twice, with opposite output signs, so that f_0 = 0;
    ``"independent"`` is the start of Xu & Gu (2023). sigma(s u) = s sigma(u) makes ``init_scale`` a multiplier too:
    descent from s W(0) with the step size a is descent from W(0) on s f with the step size a / s^2 (Chizat, Oyallon &
    Bach 2019), and the paired start their centred one. Training takes at most ``steps`` steps.
    """

    start: str = "paired"
    level: float = 0.1
    test_points: int = 4000

    allows = dict(
        start=one_of("paired", "independent"), activation=HOMOGENEOUS, records=AT_END, steps=at_least(1),
        level=POSITIVE, test_points=at_least(1),
    )  # fmt: skip
    batched_by: ClassVar[tuple[str, ...]] = (*Polluted.batched_by, "start", "level")

    @property
    def paired(self) -> bool:
        return self.start == "paired"

    @staticmethod
    def run(batch: Sequence["Laziness"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table of one row a run."""
        samples = [run.sample() for run in batch]
        networks = [run.network(sample) for run, sample in zip(batch, samples, strict=True)]
        inputs, labels = torch.stack([s.x for s in samples]).to(device), torch.stack([s.labels for s in samples])
        tangent = torch.cat([empirical.kernel(network, s.x) for network, s in zip(networks, samples, strict=True)])
        outputs = torch.cat([network(s.x) for network, s in zip(networks, samples, strict=True)])
        limit = torch.stack([limit_kernel(run, s.x) for run, s in zip(batch, samples, strict=True)])
        stop = loss_at_most(batch[0].level)
        observe = {
            "loss": history.loss,
            "training_error": history.training_error,
            "distance": neurons.distance,
            "flipped": neurons.flipped_share,
            "kernel": lambda s: _against(s, inputs[s.runs], tangent.to(device)[s.runs]),
        }
        trained = polluted.train(batch, samples, observe, device, stop, record=(1,))
        how = polluted.descent(batch, stop)
        lines = {"linearised": _machine(tangent, outputs, labels, how), "machine": _machine(limit, None, labels, how)}
        finished = trained.network.to("cpu")
        tables = []
        for index, (run, sample, network) in enumerate(zip(batch, samples, networks, strict=True)):
            row = {"steps_taken": int(trained.steps[index])}
            row |= _geometry(trained, index, network, sample)
            row |= {f"{name}_loss": float(line.final["loss"][index]) for name, line in lines.items()}
            # Copies: the last bits of a product depend on where its factors begin in memory.
            kernel = tangent[index].clone()
            beta = {name: line.network.coefficients[index, 0].clone() for name, line in lines.items()}
            row["linearised_distance"] = float((beta["linearised"] @ kernel @ beta["linearised"]).sqrt())
            beta["regression"] = regression.factor(limit[index].clone()).coefficients(sample.labels)
            row |= _testing(run, sample, network, finished.alone(index), beta)
            row["averaging_test_error"] = errors.averaging_test_error(sample.x, sample.labels, run.signal)
            tables.append(pd.DataFrame([row]))
        return tables


def limit_kernel(run: Laziness, x: Tensor, z: Tensor | None = None, beyond: Tensor | float = 0.0) -> Tensor:
    """The tangent kernel E[sigma'(<w, z>) sigma'(<w, x>)] <z, x> of an infinitely wide first layer, w ~ N(0, I).

    ``beyond`` is the squared length of what the vectors z have outside of the frame, where x and W(0) have nothing.
    """
    z = x if z is None else z
    lengths = (z.square().sum(-1) + beyond).sqrt().unsqueeze(-1) * x.square().sum(-1).sqrt()
    products, slope = z @ x.mT, activations.named(run.activation).derivative(x.new_tensor([-1.0])).item()
    return products * analytic.kappa0((products / lengths).clamp(-1, 1), slope) * (1 + slope**2) / 2


def _machine(kernel: Tensor, outputs: Tensor | None, labels: Tensor, how: dict) -> Trained:
    """Gradient descent in the space of functions outputs + sum_i beta_i K(x_i, .), as one linear neuron."""
    one = labels.new_ones((len(labels), 1))
    cross = torch.zeros_like(labels) if outputs is None else outputs
    grams = Grams(kernel, cross.unsqueeze(1), one.unsqueeze(1))
    observe = {"loss": history.loss}
    return span.train_on_grams(grams, one, activations.linear(), labels, **how, observe=observe)


def _against(s: TwoLayerSnapshot, x: Tensor, start: Tensor) -> Tensor:
    """How the tangent kernel K and the activity have changed, the numbers ``KERNEL``, shape (runs, 4).

    These are ||K - K_0|| / ||K_0||, all of it and off the diagonal, where a point meets another as a test point meets
    all; the cosine between K and y y^T off the diagonal; and the share of the pairs (neuron, sample) that are active
    if a_j = y_i and silent if not.
    """
    now, diagonal = empirical.kernel(s.network, x), torch.eye(x.shape[1], dtype=torch.bool, device=x.device)
    off, off_start = now.masked_fill(diagonal, 0), start.masked_fill(diagonal, 0)
    n = x.shape[1]
    aligned = (s.labels.unsqueeze(2) * off * s.labels.unsqueeze(1)).sum((1, 2)) / math.sqrt(n * (n - 1))
    length = torch.linalg.matrix_norm
    changes = length(now - start) / length(start), length(off - off_start) / length(off_start)
    correct = s.network.signs.unsqueeze(2) == s.labels.unsqueeze(1)
    obedient = (neurons.active(s) == correct).to(x.dtype).mean((1, 2))
    return torch.stack([*changes, aligned / length(off), obedient], 1)


def _geometry(trained: Trained, index: int, start: TwoLayer, sample: Mixture) -> dict[str, float]:
    """What has moved, after one step (``first_``) and at the end.

    Distances are relative to ||W(0)||_F, of which only the part in the span of the data, ``visible``, meets them.
    """
    weights, x = start.weights[0], sample.x
    length, visible = weights.norm(), (torch.linalg.qr(x.mT).Q.mT @ weights.mT).norm()
    measured = {}
    for prefix, values in (("first_", {k: v[0] for k, v in trained.history.items()}), ("", trained.final)):
        distance = values["distance"][index]
        measured |= {
            f"{prefix}loss": float(values["loss"][index]),
            f"{prefix}training_error": float(values["training_error"][index]),
            f"{prefix}distance": float(distance / length),
            f"{prefix}visible_distance": float(distance / visible),
            f"{prefix}flipped": float(values["flipped"][index]),
        } | {f"{prefix}{name}": value for name, value in zip(KERNEL, values["kernel"][index].tolist(), strict=True)}
    return {"initial_norm": float(length)} | measured


def _testing(
    run: Laziness, sample: Mixture, start: TwoLayer, trained: TwoLayer, beta: dict[str, Tensor]
) -> dict[str, float]:
    """Test errors on the same fresh points, and what of the start and of the samples is left in the outputs there.

    ``silent`` is the share of the points at which no neuron is active: a ReLU network says 0 there, which is an error.
    """
    q = sample.x.shape[1]
    x, y = mixtures.fresh_points(run.signal, q, run.seed, run.test_points)
    # A kernel of angles needs a point's whole length: outside of the frame it has a chi^2 with p - q degrees.
    rng = seeds.generator(run.seed, "lengths of test points beyond the frame")
    beyond = torch.tensor(2 * rng.standard_gamma((run.p - q) / 2, run.test_points))
    tangent, limit = empirical.kernel(start, x, sample.x)[0], limit_kernel(run, sample.x, x, beyond)
    before, after = (network.weights @ x.mT for network in (start, trained))
    network = read_out(trained.signs, trained.activation(after))[0]
    linearised = read_out(start.signs, start.activation(before))[0] + tangent @ beta["linearised"]
    outputs = {
        "": network,
        "linearised_": linearised,
        "machine_": limit @ beta["machine"],
        "regression_": limit @ beta["regression"],
    }
    return {f"{name}test_error": float((~(y * f > 0)).double().mean()) for name, f in outputs.items()} | {
        "test_flipped": float(((before > 0) != (after > 0)).double().mean()),
        "silent": float((~(after > 0).any(-2)).double().mean()),
        "disagreement": float(((network > 0) != (linearised > 0)).double().mean()),
        "output_difference": float((network - linearised).norm() / linearised.norm()),
        **_votes(sample, trained, sample_weights(trained, start, sample.x, sample.labels, x), y),
    }


def _votes(sample: Mixture, trained: TwoLayer, psi: Tensor, y: Tensor) -> dict[str, float]:
    """Mean weights of samples in the output at test points: of wrong labels by right ones, of others by likes.

    A sample is another if its label is not the test point's true one. Where the neurons of a sample's label, a_j = y_i,
    are active is counted too, apart for right and wrong labels. NaN where no label is wrong.
    """
    wrong, like = sample.flipped, sample.labels == y.unsqueeze(1)
    awake = (trained.weights[0] @ sample.x.mT > 0).double()
    awake[trained.signs[0].unsqueeze(1) != sample.labels] = math.nan
    return {
        "weight_of_wrong": float(psi[:, wrong].mean() / psi[:, ~wrong].mean()),
        "weight_of_others": float(psi[~like].mean() / psi[like].mean()),
        "awake_at_right": float(awake[:, ~wrong].nanmean()),
        "awake_at_wrong": float(awake[:, wrong].nanmean()),
    }
