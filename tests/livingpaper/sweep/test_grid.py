"""Cartesian products of settings."""

import numpy as np

from livingpaper.sweep import grid


def test_the_last_axis_is_fastest():
    assert grid(a=[1, 2], b=["x", "y"]) == [
        {"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 2, "b": "x"}, {"a": 2, "b": "y"},
    ]  # fmt: skip


def test_single_values_text_and_tuples_are_axes_of_length_one():
    assert grid(a=1, b="relu", c=(3, 8)) == [{"a": 1, "b": "relu", "c": (3, 8)}]
    assert grid(c=[(3, 8), (4, 9)]) == [{"c": (3, 8)}, {"c": (4, 9)}]


def test_anything_that_can_be_iterated_is_an_axis():
    assert [s["a"] for s in grid(a=np.linspace(0, 1, 3))] == [0, 0.5, 1]
    assert [s["a"] for s in grid(a=range(2), b=(_ for _ in "xy"))] == [0, 0, 1, 1]
    assert grid(a=[]) == []
    assert grid() == [{}]
