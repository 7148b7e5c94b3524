"""Cartesian products of settings."""

import itertools
from collections.abc import Iterable
from typing import Any


def grid(**axes: Any) -> list[dict[str, Any]]:
    """All combinations of the given values, the last axis fastest; a single value is an axis of length one."""
    lists = {name: list(_values(value)) for name, value in axes.items()}
    return [dict(zip(lists, combination, strict=True)) for combination in itertools.product(*lists.values())]


def _values(value: Any) -> Iterable[Any]:
    # A tuple is one value (a pair of digits, say); text is one value too.
    return value if isinstance(value, Iterable) and not isinstance(value, (str, tuple)) else [value]
