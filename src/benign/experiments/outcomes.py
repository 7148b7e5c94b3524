"""What became of each test image, kept as one digit an image: seeds share these images, and intervals must know it."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64, UInt8
from torch import Tensor

COLUMNS = "outcomes_negative", "outcomes_positive"


def written(outcomes: Int64[Tensor, " images"], labels: Float64[Tensor, " images"]) -> dict[str, str]:
    """The outcomes, numbers from 0 to 9, of the images of each class in their order, as a text of that many digits."""
    return {
        name: "".join(map(str, outcomes[labels == sign].tolist())) for name, sign in zip(COLUMNS, (-1, 1), strict=True)
    }


def read(table: pd.DataFrame) -> UInt8[np.ndarray, "runs images 2"]:
    """The outcomes of runs, last the two classes; of the larger class as many images as the smallest has, the first."""
    texts = table[list(COLUMNS)].to_numpy()
    images = min(map(len, texts.flat))
    return np.array([[_digits(text[:images]) for text in row] for row in texts]).swapaxes(1, 2)


def _digits(text: str) -> Iterable[int]:
    return np.frombuffer(text.encode(), dtype=np.uint8) - ord("0")
