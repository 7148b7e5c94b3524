"""The analytic kernel: known values, exact arithmetic, another library, and the algebra that it must satisfy."""

import inspect
import json
import math
from pathlib import Path

import mpmath
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from benign.errors import InputError
from benign.ntk import analytic
from benign.seeds import generator

FIXTURE = json.loads((Path(__file__).parent / "fixtures" / "neural-tangents.json").read_text())
SLOPES = (0, 0.1, 0.6, 1)
PI = math.pi


def gaussian(*shape, seed=0):
    return torch.tensor(generator(seed, "test").standard_normal(shape))


def exact_profile(rho: mpmath.mpf, depth: int, slope: float):
    """Sigma_L and Theta_L by the recursion as papers state it, in as many digits as mpmath is set to."""
    share = mpmath.mpf(1 - mpmath.mpf(slope)) ** 2 / (1 + mpmath.mpf(slope) ** 2)
    sigma = theta = rho
    for _ in range(depth - 1):
        angle = mpmath.acos(sigma)
        first = 1 - share * angle / mpmath.pi
        sigma += share * (mpmath.sin(angle) - angle * sigma) / mpmath.pi
        theta = theta * first + sigma
    return sigma, theta


def exact_kernel(x: list[float], z: list[float], depth: int, slope: float):
    """Sigma_L(x, z) and Theta_L(x, z) in 60 digits."""
    with mpmath.workdps(60):
        u, v = ([mpmath.mpf(entry) for entry in vector] for vector in (x, z))
        scale = mpmath.sqrt(mpmath.fdot(u, u) * mpmath.fdot(v, v))
        rho = max(-1, min(1, mpmath.fdot(u, v) / scale))
        return [float(scale * value) for value in exact_profile(rho, depth, slope)]


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("rho", [-1.0, -0.7, 0.0, 0.3, 0.99, 1.0])
def test_arc_cosine_functions_are_gaussian_expectations(rho, slope):
    # In polar coordinates, for a function of degree k: E r^(2k) = 1 or 2, times the mean over directions.
    theta = math.acos(rho)
    kinks = sorted({(end + turn) % (2 * PI) for end in (PI / 2, 3 * PI / 2) for turn in (0, theta)})

    def mean(function):
        ends = [0, *kinks, 2 * PI]
        pieces = (integrate.quad(function, a, b, epsabs=1e-13)[0] for a, b in zip(ends, ends[1:], strict=False))
        return sum(pieces) / (2 * PI)

    def sigma(u):
        return max(u, slope * u)

    def derivative(u):
        return 1 if u > 0 else slope

    c = 2 / (1 + slope**2)
    expected0 = c * mean(lambda phi: derivative(math.cos(phi)) * derivative(math.cos(phi - theta)))
    expected1 = 2 * c * mean(lambda phi: sigma(math.cos(phi)) * sigma(math.cos(phi - theta)))
    at = torch.tensor([rho], dtype=torch.float64)
    assert analytic.kappa0(at, slope).item() == pytest.approx(expected0, abs=1e-10)
    assert analytic.kappa1(at, slope).item() == pytest.approx(expected1, abs=1e-10)


@pytest.mark.parametrize("both", [True, False])
def test_kernels_of_several_depths_are_those_of_each_to_the_last_bit(both):
    x, z = gaussian(150, 7), gaussian(40, 7, seed=1) if both else None
    wanted = [(depth, kind) for depth in (5, 1, 2, 9) for kind in ("nngp", "ntk")]
    found = analytic.kernels(x, z, wanted=wanted, slope=0.1)
    assert set(found) == set(wanted)
    for (depth, kind), matrix in found.items():
        assert torch.equal(matrix, analytic.kernel(x, z, depth=depth, slope=0.1, kind=kind))


@pytest.mark.parametrize("slope", SLOPES)
def test_kappa0_is_the_derivative_of_kappa1(slope):
    rho = torch.linspace(-0.95, 0.95, 39, dtype=torch.float64).requires_grad_()
    (derivative,) = torch.autograd.grad(analytic.kappa1(rho, slope).sum(), rho)
    torch.testing.assert_close(derivative, analytic.kappa0(rho.detach(), slope), rtol=1e-12, atol=1e-12)


def test_values_by_hand():
    rho = torch.tensor([0.0, 1.0, -1.0, 0.5], dtype=torch.float64)
    # Two layers: rho (1 - theta/pi) + (sin theta + (pi - theta) cos theta) / pi, and theta = pi/3 for the last.
    sigma, theta = analytic.profile(rho, 2)
    half = (math.sqrt(3) / 2 + PI / 3) / PI
    torch.testing.assert_close(sigma, torch.tensor([1 / PI, 1, 0, half], dtype=torch.float64), rtol=1e-15, atol=1e-16)
    torch.testing.assert_close(
        theta, torch.tensor([1 / PI, 2, 0, 1 / 3 + half], dtype=torch.float64), rtol=1e-15, atol=1e-16
    )
    # Leaky, opposite inputs: lambda = 0.81 / 1.01, kappa0(-1) = 1 - lambda, kappa1(-1) = lambda - 1.
    sigma, theta = analytic.profile(rho[2:3], 2, 0.1)
    assert sigma.item() == pytest.approx(0.81 / 1.01 - 1, rel=1e-15)
    assert theta.item() == pytest.approx(2 * (0.81 / 1.01 - 1), rel=1e-15)


@pytest.mark.parametrize("slope", [0, 0.1, 0.95])
@pytest.mark.parametrize("depth", [1, 2, 3, 10])
def test_profile_has_twelve_digits_up_to_both_ends(depth, slope):
    gaps = [10.0**-k for k in range(17)]
    rho = torch.tensor([sign * (1 - gap) for sign in (-1, 1) for gap in (*gaps, 0.0, 0.3)], dtype=torch.float64)
    sigma, theta = analytic.profile(rho, depth, slope)
    with mpmath.workdps(40):
        exact = [exact_profile(mpmath.mpf(r), depth, slope) for r in rho.tolist()]
    expected = torch.tensor([[float(a) for a in pair] for pair in exact], dtype=torch.float64)
    torch.testing.assert_close(torch.stack([sigma, theta], 1), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("slope", [0, 0.1])
def test_kernel_has_twelve_digits_for_nearly_parallel_and_opposite_inputs(slope):
    x = gaussian(1, 7)
    turns = gaussian(1, 7, seed=1) * torch.tensor([[10.0**-k] for k in range(1, 17)], dtype=torch.float64)
    z = torch.cat([3.7 * (x + turns), -0.3 * (x + turns), 1.1 * x, -x])
    for kind, place in (("nngp", 0), ("ntk", 1)):
        values = analytic.kernel(x, z, depth=4, slope=slope, kind=kind)[0].tolist()
        for value, other in zip(values, z.tolist(), strict=True):
            assert value == pytest.approx(exact_kernel(x[0].tolist(), other, 4, slope)[place], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("case", FIXTURE["cases"], ids=lambda c: f"d={c['d']}, depth={c['depth']}, slope={c['slope']}")
@pytest.mark.parametrize("kind", ["ntk", "nngp"])
def test_neural_tangents_agrees(case, kind):
    x = torch.tensor(FIXTURE["inputs"][str(case["d"])], dtype=torch.float64)
    theirs = torch.tensor(case[kind], dtype=torch.float64)
    for ours in (
        analytic.kernel(x, depth=case["depth"], slope=case["slope"], kind=kind),
        analytic.kernel(x, x, depth=case["depth"], slope=case["slope"], kind=kind),
    ):
        # Theirs reads the angle off a rounded cosine: eight digits for the parallel pairs, which the exact test covers.
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-7)
        if case["d"] == 10:
            off = ~torch.eye(len(x), dtype=torch.bool)
            torch.testing.assert_close(ours[off], theirs[off], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("depth", "zero", "slope_at_zero", "floor"),
    [(2, 0.3183, 1.0000, 0.682), (3, 0.6857, 0.9581, 1.356), (5, 1.4304, 0.8715, 2.698)],
)
def test_profile_constants_of_the_relu(depth, zero, slope_at_zero, floor):
    constants = analytic.profile_constants(depth)
    assert constants.at_one == depth
    assert constants.at_zero == pytest.approx(zero, abs=5e-5)
    assert constants.slope_at_zero == pytest.approx(slope_at_zero, abs=5e-5)
    assert constants.at_one - constants.at_zero - constants.slope_at_zero == pytest.approx(floor, abs=5e-4)


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("depth", [1, 2, 4, 7])
def test_profile_constants_are_those_of_the_profile(depth, slope):
    step = 1e-5
    _, (one, zero, above, below) = analytic.profile(
        torch.tensor([1, 0, step, -step], dtype=torch.float64), depth, slope
    )
    constants = analytic.profile_constants(depth, slope)
    assert constants == pytest.approx((one.item(), zero.item(), ((above - below) / (2 * step)).item()), abs=1e-8)


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_smallest_eigenvalue_on_the_sphere_is_near_its_closed_form(depth):
    n, d = 200, 800
    x = torch.nn.functional.normalize(gaussian(n, d))
    least = torch.linalg.eigvalsh(analytic.kernel(x, depth=depth))[0].item()
    one, zero, slope = analytic.profile_constants(depth)
    assert least == pytest.approx(one - zero - slope + slope * (1 - math.sqrt(n / d)) ** 2, rel=0.03)


@given(
    st.lists(st.floats(-3, 3), min_size=6, max_size=6),
    st.floats(1e-3, 1e3),
    st.integers(1, 6),
    st.sampled_from(SLOPES),
)
def test_kernel_is_homogeneous_and_bounded(entries, factor, depth, slope):
    x, z = torch.tensor(entries, dtype=torch.float64).reshape(2, 1, 3)
    value, scaled = (analytic.kernel(t * x, z, depth=depth, slope=slope).item() for t in (1, factor))
    bound = depth * (x.norm() * z.norm()).item()
    assert scaled == pytest.approx(factor * value, rel=1e-9, abs=1e-9 * factor * bound)
    assert abs(value) <= bound * (1 + 1e-12)


@pytest.mark.parametrize("kind", ["ntk", "nngp"])
@pytest.mark.parametrize("n", [1, 5, 300])
def test_symmetric_kernel_is_the_rectangular_one(n, kind):
    x = gaussian(n, 6)
    symmetric = analytic.kernel(x, depth=3, slope=0.1, kind=kind)
    torch.testing.assert_close(symmetric, analytic.kernel(x, x, depth=3, slope=0.1, kind=kind), rtol=1e-12, atol=1e-12)
    assert torch.equal(symmetric, symmetric.T)
    torch.testing.assert_close(symmetric.diag(), analytic.diagonal(x, depth=3, kind=kind), rtol=1e-14, atol=0)


@pytest.mark.parametrize("tile", [1, 100, 10**6])
@pytest.mark.parametrize("rows", [1, 7, 64])
def test_blocks_do_not_matter(rows, tile, monkeypatch):
    x, z = gaussian(50, 6), gaussian(31, 6, seed=1)
    z[:20] = x[:20] * (1 + 1e-9)  # the pairs that are computed anew come in chunks too
    wholes = analytic.kernel(x, depth=3), analytic.kernel(x, z, depth=3)
    monkeypatch.setattr(analytic, "ROWS", rows)
    monkeypatch.setattr(analytic, "TILE", tile)
    parts = analytic.kernel(x, depth=3), analytic.kernel(x, z, depth=3)
    for part, whole in zip(parts, wholes, strict=True):
        torch.testing.assert_close(part, whole, rtol=1e-13, atol=1e-13)
    assert torch.equal(parts[0], parts[0].T)


@pytest.mark.parametrize("slope", [0, 0.1])
@pytest.mark.parametrize("kind", ["ntk", "nngp"])
def test_kernel_is_positive_definite_for_inputs_in_different_directions(kind, slope):
    eigenvalues = torch.linalg.eigvalsh(analytic.kernel(gaussian(60, 4), depth=3, slope=slope, kind=kind))
    assert eigenvalues[0] > 1e-6
    one_direction = gaussian(1, 4) * torch.tensor([[1.0], [2.0], [5.0]], dtype=torch.float64)
    flat = torch.linalg.eigvalsh(analytic.kernel(one_direction, depth=3, slope=slope, kind=kind))
    assert flat[:2].abs().max() < 1e-13 * flat[2]


@pytest.mark.parametrize("depth", [1, 4])
def test_slope_one_is_the_linear_network(depth):
    x, z = gaussian(5, 3), gaussian(4, 3, seed=1)
    torch.testing.assert_close(analytic.kernel(x, z, depth=depth, slope=1), depth * x @ z.T)
    torch.testing.assert_close(analytic.kernel(x, z, depth=depth, slope=1, kind="nngp"), x @ z.T)
    torch.testing.assert_close(analytic.kernel(x, z, depth=1), x @ z.T)  # no hidden layer, no activation


def test_slope_zero_is_the_relu():
    x = gaussian(5, 3)
    assert torch.equal(analytic.kernel(x, depth=3), analytic.kernel(x, depth=3, slope=0.0))
    assert not torch.allclose(analytic.kernel(x, depth=3), analytic.kernel(x, depth=3, slope=0.1))


@pytest.mark.parametrize("kind", ["ntk", "nngp"])
def test_the_kernel_of_zero_is_zero(kind):
    x = gaussian(4, 3)
    x[1] = 0
    for matrix in (analytic.kernel(x, depth=3, kind=kind), analytic.kernel(x, x, depth=3, kind=kind)):
        assert matrix.isfinite().all()
        assert not matrix[1].any() and not matrix[:, 1].any()
        assert matrix[0].count_nonzero() == 3


def test_the_inputs_stay_as_they_are():
    x, rho = gaussian(5, 3), torch.linspace(-1, 1, 5, dtype=torch.float64)
    before = x.clone(), rho.clone()
    analytic.kernel(x, depth=3)
    analytic.profile(rho, 3)
    assert torch.equal(x, before[0]) and torch.equal(rho, before[1])


def unchecked(function):
    """The function as it is outside the test run, where nothing checks its annotations first."""
    return inspect.unwrap(function)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: analytic.kernel(x, depth=0), "depth is 0: a network has at least one layer"),
        (lambda x: analytic.profile(x[0] / 9, 0), "depth is 0"),
        (lambda x: analytic.profile_constants(-1), "depth is -1"),
        (lambda x: analytic.diagonal(x, depth=0), "depth is 0"),
        (lambda x: analytic.kernel(x, depth=2, slope=1.5), r"slope is 1.5: .* lies in \[0, 1\]"),
        (lambda x: analytic.kappa0(x[0] / 9, -0.1), "slope is -0.1"),
        (lambda x: analytic.profile(torch.tensor([0.3, -1.1], dtype=torch.float64), 2), "rho holds -1.1: the cosine"),
        (lambda x: analytic.profile(x[0] * math.nan, 2), "rho holds nan"),
        (
            lambda x: unchecked(analytic.kernels)(x, x[:, :2], wanted=[(2, "ntk")]),
            "x has dimension 3 and z has 2: a kernel takes",
        ),
        (lambda x: unchecked(analytic.kernels)(x, wanted=[(2, "gp")]), "kind is 'gp': there are 'ntk'"),
    ],
)
def test_errors_say_what_was_wrong(call, message):
    with pytest.raises(InputError, match=message):
        call(gaussian(4, 3))


@pytest.mark.parametrize("kind", ["ntk", "nngp"])
def test_a_second_device_computes_the_same(kind):
    x, z = gaussian(150, 5), gaussian(4, 5, seed=1)
    z[0], z[1], z[2] = x[3], -x[4], 0  # angles of 0 and pi, and none
    moved = x.to("second_device"), z.to("second_device")
    for count in (1, 2):
        here, there = (analytic.kernel(*points[:count], depth=3, kind=kind) for points in ((x, z), moved))
        assert torch.equal(there.cpu(), here)
    assert torch.equal(analytic.diagonal(moved[0], depth=3, kind=kind).cpu(), analytic.diagonal(x, depth=3, kind=kind))
    rho = torch.linspace(-1, 1, 9, dtype=torch.float64)
    for here, there in zip(analytic.profile(rho, 3), analytic.profile(rho.to("second_device"), 3), strict=True):
        assert torch.equal(there.cpu(), here)
