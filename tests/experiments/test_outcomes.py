"""Outcomes of test images: written and read again, class by class."""

import numpy as np
import pandas as pd
import torch

from benign.experiments import outcomes


def test_what_was_written_is_read_class_by_class_up_to_the_smallest_number_of_images():
    found = torch.tensor([3, 0, 1, 2, 0])
    labels = torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0], dtype=torch.float64)
    row = outcomes.written(found, labels)
    assert row == {"outcomes_negative": "02", "outcomes_positive": "310"}
    read = outcomes.read(pd.DataFrame([row, row]))
    np.testing.assert_array_equal(read, [[[0, 3], [2, 1]]] * 2)
