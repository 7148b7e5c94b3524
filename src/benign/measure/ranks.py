"""Spearman's rank correlations, of one sample and on average over many."""

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata


def spearman(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> float:
    """Spearman's rank correlation; scipy's own also computes a p-value, which takes most of its time."""
    return np.corrcoef(rankdata(x), rankdata(y))[0, 1]


def mean_agreement(values: Float[np.ndarray, "seeds images samples networks 2"]) -> float:
    """Spearman's correlation of two measures among the networks of a sample, the mean over seeds and samples.

    Each measure is first averaged over the test images. A sample whose networks all measure alike agrees in nothing:
    its correlation counts as 0.
    """
    ranks = rankdata(values.mean(axis=1), axis=2)
    first, second = np.moveaxis(ranks - ranks.mean(axis=2, keepdims=True), -1, 0)
    scales = np.sqrt((first**2).sum(axis=2) * (second**2).sum(axis=2))
    products = (first * second).sum(axis=2)
    return np.divide(products, scales, np.zeros_like(scales), where=scales > 0).mean()
