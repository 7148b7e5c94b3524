"""The parts of a margin along the signal and across it."""

import dataclasses
import math

import pytest
import torch

from benign.data import mixtures
from benign.experiments import polluted
from benign.experiments.parts import MarginParts, margin_parts
from benign.networks import activations
from benign.networks.two_layer import TwoLayer

SMALL = MarginParts(
    n=12,
    p=300,
    signal_index=6.0,
    label_noise=0.25,
    seed=0,
    width=9,
    step=1.0,
    steps=60,
    records=(0, 7),
    fresh_points=30,
)


def test_parts_by_hand():
    # w_1 = (1, 2) is active on x = (3, 1), w_2 = (-1, 1) is not: a leak of a half remains of it.
    network = TwoLayer(
        torch.tensor([[[1.0, 2.0], [-1.0, 1.0]]], dtype=torch.float64),
        torch.tensor([[1.0, -1.0]], dtype=torch.float64),
        activations.leaky_relu(0.5),
    )
    x, y = torch.tensor([[3.0, 1.0]], dtype=torch.float64), torch.tensor([-1.0], dtype=torch.float64)
    signal, noise = margin_parts(network, x, y)
    assert signal.item() == pytest.approx(-(3 + 0.5 * 3) / math.sqrt(2))
    assert noise.item() == pytest.approx(-(2 - 0.5 * 1) / math.sqrt(2))


@pytest.mark.parametrize("activation", ["relu", "leaky_relu(0.1)"])
def test_parts_add_up_to_margins_of_the_points_they_belong_to(activation):
    run = dataclasses.replace(SMALL, activation=activation)
    (table,) = MarginParts.run([run])
    assert table.columns.tolist() == ["at_step", "kind", "signal_part", "noise_part"]
    assert table.at_step.tolist() == [t for t in (0, 7, 60) for _ in range(12 + 30)]
    sample = run.sample()
    network = polluted.train([run], [sample], {}).network
    end = table[table.at_step == 60]
    margins = torch.tensor((end.signal_part + end.noise_part).to_numpy())
    torch.testing.assert_close(margins[:12], sample.labels * network(sample.x)[0])
    fresh, truth = mixtures.fresh_points(run.signal, sample.x.shape[1], run.seed, 30)
    torch.testing.assert_close(margins[12:], truth * network(fresh)[0])
    assert (end.kind[:12] == "flipped").tolist() == sample.flipped.tolist()
    assert (end.kind == "fresh").sum() == 30
    # Points on the axis of mu have no noise part.
    on_axis = torch.zeros(1, sample.x.shape[1], dtype=torch.float64)
    on_axis[0, 0] = 2.0
    signal, noise = margin_parts(network, on_axis, torch.ones(1, dtype=torch.float64))
    assert noise.item() == pytest.approx(0, abs=1e-12)
    assert signal.item() > 0


def test_without_a_signal_the_signal_part_vanishes_on_average():
    (table,) = MarginParts.run([dataclasses.replace(SMALL, signal_index=0.0, fresh_points=2000, records=())])
    fresh = table[table.kind == "fresh"].signal_part
    # Five standard errors: a false alarm once in a million seeds.
    assert abs(fresh.mean()) < 5 * fresh.std() / math.sqrt(2000)
