"""What the lemmas speak of, against a plain loop over steps, neurons and samples."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from benign.experiments.dynamics import Dynamics
from benign.networks import activations
from benign.networks.two_layer import output_signs

SMALL = Dynamics(
    n=12, p=150, signal_index=6.0, label_noise=0.25, seed=3, width=9, step=0.8, steps=40, records=(0, 1, 7)
)
WILD = dataclasses.replace(SMALL, p=20, step=60.0)  # far outside of the lemmas: margins shrink and neurons die


def by_loops(run: Dynamics) -> pd.DataFrame:
    """The same table from explicit weights, one number at a time."""
    sample, activation = run.sample(), activations.named(run.activation)
    x, y, flipped = sample.x.numpy(), sample.labels.numpy(), sample.flipped.numpy()
    a, w = output_signs(run.width, run.seed).numpy(), run.initial_scale * sample.directions.numpy()
    n, m = run.n, run.width
    rows, before = [], None
    deaths, least, largest, ratio, lowest, clocked = 0, math.inf, -math.inf, 0.0, math.inf, 0.0
    least_fall, largest_fall = math.inf, -math.inf
    for t in range(run.steps + 1):
        hidden = sample.x.new_tensor(w @ x.T)
        margins = y * (a @ activation(hidden).numpy()) / math.sqrt(m)
        losses, g = np.log1p(np.exp(-margins)), 1 / (1 + np.exp(margins))
        on = hidden.numpy() > 0
        growth = np.full(n, math.nan)
        if before is not None:
            growth = (margins - before[0]) / (before[1] * run.step_size * run.p / n)
            least, largest = min(least, growth.min()), max(largest, growth.max())
            fall = (before[3] - losses) / (before[1] ** 2 * run.step_size * run.p / n)
            least_fall, largest_fall = min(least_fall, fall.min()), max(largest_fall, fall.max())
            for j in range(m):
                for i in range(n):
                    deaths += int(a[j] == y[i] and before[2][j, i] and not on[j, i])
        ratio, lowest = max(ratio, g.max() / g.min()), min(lowest, margins.min())
        clock = run.step_size * run.p * t / n
        clocked = max(clocked, clock * losses.max())
        pairs = {}
        for sort, right in (("right", True), ("opposite", False)):
            for kind, wrong in (("clean", False), ("flipped", True)):
                among = [on[j, i] for j in range(m) for i in range(n) if (a[j] == y[i], flipped[i]) == (right, wrong)]
                pairs[f"{sort}_{kind}"] = np.mean(among)
        rows.append(
            dict(
                at_step=t, clock=clock, loss=losses.mean(), loss_clean=losses[~flipped].mean(),
                loss_flipped=losses[flipped].mean(), largest_loss=losses.max(), mean_g=g.mean(),
                g_ratio=g.max() / g.min(), margin_clean=margins[~flipped].mean(),
                margin_flipped=margins[flipped].mean(), smallest_margin=margins.min(), **pairs,
                least_of_neuron=min(sum(on[j, i] and a[j] == y[i] for i in range(n)) for j in range(m)) / n,
                least_of_sample=min(sum(on[j, i] and a[j] == y[i] for j in range(m)) for i in range(n)) / m,
                deaths=deaths, least_growth=least if t else math.nan, largest_growth=largest if t else math.nan,
                growth_clean=growth[~flipped].mean(), growth_flipped=growth[flipped].mean(),
                least_fall=least_fall if t else math.nan, largest_fall=largest_fall if t else math.nan,
                largest_g_ratio=ratio, clocked_loss=clocked, lowest_margin=lowest,
            )
        )  # fmt: skip
        before = margins, g, on, losses
        push = a[:, None] * activation.derivative(hidden).numpy() * (y * g)
        w = w + run.step_size / (n * math.sqrt(m)) * push @ x
    return pd.DataFrame(rows).loc[[*run.records, run.steps]].reset_index(drop=True)


@pytest.mark.parametrize("run", [SMALL, WILD], ids=["small", "wild"])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu(0.3)", "elu"])
def test_the_table_is_that_of_plain_loops(run, activation):
    run = dataclasses.replace(run, activation=activation)
    (table,) = Dynamics.run([run])
    expected = by_loops(run)
    # An increment of a large margin is a small difference: absolutely exact, not relatively.
    pd.testing.assert_frame_equal(table, expected, rtol=1e-9, atol=1e-9, check_dtype=False)


def test_the_wild_run_breaks_what_the_lemmas_say():
    (table,) = Dynamics.run([WILD])
    assert table.deaths.iloc[-1] > 0
    assert table.least_growth.iloc[-1] < 0


def test_where_the_lemmas_hold():
    run = dataclasses.replace(SMALL, n=20, p=10**5, width=40, label_noise=0.1, step=0.2)
    (table,) = Dynamics.run([run])
    assert (table.deaths == 0).all()
    assert 1 / 960 <= table.least_growth.iloc[-1] <= table.largest_growth.iloc[-1] <= 3
    assert 1 / 1920 <= table.least_fall.iloc[-1] <= table.largest_fall.iloc[-1] <= 3
    assert table.lowest_margin.iloc[-1] >= -1
    assert table.loss.is_monotonic_decreasing
    # In high dimension a margin grows by the share of all neurons that are right and active on the sample.
    assert table.at_step[1] == 1
    assert table.least_growth[1] == pytest.approx(table.least_of_sample[0], rel=0.1)


@pytest.mark.parametrize("engine", ["span", "dense"])
def test_both_engines_and_ambient_coordinates(engine):
    run = dataclasses.replace(SMALL, engine=engine, frame="ambient")
    (table,) = Dynamics.run([run])
    pd.testing.assert_frame_equal(table, by_loops(run), rtol=1e-9, atol=1e-9, check_dtype=False)


def test_more_runs_than_train_side_by_side():
    runs = [dataclasses.replace(SMALL, n=60, width=128, seed=seed, steps=5, records=()) for seed in range(12)]
    together = Dynamics.run(runs)
    for which in (0, 11):
        (alone,) = Dynamics.run([runs[which]])
        pd.testing.assert_frame_equal(alone, together[which], check_exact=True)


def test_extremes_do_not_depend_on_the_records():
    (few,), (all_,) = (Dynamics.run([dataclasses.replace(WILD, records=r)]) for r in ((), tuple(range(41))))
    pd.testing.assert_series_equal(few.iloc[-1], all_.iloc[-1], check_names=False, check_exact=True)
    assert all_.at_step.tolist() == list(range(41))


def test_no_wrong_label_has_no_mean():
    (table,) = Dynamics.run([dataclasses.replace(SMALL, label_noise=0)])
    empty = [column for column in table if column.endswith("flipped")]
    assert len(empty) == 5
    assert table[empty].isna().to_numpy().all()
    assert table.drop(columns=empty).iloc[1:].notna().to_numpy().all()
