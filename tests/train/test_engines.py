"""Both engines: the fast one against the obvious one, the obvious one against autograd, and runs against batches."""

import dataclasses
import itertools
import math
import time

import pytest
import second_device
import torch
from hypothesis import given
from hypothesis import strategies as st

from benign.data.grams import Grams, Points
from benign.errors import InputError
from benign.networks.activations import Activation, PerRun, named, per_run
from benign.networks.two_layer import TwoLayer
from benign.seeds import generator
from benign.train import dense, history, neurons, span
from benign.train.losses import EXPONENTIAL, HINGE, LOGISTIC
from benign.train.problem import LOOK, interpolates, loss_at_most, never
from benign.train.threads import side_by_side

OBSERVE = {
    "loss": history.loss,
    "margins": history.margins,
    "training_error": history.training_error,
    "norm": neurons.norm,
    "norm_21": neurons.norm_21,
    "distance": neurons.distance,
    "squared_norms": lambda s: s.squared_norms(),
    "squared_moves": lambda s: s.squared_moves(),
    "weights": lambda s: s.network.weights,
    "outputs": lambda s: s.outputs,
    "g": lambda s: s.g,
    "active": neurons.active,
    "flipped_share": neurons.flipped_share,
    "spectral_norm": neurons.spectral_norm,
    "step": lambda s: torch.full((len(s.runs),), s.step),  # not a float
}
ROOTS = ("norm", "norm_21", "distance", "spectral_norm")  # of squares that are exact to the rounding of their terms
NAMES = ("relu", "leaky_relu(0.3)", "elu", "smoothed_leaky_relu(0.1, 2)", "linear", "one a run")
POWERS = ("power(2)", "power(2.5)", "power(3)")  # these need larger weights, or nothing moves
LOSSES = (LOGISTIC, EXPONENTIAL, HINGE)
STOPS = {"never": never, "loss_at_most": loss_at_most(0.4), "interpolates": interpolates}


#: Kernels that a step launches on a device: without a stop rule, and what asking one takes.
LAUNCHES = {"relu": 10, "leaky_relu(0.3)": 11, "elu": 11}
ASKED = {"never": 0, "loss_at_most": 7, "interpolates": 10}


def problem(runs=3, n=6, d=9, m=5, scale=0.1, name="relu", seed=0, patches=1):
    """A network, inputs of norm about one, and labels, one for so many inputs."""
    rng = generator(seed, "test")
    mixed = [named(NAMES[rng.integers(len(NAMES) - 1)]) for _ in range(runs)]
    network = TwoLayer(
        torch.tensor(scale * rng.standard_normal((runs, m, d))),
        torch.tensor(rng.choice([-1.0, 1.0], (runs, m))),
        per_run(mixed) if name == "one a run" else named(name),
    )
    x = torch.tensor(rng.standard_normal((runs, n * patches, d)) / math.sqrt(d))
    return network, x, torch.tensor(rng.choice([-1.0, 1.0], (runs, n)))


@given(
    st.fixed_dictionaries(
        {
            "runs": st.integers(1, 5),
            "n": st.integers(1, 20),
            "d": st.integers(1, 30),
            "m": st.integers(1, 20),
            "scale": st.sampled_from([0.0, 1e-6, 0.1, 1.0]),
            "name": st.sampled_from(NAMES + POWERS),
            "seed": st.integers(0, 10**6),
            "patches": st.integers(1, 3),
        }
    ),
    st.sampled_from(LOSSES),
    st.sampled_from(list(STOPS)),
    st.integers(0, 40),
    st.sets(st.integers(0, 40), max_size=4),
    st.floats(0.01, 3) | st.just("one a run"),
)
def test_every_way_to_train_in_the_span_is_the_trajectory_of_dense(batch, loss, stop, steps, record, step_size):
    network, x, labels = problem(**batch)
    if step_size == "one a run":
        step_size = torch.linspace(0.1, 3, len(x), dtype=torch.float64)
    arguments = dict(
        step_size=step_size,
        steps=steps,
        patches=batch["patches"],
        loss=loss,
        stop=STOPS[stop],
        observe=OBSERVE,
        record=[step for step in record if step <= steps],
    )
    slow = dense.train(network, x, labels, **arguments)
    compiled = span.train(network, x, labels, **arguments)
    alone = span.train(own(network), x, labels, **arguments)
    together = span.train(network.to("second_device"), x.to("second_device"), labels.to("second_device"), **arguments)
    close = dict(rtol=1e-10, atol=1e-13)
    for fast in (compiled, alone, together):
        assert torch.equal(fast.steps.cpu(), slow.steps)
        assert fast.recorded.tolist() == slow.recorded.tolist() == sorted(arguments["record"])
        torch.testing.assert_close(fast.network.weights.cpu(), slow.network.weights, **close)
        for name in OBSERVE:
            if name == "step" and fast is together:
                continue  # the host looks later there
            # Gram coordinates give squared lengths to rounding; the root of one that nearly cancels is less exact.
            tolerance = dict(rtol=1e-10, atol=1e-7) if name in ROOTS else close
            torch.testing.assert_close(fast.final[name].cpu(), slow.final[name], **tolerance)
            torch.testing.assert_close(fast.history[name].cpu(), slow.history[name], **tolerance)


def own(network):
    """The networks with activations that no engine knows."""
    members = network.activation.members if isinstance(network.activation, PerRun) else [network.activation]
    strangers = [dataclasses.replace(member, family=None) for member in members]
    return TwoLayer(network.weights, network.signs, per_run(strangers * (len(network.signs) // len(members))))


@pytest.mark.parametrize("engine", [span, dense])
@pytest.mark.parametrize("name", NAMES)
def test_one_step_is_one_of_autograd(engine, name):
    network, x, labels = problem(runs=4, n=7, d=5, m=6, scale=0.5, name=name)
    sizes = torch.tensor([0.1, 0.5, 1.0, 7.0], dtype=torch.float64)
    weights = network.weights.clone().requires_grad_()
    outputs = TwoLayer(weights, network.signs, network.activation)(x)
    risk = torch.log1p(torch.exp(-labels * outputs)).mean(-1)
    (gradient,) = torch.autograd.grad(risk.sum(), weights)
    after = engine.train(network, x, labels, step_size=sizes, steps=1)
    expected = network.weights - sizes.view(-1, 1, 1) * gradient
    torch.testing.assert_close(after.network.weights, expected, rtol=1e-12, atol=1e-14)
    before = engine.train(network, x, labels, step_size=1.0, steps=0, observe={"loss": history.loss})
    torch.testing.assert_close(before.final["loss"], risk.detach(), rtol=1e-13, atol=0)


@pytest.mark.parametrize("engine", [span, dense])
def test_observables_are_what_they_say(engine):
    network, x, labels = problem(scale=0.5)
    trained = engine.train(network, x, labels, step_size=1.0, steps=5, observe=OBSERVE)
    w, w0 = trained.network.weights, network.weights
    margins = labels * trained.network(x)
    expected = {
        "loss": torch.log1p(torch.exp(-margins)).mean(-1),
        "margins": margins,
        "training_error": (margins <= 0).double().mean(-1),
        "norm": w.flatten(1).norm(dim=1),
        "norm_21": w.norm(dim=2).sum(1),
        "distance": (w - w0).flatten(1).norm(dim=1),
        "squared_moves": (w - w0).square().sum(-1),
    }
    for name, value in expected.items():
        torch.testing.assert_close(trained.final[name], value, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("engine", [span, dense])
def test_a_finished_run_keeps_its_values(engine):
    network, x, labels = problem(runs=6, n=4, d=12, scale=0.3)
    stop = loss_at_most(0.45)
    trained = engine.train(
        network, x, labels, step_size=0.5, steps=60, stop=stop, observe=OBSERVE, record=range(0, 61, 3)
    )
    assert len(set(trained.steps.tolist())) > 2  # runs end at different steps, or the test is void
    for run, taken in enumerate(trained.steps.tolist()):
        losses = trained.history["loss"][:, run]
        for step, loss in zip(trained.recorded.tolist(), losses.tolist(), strict=True):
            assert (loss == trained.final["loss"][run]) if step >= taken else loss > 0.45
        assert trained.final["step"][run] == taken
        assert taken == 60 or trained.final["loss"][run] <= 0.45
    # The final weights are those of the step at which it stopped.
    again = [
        engine.train(network, x, labels, step_size=0.5, steps=taken).network.weights[run]
        for run, taken in enumerate(trained.steps.tolist())
    ]
    torch.testing.assert_close(trained.network.weights, torch.stack(again), rtol=1e-12, atol=1e-14)


def test_stop_rules():
    margins = torch.tensor([[1.0, 2.0], [0.0, 9.0], [-1.0, 1.0]], dtype=torch.float64)
    losses = torch.tensor([[0.1, 0.3], [0.2, 0.2], [0.0, 0.5]], dtype=torch.float64)
    assert interpolates(margins, losses).tolist() == [True, False, False]
    assert loss_at_most(0.2)(margins, losses).tolist() == [True, True, False]
    assert never(margins, losses).tolist() == [False] * 3


@given(
    runs=st.integers(2, 6),
    n=st.integers(1, 40),
    d=st.integers(1, 40),
    m=st.integers(1, 40),
    name=st.sampled_from(NAMES),
    stop=st.sampled_from(list(STOPS)),
    seed=st.integers(0, 10**6),
    data=st.data(),
)
def test_a_run_is_the_same_to_the_last_bit_in_any_batch(runs, n, d, m, name, stop, seed, data):
    network, x, labels = problem(runs, n, d, m, 0.3, name, seed)
    sizes = torch.linspace(0.5, 2, runs, dtype=torch.float64)
    chosen = data.draw(st.permutations(range(runs)))[: data.draw(st.integers(1, runs))]

    def train(rows):
        part = network.select(torch.tensor(rows))
        return span.train(
            part, x[rows], labels[rows], step_size=sizes[rows], steps=12, stop=STOPS[stop], observe=OBSERVE,
            record=(0, 5, 12),
        )  # fmt: skip

    together, apart = train(list(range(runs))), train(chosen)
    assert torch.equal(together.network.weights[chosen], apart.network.weights)
    assert torch.equal(together.steps[chosen], apart.steps)
    for name in OBSERVE:
        assert torch.equal(together.history[name][:, chosen], apart.history[name]), name
        assert torch.equal(together.final[name][chosen], apart.final[name]), name


@pytest.mark.parametrize("alone", [True, False], ids=["compiled", "by PyTorch"])
def test_a_run_is_the_same_to_the_last_bit_on_any_number_of_threads(alone):
    network, x, labels = problem(runs=5, n=150, d=300, m=260, scale=0.3)  # products that libraries would split
    network = network if alone else own(network)
    arguments = dict(step_size=1.0, steps=12, stop=loss_at_most(0.69), observe=OBSERVE, record=(0, 5, 12))
    results, before = [], torch.get_num_threads()
    for threads in (1, 2, 4):
        torch.set_num_threads(threads)
        try:
            trained = span.train(network, x, labels, **arguments)
            results.append((trained.steps, *trained.history.values(), *trained.final.values()))
            assert torch.get_num_threads() == threads
        finally:
            torch.set_num_threads(before)
    for others in results[1:]:
        assert all(torch.equal(one, other) for one, other in zip(results[0], others, strict=True))


def test_what_goes_wrong_on_a_thread_is_raised_and_ends_the_others():
    seen = []

    def work(item):
        seen.append(item)
        time.sleep(0.001)
        if item == 3:
            raise InputError("the third")

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(InputError, match="the third"):
            side_by_side(work, range(1000))
        assert len(seen) < 1000
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@given(
    runs=st.integers(1, 5),
    n=st.integers(1, 20),
    m=st.integers(1, 20),
    name=st.sampled_from(NAMES),
    loss=st.sampled_from(LOSSES),
    stop=st.sampled_from(list(STOPS)),
    seed=st.integers(0, 10**6),
)
def test_inner_products_are_all_that_training_needs(runs, n, m, name, loss, stop, seed):
    network, x, labels = problem(runs, n, 9, m, 0.3, name, seed)
    arguments = dict(step_size=0.7, steps=15, loss=loss, stop=STOPS[stop], record=(0, 4, 15))
    observe = {key: value for key, value in OBSERVE.items() if key != "weights"}
    slow = dense.train(network, x, labels, observe=observe, **arguments)
    grams = Grams.of(x, network.weights)
    fast = span.train_on_grams(grams, network.signs, network.activation, labels, observe=observe, **arguments)
    assert torch.equal(fast.steps, slow.steps)
    close = dict(rtol=1e-10, atol=1e-12)
    for name in observe:
        tolerance = dict(rtol=1e-10, atol=1e-7) if name in ROOTS else close
        torch.testing.assert_close(fast.history[name], slow.history[name], **tolerance)
        torch.testing.assert_close(fast.final[name], slow.final[name], **tolerance)
    fresh = torch.tensor(generator(seed, "fresh points").standard_normal((runs, 8, 9)))
    points = Points.of(fresh, x, network.weights)
    torch.testing.assert_close(fast.network(points), slow.network(fresh), **close)
    torch.testing.assert_close(fast.network(Points(grams.inputs, grams.cross)), slow.final["outputs"], **close)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("loss", [LOGISTIC, EXPONENTIAL])
def test_single_precision_is_close(name, loss):
    # Near-orthogonal inputs, 300 steps. Rounding errors of 6e-8 a step do not grow: where the loss is convex in the
    # outputs, gradient descent contracts. 1e-4 is the bound that the book relies on where it trains in float32.
    network, x, labels = problem(runs=6, n=24, d=4000, m=64, scale=1e-3, name=name)
    arguments = dict(step_size=2.0, steps=300, loss=loss, observe={"loss": history.loss, "margins": history.margins})
    double = span.train(network, x, labels, **arguments)
    halved = TwoLayer(network.weights.float(), network.signs.float(), network.activation)
    single = span.train(halved, x.float(), labels.float(), **arguments)
    assert single.network.weights.dtype == torch.float32
    assert double.final["loss"].max() < 0.2  # it did train
    for name, value in double.final.items():
        torch.testing.assert_close(single.final[name].double(), value, rtol=1e-4, atol=0)


@pytest.mark.parametrize("engine", [span, dense])
def test_arguments_are_left_alone(engine):
    network, x, labels = problem()
    before = [tensor.clone() for tensor in (network.weights, network.signs, x, labels)]
    engine.train(network, x, labels, step_size=1.0, steps=3, stop=interpolates)
    after = (network.weights, network.signs, x, labels)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_cost_of_a_step_does_not_depend_on_the_dimension():
    # In the span of the data no product of a step has a factor with an axis of length d.
    network, x, labels = problem(runs=1, n=3, d=1000, m=4)
    shapes = []
    spy = Activation(
        "spy", lambda u: shapes.append(u.shape) or u.clamp(min=0), lambda u: shapes.append(u.shape) or (u > 0) * 1.0
    )
    span.train(TwoLayer(network.weights, network.signs, spy), x, labels, step_size=1.0, steps=3)
    assert {shape[-1] for shape in shapes} == {3}


@pytest.mark.parametrize("margin", [-1e6, -1000.0, -750.0, -30.0, -1.0, 0.0, 1.0, 30.0, 700.0, 1e6])
def test_the_logistic_loss_is_exact_far_out(margin):
    u = torch.tensor(margin, dtype=torch.float64)
    # log(1 + exp(-u)) = max(-u, 0) + log(1 + exp(-|u|)), g = exp(-max(u, 0)) / (1 + exp(-|u|)), without overflow
    value = max(-margin, 0) + math.log1p(math.exp(-abs(margin)))
    assert LOGISTIC.value(u).item() == pytest.approx(value, rel=1e-15, abs=0)
    g = math.exp(-max(margin, 0)) / (1 + math.exp(-abs(margin)))
    assert LOGISTIC.negative_derivative(u).item() == pytest.approx(g, rel=1e-13, abs=0)


def test_a_run_that_diverged_fits_nothing():
    network, x, labels = problem(runs=1)
    outputs = torch.full((1, 6), torch.nan, dtype=torch.float64)
    snapshot = dense.DenseSnapshot(
        0, torch.tensor([0]), outputs, labels, LOGISTIC, *[outputs] * 2, network.signs, network, network
    )
    assert history.training_error(snapshot).tolist() == [1]


@pytest.mark.parametrize("engine", [span, dense])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(steps=-1), "steps is -1: the number of gradient steps must be at least 0"),
        (dict(step_size=0.0), "step_size is 0.0: it must be a positive number"),
        (dict(step_size=math.nan), "step_size is nan"),
        (dict(step_size=math.inf), "step_size is inf"),
        (dict(step_size=torch.tensor([1.0, -2.0, 1.0], dtype=torch.float64)), "step_size is -2.0"),
        (dict(step_size=torch.ones(2, dtype=torch.float64)), r"step_size has shape \(2,\): .* each of 3 runs"),
        (dict(record=[0, 9]), "record holds the step 9: steps are counted from 0 to 3, the last"),
        (dict(record=[-1]), "record holds the step -1"),
        (
            dict(observe={"total": lambda s: s.losses.sum()}),
            r"'total' has shape \(\): its first axis must be the [13] runs",
        ),
    ],
)
def test_wrong_arguments_are_explained(engine, changes, message):
    network, x, labels = problem()
    with pytest.raises(InputError, match=message):
        engine.train(network, x, labels, **(dict(step_size=1.0, steps=3, record=[0]) | changes))


@pytest.mark.parametrize("engine", [span, dense])
def test_a_batch_that_does_not_fit_together_is_explained(engine):
    network, x, labels = problem()
    wrong = {
        "fewer networks": (TwoLayer(network.weights[:2], network.signs[:2], network.activation), x, labels),
        "another dimension": (network, x[..., :4].contiguous(), labels),
        "no points": (network, x[:, :0], labels[:, :0]),
    }
    for batch in wrong.values():
        with pytest.raises(InputError, match=r"does not fit together: weights \(runs, m, d\) are"):
            engine.train(*batch, step_size=1.0, steps=1)
    with pytest.raises(InputError, match="labels hold 0.0: the logistic loss needs -1 and"):
        engine.train(network, x, labels.clamp(min=0), step_size=1.0, steps=1)
    with pytest.raises(InputError, match="does not fit together: .*, with 4 rows of x a sample"):
        engine.train(network, x, labels, step_size=1.0, steps=1, patches=4)
    with pytest.raises(InputError, match="patches is 0: a sample has at least one"):
        engine.train(network, x, labels, step_size=1.0, steps=1, patches=0)


def test_samples_of_patches_known_by_their_inner_products():
    network, x, labels = problem(patches=2, scale=0.5)
    arguments = dict(step_size=1.0, steps=5, patches=2, observe={"margins": history.margins})
    vectors = span.train(network, x, labels, **arguments)
    products = span.train_on_grams(Grams.of(x, network.weights), network.signs, network.activation, labels, **arguments)
    torch.testing.assert_close(products.final["margins"], vectors.final["margins"], rtol=1e-12, atol=1e-14)
    with pytest.raises(InputError, match="does not fit together: .*, with 3 patches a sample"):
        span.train_on_grams(
            Grams.of(x, network.weights), network.signs, network.activation, labels, **arguments | dict(patches=3)
        )


def test_grams_that_do_not_fit_together_are_explained():
    network, x, labels = problem()
    grams = Grams.of(x, network.weights)
    wrong = {
        "fewer runs": Grams.of(x[:2], network.weights[:2]),
        "fewer points": Grams.of(x[:, :4], network.weights),
        "fewer neurons": Grams.of(x, network.weights[:, :3]),
        "one run": Grams.of(x[0], network.weights[0]),
    }
    for part in wrong.values():
        with pytest.raises(InputError, match=r"does not fit together: cross \(runs, m, n\) is"):
            span.train_on_grams(part, network.signs, network.activation, labels, step_size=1.0, steps=1)
    with pytest.raises(InputError, match="does not fit together"):
        span.train_on_grams(grams, network.signs, network.activation, labels[:, :0], step_size=1.0, steps=1)


def test_a_run_that_is_over_stays_as_it_is_until_the_host_looks(monkeypatch):
    # As on a GPU, where the host looks only now and then.
    network, x, labels = problem(runs=6, n=4, d=12, scale=0.3)
    observe = {key: value for key, value in OBSERVE.items() if key != "step"}
    arguments = dict(step_size=0.5, steps=60, stop=loss_at_most(0.45), observe=observe, record=(0, 33))
    at_once = span.train(own(network), x, labels, **arguments)
    monkeypatch.setattr(span, "look", lambda device: 25)
    later = span.train(own(network), x, labels, **arguments)
    assert len(set(at_once.steps.tolist())) > 2  # runs end at different steps, or the test is void
    assert torch.equal(later.steps, at_once.steps)
    for name in observe:
        assert torch.equal(later.history[name], at_once.history[name]), name
        assert torch.equal(later.final[name], at_once.final[name]), name


@pytest.mark.parametrize(("name", "d"), [*((name, 30) for name in NAMES[:-1] + POWERS), ("relu", 9)])
@pytest.mark.parametrize("stop", STOPS)
def test_a_step_on_a_device_neither_waits_nor_copies(name, d, stop):
    problems = problem(n=50, d=d, name=name)  # which are not fitted so soon
    network, x, labels = (part.to("second_device") for part in problems)

    def counts(steps):
        before = second_device.COUNTS.copy()
        rule = loss_at_most(0) if stop == "loss_at_most" else STOPS[stop]
        taken = span.train(network, x, labels, step_size=1e-3, steps=steps, stop=rule).steps
        assert taken.tolist() == [steps] * 3, "or the test is void"
        return second_device.COUNTS - before

    few, many = counts(steps=LOOK), counts(steps=3 * LOOK)
    looks = 0 if stop == "never" else 2
    assert {what: many[what] - few[what] for what in ("copies", "waits")} == {"copies": 0, "waits": looks}
    if name in LAUNCHES:
        assert (many["launches"] - few["launches"]) // (2 * LOOK) == LAUNCHES[name] + ASKED[stop] + (2 * d < 50)


def test_records_cost_no_wait_without_a_stop_rule():
    network, x, labels = (part.to("second_device") for part in problem())

    def waits(record):
        before = second_device.COUNTS["waits"]
        observe = {"loss": history.loss}
        span.train(network, x, labels, step_size=1.0, steps=20, observe=observe, record=record)
        return second_device.COUNTS["waits"] - before

    assert waits(range(20)) == waits(())


@pytest.mark.parametrize("engine", [span, dense])
def test_a_device_without_double_precision_trains_in_single(engine, monkeypatch):
    monkeypatch.setattr(second_device, "LACKS", {torch.float64})
    network, x, labels = problem(runs=2)
    network = TwoLayer(network.weights.float(), network.signs.float(), network.activation)
    arguments = dict(step_size=torch.tensor([0.5, 1.0]), steps=20, stop=loss_at_most(0.6), observe=OBSERVE, record=(3,))
    here = engine.train(network, x.float(), labels.float(), **arguments)
    moved = (part.to("second_device") for part in (network, x.float(), labels.float()))
    there = engine.train(*moved, **arguments)
    for name in ("loss", "margins", "norm_21"):
        torch.testing.assert_close(there.final[name].cpu(), here.final[name], rtol=1e-4, atol=1e-4)
    with pytest.raises(TypeError, match="has no torch.float64"):
        x.to("second_device")


@pytest.mark.gpu
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_gpu_computes_the_same(name, loss):
    network, x, labels = problem(runs=3, n=20, d=30, m=16, name=name)
    observe = {key: value for key, value in OBSERVE.items() if key != "step"}  # the host looks later there
    arguments = dict(step_size=1.0, steps=150, loss=loss, stop=interpolates, observe=observe, record=(0, 7))
    here = span.train(network, x, labels, **arguments)
    there = span.train(network.to("cuda"), x.cuda(), labels.cuda(), **arguments)
    assert torch.equal(here.steps, there.steps.cpu())
    for name, part in itertools.product(observe, ("history", "final")):
        torch.testing.assert_close(getattr(there, part)[name].cpu(), getattr(here, part)[name], rtol=1e-9, atol=1e-9)
