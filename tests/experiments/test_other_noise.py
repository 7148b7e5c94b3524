"""Small runs under other laws of the noise, beside dense training with explicit vectors."""

import dataclasses

import numpy as np
import pytest
import torch

from benign.data import noises, streamed
from benign.experiments.other_noise import OtherNoise
from benign.networks.activations import named
from benign.networks.two_layer import TwoLayer, output_signs
from benign.train import dense

SMALL = OtherNoise(
    n=12, p=300, signal_index=6.0, label_noise=0.25, seed=0, width=9, step=1.0, steps=60, noise="laplace",
    test_points=200,
)  # fmt: skip


@pytest.mark.parametrize(
    ("noise", "direction", "activation"),
    [("laplace", "spread", "relu"), ("spiked(3, 10)", "first", "leaky_relu(0.1)"), ("rademacher", "spread", "elu")],
)
def test_the_values_are_those_of_dense_training(noise, direction, activation):
    run = dataclasses.replace(SMALL, noise=noise, direction=direction, activation=activation, seed=5)
    (table,), drawn = OtherNoise.run([run]), run.sample()
    blocks = streamed.blocks(
        drawn.clean.numpy(), drawn.test_labels.numpy(), 300, run.signal, 5, noise=noises.named(noise), directions=9,
        direction=direction,
    )  # fmt: skip
    x, w, t = (torch.cat(parts, 1) for parts in zip(*([part.clone() for part in b] for b in blocks), strict=True))
    start = TwoLayer(run.initial_scale * w.unsqueeze(0), output_signs(9, 5).unsqueeze(0), named(activation))
    network = dense.train(start, x.unsqueeze(0), drawn.labels.unsqueeze(0), step_size=run.step_size, steps=60).network
    margins, row = drawn.test_labels * network(t)[0], table.iloc[0]
    averaged = drawn.test_labels * (t @ (drawn.labels @ x))
    assert (row.test_errors, row.test_error) == (int((margins <= 0).sum()), float((margins <= 0).double().mean()))
    assert row.averaging_test_errors == int((averaged <= 0).sum())
    assert row.averaging_test_error == row.averaging_test_errors / 200
    assert row.normalised_margin == pytest.approx(3 * float(margins.mean() / network.weights[0].norm(dim=1).sum()))
    assert row.training_error == float((drawn.labels * network(x)[0] <= 0).double().mean())


def test_the_table():
    (table,) = OtherNoise.run([SMALL])
    assert table.columns.tolist() == [
        "training_error", "test_errors", "test_error", "averaging_test_errors", "averaging_test_error",
        "normalised_margin", "squared_variances",
    ]  # fmt: skip
    assert table.training_error[0] == 0
    assert 0 < table.test_error[0] < 0.3
    assert table.squared_variances[0] == 300


def test_squared_variances():
    spiked = dataclasses.replace(SMALL, noise="spiked(10, 4)")
    small = 300 / 330  # 10 spikes of 4 and 290 others of 1 add up to 330
    assert spiked.squared_variances == pytest.approx(10 * (4 * small) ** 2 + 290 * small**2)
    variances = np.arange(1, 301) ** -0.5
    power = dataclasses.replace(SMALL, noise="power(0.5)")
    assert power.squared_variances == pytest.approx(float(((variances * 300 / variances.sum()) ** 2).sum()))


def test_laws_differ_and_share_the_labels():
    laplace, signs = SMALL.sample(), dataclasses.replace(SMALL, noise="rademacher").sample()
    assert torch.equal(laplace.labels, signs.labels)
    assert not torch.equal(laplace.grams.inputs, signs.grams.inputs)
