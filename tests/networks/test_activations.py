"""The activations: the class (2a)-(2b) of Xu & Gu (2023), their derivatives, their names."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benign.errors import InputError
from benign.networks.activations import (
    FAMILY,
    elu,
    leaky_relu,
    linear,
    named,
    per_run,
    power,
    relu,
    smoothed_leaky_relu,
)

slopes = st.floats(0, 1)
activations = st.one_of(
    st.builds(relu),
    st.builds(linear),
    st.builds(elu),
    st.builds(leaky_relu, slopes),
    st.builds(smoothed_leaky_relu, slopes, st.floats(0.01, 100)),
)
points = st.floats(-30, 30)


def scalar(number: float) -> torch.Tensor:
    return torch.tensor(number, dtype=torch.float64)


@given(activations, points, points)
def test_the_class_of_xu_and_gu(sigma, u, v):
    v, u = sorted((u, v))
    rise = float(sigma(scalar(u)) - sigma(scalar(v)))
    assert sigma(scalar(0.0)) == 0
    assert -1e-14 <= rise <= u - v + 1e-14  # (2a)
    if v >= 0:
        gamma = 1 if "smoothed" not in sigma.name else float(sigma.derivative(scalar(1e-300)))  # (1 + slope) / 2
        assert 0.5 <= gamma <= 1
        assert rise >= gamma * (u - v) - 1e-13  # (2b)


@given(activations | st.builds(power, st.floats(1, 4)), st.lists(points, min_size=1, max_size=20))
def test_the_derivative_is_autograds_away_from_kinks(sigma, numbers):
    u = torch.tensor([number for number in numbers if abs(number) > 1e-9] or [1.0], dtype=torch.float64)
    u.requires_grad_()
    (expected,) = torch.autograd.grad(sigma(u).sum(), u)
    torch.testing.assert_close(sigma.derivative(u.detach()), expected, rtol=1e-12, atol=1e-12)


def test_at_a_kink_the_derivative_is_the_left_one():
    zeros = torch.tensor([0.0, -0.0], dtype=torch.float64)
    assert relu().derivative(zeros).tolist() == [0, 0]
    assert leaky_relu(0.25).derivative(zeros).tolist() == [0.25, 0.25]
    # PyTorch's own convention, for leaky ReLU and for ReLU
    u = zeros.clone().requires_grad_()
    assert torch.autograd.grad(torch.nn.functional.relu(u).sum(), u)[0].tolist() == [0, 0]
    assert torch.autograd.grad(torch.nn.functional.leaky_relu(u, 0.25).sum(), u)[0].tolist() == [0.25, 0.25]


def test_values_by_hand():
    u = torch.tensor([-2.0, 3.0], dtype=torch.float64)
    assert relu()(u).tolist() == [0, 3]
    assert leaky_relu(0.1)(u).tolist() == [-0.2, 3]
    assert linear()(u).tolist() == [-2, 3]
    assert power(3)(u).tolist() == [0, 27]
    assert elu()(u).tolist() == pytest.approx([torch.e**-2 - 1, 3])


def test_the_derivative_leaves_its_argument_alone():
    for name in FAMILY:
        u = torch.tensor([-1.0, 0.0, 2.0], dtype=torch.float64)
        named(name).derivative(u)
        assert u.tolist() == [-1, 0, 2]


@given(slopes, st.floats(0.01, 100))
def test_smoothed_leaky_relu_meets_its_lines_with_their_slope(slope, curvature):
    sigma = smoothed_leaky_relu(slope, curvature)
    for side, expected in ((-1, slope), (1, 1.0)):
        end = scalar(side / curvature)
        near = torch.stack([end * (1 - 1e-9), end * (1 + 1e-9)])
        assert sigma(near)[0].item() == pytest.approx(sigma(near)[1].item(), rel=1e-7, abs=1e-12)
        assert sigma.derivative(end).item() == pytest.approx(expected, abs=1e-12)
    # Far out it is the leaky ReLU, lowered by (1 - slope) / (4 H).
    far = torch.tensor([-3.0, 3.0], dtype=torch.float64) / curvature
    torch.testing.assert_close(sigma(far), leaky_relu(slope)(far) - (1 - slope) / (4 * curvature))


@given(st.floats(0, 0.99), st.floats(0.01, 100))
def test_smoothed_leaky_relu_has_the_curvature_of_its_docstring(slope, curvature):
    u = torch.linspace(-2, 2, 401, dtype=torch.float64) / curvature
    second = smoothed_leaky_relu(slope, curvature).derivative(u).diff() / u.diff()
    assert second.max().item() == pytest.approx((1 - slope) * curvature / 2, rel=1e-6)
    assert second.min().item() == pytest.approx(0, abs=1e-9 * curvature)


@given(activations)
def test_a_name_names_the_function(sigma):
    u = torch.linspace(-5, 5, 41, dtype=torch.float64)
    again = named(sigma.name)
    assert again.name == sigma.name
    assert torch.equal(again(u), sigma(u))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("relu", "relu"),
        (" relu() ", "relu"),
        ("leaky_relu", "leaky_relu(0.1)"),
        ("leaky_relu( 0.3 )", "leaky_relu(0.3)"),
        ("smoothed_leaky_relu(0.2, 3)", "smoothed_leaky_relu(0.2, 3.0)"),
    ],
)
def test_names(text, name):
    assert named(text).name == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "lekyrelu",
            r"activation is 'lekyrelu': did you mean 'leaky_relu'\? There are relu, linear, leaky_relu, elu, power",
        ),
        ("gelu", "activation is 'gelu': did you mean 'elu'"),
        ("tanh", "activation is 'tanh': There are relu"),
        ("relu(0.1)", r"activation is 'relu\(0.1\)': relu takes no number"),
        ("leaky_relu(a)", r"leaky_relu takes slope, written as in"),
        ("leaky_relu(0.1", r"leaky_relu takes slope"),
        ("leaky_relu(0.1, 2)", "leaky_relu takes slope"),
        ("leaky_relu(2)", "slope is 2.0: a leaky ReLU's slope"),
        ("leaky_relu(nan)", "slope is nan"),
        ("smoothed_leaky_relu(0.1, 0)", "curvature is 0.0: H must be positive"),
        ("power(0)", "exponent is 0.0: it must be at least 1"),
        ("power(inf)", "exponent is inf: it must be at least 1, .*, and finite"),
        ("", "activation is '': There are"),
    ],
)
def test_a_wrong_name_is_explained(text, message):
    with pytest.raises(InputError, match=message):
        named(text)


def test_runs_may_have_activations_of_their_own():
    members = [named("relu"), named("leaky_relu(0.5)"), named("elu"), named("relu")]
    several = per_run(members)
    u = torch.tensor([[-2.0, 1.0]] * 4, dtype=torch.float64)
    for row, member in enumerate(members):
        assert torch.equal(several(u)[row], member(u[row]))
        assert torch.equal(several.derivative(u)[row], member.derivative(u[row]))
    assert several.name == "relu, leaky_relu(0.5), elu, relu"
    assert several.select(torch.tensor([2, 1])).name == "elu, leaky_relu(0.5)"
    assert several.select(torch.tensor([0, 3])) is named("relu")  # equal ones are one
    assert several.select(torch.tensor([False, True, True, False])).name == "leaky_relu(0.5), elu"
    with pytest.raises(InputError, match="give one for each run, at least one"):
        per_run([])
