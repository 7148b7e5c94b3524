"""Networks of finite width beside their limit, against Jacobians by automatic differentiation."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from benign.experiments.ntk_spectrum import FiniteWidth, Spectrum
from benign.networks import activations, deep
from benign.ntk import analytic

SMALL = FiniteWidth(n=6, d=10, depth=3, width=12, seed=0)


def run(**changes) -> pd.Series:
    (table,) = FiniteWidth.run([dataclasses.replace(SMALL, **changes)])
    assert len(table) == 1
    return table.iloc[0]


def test_every_measurement_against_its_definition():
    row = run()
    x = Spectrum(n=6, d=10, depth=3, seed=0).draw()  # the same inputs
    weights = [w[0].clone().requires_grad_() for w in deep.initialise((10, 12, 12, 1), [0], activations.relu()).weights]
    scales = (1.0, (2 / 12) ** 0.5, (2 / 12) ** 0.5)
    gradients = []
    for point in x:
        h = point
        for layer, (w, s) in enumerate(zip(weights, scales, strict=True)):
            h = s * (w @ (h.relu() if layer else h))
        gradients.append(torch.cat([g.flatten() for g in torch.autograd.grad(h[0], weights)]))
    found = torch.stack(gradients) @ torch.stack(gradients).T
    limit = analytic.kernel(x, depth=3)
    assert row.index.tolist() == ["smallest", "limit", "difference", "scale"]
    assert row.smallest == pytest.approx(float(torch.linalg.eigvalsh(found)[0]))
    assert row.limit == pytest.approx(float(torch.linalg.eigvalsh(limit)[0]))
    assert row.difference == pytest.approx(float((found - limit).norm() / limit.norm()))
    assert row.scale == pytest.approx(float(found.trace() / limit.trace()))


def test_networks_of_the_same_seed_have_the_same_inputs():
    assert run(width=5).limit == run(width=50).limit != run(seed=1).limit


def test_the_difference_falls_like_the_root_of_the_width():
    """Over 30 seeds the mean has a relative standard error of about 5 per cent: 3 sigma on the ratio is below 0.5."""
    means = [np.mean([run(width=m, seed=s).difference for s in range(30)]) for m in (32, 288)]
    assert means[0] / means[1] == pytest.approx(3, abs=0.7)
