"""Where every random number comes from.

A draw is named by a seed and by what it is for, so it does not depend on what else is drawn, in which
order, in which batch or on which device. NumPy's generators carry the whole 128-bit seed sequence;
torch's CPU generator keeps only 32 bits of its seed, too few for the 10^5 runs of a phase diagram.
"""

import operator
import zlib

import numpy as np

from benign.errors import InputError


def generator(seed: int, purpose: str) -> np.random.Generator:
    """The pseudo-random generator that belongs to a seed and to the purpose of the draw.

    Generators of different seeds or purposes are independent (``numpy.random.SeedSequence``).

    Raises:
        InputError: a seed that is not an integer, or is negative.
    """
    try:
        valid = operator.index(seed) >= 0
    except TypeError:
        valid = False
    if not valid:
        raise InputError(f"seed is {seed!r}: it must be an integer, at least 0")
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(purpose.encode())]))
