"""Lemmas 4.7 to 4.9 and Corollary 4.1, against plain loops over neurons and test points."""

import dataclasses
import math

import numpy as np
import pytest

from benign.data import mixtures
from benign.experiments import polluted
from benign.experiments.global_control import GlobalControl

SMALL = GlobalControl(
    n=12, p=300, signal_index=6.0, label_noise=0.25, seed=0, width=9, step=1.0, steps=8, records=(0, 1), fresh_points=20
)


def states(run):
    """The network before training and after each step, by training as many times."""
    sample = run.sample()
    shorter = [dataclasses.replace(run, steps=t, records=()) for t in range(run.steps + 2)]
    return sample, [polluted.train([one], [sample], {}).network for one in shorter]


@pytest.mark.parametrize("activation", ["relu", "leaky_relu(0.3)", "elu"])
def test_the_table_is_that_of_plain_loops(activation):
    run = dataclasses.replace(SMALL, activation=activation)
    (table,) = GlobalControl.run([run])
    assert table.at_step.tolist() == [0, 1, 8]
    sample, networks = states(run)
    n, p, m, mu2, alpha = run.n, run.p, run.width, run.signal**2, run.step_size
    x, y = mixtures.fresh_points(run.signal, sample.x.shape[1], run.seed, 20)
    a, w = networks[0].signs[0].numpy(), [network.weights[0].numpy() for network in networks]
    pull = [float((1 / (1 + (sample.labels * network(sample.x)[0]).exp())).mean()) for network in networks]
    for row in table.itertuples():
        t = row.at_step
        towards = np.array([[a[j] * y[k] * (w[t][j] @ x[k].numpy()) for k in range(20)] for j in range(m)])
        rise = np.array([[a[j] * y[k] * ((w[t] - w[0])[j] @ x[k].numpy()) for k in range(20)] for j in range(m)])
        assert row.awake == np.mean([all(towards[j, k] > 0 for j in range(m)) for k in range(20)])
        assert row.obedient == pytest.approx((towards > 0).mean())
        moved = max(np.linalg.norm(w[t + 1][j] - w[t][j]) for j in range(m))
        assert row.length_constant == pytest.approx(moved / (alpha * math.sqrt(p / (n * m)) * pull[t]), rel=1e-6)
        if t == 0:
            assert np.isnan([row.rise, row.noise_constant, row.margin_constant]).all()
            continue
        unit = alpha * sum(pull[:t])
        assert row.margin_constant == pytest.approx(float((y * networks[t](x)[0]).mean()) / (unit * mu2))
        # With this c and this C, (22) is an equality at its worst neuron and test point.
        c, noise = row.rise, math.sqrt(p * math.log(p * m / n) / n)
        assert c == pytest.approx(rise.mean() * math.sqrt(m) / (unit * mu2))
        assert rise.min() == pytest.approx(c * unit / math.sqrt(m) * (mu2 - row.noise_constant * noise))


def test_a_strong_signal_wakes_every_right_neuron_and_no_other():
    strong, weak = (dataclasses.replace(SMALL, p=10**6, label_noise=0.0, signal_index=index) for index in (60.0, 0.5))
    (strong,), (weak,) = GlobalControl.run([strong]), GlobalControl.run([weak])
    assert strong.awake.tolist()[-1] == 1.0
    assert weak.awake.max() < 0.8
    assert strong.awake[0] < 0.2  # at the start a point has half of its neurons
