"""The borders with other wrong labels, and with another first step, against the plain ones."""

import dataclasses

import pandas as pd
import torch

from benign.data.adversaries import greedy_flips
from benign.experiments.borders import Border
from benign.experiments.borders_attacked import Attacked
from benign.experiments.borders_first_step import AfterFirstStep

SMALL = dict(n=12, p=300, signal_index=6.0, label_noise=0.25, seed=0, width=8, step=0.5, steps=4000, test_points=500)


def test_the_adversary_chooses_as_many_labels_and_nothing_else_changes():
    plain, attacked = Border(**SMALL).sample(), Attacked(**SMALL).sample()
    assert (attacked.x == plain.x).all()
    assert (attacked.labels == greedy_flips(plain.x, plain.clean, 3)).all()
    assert attacked.flipped.sum() == plain.flipped.sum() == 3


def test_a_first_step_of_the_same_size_is_the_first_of_the_training():
    setting = SMALL | {"activation": "leaky_relu(0.1)"}  # which fits every label
    run = AfterFirstStep(**setting, first_step=0.5)
    (later,), (whole,) = run.run([run]), Border.run([Border(**setting)])
    assert whole.steps_taken[0] < SMALL["steps"]
    assert later.steps_taken[0] == whole.steps_taken[0] - 1
    same = ["loss", "training_error", "test_errors"]
    pd.testing.assert_frame_equal(later[same], whole[same], rtol=1e-9)


def test_the_first_step_is_a_gradient_step_of_its_size():
    run = AfterFirstStep(**SMALL, first_step=2.0)
    sample = run.sample()
    plain = Border(**SMALL).network(sample)
    weights = plain.weights.clone().requires_grad_()
    outputs = dataclasses.replace(plain, weights=weights)(sample.x)
    torch.nn.functional.softplus(-sample.labels * outputs).mean().backward()
    stepped = plain.weights - 2.0 * run.n / run.p * weights.grad
    assert torch.allclose(run.network(sample).weights, stepped, rtol=1e-10, atol=0)
