"""Small runs of the polluted digits."""

import dataclasses

import pandas as pd
import pytest

from benign.errors import InputError
from benign.experiments.digits import PollutedDigits

SMALL = PollutedDigits(negative=3, positive=8, n=40, label_noise=0.1, seed=0, width=16, step=6.0, steps=3000)


def test_the_table():
    (table,) = PollutedDigits.run([SMALL])
    (row,) = table.itertuples()
    assert row.test_images == 200
    assert 0 < row.steps_taken < 3000
    assert row.training_error == 0  # every label is fitted, wrong ones too
    assert 0.01 < row.network < 0.35
    for rival in ("max_margin", "nearest_1", "nearest_15"):
        assert 0.01 < getattr(row, rival) < 0.4
    assert row.max_margin_training_error == 0  # 40 points in 784 dimensions are separable
    assert row.nearest_1_training_error == 0
    assert row.nearest_15_training_error > 0  # fifteen votes outvote a wrong label


def test_it_stops_at_the_first_step_that_fits():
    (table,) = PollutedDigits.run([SMALL])
    steps = int(table.steps_taken[0])
    (before,) = PollutedDigits.run([dataclasses.replace(SMALL, steps=steps - 1)])
    assert before.steps_taken[0] == steps - 1
    assert before.training_error[0] > 0


def test_a_run_is_the_same_to_the_last_bit_in_any_batch():
    runs = [
        SMALL,
        dataclasses.replace(SMALL, seed=1, label_noise=0.0),
        dataclasses.replace(SMALL, negative=4, positive=9, scaling="unit-norm", step=0.3),
    ]
    together = PollutedDigits.run(runs)
    backwards = PollutedDigits.run(runs[::-1])[::-1]
    for run, one, other in zip(runs, together, backwards, strict=True):
        (alone,) = PollutedDigits.run([run])
        pd.testing.assert_frame_equal(alone, one, check_exact=True)
        pd.testing.assert_frame_equal(alone, other, check_exact=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(activation="tanh"), "activation is 'tanh'"),
        (dict(width=0), "width is 0"),
        (dict(step=0.0), "step is 0.0: it must be a positive number"),
        (dict(init_scale=-1.0), "init_scale is -1.0"),
        (dict(steps=-1), "steps is -1"),
    ],
)
def test_a_wrong_setting_is_explained_before_anything_runs(changes, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(SMALL, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(negative=8), r"classes is \(8, 8\): give at least two, all different"),
        (dict(positive=11), r"classes \[11\] are not in mnist-sample"),
        (dict(n=10_000), "n is 10000: a balanced choice can have 1 to 800 images"),
        (dict(label_noise=0.5), "label_noise is 0.5"),
        (dict(images="mnist-smaple"), "did you mean 'mnist-sample'"),
    ],
)
def test_a_setting_that_the_images_refuse_is_explained(changes, message):
    with pytest.raises(InputError, match=message):
        PollutedDigits.run([dataclasses.replace(SMALL, **changes)])
