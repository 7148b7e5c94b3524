"""Deep networks: values and derivatives against autograd, and the start against its promises."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benign.errors import InputError
from benign.networks.activations import Activation, elu, leaky_relu, named, relu
from benign.networks.deep import Deep, difference, gain, initialise
from benign.seeds import generator

# PyTorch's own functions where it has them; the last is Frei et al. (2022), with slope 0.1 and H = 2.
FUNCTIONS = {
    "relu": torch.nn.functional.relu,
    "leaky_relu(0.3)": lambda u: torch.nn.functional.leaky_relu(u, 0.3),
    "elu": torch.nn.functional.elu,
    "smoothed_leaky_relu(0.1, 2)": lambda u: torch.where(
        u.abs() <= 0.5, 0.45 * u**2 + 0.55 * u, torch.where(u > 0, u, 0.1 * u) - 0.1125
    ),
}
CLOSE = dict(rtol=1e-10, atol=1e-11)


def normal(*shape, seed=0):
    return torch.tensor(generator(seed, "test").standard_normal(shape))


settings_of_a_batch = st.fixed_dictionaries(
    dict(
        name=st.sampled_from(list(FUNCTIONS)),
        widths=st.lists(st.integers(1, 20), min_size=1, max_size=5).map(lambda widths: (*widths, 1)),
        runs=st.integers(1, 4),
        n=st.integers(1, 9),
        seed=st.integers(0, 10**6),
        parameterisation=st.sampled_from(["ntk", "standard"]),
        shared=st.booleans(),
    )
)


def batch(name, widths, runs, n, seed, parameterisation, shared):
    """A batch of networks, and its inputs: one set for each run, or one for all."""
    network = initialise(widths, range(seed, seed + runs), named(name), parameterisation, scale=1.3)
    return network, normal(*[runs] * (not shared), n, widths[0], seed=seed) / math.sqrt(widths[0])


def plain(weights, network, sigma, x):
    """The pre-activations of one run as the module's docstring has them, one layer after the other."""
    us, h = [], x
    for layer, w in enumerate(weights):
        scale = 1.0
        if network.parameterisation == "ntk" and layer:
            scale = math.sqrt(gain(network.activation) / w.shape[1])
        us.append(scale * h @ w.T)
        h = sigma(us[-1])
    return us


@given(settings_of_a_batch)
def test_values_and_derivatives_are_autograds(chosen):
    network, x = batch(**chosen)
    sigma = FUNCTIONS[chosen["name"]]
    runs = len(network.weights[0])
    directions = tuple(normal(*w.shape, seed=2) for w in network.weights)
    outputs, us, derivative = network(x), network.preactivations(x), network.derivative(x, directions)
    hs, bs = network.factors(x)
    assert len(us) == len(hs) == len(bs) == len(network.weights)
    for run in range(runs):
        points = x[run] if x.ndim == 3 else x
        weights = [w[run].clone().requires_grad_() for w in network.weights]
        expected = plain(weights, network, sigma, points)
        f = expected[-1].squeeze(1)
        torch.testing.assert_close(outputs[run], f.detach(), **CLOSE)
        sensitivities = torch.autograd.grad(f.sum(), expected, retain_graph=True)
        for layer, u in enumerate(expected):
            torch.testing.assert_close(us[layer][run], u.detach(), **CLOSE)
            before = sigma(expected[layer - 1]).detach() if layer else points
            torch.testing.assert_close(hs[layer][run], before, **CLOSE)
            torch.testing.assert_close(bs[layer][run], sensitivities[layer], **CLOSE)
        # The derivative of one point in a layer is s_l b_l h_{l-1}^T.
        one = torch.autograd.grad(f[-1], weights)
        for s, b, h, autograds in zip(network.multipliers, bs, hs, one, strict=True):
            torch.testing.assert_close(s * torch.outer(b[run, -1], h[run, -1]), autograds, **CLOSE)
        _, along = torch.autograd.functional.jvp(  # torch.func's warns of its own use of TorchScript
            lambda *ws, points=points: plain(ws, network, sigma, points)[-1].squeeze(1),
            tuple(w[run] for w in network.weights),
            tuple(v[run] for v in directions),
        )
        torch.testing.assert_close(derivative[run], along, **CLOSE)


def test_weights_depend_on_their_seed_and_layer_only():
    network = initialise((3, 4, 4, 1), [5, 6], relu())
    assert [tuple(w.shape) for w in network.weights] == [(2, 4, 3), (2, 4, 4), (2, 1, 4)]
    assert network.widths == (3, 4, 4, 1)
    expected = generator(6, "weights of layer 2").standard_normal((4, 4))
    assert torch.equal(network.weights[1][1], torch.tensor(expected))
    other = initialise((3, 4, 4, 1), [6, 7, 5], relu())
    for a, b in zip(network.weights, other.weights, strict=True):
        assert torch.equal(a, b[[2, 0]])
        assert a.dtype == torch.float64
    wider = initialise((3, 4, 9, 1), [5, 6], relu())
    assert torch.equal(wider.weights[0], network.weights[0])


def test_the_scale_multiplies_every_weight_of_its_run():
    scale = torch.tensor([0.5, 2.0], dtype=torch.float64)
    network, scaled = (initialise((3, 4, 1), [0, 1], elu(), "standard", s) for s in (1.0, scale))
    for a, b in zip(network.weights, scaled.weights, strict=True):
        torch.testing.assert_close(b, scale.view(2, 1, 1) * a, rtol=1e-15, atol=0)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_both_parameterisations_start_as_the_same_function(name):
    ntk, standard = (initialise((6, 20, 30, 1), [0, 1, 2], named(name), p) for p in ("ntk", "standard"))
    torch.testing.assert_close(ntk(normal(3, 5, 6)), standard(normal(3, 5, 6)), **CLOSE)
    assert standard.multipliers == (1, 1, 1)
    c = gain(named(name))
    assert ntk.multipliers == pytest.approx((1, math.sqrt(c / 20), math.sqrt(c / 30)), rel=1e-15)
    for layer, s in enumerate(ntk.multipliers):
        torch.testing.assert_close(standard.weights[layer], s * ntk.weights[layer], rtol=1e-14, atol=0)


def test_the_constant_of_he_scaling():
    assert gain(relu()) == pytest.approx(2, rel=1e-14)
    assert gain(leaky_relu(0.3)) == pytest.approx(2 / (1 + 0.3**2), rel=1e-14)
    # E[elu(g)^2] = 1/2 + E[(e^g - 1)^2; g < 0] = 1/2 + e^2 Phi(-2) - 2 e^(1/2) Phi(-1) + 1/2
    second = 1 + math.e**2 * math.erfc(math.sqrt(2)) / 2 - math.exp(0.5) * math.erfc(math.sqrt(0.5))
    assert gain(elu()) == pytest.approx(1 / second, rel=1e-11)
    assert gain(named("smoothed_leaky_relu(0.1, 1e6)")) == pytest.approx(2 / 1.01, rel=1e-5)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_wide_layers_keep_the_variance(name):
    # 200 networks; the mean of u^2 over a layer varies by about sqrt((2 + 5 l) / m) at the layer l + 1.
    network = initialise((8, 200, 200, 1), range(200), named(name))
    x = torch.nn.functional.normalize(normal(1, 8), dim=1)
    for u in network.preactivations(x):
        squares = u.square().mean(-1)
        bias = 10 / 200  # of order 1/m, for activations that are not homogeneous
        assert abs(squares.mean() - 1) < 5 * squares.std() / math.sqrt(200) + (0 if "relu" == name else bias)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_the_tangent_kernel_is_in_the_mean_that_of_the_recursion(depth):
    # Of two unit vectors with the correlation rho. Bound: five standard errors, and 5/m for the bias at finite width;
    # for one vector, rho = 1, there is no bias, and Theta_L(1) = L.
    width, runs, rho = 128, 300, 0.4
    network = initialise((4, *[width] * (depth - 1), 1), range(runs), relu())
    x = torch.tensor([[1, 0, 0, 0], [rho, math.sqrt(1 - rho**2), 0, 0]], dtype=torch.float64)
    kernel = sum(
        s**2 * (b @ b.transpose(1, 2)) * (h @ h.transpose(1, 2))
        for s, b, h in zip(network.multipliers, *reversed(network.factors(x)), strict=True)
    )
    sigma = theta = rho
    for _ in range(depth - 1):
        angle = math.pi - math.acos(sigma)
        sigma, theta = (
            (math.sqrt(1 - sigma**2) + sigma * angle) / math.pi,
            theta * angle / math.pi + (math.sqrt(1 - sigma**2) + sigma * angle) / math.pi,
        )
    for values, expected, bias in ((kernel[:, 0, 0], depth, 0), (kernel[:, 0, 1], theta, 5 / width)):
        error = values.std() / math.sqrt(runs)
        assert abs(values.mean() - expected) <= 5 * error + bias + 1e-12
        assert error < 0.02 * depth  # or the bound says nothing


def test_one_network_of_a_batch_and_some_of_them():
    network = initialise((3, 5, 1), [0, 1, 2], relu(), "standard")
    for part, rows in ((network.alone(1), [1]), (network.select(torch.tensor([True, False, True])), [0, 2])):
        assert all(torch.equal(a, b[rows]) for a, b in zip(part.weights, network.weights, strict=True))
    assert network.alone(0).parameterisation == network.to("meta").parameterisation == "standard"
    assert {w.device.type for w in network.to("meta").weights} == {"meta"}
    assert network.alone(2).weights[1].data_ptr() % 64 == 0


def zeros(*shape):
    return torch.zeros(shape, dtype=torch.float64)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((), r"weights have the shapes \[\]: they must be \(runs, m_1, d\)"),
        ((zeros(2, 4, 3), zeros(2, 1, 5)), r"\[\(2, 4, 3\), \(2, 1, 5\)\]"),
        ((zeros(2, 4, 3), zeros(2, 2, 4)), r"\(2, 2, 4\)\]: they must be"),
        ((zeros(2, 0, 3), zeros(2, 1, 0)), r"\(2, 0, 3\)"),
    ],
)
def test_weights_that_do_not_fit_together_are_explained(weights, message):
    with pytest.raises(InputError, match=message):
        Deep(weights, relu())


def test_networks_that_do_not_exist_are_explained():
    with pytest.raises(InputError, match="parameterisation is 'mean field': it must be 'ntk' or 'standard'"):
        initialise((2, 3, 1), [0], relu(), "mean field")
    softplus = Activation("softplus", torch.nn.functional.softplus, torch.sigmoid)
    with pytest.raises(InputError, match=r"the activation softplus is 0\.69\d* at 0: it must be 0 there"):
        initialise((2, 3, 1), [0], softplus)


@pytest.mark.parametrize("widths", [(1,), (), (3, 0, 1), (3, 4, 2)])
def test_wrong_widths_are_explained(widths):
    with pytest.raises(InputError, match=r"widths are \(.*: give the input dimension, the hidden widths, and 1"):
        initialise(widths, [0], relu())


def test_wrong_seeds_and_scales_are_explained():
    with pytest.raises(InputError, match="seeds is empty: give one seed for each network"):
        initialise((2, 1), [], relu())
    with pytest.raises(InputError, match="seed is -1: it must be an integer"):
        initialise((2, 1), [-1], relu())
    for scale in (0, -1.0, math.inf, math.nan, torch.ones(3, dtype=torch.float64)):
        with pytest.raises(InputError, match=r"scale is .*: give a positive number, or one for each of 2 seeds"):
            initialise((2, 1), [0, 1], relu(), scale=scale)


@pytest.mark.parametrize("shape", [(4, 5), (4, 2), (2, 4, 3), (4, 4, 9)])
def test_inputs_of_a_wrong_shape_are_explained(shape):
    with pytest.raises(InputError, match=r"x has the shape .*: it must be \(4, n, 3\), or \(n, 3\) for all runs"):
        initialise((3, 5, 1), range(4), relu())(zeros(*shape))


@pytest.mark.parametrize("parameterisation", ["ntk", "standard"])
@pytest.mark.parametrize("widths", [(6, 5, 1), (6, 5, 4, 1)])
def test_a_difference_of_networks_is_a_network(widths, parameterisation):
    one, other = (initialise(widths, seeds, leaky_relu(0.2), parameterisation) for seeds in ([0, 1], [2, 3]))
    both, x = difference(one, other), normal(7, 6)
    assert both.widths == (6, *[2 * m for m in widths[1:-1]], 1)
    torch.testing.assert_close(both(x), one(x) - other(x), **CLOSE)
    assert difference(one, one)(x).abs().max() < 1e-14
