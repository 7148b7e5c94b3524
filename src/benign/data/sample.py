"""How the MNIST sample in the package was drawn; ``python -m benign.data.sample`` draws and writes it again."""

from pathlib import Path

import numpy as np

from benign.data.images import SAMPLE, ImageSet, load
from benign.seeds import generator

SEED = 1998  # the year of MNIST
PER_DIGIT = {"train": 400, "test": 100}


def draw(mnist: ImageSet) -> dict[str, np.ndarray]:
    """A uniformly random sample of every digit, without repetition, in the order of the full set.

    Returns ``train_images`` (4000, 28, 28), ``train_labels`` (4000,), ``test_images`` (1000, 28, 28) and
    ``test_labels`` (1000,), all uint8.
    """
    parts = {}
    for part, count in PER_DIGIT.items():
        images, labels = getattr(mnist, f"{part}_images"), getattr(mnist, f"{part}_labels")
        chosen = []
        for digit in range(10):
            rng = generator(SEED, f"mnist-sample: {part} {digit}")
            chosen.extend(rng.choice(np.flatnonzero(labels == digit), count, replace=False))
        chosen.sort()
        parts[f"{part}_images"], parts[f"{part}_labels"] = images[chosen], labels[chosen]
    return parts


def write(mnist: ImageSet, path: Path = SAMPLE) -> None:
    """Write the sample as a compressed npz file; its bytes depend on the images and on zlib, not on the clock."""
    np.savez_compressed(path, **draw(mnist))


if __name__ == "__main__":
    write(load("mnist"))
