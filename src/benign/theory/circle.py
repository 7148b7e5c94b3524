"""Label noise on the circle at two layers, from the gaps between the points alone: our derivation.

A ReLU satisfies sigma(u) - sigma(-u) = u. So at two layers Theta_2(rho) - Theta_2(-rho) = 2 rho: the kernel is an even
function plus the linear kernel <x, z>. To the even part x and -x are one place, the angle phi modulo pi. It has a kink,
Theta_2 = 2 - h / pi + O(h^2) at the angle h, and interpolates linearly between neighbours there, at phi_i < phi_{i+1}
with the gaps h_i: label noise then has V = 2/3 (``interpolation.CIRCLE``).

The linear part is a function <b, x> with b ~ N(0, I). Given the labels, b minimises

    |b|^2 + sum_i (pi / (2 h_i)) (y_{i+1} - y_i - <b, delta_i>)^2,    delta_i = x_{i+1} - x_i.

Here delta_i is about 0, or about -2 x_i if the neighbours are opposite points: only those tell b. So b has noise,

    b = A^{-1} sum_i delta_i (y_{i+1} - y_i) / h_i,    A = (2/pi) I + sum_i delta_i delta_i^T / h_i,

which the pairs with the smallest gaps make. At the share t of a gap the interpolant is <b, x> plus linear interpolation
of y_i - <b, x_i>. In units of the noise V is about 2/3 + (5/3) R, R = sum h^{-2} / (sum h^{-1})^2 over the gaps between
opposite neighbours, about half of all. With n points 1/h exceeds u with the probability n / (pi u), so that sum h^{-1}
grows like n^2 log n, and sum h^{-2} like n^4 times a law without a mean. In a typical sample R falls like
1 / log(n)^2. Its mean falls like 1 / log n only, by samples in which one pair is much the closest.
"""

import math

import numpy as np
from jaxtyping import Float64


def label_noise(angles: Float64[np.ndarray, " n"], nodes: int = 4) -> float:
    """V = E ||a||^2 for points of the circle at these angles, a mean over test points of the whole circle."""
    order = np.argsort(angles % math.pi)
    phi, x = (angles % math.pi)[order], np.stack([np.cos(angles), np.sin(angles)], 1)[order]
    gaps, after = np.diff(np.append(phi, phi[0] + math.pi)), np.roll(x, -1, axis=0)
    steps = after - x
    weighted = steps / gaps[:, None]
    precision = 2 / math.pi * np.eye(2) + steps.T @ weighted
    # the weight of each label in b, and the covariance of b
    b = np.linalg.solve(precision, (np.roll(weighted, 1, axis=0) - weighted).T).T
    covariance, total = b.T @ b, 0.0
    for node, mass in zip(*np.polynomial.legendre.leggauss(nodes), strict=True):
        t = (1 + node) / 2
        place = np.stack([np.cos(phi + t * gaps), np.sin(phi + t * gaps)], 1)
        for point in (place, -place):
            left = point - (1 - t) * x - t * after  # what b does at the point
            along = ((1 - t) * b + t * np.roll(b, -1, axis=0)) * left
            total += mass / 4 * gaps @ (2 * along.sum(1) + ((left @ covariance) * left).sum(1))
    return 2 / 3 + float(total / math.pi)
