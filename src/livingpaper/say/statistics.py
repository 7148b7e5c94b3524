"""What a claim over several settings is about: tables with a row a seed, and the one of their means that counts.

Every statistic takes the draws along the first axis and the settings along the second, which is its last.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def by_seed(table: pd.DataFrame, columns: str | Sequence[str], values: str) -> pd.DataFrame:
    """A table of runs as a row a seed and a column a setting, in order; over what else varies it is the mean."""
    return table.pivot_table(index="seed", columns=columns, values=values)


def least(values: np.ndarray) -> float:
    """The smallest of the settings' means."""
    return values.mean(axis=0).min()


def most(values: np.ndarray) -> float:
    """The largest of the settings' means."""
    return values.mean(axis=0).max()


def largest_deviation(ratios: np.ndarray) -> float:
    """By how much the settings' mean that is farthest from one differs from it, up or down."""
    return np.abs(ratios.mean(axis=0) - 1).max()


def largest_factor(ratios: np.ndarray) -> float:
    """The factor, taken above one, between one and the settings' mean that is farthest from it on a log axis."""
    return np.exp(np.abs(np.log(ratios.mean(axis=0))).max())


def farthest(ratios: np.ndarray) -> float:
    """The settings' mean that is farthest from one on a log axis.

    It jumps where one below and one above are equally far, so that the jackknife's interval is too long there: for
    means that all lie on one side.
    """
    return max(ratios.mean(axis=0), key=lambda ratio: abs(np.log(ratio)))
