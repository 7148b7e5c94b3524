"""Tails of weighted sums of independent numbers, computed and not counted."""

import numpy as np
from jaxtyping import Float64
from scipy.stats import norm

NODES, END = 600, 12.0  # of the quadrature; at its end the characteristic function is that of a normal law, 5e-32


def student_sum_tail(weights: Float64[np.ndarray, " p"], least: float) -> float:
    """P(sum_k w_k z_k >= t) for independent z_k of Student's law with three degrees of freedom, over its deviation.

    By Gil-Pelaez' (1951) inversion, 1/2 - (1/pi) int_0^oo sin(t u) phi(u) / u du. The characteristic function of one
    number of variance one is (1 + |u|) exp(-|u|), that of the sum is their product. ``weights`` are w, and ``least`` is
    t. For many weights of similar size; absolute error about 1e-12.
    """
    length = np.linalg.norm(weights)
    points, masses = np.polynomial.legendre.leggauss(NODES)
    u, masses = END / 2 * (1 + points), END / 2 * masses
    scaled = np.abs(weights) / length
    log_phi = np.array([(np.log1p(scaled * at) - scaled * at).sum() for at in u])
    # Beside the normal law, whose tail is known: only the difference is integrated.
    difference = np.sin(least / length * u) * (np.exp(log_phi) - np.exp(-(u**2) / 2)) / u
    return float(norm.sf(least / length) - masses @ difference / np.pi)
