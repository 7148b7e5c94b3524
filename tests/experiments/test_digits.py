"""Small runs of the polluted digits."""

import dataclasses

import numpy as np
import pytest
import torch

from benign.errors import InputError
from benign.experiments import outcomes
from benign.experiments.digits import PollutedDigits

SMALL = PollutedDigits(negative=3, positive=8, n=40, label_noise=0.1, seed=0, width=16, step=6.0, steps=3000)


def test_the_table():
    (table,) = PollutedDigits.run([SMALL])
    assert 0 < table.steps_taken[0] < 3000
    assert table.classifier.tolist() == ["network", "max_margin", "nearest_1", "nearest_15"]
    # every label is fitted, wrong ones too: 40 points in 784 dimensions are separable
    assert table.training_error.eq(0).tolist() == [True, True, True, False]  # fifteen votes outvote a wrong label
    assert table.test_error.between(0.01, 0.4).all()
    read = outcomes.read(table)
    assert read.shape == (4, 100, 2)
    np.testing.assert_allclose(read.mean(axis=(1, 2)), table.test_error)


def test_who_is_wrong_about_which_image():
    """The nearest neighbour, found by hand."""
    (table,) = PollutedDigits.run([SMALL])
    (problem,) = SMALL.problems([SMALL])
    nearest = torch.cdist(problem.x_test, problem.x).argmin(1)
    missed = (problem.labels[nearest] != problem.labels_test).long()
    found = table[table.classifier == "nearest_1"].iloc[0]
    assert found[list(outcomes.COLUMNS)].to_dict() == outcomes.written(missed, problem.labels_test)


def test_it_stops_at_the_first_step_that_fits():
    (table,) = PollutedDigits.run([SMALL])
    steps = int(table.steps_taken[0])
    (before,) = PollutedDigits.run([dataclasses.replace(SMALL, steps=steps - 1)])
    assert before.steps_taken[0] == steps - 1
    assert before.training_error[0] > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(negative=8), r"classes is \(8, 8\): give two different ones"),
        (dict(positive=11), r"classes \[11\] are not in mnist-sample"),
        (dict(n=10_000), "n is 10000: a balanced choice can have 1 to 800 images"),
        (dict(label_noise=0.5), "label_noise is 0.5"),
        (dict(images="mnist-smaple"), "did you mean 'mnist-sample'"),
    ],
)
def test_a_setting_that_the_images_refuse_is_explained(changes, message):
    with pytest.raises(InputError, match=message):
        PollutedDigits.run([dataclasses.replace(SMALL, **changes)])
