"""The linear classifier of largest margin, to which gradient descent on separable data tends, without descending."""

import numpy as np
from jaxtyping import Float64
from scipy.optimize import nnls

from benign.errors import InputError

EXACT, ZERO = 1e-9, 1e-13  # what counts as rounding, of numbers and of squares


def coefficients(products: Float64[np.ndarray, "n n"]) -> Float64[np.ndarray, " n"]:
    """The beta_i >= 0 of the shortest w = sum_i beta_i y_i x_i with all margins y_i <w, x_i> at least 1.

    ``products`` are the y_i y_k <x_i, x_k> = K_ik, of any kernel. The samples of beta_i > 0 are the support vectors;
    their margin is 1. All beta_i are 0 where no w separates the labels.

    Where all samples are support vectors, beta = K^{-1} 1. Otherwise the distance from zero to the convex hull of the
    y_i x_i is found by an active set (Lawson & Hanson 1974, chapter 23): u >= 0 minimises u^T K u plus the square
    of 1 - sum_i u_i, and beta is in proportion to u. Exact to rounding.
    """
    ones = np.ones(len(products))
    try:
        root = np.linalg.cholesky(products).T
        if ((beta := np.linalg.solve(products, ones)) > 0).all() and np.abs(products @ beta - 1).max() < EXACT:
            return beta
    except np.linalg.LinAlgError:  # fewer dimensions than samples
        values, vectors = np.linalg.eigh(products)
        if not values[-1] > 0 or values[0] < -EXACT * values[-1]:
            message = f"products has the eigenvalue {values[0]:.3g}: inner products have no negative one"
            raise InputError(message) from None
        root = np.sqrt(values.clip(min=0))[:, None] * vectors.T
    unit = np.sqrt(np.trace(products)) / len(products)  # the length of a mean of orthogonal vectors
    u, _ = nnls(np.vstack([root / unit, ones]), np.append(np.zeros(len(root)), 1.0))
    square = u @ products @ u
    if square <= ZERO * np.trace(products) * (u @ u):
        return np.zeros(len(products))
    return u * (u.sum() / square)
