"""The split's averages against its definition and Monte Carlo."""

import dataclasses
import math

import pandas as pd
import pytest
import torch

from benign.experiments import ntk_regression
from benign.experiments.ntk_regression import KernelSplit
from benign.experiments.samples import sphere
from benign.ntk import analytic, regression
from benign.seeds import generator
from benign.theory import interpolation as theory

SMALL = KernelSplit(n=12, d=4, depth=3, seed=0, test_points=20)


def points(run):
    return (
        sphere(size, run.d, run.seed, f"{name} on the sphere")
        for size, name in ((run.n, "inputs"), (run.test_points, "test points"))
    )


def table(**changes):
    (found,) = KernelSplit.run([dataclasses.replace(SMALL, **changes)])
    return found


def test_the_table():
    found = table()
    assert found.columns.tolist() == ["target", "bias", "label_noise", "initialisation"]
    assert found.target.tolist() == ["1", "2", "3", "mixture"]
    assert found[["label_noise", "initialisation"]].drop_duplicates().shape == (1, 2)


@pytest.mark.parametrize("slope", [0.0, 0.3])
def test_it_is_the_split_of_the_package(slope):
    found, (x, z) = table(slope=slope), points(SMALL)
    shape = dict(depth=3, slope=slope)
    solution = regression.factor(analytic.kernel(x, **shape))
    for row in found.itertuples():
        biases = []
        for axis in range(4):
            frame = torch.cat([torch.eye(4)[axis : axis + 1], torch.eye(4)[torch.arange(4) != axis]]).double()
            goals = tuple(ntk_regression.targets(p @ frame.T, row.target)[:, 0] for p in (z, x))
            split = solution.split(
                analytic.kernel(z, x, **shape), target=goals, noise_variance=1,
                sigma=analytic.kernel(x, **shape, kind="nngp"), sigma_cross=analytic.kernel(z, x, **shape, kind="nngp"),
                sigma_diagonal=analytic.diagonal(z, depth=3, kind="nngp"),
            )  # fmt: skip
            biases.append(split.bias.mean())
        assert row.bias == pytest.approx(float(torch.stack(biases).mean()), rel=1e-9)
        assert row.label_noise == pytest.approx(float(split.label_noise.mean()), rel=1e-9)
        assert row.initialisation == pytest.approx(float(split.initialisation.mean()), rel=1e-9)


def test_it_is_the_mean_error_over_label_noise_and_starts():
    """The slow twin: 20 000 draws of both, every one interpolated; within four standard errors."""
    draws, variance, (x, z) = 20_000, 0.3, points(SMALL)
    rng = generator(0, "draws")
    noise = math.sqrt(variance) * torch.from_numpy(rng.standard_normal((draws, 12)))
    joint = analytic.kernel(torch.cat([x, z]), depth=3, kind="nngp")
    starts = torch.from_numpy(rng.standard_normal((draws, 32))) @ torch.linalg.cholesky(joint).T
    on_sample, at_points = (ntk_regression.targets(p, "2")[:, 0] for p in (x, z))
    residuals = on_sample + noise - starts[:, :12]
    weights = torch.linalg.solve(analytic.kernel(x, depth=3), residuals.T)
    errors = (starts[:, 12:] + (analytic.kernel(z, x, depth=3) @ weights).T - at_points).square().mean(1)
    found = table().iloc[1]
    # The bias of one direction: that of the table is a mean over four.
    bias = analytic.kernel(z, x, depth=3) @ torch.linalg.solve(analytic.kernel(x, depth=3), on_sample) - at_points
    expected = float(bias.square().mean()) + variance * found.label_noise + found.initialisation
    assert float(errors.mean()) == pytest.approx(expected, abs=4 * float(errors.std()) / math.sqrt(draws))


def test_the_even_part_does_not_tell_opposite_points_apart():
    run = dataclasses.replace(SMALL, parity="even")

    def even(x, z=None, kind="ntk"):
        return run.kernels(x, z, [(3, kind)])[3, kind]

    x, z = points(run)
    for kind in ("ntk", "nngp"):
        shape = dict(depth=3, kind=kind)
        expected = (analytic.kernel(x, z, **shape) + analytic.kernel(-x, z, **shape)) / 2
        torch.testing.assert_close(even(x, z, kind), expected)
        torch.testing.assert_close(even(-x, z, kind), expected)
    a = torch.linalg.solve(even(x), even(x, z))
    found = table(parity="even").iloc[0]
    assert found.label_noise == pytest.approx(float(a.square().sum(0).mean()))
    sigma, cross = even(x, kind="nngp"), even(x, z, kind="nngp")
    start = even(z, kind="nngp").diagonal() - 2 * (a * cross).sum(0) + (a * (sigma @ a)).sum(0)
    assert found.initialisation == pytest.approx(float(start.mean()))


def test_targets_have_unit_variance_and_add_up():
    x = sphere(100_000, 5, 0, "test")
    values = {name: ntk_regression.targets(x, name) for name in ntk_regression.TARGETS}
    for value in values.values():
        assert value.shape == (100_000, 5)
        assert value.square().mean() == pytest.approx(1, abs=0.03)
    torch.testing.assert_close(values["mixture"] * math.sqrt(3), values["1"] + values["2"] + values["3"])
    torch.testing.assert_close(values["1"], math.sqrt(5) * x)
    assert ntk_regression.targets(torch.eye(40).double(), "1").shape == (40, 16)


def test_it_is_near_its_deterministic_equivalent():
    """A hundred dimensions, eight samples, fixed before looking: to three per cent."""
    runs = pd.concat(KernelSplit.run([KernelSplit(n=200, d=100, depth=3, seed=seed) for seed in range(8)]))
    found, form = (
        runs.groupby("target")[["bias", "label_noise", "initialisation"]].mean(),
        theory.equivalent(200, 100, 3),
    )
    assert found.label_noise["1"] == pytest.approx(form.label_noise, rel=0.03)
    assert found.initialisation["1"] == pytest.approx(form.initialisation, rel=0.03)
    assert found.bias["1"] == pytest.approx(form.bias[1], rel=0.06)
