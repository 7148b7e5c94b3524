"""The Rosetta stone: what each neighbour asks of two clusters +-mu and promises there, in S, lambda and p/n.

Every C is 1, logarithms are natural, a sum of two lower bounds is their maximum, and the translations are ours. A tag
says how far the original statement is certain: READ in the source, or UNVERIFIED, a recollection.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Task:
    """Two clusters +-mu under standard noise; p and ``load``, lambda = n ||mu||^2 / p, may be arrays.

    ``label_noise`` is the share of wrong labels, ``slope`` that of a leaky ReLU, ``failure`` the probability delta.
    """

    n: int
    p: np.ndarray
    load: np.ndarray
    label_noise: float = 0.1
    width: int = 64
    slope: float = 0.5
    failure: float = 0.1

    @property
    def index(self) -> np.ndarray:
        """S = n ||mu||^4 / p."""
        return self.load**2 * self.p / self.n


@dataclass(frozen=True)
class Theorem:
    """An upper bound on the clean test error of what fits wrong labels: exp(-exponent) where all conditions hold."""

    key: str
    network: str
    tag: str
    conditions: Callable[[Task], dict[str, np.ndarray]]
    exponent: Callable[[Task], np.ndarray]

    def covers(self, task: Task, level: float = 0.1, without: str = "") -> np.ndarray:
        """Where the conditions hold, but for the one called ``without``, and the bound is at most ``level``."""
        kept = [holds for name, holds in self.conditions(task).items() if name != without]
        return np.logical_and.reduce(np.broadcast_arrays(np.exp(-self.exponent(task)) <= level, *kept))


def _low(t: Task, dimension: float, signal: np.ndarray | bool = True) -> dict:
    return {"signal wall": t.load <= 1, "orthogonality": t.p >= dimension, "signal": signal}


def _usual(t: Task, log: float = 1.0, inside: float = 1.0) -> dict:  # ||mu||^2 >= log * log(inside n / delta)
    signal = t.load * t.p / t.n >= log * np.log(inside * t.n / t.failure)
    return _low(t, t.n**2 * np.log(t.n / t.failure), signal)


def _xu(t: Task) -> dict:
    return _usual(t) | {"signal": t.index >= np.log(t.width * t.p / (t.n * t.failure))}


def _karhadkar(t: Task) -> dict:
    gamma = t.load / (t.n + t.load)  # the signal's share of the square of an input
    few = np.array(t.label_noise <= t.slope**2)
    return {"dimension": t.p >= t.n, "few wrong labels": few, "strong signal": gamma * t.label_noise * t.n >= 1}


def _wang(t: Task) -> dict:
    return {"dimension": t.p >= t.n * np.log(t.n), "signal wall": t.load <= t.p / (t.n * np.log(t.n))}


#: What the articles prove, one entry a statement: the rows of the Rosetta stone.
THEOREMS = (
    Theorem("xu2023", "ReLU", "READ", _xu, lambda t: t.index),
    Theorem("kou2023", "ReLU", "UNVERIFIED", lambda t: _low(t, t.n**2), lambda t: t.index),
    Theorem("george2023", "ReLU", "UNVERIFIED", lambda t: _low(t, t.n**2 * np.log(t.n)), lambda t: t.index),
    Theorem("frei2022", "leaky ReLU", "READ", _usual, lambda t: t.index - np.log(2)),
    Theorem("frei2023", "leaky ReLU", "READ", lambda t: _usual(t, 4, 4), lambda t: t.index / 4),
    Theorem("karhadkar2024", "leaky ReLU", "READ", _karhadkar, lambda t: t.slope**2 * t.p / (t.label_noise * t.n)),
    Theorem("chatterji2021", "linear", "READ", _usual, lambda t: t.index / t.n),
    Theorem("wang2022", "linear", "UNVERIFIED", _wang, lambda t: t.index / (1 + t.load)),
)
