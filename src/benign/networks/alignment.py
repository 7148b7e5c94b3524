"""Zeros that make a batch's matrices begin in memory as they do alone, so that products have the same last bits."""

import torch
from torch import Tensor


def filled(tensor: Tensor, *multiples: int) -> Tensor:
    """The tensor, its last axes filled up with zeros until their lengths are multiples of the given numbers."""
    lengths = tensor.shape[len(tensor.shape) - len(multiples) :]
    missing = [-length % multiple for length, multiple in zip(lengths, multiples, strict=True)]
    if not any(missing):
        return tensor
    return torch.nn.functional.pad(tensor, [size for more in reversed(missing) for size in (0, more)])
