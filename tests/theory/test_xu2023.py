"""The conditions of Xu & Gu (2023), against values worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benign.errors import InputError
from benign.theory import xu2023

sizes = st.integers(1, 10**6)


@given(n=sizes, p=sizes, index=st.floats(0, 1e3))
def test_signal_of_index_inverts_signal_index(n, p, index):
    signal = xu2023.signal_of_index(n, p, index)
    assert xu2023.signal_index(n, p, signal) == pytest.approx(index, rel=1e-12)


def test_signal_index_by_hand():
    assert xu2023.signal_index(50, 20_000, 10.0) == 25


@pytest.mark.parametrize("index", [-1.0, math.nan])
def test_an_index_is_not_negative(index):
    with pytest.raises(InputError, match=f"the signal index is {index}: it must be at least 0"):
        xu2023.signal_of_index(50, 100, index)


@pytest.mark.parametrize(
    ("n", "p", "width", "window"),
    [
        (20, 4_000, 64, (6.96, 9.70)),
        (50, 20_000, 100, (8.48, 9.45)),
        (50, 40_000, 100, (10.2, 22.1)),
        (100, 100_000, 100, (10.8, 17.6)),
        (100, 60_000, 100, None),
    ],
)
def test_admissible_signals_with_all_constants_one(n, p, width, window):
    found = xu2023.admissible_signals(n, p, width)
    assert found == (window and pytest.approx(window, rel=5e-3))


@given(n=sizes, p=sizes, width=sizes, constant=st.floats(0.01, 100), failure=st.floats(1e-6, 0.49))
def test_admissible_signals_satisfy_the_conditions(n, p, width, constant, failure):
    window = xu2023.admissible_signals(n, p, width, failure, constant)
    if window is None:
        return
    low, high = window
    assert 0 <= low <= high
    # (6c) and (7) as the paper writes them, at either end of the interval
    assert p >= constant * (n * high**2 + n**2 * math.log(n / failure)) * (1 - 1e-9)
    assert low >= constant * (p / n * max(math.log(width * p / (n * failure)), 0)) ** 0.25 * (1 - 1e-9)


@pytest.mark.parametrize(("failure", "constant", "name"), [(0.5, 1.0, "failure"), (0.0, 1.0, "failure"), (0.1, 0, "C")])
def test_wrong_constants_are_explained(failure, constant, name):
    with pytest.raises(InputError, match=name):
        xu2023.admissible_signals(10, 100, 10, failure, constant)


def test_step_and_initial_scale_by_hand():
    assert xu2023.step_size(50, 1_000) == pytest.approx(0.01)
    assert xu2023.initial_scale(50, 1_000, 40) == pytest.approx(0.01 / 200)
    assert xu2023.initial_scale(50, 1_000, 40, 0.4) == pytest.approx(0.02 / 200)


def test_the_constants_of_the_proof():
    assert xu2023.loss_ratio_bound() == 51_202
    assert xu2023.loss_ratio_bound(gamma=0.5) == 2 + 4 * 51_200
    bound = xu2023.label_noise_bound()
    assert bound == pytest.approx(3.3e-14, rel=0.01)
    assert 3 * bound * 51_202 == pytest.approx(1 / (960 * 4 * 51_202))
