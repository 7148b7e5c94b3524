"""Convolutions against PyTorch's own: shared filters, two logits, biases, and the factors of every convention."""

import dataclasses

import pytest
import torch

from benign.errors import InputError
from benign.experiments.patches import Convolution

SMALL = Convolution(
    n=6, d=30, signal=2.0, label_noise=0.2, seed=3, noise="gaussian", biases=True, filters=3, init_scale=0.1,
    step_size=0.3, steps=40, frame="ambient", test_points=50,
)  # fmt: skip


@pytest.mark.parametrize("uniform", [False, True])
@pytest.mark.parametrize("exponent", [1.0, 3.0])
@pytest.mark.parametrize("mean", ["filters", "patches", "none"])
def test_a_run_is_that_of_a_convolution_with_two_logits(mean, exponent, uniform):
    run = dataclasses.replace(SMALL, mean=mean, exponent=exponent, uniform=uniform)
    sample = run.sample()
    weights = run.init_scale * sample.directions
    kernel, bias = (part.clone().requires_grad_() for part in (weights[:, None, :-1], weights[:, -1]))
    x = sample.x[:, :-1].reshape(6, 1, 60)
    classes = (sample.labels < 0).long()  # the first logit is that of the label +1
    steps = torch.optim.SGD([kernel, bias], lr=run.step_size)
    for step in range(run.steps + 1):
        hidden = torch.relu(torch.nn.functional.conv1d(x, kernel, bias, stride=30)) ** exponent
        hidden = hidden.mean(2) if mean == "patches" else hidden.sum(2)
        of_class = hidden.unflatten(1, (2, 3))
        logits = of_class.mean(2) if mean == "filters" else of_class.sum(2)
        loss = torch.nn.functional.cross_entropy(logits, classes)
        if step < run.steps:
            steps.zero_grad()
            loss.backward()
            steps.step()
    (table,) = Convolution.run([run])
    assert table.loss[0] == pytest.approx(float(loss.detach()), rel=1e-9)
    wrong = (logits.argmax(1) != classes).double().mean()
    assert table.training_error[0] == pytest.approx(float(wrong))


def test_uniform_weights_need_the_ambient_frame():
    with pytest.raises(InputError, match="uniform directions depend on the axes and need 'ambient'"):
        dataclasses.replace(SMALL, uniform=True, frame="reduced")
