"""The neighbours' conditions, against their own units."""

import math

import numpy as np
import pytest

from benign.theory import xu2023
from benign.theory.neighbours import THEOREMS, Task

BY_KEY = {theorem.key: theorem for theorem in THEOREMS}


def test_conditions_are_those_of_the_articles_in_their_own_units():
    n, p, width, failure = 40, 40_000, 64, 0.1
    for squared in np.geomspace(0.1, 2 * p, 60):  # ||mu||^2
        task = Task(n, np.array(float(p)), np.array(n * squared / p), width=width, failure=failure)
        index, log = n * squared**2 / p, math.log(n / failure)
        assert task.index == pytest.approx(index)
        usual = p >= max(n * squared, n**2 * log)
        gamma = squared / (p + squared)  # of an input of length one
        own = {
            "xu2023": usual and squared >= math.sqrt(p / n * math.log(width * p / (n * failure))),
            "frei2022": usual and squared >= log,
            "frei2023": usual and math.sqrt(squared) >= 2 * math.sqrt(math.log(2 * n * 2 / failure)),
            "kou2023": p >= max(n * squared, n**2),
            "george2023": p >= max(n * squared, n**2 * math.log(n)),
            "karhadkar2024": p >= n and gamma >= 1 / (0.1 * n),
            "chatterji2021": usual and squared >= log,
            "wang2022": p >= n * math.log(n) and p >= n * math.sqrt(math.log(n) * squared),
        }
        found = {key: bool(theorem.covers(task, 2.0)) for key, theorem in BY_KEY.items() if index > 5}
        assert found == {key: own[key] for key in found}


def test_xu_and_gu_is_the_region_of_its_own_module_up_to_a_factor_of_two():
    n, p = 40, 40_000
    low, high = xu2023.admissible_signals(n, p, 64)
    inside = Task(n, np.array(p), np.array([n * low**2 * 1.01, n * high**2 * 0.99]) / p)
    assert BY_KEY["xu2023"].covers(inside).all()


def test_a_condition_can_be_left_out_and_the_bound_counts():
    weak, strong = Task(40, np.array(1e6), np.array(1e-3)), Task(40, np.array(1e6), np.array(3.0))
    frei = BY_KEY["frei2022"]
    assert not frei.covers(weak) and frei.covers(weak, level=2.0)
    assert not frei.covers(strong) and frei.covers(strong, without="signal wall")
    assert all(set(theorem.conditions(weak)) for theorem in THEOREMS)
