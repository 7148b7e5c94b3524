"""A symmetric matrix is computed in blocks of rows, from the diagonal on: little more than half the work."""

from torch import Tensor


def mirror(matrix: Tensor, rows: slice) -> None:
    """Copy what these rows hold right of the diagonal to its other side: symmetric to the last bit."""
    # The last bits of a product depend on the place: of the diagonal block only one half counts.
    square = matrix[rows, rows]
    square.copy_(square.triu() + square.triu(1).T)
    matrix[rows.stop :, rows] = matrix[rows, rows.stop :].T
