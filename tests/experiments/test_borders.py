"""Small runs at the borders."""

import dataclasses
import math

import pandas as pd
import pytest
import torch

from benign.data import mixtures
from benign.experiments.borders import Border, chosen_labels
from benign.measure import errors
from benign.networks import activations
from benign.networks.two_layer import TwoLayer, output_signs

SMALL = Border(n=12, p=300, signal_index=6.0, label_noise=0.25, seed=0, width=8, step=0.5, steps=400, test_points=500)


def by_hand(run: Border) -> dict[str, float]:
    """The same run, by a loop over explicit weights."""
    sample = run.sample()
    x, y, w = sample.x, sample.labels, run.initial_scale * sample.directions
    a = output_signs(run.width, run.seed)
    start = w.clone()
    active = []
    outputs = []
    losses = []
    taken = 0
    for taken in range(run.steps + 1):
        pre = w @ x.T
        f = (a.unsqueeze(1) * pre.clamp(min=0)).sum(0) / math.sqrt(run.width)
        active.append(pre > 0)
        outputs.append(f)
        losses.append(float(torch.nn.functional.softplus(-y * f).mean()))
        if losses[-1] <= run.level / (2 * run.n) or taken == run.steps:
            break
        g = 1 / (1 + torch.exp(y * f))
        w = w + run.step_size / run.n / math.sqrt(run.width) * (a.unsqueeze(1) * (pre > 0) * (g * y)) @ x
    wrong = sample.clean != y
    helpers = [(a.unsqueeze(1) == y) & pattern for pattern in active]
    first = y * outputs[1] - y * outputs[0]
    network = TwoLayer(w.unsqueeze(0), a.unsqueeze(0), activations.named("relu"))
    missed = int((~(errors.fresh_margins(network, run.signal, run.seed, run.test_points)[0] > 0)).sum())
    watched = losses[: run.watched + 1]
    return {
        "steps_taken": taken,
        "loss": losses[-1],
        "training_error": float((y * outputs[-1] <= 0).double().mean()),
        "test_errors": missed,
        "test_error": missed / run.test_points,
        "averaging_test_error": errors.averaging_test_error(x, y, run.signal),
        "wrong_labels": int(wrong.sum()),
        "wrong_labels_fell": int((first < 0)[wrong].sum()),
        "rises": sum(later > earlier for earlier, later in zip(watched, watched[1:], strict=False)),
        "covered": all(helpers[0][:, i].any() for i in range(run.n)),
        "helpers_of_wrong": int(helpers[0][:, wrong].sum()),
        "helpers_of_wrong_died": int((helpers[0] & ~helpers[1])[:, wrong].sum()),
        "initial_output": float(outputs[0].square().mean().sqrt()),
        "distance": float((w - start).norm() / start.norm()),
        "pattern_change": float((active[-1] != active[0]).double().mean()),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        dict(signal_index=600.0, flips="deepest", watched=20),  # the wrong labels' margins fall, and neurons die
        dict(p=8, label_noise=0.4, step=1000.0, watched=10),  # the loss rises
        dict(level=0.25, flips="one class", init_scale=300.0),
        dict(steps=5, width=3),
    ],
)
def test_the_table_is_that_of_a_loop_over_explicit_weights(changes):
    run = dataclasses.replace(SMALL, **changes)
    (table,) = Border.run([run])
    pd.testing.assert_frame_equal(table, pd.DataFrame([by_hand(run)]), rtol=1e-6)


def test_the_cases_of_the_loop_are_not_empty():
    strong = by_hand(dataclasses.replace(SMALL, signal_index=600.0, flips="deepest", watched=20))
    assert strong["wrong_labels_fell"] > 0
    assert strong["helpers_of_wrong_died"] > 0
    assert by_hand(dataclasses.replace(SMALL, p=8, label_noise=0.4, step=1000.0, watched=10))["rises"] > 0


def test_it_stops_at_the_level():
    (table,), (lower,) = (
        Border.run([dataclasses.replace(SMALL, level=level, activation="leaky_relu(0.1)")]) for level in (1.0, 0.5)
    )
    assert table.loss[0] <= 1 / 24 < 1.05 * table.loss[0]
    assert lower.loss[0] <= 1 / 48
    assert table.steps_taken[0] < lower.steps_taken[0] < 400
    assert table.training_error[0] == 0


def test_paired_neurons_start_from_zero():
    run = dataclasses.replace(SMALL, paired=True, init_scale=1e4)
    (table,), (alone,) = Border.run([run]), Border.run([dataclasses.replace(run, paired=False)])
    assert table.initial_output[0] < 1e-12 < alone.initial_output[0]
    # and their weights are as large: they travel as far, in units of their start, to within a factor
    assert table.distance[0] == pytest.approx(alone.distance[0], rel=1.0)
    network = run.network(run.sample())
    assert (network.weights[0, :4] == network.weights[0, 4:]).all()
    assert (network.signs[0, :4] == -network.signs[0, 4:]).all()


def test_who_chooses_the_wrong_labels():
    sample = mixtures.sample(20, 50, 1.0, 0.25, 3)
    assert (chosen_labels(sample, "random") == sample.labels).all()
    depth = sample.clean * sample.x[:, 0]
    deepest = chosen_labels(sample, "deepest") != sample.clean
    assert deepest.sum() == 5
    assert depth[deepest].min() > depth[~deepest].max()
    of_one = chosen_labels(sample, "one class") != sample.clean
    assert of_one.sum() == 5
    assert (sample.clean[of_one] == 1).all()


def test_one_class_may_be_too_small():
    sample = mixtures.sample(20, 50, 1.0, 0.4, 3)
    sample = dataclasses.replace(sample, clean=sample.clean.where(torch.arange(20) < 2, -torch.ones(20).double()))
    labels = chosen_labels(dataclasses.replace(sample, labels=-sample.clean), "one class")
    assert (labels == -sample.clean).all()
