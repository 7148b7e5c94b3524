"""The Boolean noisy rare-weak model of Chatterji & Long (2021): a few coordinates know a little of the label each."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64

from benign import seeds

BLOCK = 256  # coordinates that are drawn together; with another width a seed names another sample


def blocks(n: int, p: int, relevant: int, edge: float | int, seed: int) -> Iterator[Float64[np.ndarray, "n width"]]:
    """The vectors y*_i x_i of n points x_i in {-1, 1}^p, ``BLOCK`` coordinates after the other.

    Independent signs: the first ``relevant`` of the coordinates are +1, so agree with the clean label y*_i, with
    probability 1/2 + ``edge``, the others are fair. With another p a seed names the same first coordinates. Since
    X X^T is a sum over blocks, as in ``streamed``, nothing of the size n p need be kept.
    """
    stream = seeds.generator(seed, "Boolean coordinates")
    for start in range(0, p, BLOCK):
        agree = 0.5 + edge * (np.arange(start, min(start + BLOCK, p)) < relevant)
        uniform = stream.spawn(1)[0].random((len(agree), n), dtype=np.float32)  # of multiples of 2^-24
        yield np.where(uniform < agree[:, None], 1.0, -1.0).T
