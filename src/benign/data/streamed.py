"""The mixture x = y* mu + z in R^p under any law of the noise, drawn coordinate by coordinate and kept as Grams.

Beside the Gaussian law there is no reduced frame (``mixtures``): all p coordinates have to be drawn. But inner products
are sums over coordinates. With X_b the columns of X in the block b of coordinates,

    X X^T = sum_b X_b X_b^T,

and likewise for the initial weights and the test points, so a block can be forgotten once its products are added. The
time is proportional to p, the memory does not depend on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from benign import seeds
from benign.data import labels, mixtures
from benign.data.grams import Grams, Points
from benign.data.noises import Noise, gaussian
from benign.errors import InputError

BLOCK = 256  # coordinates that are drawn together; with another width a seed names another sample
ROWS = 256  # vectors that are drawn together
WORKSPACE = 2**24  # bytes: a few arrays of ROWS x BLOCK numbers, and what the matrix products copy


@dataclass(frozen=True)
class Streamed(labels.Labelled):
    """A polluted sample of the mixture, m standard Gaussian directions and N test points, through inner products.

    ``grams.scaled(s)`` and ``test.scaled(s)`` make the directions the initial weights of standard deviation s.
    ``test_labels`` are clean.
    """

    grams: Grams
    test: Points
    clean: Float64[Tensor, " n"]
    labels: Float64[Tensor, " n"]
    test_labels: Float64[Tensor, " k"]
    signal: float
    p: int


def sample(
    n: int,
    p: int,
    signal: float | int,
    label_noise: float | int,
    seed: int,
    *,
    noise: Noise,
    directions: int = 0,
    test_points: int = 0,
    exact_flips: bool = True,
    direction: str = "spread",
    budget: float | int = 2**30,
) -> Streamed:
    """A sample of size n of the mixture y* mu + z with ||mu|| = signal and a share of wrong labels, as Grams.

    A law of independent coordinates is not invariant under rotations, so it matters where mu points:
    ``direction="spread"`` is mu = (signal / sqrt(p)) (1, ..., 1), and ``"first"`` is mu = signal e_1, for a decreasing
    spectrum the direction of the largest variance.

    The sample, the directions and the test points are drawn apart: none of them depends on how many of the others there
    are, and test points are the first of a larger number of them. The labels are those of ``mixtures.sample``.

    ``exact_flips`` flips round(label_noise * n) labels; otherwise each label is flipped independently. ``budget`` is
    the memory in bytes that ``memory`` may ask for.

    Raises:
        InputError: arguments outside their range, or more memory needed than the budget.
    """
    mixtures.check(n, p, signal, label_noise, directions)
    if test_points < 0:
        raise InputError(f"test_points is {test_points}: their number must be at least 0")
    if direction not in ("spread", "first"):
        raise InputError(f"direction is {direction!r}: mu is 'spread' over all coordinates or lies on the 'first' axis")
    _check_memory(n, directions, test_points, budget)

    clean, polluted = labels.drawn(n, label_noise, seed, exact_flips)
    test_labels = seeds.generator(seed, "streamed test labels").choice([-1.0, 1.0], size=test_points)

    def zeros(*shape: int) -> Tensor:
        return torch.zeros(shape, dtype=torch.float64)

    grams = Grams(zeros(n, n), zeros(directions, n), zeros(directions, directions))
    test = Points(zeros(n, test_points), zeros(directions, test_points))
    for x, w, t in blocks(clean, test_labels, p, signal, seed, noise=noise, directions=directions, direction=direction):
        grams.inputs.addmm_(x, x.T)
        grams.cross.addmm_(w, x.T)
        grams.weights.addmm_(w, w.T)
        test.inputs.addmm_(x, t.T)
        test.weights.addmm_(w, t.T)
    return Streamed(grams, test, *map(torch.tensor, (clean, polluted, test_labels)), signal=float(signal), p=p)


def blocks(
    clean: Float64[np.ndarray, " n"],
    test_labels: Float64[np.ndarray, " k"],
    p: int,
    signal: float | int,
    seed: int,
    *,
    noise: Noise,
    directions: int,
    direction: str = "spread",
) -> Iterator[tuple[Float64[Tensor, "n width"], Float64[Tensor, "m width"], Float64[Tensor, "k width"]]]:
    """The training inputs, the directions and the test points, ``BLOCK`` coordinates after the other.

    Side by side, the blocks are matrices of p columns: what the Grams are the Grams of. The three tensors are filled
    anew at every step: clone what you keep.
    """
    parts = [
        (clean, noise, seeds.generator(seed, "streamed noise")),
        (np.zeros(directions), gaussian(), seeds.generator(seed, "streamed directions")),
        (test_labels, noise, seeds.generator(seed, "streamed test noise")),
    ]
    # PyTorch's own memory, which is aligned: see ``mixtures``. New memory for every block would double the use of it.
    buffers = [torch.empty(len(y), BLOCK, dtype=torch.float64) for y, _, _ in parts]
    for start in range(0, p, BLOCK):
        coordinates = np.arange(start, min(start + BLOCK, p))
        mean = signal * (np.full(len(coordinates), p**-0.5) if direction == "spread" else coordinates == 0)
        views = tuple(buffer[:, : len(coordinates)] for buffer in buffers)
        for view, (y, law, stream) in zip(views, parts, strict=True):
            # Spawned, so that the generators of two blocks cannot coincide; drawn row after row, so that the first
            # points of many are those of a few.
            rng = stream.spawn(1)[0]
            for first in range(0, len(y), ROWS):
                some = slice(first, first + ROWS)
                z = law.draw(rng, len(y[some]), coordinates, p)
                z += np.outer(y[some], mean)
                view[some] = torch.from_numpy(z)
        yield views


def memory(n: int, directions: int, test_points: int) -> int:
    """The most bytes that ``sample`` occupies: 8 (n^2 + m n + m^2 + (n + m) N) + 8 BLOCK (n + m + N) + WORKSPACE.

    These are the Grams and one block of every vector; p does not matter.
    """
    m, k = directions, test_points
    return 8 * (n**2 + m * n + m**2 + (n + m) * k) + 8 * BLOCK * (n + m + k) + WORKSPACE


def _check_memory(n: int, directions: int, test_points: int, budget: float | int) -> None:
    needed = memory(n, directions, test_points)
    if needed <= budget:
        return
    without = memory(n, directions, 0)
    fitting = int((budget - without) // (memory(n, directions, 1) - without))
    remedy = f"take at most {fitting:,} test points" if fitting >= 0 else "take smaller n or fewer directions"
    raise InputError(
        f"{n:,} samples, {directions:,} directions and {test_points:,} test points need {needed:,} bytes, and the "
        f"budget is {budget:,}: {remedy}, or a larger budget"
    )
