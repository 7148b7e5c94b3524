"""Depths of neurons and the odd part of a network, against explicit weights and against a linear network."""

import numpy as np
import pytest
import torch

from benign.experiments.neurons_at_means import NeuronsAtMeans
from benign.networks import activations
from benign.networks.two_layer import TwoLayer
from benign.train import dense

XOR = ((1.0, -1.0, 0.0, 0.0), (-1.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, -1.0), (0.0, 0.0, -1.0, 1.0))
SMALL = dict(
    n=16, p=400, signal=4.0, label_noise=0.25, step_size=0.02, seed=0, gram=XOR, classes=(1, 1, -1, -1), width=9,
    init_scale=1e-4, steps=20, records=(1,), test_points=300,
)  # fmt: skip


def test_the_table_is_that_of_explicit_weights():
    run = NeuronsAtMeans(**SMALL)
    (table,) = NeuronsAtMeans.run([run])
    assert table.at_step.tolist() == [t for t in (1, 20) for _ in range(9)]
    sample = run.sample()
    start = TwoLayer(1e-4 * sample.directions[None], run.output_signs()[None], activations.named("relu"))
    network = dense.train(start, sample.x[None], sample.labels[None], step_size=0.02, steps=20).network
    w, end = network.weights[0].numpy(), table[table.at_step == 20].reset_index(drop=True)
    for column, mean in (("to_first", [4.0, 0.0]), ("to_last", [0.0, -4.0])):
        means = np.pad(mean, (0, w.shape[1] - 2))
        np.testing.assert_allclose(end[column], w @ means / np.linalg.norm(w, axis=1), rtol=1e-8)
    x, _ = next(sample.law.fresh_points(w.shape[1], 0, 300, 300))
    odd = (network(x) - network(-x)) / 2
    assert end.odd_share[0] == pytest.approx(float((odd**2).sum() / (odd**2 + (network(x) - odd) ** 2).sum()), rel=1e-8)
    assert end.sign.tolist() == run.output_signs().tolist()


def test_a_linear_network_is_odd():
    (table,) = NeuronsAtMeans.run([NeuronsAtMeans(**SMALL | dict(activation="leaky_relu(1)"))])
    assert table.odd_share.tolist() == pytest.approx([1.0] * len(table))
    assert torch.tensor(table.to_first.to_numpy()).isfinite().all()
