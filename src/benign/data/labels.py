"""Clean labels, and label noise: their pollution."""

import numpy as np
from torch import Tensor

from benign import seeds
from benign.errors import InputError


def drawn(
    n: int,
    label_noise: float | int,
    seed: int,
    exact_flips: bool = True,
    balanced: bool = False,
    balanced_noise: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """The labels of the n points of a seed's sample, ``clean`` and with a ``flip`` of some, of the type float."""
    right = clean(n, seeds.generator(seed, "clean labels"), balanced).astype(float)
    rng = seeds.generator(seed, "label flips")
    return right, flip(right, label_noise, rng, exact_flips, balanced and balanced_noise)


def check_balanced(n: int, groups: int = 2) -> None:
    """Raise an ``InputError`` unless n points make so many groups of one size."""
    if n % groups:
        raise InputError(f"n is {n}: {groups} groups of one size need a multiple of {groups} points")


class Labelled:
    """A sample with its ``clean`` labels and with the ``labels`` that training sees."""

    @property
    def flipped(self) -> Tensor:
        """The boolean mask, shape (n,), of the samples whose training label is wrong."""
        return self.clean != self.labels


def clean(n: int, rng: np.random.Generator, balanced: bool = False) -> np.ndarray:
    """Fair labels +-1 of n points, independent or, where they are ``balanced``, as many of one sign as of the other.

    Raises:
        InputError: balanced labels of an odd number of points.
    """
    if not balanced:
        return rng.choice([-1, 1], size=n)
    check_balanced(n)
    return rng.permutation(np.repeat([-1, 1], n // 2))


def flip(
    clean: np.ndarray, label_noise: float | int, rng: np.random.Generator, exact: bool = True, balanced: bool = False
) -> np.ndarray:
    """The labels ``clean`` = +-1, of which a random set has changed its sign.

    The random set is

    - ``exact``: uniform among the sets of ``round(label_noise * n)`` labels (ties to even), or
    - otherwise: of random size, each label belonging to it independently with probability ``label_noise``.

    Exact sets that are ``balanced`` have round(label_noise * k) of the k labels of either sign: wrong labels leave
    balanced labels balanced.

    All are nested: from the same state of ``rng``, a smaller ``label_noise`` pollutes a subset, in the same way. So a
    curve against the label noise changes a few labels from point to point instead of drawing all of them anew.

    Shapes: ``clean`` is (n,); so is the result, of the same dtype, and ``clean`` is kept.

    Raises:
        InputError: ``label_noise`` outside [0, 0.5), or labels other than -1 and +1.
    """
    if not 0 <= label_noise < 0.5:
        raise InputError(f"label_noise is {label_noise}: it must be in [0, 0.5), the fraction of labels that are wrong")
    if strangers := sorted(set(np.unique(clean).tolist()) - {-1, 1}):
        raise InputError(f"labels must be -1 or +1, and some are {strangers}")
    n = len(clean)
    # Drawn for every label, polluted or not: this is what makes the polluted sets nested.
    if not exact:
        polluted = rng.random(n) < label_noise
    else:
        polluted, order = np.zeros(n, bool), rng.permutation(n)
        for among in [clean == sign for sign in (-1, 1)] if balanced else [np.ones(n, bool)]:
            polluted[among] = order[among].argsort().argsort() < round(label_noise * among.sum())
    return np.where(polluted, -clean, clean)
