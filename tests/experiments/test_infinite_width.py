"""The lazy limit, against its definition and against a wide network."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
import torch

from benign.experiments.deep_classification import DeepClassification
from benign.experiments.infinite_width import InfiniteWidth, descend, initials
from benign.ntk import analytic
from benign.seeds import generator

SMALL = InfiniteWidth(n=24, d=80, separation=5.0, label_noise=0.125, seed=0, test_points=200, init_noise=0.7)


def test_sgd_in_the_space_of_functions_is_sgd_on_a_linear_model():
    rng = generator(0, "test")
    features, start = torch.tensor(rng.standard_normal((24, 30))) / 5, torch.tensor(rng.standard_normal(24))
    labels = torch.tensor(rng.choice([-1.0, 1.0], 24))
    run = dataclasses.replace(SMALL, epochs=5, batch_points=10, level=1e-9)
    coefficients, steps = descend(run, features @ features.mT, start, labels)

    weights, order = torch.zeros(30, dtype=torch.float64), generator(0, "mini-batch order")
    for _ in range(5):
        permutation = order.permutation(24)
        for first in (0, 10, 20):
            points = permutation[first : first + 10]
            margins = labels[points] * (start[points] + features[points] @ weights)
            force = labels[points] / (1 + margins.exp())
            weights = weights + run.step_size * (features[points] * force.unsqueeze(1)).mean(0)
    assert steps == 15
    torch.testing.assert_close(features.mT @ coefficients, weights, rtol=1e-11, atol=1e-12)


def test_it_stops_at_the_first_epoch_that_reaches_the_level():
    (table,) = InfiniteWidth.run([SMALL])
    epochs = table.steps_taken[0] // 2
    assert table.loss[0] <= 0.05
    assert table.training_error[0] == 0
    (before,) = InfiniteWidth.run([dataclasses.replace(SMALL, epochs=int(epochs) - 1)])
    assert before.loss[0] > 0.05


@pytest.mark.slow
def test_the_start_is_the_gaussian_process():
    x = torch.nn.functional.normalize(torch.tensor(generator(0, "test").standard_normal((3, 80))), dim=1)
    x[1] = torch.nn.functional.normalize(x[0] + 0.5 * x[1], dim=0)
    draws = np.stack([initials([dataclasses.replace(SMALL, seed=seed)], x)[0] for seed in range(1000)])
    expected = 0.49 * analytic.kernel(x, depth=3, kind="nngp").numpy()
    # An entry has the standard deviation of at most 0.49 sqrt(2 / 1000) = 0.022: four of them, six entries, 4e-4.
    np.testing.assert_allclose(np.cov(draws.T, bias=True), expected, rtol=0, atol=0.088)


def test_equal_margins_by_an_explicit_inverse():
    (table,) = InfiniteWidth.run([SMALL])
    (x, labels, _), (fresh, y) = SMALL.sample(), SMALL.fresh()
    start = initials([SMALL], torch.cat([x, fresh]))[0]
    scale, q = 0.7 ** (4 / 3), -math.log(math.expm1(0.05))
    kernel, cross = (scale * analytic.kernel(a, x, depth=3) for a in (x, fresh))
    outputs = start[24:] + cross @ torch.linalg.solve(kernel, q * labels - start[:24])
    assert table.equal_test_error[0] == float((y * outputs <= 0).double().mean())
    offset = (outputs[y > 0].mean() + outputs[y < 0].mean()) / 2 / q
    assert table.equal_offset[0] == pytest.approx(float(offset), rel=1e-9)
    assert table.label_mean[0] == labels.mean()


def test_a_start_of_zero_leaves_the_kernel_alone():
    (table,) = InfiniteWidth.run([dataclasses.replace(SMALL, centred=True)])
    (x, labels, _), (fresh, y) = SMALL.sample(), SMALL.fresh()
    kernel, cross = (analytic.kernel(a, x, depth=3) for a in (x, fresh))
    assert table.equal_test_error[0] == float((y * (cross @ torch.linalg.solve(kernel, labels)) <= 0).double().mean())


@pytest.mark.slow
@pytest.mark.parametrize("centred", [False, True])
def test_wide_networks_come_near(centred):
    # Ten seeds, clusters of a middling separation; the two error rates are of different starts.
    settings = dict(
        n=24, d=80, separation=4.0, label_noise=0.125, depth=2, test_points=300, init_noise=0.25, centred=centred
    )
    limit = pd.concat(InfiniteWidth.run([InfiniteWidth(**settings, seed=seed) for seed in range(10)]))
    batch = [DeepClassification(**settings, seed=seed, width=2048) for seed in range(10)]
    wide = pd.concat(DeepClassification.run(batch))
    gaps = wide.test_error.to_numpy() - limit.test_error.to_numpy()
    # Four standard errors: a false alarm once in a thousand (Student's law with nine degrees of freedom: 0.003).
    assert abs(gaps.mean()) < 4 * gaps.std(ddof=1) / 10**0.5
    assert abs(gaps.mean()) < 0.04
    assert wide.output_difference.mean() < 0.25
