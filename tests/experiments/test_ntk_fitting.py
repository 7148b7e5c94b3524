"""What the flow leaves of noise and target, against matrix exponentials."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
import scipy.linalg

from benign import seeds
from benign.experiments.ntk_fitting import Fitting
from benign.experiments.ntk_spectrum import Spectrum
from benign.ntk import analytic

SMALL = Fitting(n=15, d=5, depth=2, seed=0, times=9)


def run(**changes) -> pd.DataFrame:
    (table,) = Fitting.run([dataclasses.replace(SMALL, **changes)])
    return table


def parts():
    """The kernel, the noise and the target of the small setting."""
    x = Spectrum(n=15, d=5, depth=2, seed=0).draw()
    rng = seeds.generator(0, "labels of a kernel machine")
    theta, noise = rng.standard_normal(5), rng.standard_normal(15)
    return analytic.kernel(x, depth=2).numpy(), noise, x.numpy() @ theta


def test_every_measurement_against_its_definition():
    table = run()
    kernel, noise, linear = parts()
    assert table.columns.tolist() == [
        "tau", "noise_left", "noise_half", "linear_left", "linear_half", "noise_done", "smallest",
    ]  # fmt: skip
    assert table.tau.tolist() == pytest.approx([10 ** (k / 2 - 2) for k in range(9)])

    def share(part, tau):
        return np.sum((scipy.linalg.expm(-tau * kernel) @ part) ** 2) / np.sum(part**2)

    for _, row in table.iterrows():
        assert row.noise_left == pytest.approx(share(noise, row.tau), rel=1e-6, abs=1e-12)
        assert row.linear_left == pytest.approx(share(linear, row.tau), rel=1e-6, abs=1e-12)
    first = table.iloc[0]
    assert share(noise, first.noise_half) == pytest.approx(1 / 2)
    assert share(linear, first.linear_half) == pytest.approx(1 / 2)
    assert share(noise, first.noise_done) == pytest.approx(1 / 100)
    assert first.smallest == pytest.approx(np.linalg.eigvalsh(kernel)[0])
    assert first.noise_done <= math.log(100) / (2 * first.smallest)
