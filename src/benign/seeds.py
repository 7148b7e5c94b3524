"""Where every random number comes from.

A draw is named by a seed and by what it is for, so it does not depend on what else is drawn, in which
order, in which batch or on which device. NumPy's generators carry the whole 128-bit seed sequence;
torch's CPU generator keeps only 32 bits of its seed, too few for the 10^5 runs of a phase diagram.
"""

import zlib

import numpy as np


def generator(seed: int, purpose: str) -> np.random.Generator:
    """The pseudo-random generator that belongs to a seed and to the purpose of the draw.

    Generators of different seeds or purposes are independent (``numpy.random.SeedSequence``).
    """
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(purpose.encode())]))
