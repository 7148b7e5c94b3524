"""Label noise: the pollution of clean labels."""

import numpy as np

from benign.errors import InputError


def flip(clean: np.ndarray, label_noise: float | int, rng: np.random.Generator, exact: bool = True) -> np.ndarray:
    """The labels ``clean`` = +-1, of which a random set has changed its sign.

    The random set is

    - ``exact``: uniform among the sets of ``round(label_noise * n)`` labels (ties to even), or
    - otherwise: of random size, each label belonging to it independently with probability ``label_noise``.

    Both are nested: from the same state of ``rng``, a smaller ``label_noise`` pollutes a subset, in the same way. So a
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
    polluted = rng.permutation(n) < round(label_noise * n) if exact else rng.random(n) < label_noise
    return np.where(polluted, -clean, clean)
