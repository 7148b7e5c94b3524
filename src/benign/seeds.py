"""Where every random number comes from.

A draw is named by a seed and by what it is for, so it does not depend on what else is drawn, in which
order, in which batch or on which device. NumPy's generators carry the whole 128-bit seed sequence;
torch's CPU generator keeps only 32 bits of its seed, too few for the 10^5 runs of a phase diagram.
"""

import functools
import operator
import zlib
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64

from benign.errors import InputError

KEPT = 2**26  # bytes of normals, for who asks for them again


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


def normals(
    seed: int, purpose: str, count: int, columns: int, at_a_time: int
) -> Iterator[Float64[np.ndarray, "rows columns"]]:
    """The first ``count`` rows of standard normals that the generator of a seed and a purpose draws, some at a time.

    A network is tested on the same points at every record, and so are the runs of one seed. So the last rows drawn are
    kept where they have ``KEPT`` bytes at most; they cannot be written to.
    """
    if 8 * count * columns <= KEPT:
        whole = _drawn(seed, purpose, count, columns)
        yield from (whole[first : first + at_a_time] for first in range(0, count, at_a_time))
        return
    rng = generator(seed, purpose)
    for first in range(0, count, at_a_time):
        yield rng.standard_normal((min(at_a_time, count - first), columns))


@functools.lru_cache(maxsize=1)
def _drawn(seed: int, purpose: str, count: int, columns: int) -> np.ndarray:
    rows = generator(seed, purpose).standard_normal((count, columns))
    rows.setflags(write=False)
    return rows
