"""The active set against the obvious search through all sets of support vectors, and against a library."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.svm import SVC

from benign.errors import InputError
from benign.train import max_margin


def pulls(n, p, seed, shift=1.0):
    rng = np.random.default_rng(seed)
    v = rng.standard_normal((n, p))
    v[:, 0] += shift
    return v


def by_search(products):
    """The slow twin: the coefficients of the one set of support vectors that meets the optimality conditions."""
    n = len(products)
    for size in range(1, n + 1):
        for some in map(list, combinations(range(n), size)):
            beta = np.zeros(n)
            beta[some] = np.linalg.lstsq(products[np.ix_(some, some)], np.ones(size), rcond=None)[0]
            if (beta >= -1e-12).all() and (products @ beta >= 1 - 1e-9).all():
                return beta
    return np.zeros(n)


@pytest.mark.parametrize(("n", "p", "shift"), [(8, 8, 0.0), (8, 30, 1.0), (9, 4, 6.0), (7, 3, 0.0), (6, 2, 0.0)])
def test_it_is_what_the_search_finds(n, p, shift):
    for seed in range(6):
        v = pulls(n, p, seed, shift)
        beta, twin = max_margin.coefficients(v @ v.T), by_search(v @ v.T)
        # more samples than dimensions: w is unique, its coefficients need not be
        np.testing.assert_allclose(beta @ v, twin @ v, atol=1e-9)
        if beta.any():
            assert (v @ (beta @ v)).min() == pytest.approx(1, abs=1e-9)


def test_it_is_what_a_library_finds():
    v = pulls(60, 90, 0)
    # The library has an intercept; on a sample that is symmetric about zero it is zero.
    known = SVC(kernel="linear", C=1e9, tol=1e-10, random_state=0).fit(np.vstack([v, -v]), np.repeat([1, -1], 60))
    np.testing.assert_allclose(max_margin.coefficients(v @ v.T) @ v, known.coef_[0], rtol=1e-5, atol=1e-6)


def test_what_no_line_separates_has_no_coefficients():
    v = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    assert not max_margin.coefficients(v @ v.T).any()


def test_units_do_not_matter():
    v = pulls(20, 40, 1)
    np.testing.assert_allclose(max_margin.coefficients(1e12 * v @ v.T), 1e-12 * max_margin.coefficients(v @ v.T))


@pytest.mark.parametrize("products", [np.zeros((2, 2)), np.array([[1.0, 2.0], [2.0, 1.0]])])
def test_no_inner_products(products):
    with pytest.raises(InputError, match="products has the eigenvalue"):
        max_margin.coefficients(products)
