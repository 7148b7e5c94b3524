"""The linear classifier of largest margin, to which gradient descent on separable data tends, without descending."""

import numpy as np
from jaxtyping import Float64
from scipy.optimize import nnls

from benign.errors import InputError

SINGULAR = 1e-13  # eigenvalues that count as zero, in units of the largest


def coefficients(products: Float64[np.ndarray, "n n"]) -> Float64[np.ndarray, " n"]:
    """The beta_i >= 0 of the shortest w = sum_i beta_i y_i x_i with all margins y_i <w, x_i> at least 1.

    ``products`` are the y_i y_k <x_i, x_k> = K_ik, of any kernel. The samples of beta_i > 0 are the support vectors;
    their margin is 1. All beta_i are 0 where no w separates the labels.

    The shortest distance from zero to the convex hull of the y_i x_i is found by an active set (Lawson & Hanson 1974,
    chapter 23): u >= 0 minimises u^T K u + (1 - sum_i u_i)^2, and beta = u / (u^T K u). Exact to rounding.
    """
    values, vectors = np.linalg.eigh(products)
    if not values[-1] > 0 or values[0] < -1e-9 * values[-1]:
        raise InputError(f"products has the eigenvalue {values[0]:.3g}: inner products have no negative one")
    unit = values.sum() / len(values) / len(values)  # the squared length of a mean of orthogonal vectors
    root = np.sqrt(values.clip(min=0) / unit)[:, None] * vectors.T
    u, _ = nnls(np.vstack([root, np.ones(len(values))]), np.append(np.zeros(len(values)), 1.0))
    square = u @ products @ u
    if square <= SINGULAR * values[-1] * (u @ u):
        return np.zeros(len(values))
    return u * (u.sum() / square)
