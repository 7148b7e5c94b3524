"""The constants of the proof, by hand and against the recursion that they bound."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benign.theory import step_bounds


def test_growth_bounds_by_hand():
    assert step_bounds.growth_bounds() == (1 / 960, 3)
    assert step_bounds.growth_bounds(beta=1, gamma=0.5) == (pytest.approx(1 / 960), 3)


def test_fall_bounds_by_hand():
    assert step_bounds.fall_bounds() == (pytest.approx(1 / 1920), 3)
    assert step_bounds.fall_bounds(beta=1, gamma=0.5) == (pytest.approx(1 / 1920), 3)


@given(margin=st.floats(-1, 20), unit=st.floats(1e-3, math.log(2) / 3), share=st.floats(0, 1))
def test_a_growth_that_the_lemma_allows_makes_the_loss_fall_as_bounded(margin, unit, share):
    slowest, fastest = step_bounds.growth_bounds()
    g = 1 / (1 + math.exp(margin))
    growth = (slowest + share * (fastest - slowest)) * unit * g
    fall = -math.log1p(g * math.expm1(-growth))  # l(u) - l(u + d), without cancellation
    least, largest = step_bounds.fall_bounds()
    assert least <= fall / (unit * g**2) <= largest


@given(fall=st.floats(0.01, 2), start=st.floats(0.01, 1))
def test_the_slowest_recursion_obeys_the_inverse_time_bound(fall, start):
    bound, loss = step_bounds.inverse_time_bound(fall), start
    for t in range(1, 200):
        loss -= fall / 16 * loss**2  # time in units of n / (step size * p)
        assert loss * t <= bound


def test_inverse_time_bound_is_the_limit_of_that_recursion():
    loss, fall, steps = 1.0, 0.8, 100_000
    for _ in range(steps):
        loss -= fall / 16 * loss**2
    assert loss * steps == pytest.approx(step_bounds.inverse_time_bound(fall), rel=1e-2)


def test_clocked_loss_bound_by_hand():
    assert step_bounds.clocked_loss_bound() == pytest.approx(30_720)
    assert step_bounds.clocked_loss_bound(beta=1, gamma=0.5) == pytest.approx(7680 * 4)


@given(
    start=st.floats(-1, 5),
    unit=st.floats(1e-3, math.log(2) / 3),
    beta=st.floats(0.15, 0.5),
    fast=st.integers(0, 50),
)
def test_the_slowest_growth_that_the_lemma_allows_obeys_the_clocked_bound(start, unit, beta, fast):
    """A margin that grows as slowly as Lemma 4.4 allows, after some steps as fast as it allows."""
    slowest, fastest = step_bounds.growth_bounds(beta)
    slowest = min(slowest, fastest)  # a small beta makes the bounds meet
    u, bound = start, step_bounds.clocked_loss_bound(beta)
    for t in range(1, 400):
        u += (fastest if t <= fast else slowest) * unit / (1 + math.exp(u))
        assert math.log1p(math.exp(-u)) * unit * t <= bound


def test_frei_bound_by_hand():
    # gamma = 1, step_size ||mu||^2 t = 32 log 2: the bound is one; it falls with the root of the time.
    assert step_bounds.frei_slope_bound(32 * math.log(2), 1.0, 1.0) == pytest.approx(1)
    assert step_bounds.frei_slope_bound(8 * math.log(2), 4.0, 0.5) == pytest.approx(2)
    falling = step_bounds.frei_slope_bound(np.array([1.0, 4.0]), 0.3, 0.1)
    assert falling[0] / falling[1] == pytest.approx(2)
    assert step_bounds.frei_slope_bound(2.0, 1.0, 1.0, initial_loss=1.0) == pytest.approx(4)


@pytest.mark.parametrize("label_noise", [0.0, 0.1, 0.3])
def test_settled_loss_is_the_limit_of_the_margins_own_equation(label_noise):
    assert step_bounds.settled_loss(label_noise) == pytest.approx(2 * (1 + label_noise))
    # u' = c / (1 + e^u) has the solution u + e^u = c tau + 1 from u(0) = 0; at a late time e^u is nearly c tau.
    tau = 1e7
    total = 0.0
    for share, strength in ((1 - label_noise, 0.5), (label_noise, 0.25)):
        u = math.log(strength * tau)
        for _ in range(50):
            u = math.log(strength * tau + 1 - u)
        total += share * math.log1p(math.exp(-u)) * tau
    assert step_bounds.settled_loss(label_noise) == pytest.approx(total, rel=1e-4)


def test_neuron_alignment_is_that_of_an_average_of_orthogonal_samples():
    n, label_noise, p, signal = 40, 0.1, 10_000, 6.0
    clean, flipped = 18, 1
    samples = np.zeros((clean + flipped, 1 + clean + flipped))
    samples[:, 0] = [signal] * clean + [-signal] * flipped
    samples[:, 1:] = math.sqrt(p) * np.eye(clean + flipped)
    total = samples.sum(0)
    expected = total[0] / np.linalg.norm(total)
    assert step_bounds.neuron_alignment(n, p, signal, label_noise) == pytest.approx(expected)
    assert step_bounds.neuron_alignment(n, p, 1e9, label_noise) == pytest.approx(1)
    assert step_bounds.neuron_alignment(n, p, 0.0, label_noise) == 0


def test_the_bound():
    assert step_bounds.first_step_bound(8.0, 0.25) == 2.0
    assert step_bounds.first_step_bound(8.0, 0.25, constant=4.0) == 0.5
    assert step_bounds.first_step_bound(8.0, 0.0) == 0.0  # a ReLU: the bound is empty


def test_local_control_is_that_of_drawn_points():
    n, p, index, draws = 3, 2000, 6.0, 4000
    rng = np.random.default_rng(0)
    signal = (index * p / n) ** 0.25
    z = rng.standard_normal((n, p))
    share = np.mean(np.abs(rng.standard_normal((draws, p)) @ z.T).max(1) < signal**2)
    expected = step_bounds.local_control_probability(n, index)
    assert share == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / draws))
