"""Training deep networks: against PyTorch's own loops, lazy read-outs by brute force, and runs against batches."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import second_device
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from benign.errors import InputError
from benign.networks.activations import Activation, named, relu
from benign.networks.deep import initialise
from benign.seeds import generator
from benign.train import history, lazy
from benign.train.deep import train
from benign.train.losses import EXPONENTIAL, HINGE, LOGISTIC, SQUARED
from benign.train.problem import LOOK, interpolates, loss_at_most, never

FUNCTIONS = {
    "relu": torch.nn.functional.relu,
    "leaky_relu(0.3)": lambda u: torch.nn.functional.leaky_relu(u, 0.3),
    "elu": torch.nn.functional.elu,
    "power(2)": lambda u: u.clamp(min=0) ** 2,
    "smoothed_leaky_relu(0.1, 2)": lambda u: torch.where(
        u.abs() <= 0.5, 0.45 * u**2 + 0.55 * u, torch.where(u > 0, u, 0.1 * u) - 0.1125
    ),
}
RISKS = {  # PyTorch's, where it has them
    LOGISTIC: torch.nn.SoftMarginLoss(),
    EXPONENTIAL: lambda outputs, labels: torch.exp(-labels * outputs).mean(),
    HINGE: lambda outputs, labels: (1 - labels * outputs).clamp(min=0).mean(),
    SQUARED: lambda outputs, targets: torch.nn.functional.mse_loss(outputs, targets) / 2,
}
OBSERVE = {
    "loss": history.loss,
    "margins": history.margins,
    "training_error": history.training_error,
    "outputs": lambda s: s.outputs,
    "step": lambda s: torch.full((len(s.runs),), s.step),  # not a float
    "weights": lambda s: torch.cat([w.flatten(1) for w in s.network.weights], 1),
}
STOPS = {"never": never, "loss_at_most": loss_at_most(0.4), "interpolates": interpolates}


def problem(runs=3, n=6, widths=(5, 7, 6, 1), name="relu", parameterisation="ntk", loss=LOGISTIC, scale=1.0, seed=0):
    """Networks, inputs of unit norm, and labels or targets."""
    rng = generator(seed, "test")
    x = torch.nn.functional.normalize(torch.tensor(rng.standard_normal((runs, n, widths[0]))), dim=2)
    targets = rng.standard_normal((runs, n)) if loss is SQUARED else rng.choice([-1.0, 1.0], (runs, n))
    return initialise(widths, range(runs), named(name), parameterisation, scale), x, torch.tensor(targets)


def own(network):
    """The networks with an activation that no engine knows."""
    return dataclasses.replace(network, activation=dataclasses.replace(network.activation, family=None))


def plain(network, run, x, targets, *, name, loss, size, steps, batch_size, seed, decay=0.0, stop=never, offset=0.0):
    """One run with torch.nn and torch.optim: its losses, one a step, and its weights at the end."""
    parts = []
    for w in network.weights:
        # Without PyTorch's own start, which would draw from the global generator.
        parts.append(torch.nn.utils.skip_init(torch.nn.Linear, w.shape[2], w.shape[1], bias=False, dtype=w.dtype))
        parts[-1].weight.data = w[run].clone()
    for part, s in zip(parts, network.multipliers, strict=True):
        part.register_forward_hook(lambda module, arguments, output, s=s: s * output)
    sigma = FUNCTIONS[name]

    def model(points):
        for part in parts[:-1]:
            points = sigma(part(points))
        return parts[-1](points).squeeze(-1)

    offset = torch.as_tensor(offset).expand(len(x))
    optimiser = torch.optim.SGD([part.weight for part in parts], lr=size, weight_decay=decay)
    rng, batches, losses = generator(seed, "mini-batch order"), [], []
    for _ in range(steps):
        if not batches:
            batches = [...] if batch_size is None else list(torch.tensor(rng.permutation(len(x))).split(batch_size))
        losses.append(RISKS[loss](model(x) - offset, targets).item())
        # ``batches`` has just been made where an epoch begins
        first = len(batches) == (1 if batch_size is None else math.ceil(len(x) / batch_size))
        if first and losses[-1] <= stop.level and (not stop.fitted or (targets * (model(x) - offset) > 0).all()):
            return losses, [part.weight.detach() for part in parts]
        batch = batches.pop(0)
        optimiser.zero_grad()
        RISKS[loss](model(x[batch]) - offset[batch], targets[batch]).backward()
        optimiser.step()
    losses.append(RISKS[loss](model(x) - offset, targets).item())
    return losses, [part.weight.detach() for part in parts]


@given(
    name=st.sampled_from(list(FUNCTIONS)),
    loss=st.sampled_from(list(RISKS)),
    parameterisation=st.sampled_from(["ntk", "standard"]),
    widths=st.lists(st.integers(1, 20), min_size=1, max_size=5).map(lambda widths: (*widths, 1)),
    runs=st.integers(1, 3),
    n=st.integers(1, 8),
    steps=st.integers(0, 12),
    size=st.sampled_from(["number", "run"]),
    decay=st.sampled_from(["none", "number", "run"]),
    centred=st.booleans(),
    stop=st.sampled_from(list(STOPS)),
    seed=st.integers(0, 10**6),
    data=st.data(),
)
def test_every_way_to_train_is_pytorchs(
    name, loss, parameterisation, widths, runs, n, steps, size, decay, centred, stop, seed, data
):
    assume(not (centred and stop == "interpolates"))  # at the start the sign of f - f_0 = 0 is one of rounding
    batch_size = data.draw(st.none() | st.integers(1, n))
    seeds = None if batch_size is None else list(range(seed, seed + runs))
    network, x, targets = problem(runs, n, widths, name, parameterisation, loss, seed=seed)
    sizes = {"number": [0.2] * runs, "run": np.linspace(0.05, 0.3, runs).tolist()}[size]
    decays = {"none": [0.0] * runs, "number": [0.3] * runs, "run": np.linspace(0, 0.9, runs).tolist()}[decay]
    offset = network(x) if centred else torch.zeros_like(targets)
    record = data.draw(st.sampled_from([range(steps + 1), sorted({0, steps // 2, steps})]))
    arguments = dict(
        step_size=sizes[0] if size == "number" else torch.tensor(sizes, dtype=torch.float64),
        steps=steps, loss=loss, batch_size=batch_size, seeds=seeds, observe={"loss": history.loss}, stop=STOPS[stop],
        record=record, weight_decay={"none": 0, "number": 0.3, "run": torch.tensor(decays, dtype=torch.float64)}[decay],
    )  # fmt: skip
    compiled = train(network, x, targets, offset=offset if centred else None, **arguments)
    alone = train(own(network), x, targets, offset=offset, **arguments)
    moved = (part.to("second_device") for part in (network, x, targets))
    together = train(*moved, offset=offset.to("second_device"), **arguments)
    for run in range(runs):
        losses, weights = plain(
            network, run, x[run], targets[run], name=name, loss=loss, size=sizes[run], steps=steps,
            batch_size=batch_size, seed=seed + run, decay=decays[run], stop=STOPS[stop], offset=offset[run],
        )  # fmt: skip
        assume(all(each < 100 for each in losses))  # where a run runs away, rounding does too
        taken = len(losses) - 1
        expected = [losses[min(step, taken)] for step in record]
        for trained in (compiled, alone, together):
            assert trained.steps[run].item() == taken
            assert trained.history["loss"][:, run].tolist() == pytest.approx(expected, rel=1e-10, abs=1e-13)
            assert trained.final["loss"][run].item() == pytest.approx(losses[-1], rel=1e-10, abs=1e-13)
            for ours, theirs in zip(trained.network.weights, weights, strict=True):
                torch.testing.assert_close(ours[run].cpu(), theirs, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("loss", [LOGISTIC, SQUARED])
def test_losses_and_their_forces(loss):
    _, _, targets = problem(loss=loss)
    outputs = torch.linspace(-3, 3, targets.numel(), dtype=torch.float64).view_as(targets).requires_grad_()
    risk = RISKS[loss](outputs, targets) * targets.numel()
    torch.testing.assert_close(loss.at(outputs, targets).sum(), risk, rtol=1e-13, atol=0)
    (gradient,) = torch.autograd.grad(risk, outputs)
    torch.testing.assert_close(loss.force(outputs.detach(), targets), -gradient, rtol=1e-13, atol=1e-15)


def test_decay_without_forces_shrinks_the_weights_alone():
    network, x, _ = problem(loss=SQUARED)
    decays = torch.tensor([0.0, 0.1, 0.5], dtype=torch.float64)
    # Its own outputs are the targets. Three layers, all decaying: by homogeneity the outputs fall like the cube.
    whole = train(network, x, network(x), step_size=0.2, steps=1, weight_decay=decays, loss=SQUARED)
    for w, start in zip(whole.network.weights, network.weights, strict=True):
        torch.testing.assert_close(w, (1 - 0.2 * decays).view(-1, 1, 1) * start, rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(whole.network(x), (1 - 0.2 * decays).view(-1, 1) ** 3 * network(x), rtol=1e-12, atol=0)


def test_the_whole_sample_as_a_batch_is_full_batch_descent():
    network, x, labels = problem()
    full = train(network, x, labels, step_size=0.5, steps=20)
    batch = train(network, x, labels, step_size=0.5, steps=20, batch_size=6, seeds=[7, 8, 9])
    for a, b in zip(full.network.weights, batch.network.weights, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("batch_size", [None, 4])
def test_observables_are_what_they_say(batch_size):
    network, x, labels = problem(n=9, scale=1.2)
    seeds = None if batch_size is None else [0, 1, 2]
    trained = train(network, x, labels, step_size=1.0, steps=7, batch_size=batch_size, seeds=seeds, observe=OBSERVE)
    outputs = trained.network(x)
    expected = {
        "loss": torch.log1p(torch.exp(-labels * outputs)).mean(-1),
        "outputs": outputs,
        "margins": labels * outputs,
        "training_error": (labels * outputs <= 0).double().mean(-1),
        "weights": torch.cat([w.flatten(1) for w in trained.network.weights], 1),
        "step": torch.tensor([7, 7, 7]),
    }
    for name, value in expected.items():
        torch.testing.assert_close(trained.final[name], value, rtol=1e-11, atol=1e-13)


def test_lazy_read_outs_by_brute_force():
    network, x, labels = problem(n=9)
    trained = train(network, x, labels, step_size=3.0, steps=25)
    now = trained.network
    points = torch.cat([x, x.neg()], dim=1)  # also at others than the training points, and more of them
    flipped = lazy.flipped(now, network, points)
    assert flipped.shape == (3, 2)
    assert (flipped > 0).all()  # or the test is void
    for run in range(3):
        count = [0, 0]
        for point in points[run]:
            h, h0 = point, point
            for layer, s in enumerate(network.multipliers[:2]):
                u, u0 = s * now.weights[layer][run] @ h, s * network.weights[layer][run] @ h0
                count[layer] += sum((a > 0) != (b > 0) for a, b in zip(u.tolist(), u0.tolist(), strict=True))
                h, h0 = u.clamp(min=0), u0.clamp(min=0)
        assert flipped[run].tolist() == pytest.approx([count[0] / (18 * 7), count[1] / (18 * 6)], rel=1e-14)
    assert lazy.flipped(network, network, x[0]).tolist() == [[0, 0]] * 3
    alone = problem(widths=(5, 1))[0]
    assert lazy.flipped(alone, alone, x).shape == (3, 0)  # no hidden layer


@pytest.mark.parametrize("name", ["relu", "elu", "smoothed_leaky_relu(0.1, 2)"])
def test_the_linearised_prediction_is_the_tangent_at_the_start(name):
    network, x, labels = problem(name=name)
    trained = train(network, x, labels, step_size=1.0, steps=10)
    fresh = torch.nn.functional.normalize(problem(seed=1)[1][0], dim=1)
    for points in (x, fresh):
        ours = lazy.linearised(trained.network, network, points)
        value, change = torch.autograd.functional.jvp(
            lambda *weights, points=points: type(network)(weights, network.activation)(points),
            network.weights,
            tuple(w - w0 for w, w0 in zip(trained.network.weights, network.weights, strict=True)),
        )
        torch.testing.assert_close(ours, value + change, rtol=1e-10, atol=1e-12)


def test_the_network_leaves_its_tangent_at_second_order():
    # Smooth, so that a tenth of the way leaves a hundredth of the difference.
    network, x, labels = problem(name="elu")
    end = train(network, x, labels, step_size=1.0, steps=5).network
    gaps = []
    for share in (1e-2, 1e-3):
        pairs = zip(end.weights, network.weights, strict=True)
        between = type(network)(tuple(w0 + share * (w - w0) for w, w0 in pairs), network.activation)
        gaps.append((between(x) - lazy.linearised(between, network, x)).norm())
    assert gaps[0] / gaps[1] == pytest.approx(100, rel=0.05)


def test_wide_networks_are_lazy():
    def read(width):
        network, x, labels = problem(runs=8, n=10, widths=(5, width, width, 1), loss=SQUARED)
        end = train(network, x, labels, step_size=0.3, steps=60, loss=SQUARED).network
        gap = (lazy.linearised(end, network, x) - end(x)).square().mean().sqrt()
        moved = (end.weights[1] - network.weights[1]).norm(dim=(1, 2)) / network.weights[1].norm(dim=(1, 2))
        return gap, lazy.flipped(end, network, x).mean(), moved.mean()

    # At 16 times the width: a quarter of each, to leading order; we ask for a half, on average over eight networks.
    for narrow, wide in zip(read(16), read(256), strict=True):
        assert 0 < wide < narrow / 2


@pytest.mark.parametrize("batch_size", [None, 3])
def test_a_finished_run_keeps_its_values(batch_size):
    network, x, labels = problem(runs=6, n=7)
    sizes = torch.linspace(0.2, 1, 6, dtype=torch.float64)
    seeds = None if batch_size is None else list(range(6))
    arguments = dict(batch_size=batch_size, seeds=seeds, step_size=sizes, observe=OBSERVE, weight_decay=1e-3)
    trained = train(network, x, labels, steps=40, stop=loss_at_most(0.5), record=range(0, 41), **arguments)
    assert len(set(trained.steps.tolist())) > 2  # runs end at different steps, or the test is void
    assert trained.recorded.tolist() == list(range(41))
    for run, taken in enumerate(trained.steps.tolist()):
        assert taken == 40 or trained.final["loss"][run] <= 0.5
        for step, loss in enumerate(trained.history["loss"][:, run].tolist()):
            # With mini-batches the rule is asked at the start of an epoch, here every third step.
            assert (loss == trained.final["loss"][run]) if step >= taken else (loss > 0.5 or step % 3)
        if batch_size is not None:
            assert taken == 40 or taken % 3 == 0
        again = train(network, x, labels, steps=taken, **arguments)
        for a, b in zip(trained.network.weights, again.network.weights, strict=True):
            assert torch.equal(a[run], b[run])
        for name in OBSERVE:
            assert torch.equal(trained.final[name][run], again.final[name][run]), name
    # What is recorded changes nothing.
    unrecorded = train(network, x, labels, steps=40, stop=loss_at_most(0.5), **arguments)
    assert torch.equal(unrecorded.steps, trained.steps)
    assert all(torch.equal(a, b) for a, b in zip(trained.network.weights, unrecorded.network.weights, strict=True))
    assert all(torch.equal(trained.final[name], unrecorded.final[name]) for name in OBSERVE)


def test_finished_runs_cost_nothing():
    network, x, labels = problem(runs=3)
    seen = {"value": 0, "derivative": 0}

    def spy(part, function):
        def counting(u):
            seen[part] += u.ndim > 0  # not when a network asks for sigma(0)
            return function(u)

        return counting

    network = type(network)(
        network.weights, Activation("spy", spy("value", relu().value), spy("derivative", relu().derivative))
    )
    sizes = torch.tensor([1.0, 0.5, 1e-9], dtype=torch.float64)
    trained = train(network, x, labels, step_size=sizes, steps=60, stop=loss_at_most(0.4))
    assert len(set(trained.steps.tolist())) == 3 and trained.steps.max() == 60  # or the test is void
    assert seen["derivative"] == 2 * trained.steps.sum()  # two hidden layers, backward at every step taken
    # Where nothing asks for the whole sample only the mini-batch is looked at: a pass a step, one before and one after.
    seen["value"] = 0
    train(network, x, labels, step_size=sizes, steps=6, batch_size=2, seeds=[0, 1, 2])
    assert seen["value"] == 3 * 2 * (6 + 2)


@pytest.mark.parametrize("batch_size", [None, 3])
def test_runs_that_are_over_stay_as_they_are_until_the_host_looks(batch_size, monkeypatch):
    network, x, labels = problem(runs=6, n=7)
    seeds = None if batch_size is None else list(range(6))
    observe = {key: value for key, value in OBSERVE.items() if key != "step"}
    sizes = torch.linspace(0.2, 1, 6, dtype=torch.float64)
    arguments = dict(
        batch_size=batch_size, seeds=seeds, step_size=sizes, steps=40, stop=loss_at_most(0.5), observe=observe,
        record=(0, 14), weight_decay=1e-3,
    )  # fmt: skip
    here = train(network, x, labels, **arguments)
    assert len(set(here.steps.tolist())) > 2  # runs end at different steps, or the test is void
    for look in (1, 5, 64):
        monkeypatch.setattr("benign.train.problem.LOOK", look)
        there = train(network.to("second_device"), x.to("second_device"), labels.to("second_device"), **arguments)
        assert torch.equal(there.steps.cpu(), here.steps)
        for name, part in itertools.product(observe, ("history", "final")):
            ours, others = getattr(here, part)[name], getattr(there, part)[name]
            torch.testing.assert_close(others.cpu(), ours, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("batch_size", [None, 1])
@pytest.mark.parametrize(
    "name", [name if name == "relu" else pytest.param(name, marks=pytest.mark.slow) for name in FUNCTIONS]
)
@pytest.mark.parametrize("stop", STOPS)
def test_a_step_on_a_device_neither_waits_nor_copies(batch_size, name, stop):
    network, x, labels = (
        part.to("second_device") for part in problem(n=400, name=name)
    )  # which are not fitted so soon
    seeds = None if batch_size is None else [0, 1, 2]

    def counts(steps):
        before = second_device.COUNTS.copy()
        rule = loss_at_most(0) if stop == "loss_at_most" else STOPS[stop]
        arguments = dict(step_size=1e-3, weight_decay=1e-3, steps=steps, stop=rule, batch_size=batch_size, seeds=seeds)
        assert train(network, x, labels, **arguments).steps.tolist() == [steps] * 3, "or the test is void"
        return second_device.COUNTS - before

    few, many = counts(steps=LOOK), counts(steps=3 * LOOK)  # with mini-batches within the first epoch
    looks = 0 if stop == "never" or batch_size else 2
    assert {what: many[what] - few[what] for what in ("copies", "waits")} == {"copies": 0, "waits": looks}


@given(
    runs=st.integers(2, 5),
    n=st.integers(1, 35),
    widths=st.lists(st.integers(1, 35), min_size=1, max_size=4).map(lambda widths: (*widths, 1)),
    name=st.sampled_from(list(FUNCTIONS)),
    parameterisation=st.sampled_from(["ntk", "standard"]),
    loss=st.sampled_from([LOGISTIC, SQUARED]),
    stop=st.sampled_from(list(STOPS)),
    decay=st.sampled_from([0.0, 0.3]),
    known=st.booleans(),
    seed=st.integers(0, 10**6),
    data=st.data(),
)
def test_a_run_is_the_same_to_the_last_bit_in_any_batch(
    runs, n, widths, name, parameterisation, loss, stop, decay, known, seed, data
):
    network, x, labels = problem(runs, n, widths, name, parameterisation, loss, seed=seed)
    network = network if known else own(network)
    sizes = torch.linspace(0.01, 0.1, runs, dtype=torch.float64)
    decays = torch.linspace(0, decay, runs, dtype=torch.float64)  # also none, beside some
    batch_size = data.draw(st.none() | st.integers(1, n))
    chosen = data.draw(st.permutations(range(runs)))[: data.draw(st.integers(1, runs))]

    def run(rows):
        seeds = None if batch_size is None else rows
        return train(
            network.select(torch.tensor(rows)), x[rows], labels[rows], step_size=sizes[rows], steps=8, loss=loss,
            batch_size=batch_size, seeds=seeds, stop=STOPS[stop], observe=OBSERVE, record=(0, 5, 8),
            weight_decay=decays[rows],
        )  # fmt: skip

    together, apart = run(list(range(runs))), run(chosen)
    assert torch.equal(together.steps[chosen], apart.steps)
    assert together.final["loss"].isfinite().all()
    for a, b in zip(together.network.weights, apart.network.weights, strict=True):
        assert torch.equal(a[chosen], b)
    for name in OBSERVE:
        assert torch.equal(together.history[name][:, chosen], apart.history[name]), name
        assert torch.equal(together.final[name][chosen], apart.final[name]), name


@pytest.mark.parametrize("known", [True, False], ids=["compiled", "by PyTorch"])
@pytest.mark.parametrize("batch_size", [None, 64])
def test_a_run_is_the_same_to_the_last_bit_on_any_number_of_threads(known, batch_size):
    network, x, labels = problem(runs=3, n=150, widths=(260, 200, 220, 1))  # products that libraries would split
    network = network if known else own(network)
    arguments = dict(
        step_size=0.5, steps=9, stop=loss_at_most(0.3), observe=OBSERVE, record=(0, 5, 9), weight_decay=0.1,
        batch_size=batch_size, seeds=None if batch_size is None else [0, 1, 2],
    )  # fmt: skip
    results, before = [], torch.get_num_threads()
    for threads in (1, 2, 4):
        torch.set_num_threads(threads)
        try:
            trained = train(network, x, labels, **arguments)
        finally:
            torch.set_num_threads(before)
        results.append((trained.steps, *trained.network.weights, *trained.history.values(), *trained.final.values()))
    for others in results[1:]:
        assert all(torch.equal(one, other) for one, other in zip(results[0], others, strict=True))


@pytest.mark.parametrize("of", [lambda network: network, own])
def test_arguments_are_left_alone(of):
    network, x, labels = problem()
    network = of(network)
    before = [tensor.clone() for tensor in (*network.weights, x, labels)]
    train(network, x, labels, step_size=1.0, steps=3, stop=interpolates, observe=OBSERVE, record=(0, 1))
    after = (*network.weights, x, labels)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(steps=-1), "steps is -1: the number of gradient steps must be at least 0"),
        (dict(step_size=0.0), "step_size is 0.0: it must be a positive number"),
        (dict(step_size=math.inf), "step_size is inf"),
        (dict(step_size=math.nan), "step_size is nan"),
        (
            dict(step_size=torch.ones(3, 2, dtype=torch.float64)),
            r"step_size has shape \(3, 2\): give one number, or one for each of 3 runs",
        ),
        (dict(weight_decay=-0.1), "weight_decay is -0.1: it must be a finite number, at least 0"),
        (dict(weight_decay=math.nan), "weight_decay is nan"),
        (dict(weight_decay=math.inf), "weight_decay is inf"),
        (
            dict(weight_decay=torch.zeros(2)),
            r"weight_decay has shape \(2,\): give one number, or one for each of 3 runs",
        ),
        (dict(offset=torch.zeros(3, 6)), "offset are of the types torch.float32, torch.float64"),
        (dict(batch_size=0, seeds=[0, 1, 2]), "batch_size is 0: it must lie between 1 and the 6 points"),
        (dict(batch_size=7, seeds=[0, 1, 2]), "batch_size is 7: it must lie between 1 and the 6 points"),
        (dict(batch_size=2), "no seeds with a batch_size: the order of the points needs one for each of 3 runs"),
        (dict(batch_size=2, seeds=[0, 1]), "2 seeds with a batch_size"),
        (dict(batch_size=2, seeds=[0, 1, -1]), "seed is -1"),
        (dict(seeds=[0, 1, 2]), "seeds are given without a batch_size: .* leave them out"),
        (dict(record=[0, 9]), "record holds the step 9: steps are counted from 0 to 3, the last"),
    ],
)
def test_wrong_arguments_are_explained(changes, message):
    network, x, labels = problem()
    with pytest.raises(InputError, match=message):
        train(network, x, labels, **(dict(step_size=1.0, steps=3, record=[0]) | changes))


def test_a_batch_that_does_not_fit_together_is_explained():
    network, x, labels = problem()
    wrong = {
        "fewer networks": (network.select(torch.tensor([0, 1])), x, labels),
        "another dimension": (network, x[..., :4].contiguous(), labels),
        "no points": (network, x[:, :0], labels[:, :0]),
    }
    for batch in wrong.values():
        with pytest.raises(InputError, match="the batch does not fit together: the networks are [23] with inputs of"):
            train(*batch, step_size=1.0, steps=1)


def test_labels_that_a_loss_does_not_take_are_explained():
    network, x, labels = problem()
    with pytest.raises(InputError, match="labels hold 0.0: the logistic loss needs -1 and"):
        train(network, x, labels.clamp(min=0), step_size=1.0, steps=1)
    with pytest.raises(InputError, match="labels hold -?inf: the squared loss needs finite numbers"):
        train(network, x, labels / 0, step_size=1.0, steps=1, loss=SQUARED)


def test_networks_that_are_not_the_same_are_not_compared():
    network, x, _ = problem()
    others = [problem(parameterisation="standard"), problem(widths=(5, 7, 1)), problem(name="elu")]
    for (other, _, _), function in itertools.product(others, (lazy.flipped, lazy.linearised)):
        with pytest.raises(InputError, match="both need the same shapes, activation and parameterisation"):
            function(other, network, x)


@pytest.mark.gpu
@pytest.mark.parametrize("batch_size", [None, 6])
def test_a_gpu_computes_the_same(batch_size):
    network, x, labels = problem(n=20, widths=(5, 40, 30, 1), name="elu")
    seeds = None if batch_size is None else [0, 1, 2]
    arguments = dict(
        step_size=0.5, steps=50, batch_size=batch_size, seeds=seeds, observe=OBSERVE, record=(0, 7), weight_decay=1e-2
    )
    here = train(network, x, labels, **arguments)
    there = train(network.to("cuda"), x.cuda(), labels.cuda(), **arguments)
    for name, part in itertools.product(OBSERVE, ("history", "final")):
        torch.testing.assert_close(getattr(there, part)[name].cpu(), getattr(here, part)[name], rtol=1e-9, atol=1e-9)
