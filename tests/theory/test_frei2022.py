"""Proposition 2 of Frei, Chatterji & Bartlett (2022)."""

from benign.theory import frei2022


def test_the_bound():
    assert frei2022.first_step_bound(8.0, 0.25) == 2.0
    assert frei2022.first_step_bound(8.0, 0.25, constant=4.0) == 0.5
    assert frei2022.first_step_bound(8.0, 0.0) == 0.0  # a ReLU: the bound is empty
