"""Label noise: the pollution of clean labels."""

from collections.abc import Sequence

import numpy as np

from benign.errors import InputError


def flip(
    clean: np.ndarray,
    label_noise: float | int,
    rng: np.random.Generator,
    exact: bool = True,
    classes: Sequence[int] = (-1, 1),
) -> np.ndarray:
    """The labels ``clean``, of which a random set is replaced by labels of another class, uniform among the others.

    With two classes, the default ±1, that is a change of sign. The random set is

    - ``exact``: uniform among the sets of ``round(label_noise * n)`` labels (ties to even), or
    - otherwise: of random size, each label belonging to it independently with probability ``label_noise``.

    Both are nested: from the same state of ``rng``, a smaller ``label_noise`` pollutes a subset, in the same way. So a
    curve against the label noise changes a few labels from point to point instead of drawing all of them anew.

    Shapes: ``clean`` is (n,), with entries in ``classes``; so is the result, of the same dtype, and ``clean`` is kept.

    Raises:
        InputError: ``label_noise`` outside [0, 0.5), fewer than two classes, or an entry that is in none of them.
    """
    if not 0 <= label_noise < 0.5:
        raise InputError(f"label_noise is {label_noise}: it must be in [0, 0.5), the fraction of labels that are wrong")
    classes = np.unique(classes)  # sorted, for searchsorted
    if len(classes) < 2:
        raise InputError(f"classes is {classes.tolist()}: flipping a label needs at least two different classes")
    if strangers := sorted(set(np.unique(clean).tolist()) - set(classes.tolist())):
        raise InputError(f"labels must be in {classes.tolist()}, and some are {strangers}: pass their classes")

    n = len(clean)
    # Drawn for every label, polluted or not: this is what makes the polluted sets nested.
    shift = rng.integers(1, len(classes), size=n)
    polluted = rng.permutation(n) < round(label_noise * n) if exact else rng.random(n) < label_noise
    other = classes[(np.searchsorted(classes, clean) + shift) % len(classes)]
    return np.where(polluted, other, clean).astype(clean.dtype)
