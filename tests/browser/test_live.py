"""The live experiment: its numbers are the package's, its random numbers have the package's law, and it can be used.

False alarms: the tests of laws, all together, raise one with probability at most 0.001 (Bonferroni; the
Kolmogorov-Smirnov tests are exact, and conservative where there are ties). The seeds were fixed before the first look.
"""

import functools
import itertools
import json
import math
import re
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from scipy import stats

from benign.data import mixtures
from benign.data.grams import Grams, Points
from benign.experiments.clusters import PollutedClusters
from benign.experiments.parts import margin_parts
from benign.measure.statistics import binomial_interval
from benign.networks.activations import leaky_relu
from benign.networks.spanned import Spanned
from benign.networks.two_layer import TwoLayer, output_signs
from benign.theory import averaging, conditions, xu2023
from benign.train import history, neurons, span

PAGE = "chapters/live.html"
AGREEMENT = 1e-9
OBSERVED = {
    one.__name__: one for one in (history.loss, history.margins, neurons.norm, neurons.norm_21, neurons.distance)
}


def finished(page):
    """Wait until the last setting that was asked for has its result."""
    # a frame passes before a change is asked for
    page.evaluate("new Promise(go => requestAnimationFrame(() => requestAnimationFrame(go)))")
    page.wait_for_selector('.live[data-busy="no"]', timeout=120_000)  # a busy machine is no failure


@pytest.fixture(scope="module")
def opened(lasting_page):
    """The page, after its first run; all tests of its numbers and most of its use share one."""
    page = lasting_page(permissions=["clipboard-read", "clipboard-write"], reduced_motion="reduce")
    page.goto(PAGE)
    finished(page)
    return page


@pytest.fixture
def live(opened):
    """The page as it opens."""
    opened.set_viewport_size({"width": 1440, "height": 900})
    opened.emulate_media(media="screen", color_scheme="light")
    opened.get_by_role("button", name="Reset").click()
    finished(opened)
    return opened


@pytest.fixture(scope="module")
def engine(opened):
    """A function that evaluates JavaScript with the page's engine, given one argument ``given``."""

    def evaluate(script, given=None):
        return opened.evaluate(f"async given => {{ const engine = await import('./engine.js'); {script} }}", given)

    return evaluate


# Numbers


@dataclass(frozen=True)
class Problem:
    n: int
    p: int
    m: int
    signal: float
    slope: float
    steps: int
    step: float = 1.0
    init_scale: float = 1.0
    label_noise: float = 0.2

    @property
    def setting(self):
        """In the engine's words."""
        return {
            "n": self.n, "p": self.p, "signal": self.signal, "labelNoise": self.label_noise, "slope": self.slope,
            "width": self.m, "step": self.step, "initScale": self.init_scale, "steps": self.steps, "seed": 7,
        }  # fmt: skip

    @property
    def scale(self):
        return self.init_scale * xu2023.initial_scale(self.n, self.p, self.m, self.step)

    def train(self, x, directions, signs, labels, record):
        """Our training on given vectors, by their inner products."""
        observe = OBSERVED | {"training_error": history.training_error}
        grams = Grams.of(x, self.scale * directions)
        grams = Grams(grams.inputs[None], grams.cross[None], grams.weights[None])
        activation = leaky_relu(self.slope)
        observe["coefficients"] = lambda s: s.coefficients
        return span.train_on_grams(
            grams, signs[None], activation, labels[None],
            step_size=xu2023.step_size(self.n, self.p, self.step), steps=self.steps, observe=observe, record=record,
        )  # fmt: skip


PROBLEMS = {
    "benign": Problem(n=40, p=20_000, m=64, signal=9.0, slope=0.0, steps=300),
    "leaky": Problem(n=30, p=500, m=33, signal=3.0, slope=0.1, steps=300),
    "low dimension": Problem(n=21, p=10, m=20, signal=2.0, slope=0.0, steps=1000),
    "steep leak, large start": Problem(n=17, p=200, m=7, signal=2.5, slope=0.7, steps=200, init_scale=3000.0),
    "a billion": Problem(n=25, p=10**9, m=16, signal=130.0, slope=0.0, steps=200),
    "linear, one neuron": Problem(n=9, p=100, m=1, signal=2.0, slope=1.0, steps=100, step=0.2, label_noise=0.0),
    "wide": Problem(n=100, p=3000, m=128, signal=5.0, slope=0.0, steps=100),
}

TRAJECTORY = """
    const descent = new engine.Descent(Object.fromEntries(Object.entries(given.problem)
        .map(([name, value]) => [name, Array.isArray(value) ? Float64Array.from(value) : value])));
    const kept = {loss: [], margins: [], training_error: [], norm: [], norm_21: [], distance: []};
    for (;;) {
        const {norm, norm21, distance} = descent.lengths();
        const now = {loss: descent.loss(), margins: [...descent.margins], norm, norm_21: norm21, distance,
                     training_error: descent.errors() / descent.n};
        for (const name in kept) kept[name].push(now[name]);
        if (descent.steps === given.steps) break;
        descent.step();
    }
    const {count, labels, inputs, weights} = given.points;
    const points = {count, labels: Float64Array.from(labels), inputs: Float64Array.from(inputs),
                    weights: Float64Array.from(weights), along: new Float64Array(count)};
    const hidden = engine.freshHidden(descent, points, 1), along = new Float64Array(descent.m);
    const fresh = engine.marginParts(descent, hidden, points, along);
    return {...kept, fresh: [...fresh.margins]};
"""


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_the_trajectory_is_that_of_the_package_for_the_same_grams(engine, problem):
    sample = mixtures.sample(problem.n, problem.p, problem.signal, problem.label_noise, 3, directions=problem.m)
    signs = output_signs(problem.m, 3)
    trained = problem.train(sample.x, sample.directions, signs, sample.labels, range(problem.steps + 1))
    weights = problem.scale * sample.directions
    grams = Grams.of(sample.x, weights)
    x, y = mixtures.fresh_points(problem.signal, sample.x.shape[1], 3, 500)
    points = Points.of(x, sample.x, weights)

    def flat(tensor):
        return tensor.flatten().tolist()

    theirs = engine(
        TRAJECTORY,
        {
            "problem": {
                "inputs": flat(grams.inputs), "cross": flat(grams.cross), "signs": flat(signs),
                "squaredNorms": flat(grams.weights.diagonal()), "labels": flat(sample.labels), "slope": problem.slope,
                "stepSize": xu2023.step_size(problem.n, problem.p, problem.step),
            },
            "points": {"count": 500, "labels": flat(y), "inputs": flat(points.inputs), "weights": flat(points.weights)},
            "steps": problem.steps,
        },
    )  # fmt: skip
    assert trained.history["loss"][-1] < trained.history["loss"][0]
    for name in ("loss", "margins", "training_error", "norm", "norm_21", "distance"):
        ours = trained.history[name][:, 0].numpy()
        # in units of the largest value so far along the trajectory: a margin passes through zero
        unit = np.maximum.accumulate(np.abs(ours).reshape(len(ours), -1).max(1)).reshape(-1, *[1] * (ours.ndim - 1))
        difference = np.abs(np.array(theirs[name]) - ours) / np.where(unit > 0, unit, 1)
        assert difference.max() <= AGREEMENT, name
    ours = y * trained.network(Points(points.inputs[None], points.weights[None]))[0]
    np.testing.assert_allclose(theirs["fresh"], ours, rtol=0, atol=AGREEMENT * float(ours.abs().max()))


WHOLE = """
    const drawn = engine.sample(given), points = engine.freshPoints(drawn, engine.TEST_POINTS);
    let piece;
    const pieces = engine.experiment(given);
    do piece = pieces.next(); while (!piece.done);
    const plain = value => ArrayBuffer.isView(value) ? [...value] : value;
    const plains = object => Object.fromEntries(Object.entries(object).map(([name, value]) => [name, plain(value)]));
    const known = {...plains(piece.value), frames: piece.value.frames.map(plains)};
    const {vectors, clean, labels, signs, q} = drawn;
    return {known, q, vectors: [...vectors], clean: [...clean], labels: [...labels], signs: [...signs],
            truth: [...points.labels], inputs: [...points.inputs], weights: [...points.weights],
            along: [...points.along]};
"""


@pytest.mark.parametrize("name", ["benign", "leaky", "low dimension", "steep leak, large start"])
def test_what_the_page_shows_is_what_the_package_makes_of_the_same_sample(engine, name):
    problem = PROBLEMS[name]
    said = SimpleNamespace(**engine(WHOLE, problem.setting))
    known = said.known
    vectors = torch.tensor(said.vectors, dtype=torch.float64).view(problem.n + problem.m, said.q)
    x, directions = vectors[: problem.n], vectors[problem.n :]
    signs, labels = (torch.tensor(values, dtype=torch.float64) for values in (said.signs, said.labels))
    flipped = np.array(said.clean) != np.array(said.labels)
    assert flipped.sum() == round(problem.label_noise * problem.n) == known["flips"]
    assert flipped.tolist() == known["flipped"]

    assert known["testedAt"][0] == 0 and known["testedAt"][-1] == problem.steps
    trained = problem.train(x, directions, signs, labels, known["at"])
    margins = trained.history["margins"][:, 0].numpy()
    assert known["cleanErrors"] == (~(margins > 0) & ~flipped).sum(1).tolist()
    assert known["flippedErrors"] == (~(margins > 0) & flipped).sum(1).tolist()
    np.testing.assert_allclose(known["loss"], trained.history["loss"][:, 0], rtol=AGREEMENT)
    np.testing.assert_allclose(known["margins"], margins[-1], atol=AGREEMENT * np.abs(margins).max())

    count = len(said.truth)
    points = Points(
        torch.tensor(said.inputs, dtype=torch.float64).view(1, problem.n, count),
        torch.tensor(said.weights, dtype=torch.float64).view(1, problem.m, count),
    ).scaled(problem.scale)
    points = Points(points.inputs, points.weights)
    for at, errors, interval in zip(known["testedAt"], known["testErrors"], known["testIntervals"], strict=True):
        coefficients = trained.history["coefficients"][known["at"].index(at)]
        outputs = Spanned(coefficients, signs[None], leaky_relu(problem.slope))(points)[0]
        assert errors == int((~(torch.tensor(said.truth) * outputs > 0)).sum())
        np.testing.assert_allclose(interval, binomial_interval(errors, count), rtol=1e-9, atol=1e-12)

    # evidence and memory, of the sample and of those new points that are drawn one by one
    start = problem.scale * directions
    truth, along = torch.tensor(said.truth, dtype=torch.float64), torch.tensor(said.along, dtype=torch.float64)
    for at, frame in zip(known["testedAt"], known["frames"], strict=True):
        coefficients = trained.history["coefficients"][known["at"].index(at)][0]
        weights = start + coefficients @ x
        evidence, memory = margin_parts(TwoLayer(weights[None], signs[None], leaky_relu(problem.slope)), x, labels)
        unit = float(max(evidence.abs().max(), memory.abs().max()))
        np.testing.assert_allclose(frame["evidence"][: problem.n], evidence, atol=AGREEMENT * unit)
        np.testing.assert_allclose(frame["memory"][: problem.n], memory, atol=AGREEMENT * unit)
        few = slice(0, len(frame["evidence"]) - problem.n)
        hidden = (coefficients @ points.inputs[0] + points.weights[0])[:, few]
        slopes = leaky_relu(problem.slope).derivative(hidden) * signs[:, None] / problem.m**0.5
        ours = truth[few] * along[few] * (slopes * weights[:, :1]).sum(0)
        np.testing.assert_allclose(frame["evidence"][problem.n :], ours, atol=AGREEMENT * unit)
        margins = truth[few] * (slopes * hidden).sum(0)
        both = np.array(frame["evidence"][problem.n :]) + frame["memory"][problem.n :]
        np.testing.assert_allclose(both, margins, atol=AGREEMENT * unit)


def test_closed_forms_are_those_of_the_package(engine):
    settings = [
        {"n": n, "p": p, "signal": signal, "labelNoise": noise, "width": 5, "step": 1.0, "initScale": 3.0}
        for n, p, signal, noise in [
            (40, 20_000, 9.0, 0.2),
            (2, 2, 0.1, 0.0),
            (200, 10**9, 300.0, 0.49),
            (7, 50, 6.0, 0.1),
        ]
    ]
    forms = ["signalIndex", "signalLoad", "firstStepWall", "averagingError", "stepSize", "initialScale"]
    said = engine(
        "return given.settings.map(s => ({...Object.fromEntries(given.forms.map(f => [f, engine.theory[f](s)])),"
        " back: engine.theory.signalOfDepth(s, engine.theory.averagingDepth(s))}))",
        {"settings": settings, "forms": forms},
    )
    for s, values in zip(settings, said, strict=True):
        n, p, signal, noise = s["n"], s["p"], s["signal"], s["labelNoise"]
        ours = {
            "signalIndex": xu2023.signal_index(n, p, signal),
            "signalLoad": conditions.signal_load(n, p, signal),
            "firstStepWall": conditions.first_step_wall(noise),
            "averagingError": averaging.test_error(n, p, signal, noise),
            "stepSize": xu2023.step_size(n, p, 1.0),
            "initialScale": 3 * xu2023.initial_scale(n, p, 5, 1.0),
            "back": signal,
        }
        assert values == pytest.approx(ours, rel=1e-10)
    x = np.concatenate([np.linspace(-8, 8, 401), [10.0, 20.0, 35.0]])
    tails = engine("return given.map(engine.upperTail)", x.tolist())
    np.testing.assert_allclose(tails, stats.norm.sf(x), rtol=1e-12)


@pytest.mark.parametrize(("errors", "trials"), [(0, 2000), (1, 2000), (37, 2000), (1000, 2000), (2000, 2000), (3, 7)])
def test_intervals_are_those_of_the_package(engine, errors, trials):
    said = engine("return engine.binomialInterval(given[0], given[1])", [errors, trials])
    np.testing.assert_allclose(said, binomial_interval(errors, trials), rtol=1e-9, atol=1e-12)


# Random numbers

FALSE_ALARM = 0.001
SEEDS = 400
DEGREES = [1, 2, 3, 10, 1000, 10**9 - 1]


LAWS = {  # by where p - 1 lies
    "far below n + m": Problem(6, 2, 4, 1.0, 0.0, steps=30),
    "below n + m": Problem(8, 11, 6, 1.5, 0.1, steps=30),
    "at n + m": Problem(10, 17, 6, 1.5, 0.0, steps=30, label_noise=0.1),
    "above n + m": Problem(12, 200, 8, 3.0, 0.0, steps=30),
    "a billion": Problem(10, 10**9, 8, 200.0, 0.1, steps=30, label_noise=0.1),
}
STATISTICS = 14
LEVEL = FALSE_ALARM / 2 / (len(LAWS) * STATISTICS)  # of one comparison with the package's runs
STREAMS = FALSE_ALARM / 2 / (len(DEGREES) + 6)  # of one test of a stream

RUNS = """
    const plain = ({vectors, labels, clean, signs}) => [vectors, labels, clean, signs].map(values => [...values]);
    return Array.from({length: given.seeds}, (_, seed) => {
        const setting = {...given.setting, seed}, pieces = engine.experiment(setting);
        let piece;
        do piece = pieces.next(); while (!piece.done);
        return [...plain(engine.sample(setting)), piece.value.testErrors.at(-1) / engine.TEST_POINTS];
    });
"""


def theirs(engine, law):
    """Runs of the page: vectors, labels, clean labels, signs, test errors."""
    runs = engine(RUNS, {"setting": law.setting, "seeds": SEEDS})
    *arrays, test_errors = (torch.tensor(np.array(part), dtype=torch.float64) for part in zip(*runs, strict=True))
    return arrays[0].view(SEEDS, law.n + law.m, -1), *arrays[1:], test_errors


@functools.cache
def ours(law):
    """Runs of the package, likewise; of other seeds, though nothing is shared."""
    parts = []
    for seed in range(SEEDS, 2 * SEEDS):
        drawn = mixtures.sample(law.n, law.p, law.signal, law.label_noise, seed, directions=law.m)
        parts.append((torch.cat([drawn.x, drawn.directions]), drawn.labels, drawn.clean, output_signs(law.m, seed)))
    vectors, labels, clean, signs = (torch.stack(part) for part in zip(*parts, strict=True))
    trained = train(law, vectors, labels, signs)
    points, truth = mixtures.fresh_points(law.signal, vectors.shape[-1], 0, SEEDS * 2000)
    tests = truth.view(SEEDS, -1) * trained.network(points.view(SEEDS, 2000, -1))
    return vectors, labels, clean, signs, (~(tests > 0)).double().mean(-1)


def train(law, vectors, labels, signs):
    start = TwoLayer(law.scale * vectors[:, law.n :], signs, leaky_relu(law.slope))
    step_size = xu2023.step_size(law.n, law.p, law.step)
    return span.train(
        start, vectors[:, : law.n], labels, step_size=step_size, steps=law.steps, observe=OBSERVED, record=[0]
    )


def statistics(law, vectors, labels, clean, signs, test_errors):
    """What is compared, one number a run for each name."""
    final = train(law, vectors, labels, signs).final
    x, gram = vectors[:, : law.n], vectors @ vectors.mT
    off = gram * (1 - torch.eye(law.n + law.m))
    flipped = clean != labels
    found = {
        "loss": final["loss"],
        "smallest margin": final["margins"].amin(-1),
        "margin of the first point": final["margins"][:, 0],
        "margins of wrong labels": (final["margins"] * flipped).sum(-1),
        "norm": final["norm"],
        "norm_21": final["norm_21"],
        "distance": final["distance"],
        "test error": test_errors,
        "largest product": off.abs().amax((1, 2)),
        "smallest eigenvalue": torch.linalg.eigvalsh(gram)[:, -min(law.n + law.m, law.p)],  # of those that are not 0
        "length of the first vector": gram[:, 0, 0],
        "length of the last vector": gram[:, -1, -1],
        "along mu": (clean * x[..., 0]).mean(-1),
        "positive labels and signs": (clean > 0).sum(-1) + 100.0 * (signs > 0).sum(-1) + 0.01 * flipped[:, 0],
    }
    assert len(found) == STATISTICS
    return found


def rejections(one, other):
    """The statistics whose laws are told apart, at their share of the false alarms."""
    return [name for name in one if stats.ks_2samp(one[name], other[name]).pvalue <= LEVEL]


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_samples_and_runs_have_the_law_of_the_packages(engine, law):
    assert rejections(statistics(law, *theirs(engine, law)), statistics(law, *ours(law))) == []


WRONG = {
    "two dimensions too many": ("at n + m", {"p": 19}),
    "a fifth more signal": ("above n + m", {"signal": 3.6}),
    "less label noise": ("above n + m", {"label_noise": 0.1}),
}


@pytest.mark.slow
@pytest.mark.parametrize(("where", "change"), WRONG.values(), ids=WRONG)
def test_another_law_would_be_found(engine, where, change):
    law = LAWS[where]
    vectors, *rest = theirs(engine, replace(law, **change))
    assert rejections(statistics(law, vectors, *rest), statistics(law, *ours(law)))


@pytest.mark.parametrize("degrees", DEGREES)
def test_lengths_are_chi_distributed(engine, degrees):
    drawn = engine(
        "return Array.from({length: 5000}, (_, row) => engine.stream(1, 'lengths of samples', row).chi(given))", degrees
    )
    assert stats.kstest(drawn, stats.chi(degrees).cdf).pvalue > STREAMS


STARTS = """
    const first = (seed, purpose, row) => engine.stream(seed, purpose, row).normal();
    const count = 5000, along = engine.stream(3, "test noise along mu");
    return {
        "along one stream": Array.from({length: count}, along.normal),
        "over rows": Array.from({length: count}, (_, row) => first(1, "sample noise", row)),
        "over seeds": Array.from({length: count}, (_, seed) => first(seed, "sample noise", 0)),
    };
"""


def test_streams_are_normal_and_independent_of_their_neighbours(engine):
    for name, values in engine(STARTS).items():
        values = np.array(values)
        assert stats.kstest(values, stats.norm.cdf).pvalue > STREAMS, name
        assert stats.pearsonr(values[1:], values[:-1]).pvalue > STREAMS, name


def test_a_slider_leaves_the_random_numbers_of_others_alone(engine):
    base = {"n": 12, "p": 500, "signal": 3.0, "labelNoise": 0.25, "width": 5, "seed": 4}

    def drawn(**change):
        setting = base | change
        script = "const {vectors, labels, clean, signs, q} = engine.sample(given);"
        script += "return [q, [...vectors], [...labels], [...clean], [...signs]]"
        q, vectors, *rest = engine(script, setting)
        vectors = np.array(vectors).reshape(-1, q)
        return vectors[: setting["n"]], vectors[setting["n"] :], *map(np.array, rest)

    x, w, labels, clean, signs = drawn()
    again = drawn()
    assert (again[0] == x).all() and (again[1] == w).all() and (again[2] == labels).all()
    assert (drawn(seed=5)[0] != x).any()
    # one sample more: the others stay, and so do the weights' products with them
    more_x, more_w, _, more_clean, more_signs = drawn(n=13)
    assert (more_x[:12, :13] == x[:, :13]).all() and (more_clean[:12] == clean).all()
    assert (more_w @ more_x[:12].T == pytest.approx(w @ x.T, abs=1e-9)) and (more_signs == signs).all()
    # one neuron more
    wide_x, wide_w, _, _, wide_signs = drawn(width=6)
    assert (
        (wide_x[:, :17] == x[:, :17]).all() and (wide_w[:5, :18] == w[:, :18]).all() and (wide_signs[:5] == signs).all()
    )
    # more wrong labels: those that were wrong stay wrong
    worse = drawn(labelNoise=0.4)[2]
    assert set(np.flatnonzero(labels != clean)) < set(np.flatnonzero(worse != clean))
    # a little more dimension: a little more length, and nothing else
    tall = drawn(p=510)[0]
    off = ~np.eye(12, x.shape[1], k=1, dtype=bool)
    assert (tall[off] == x[off]).all()
    assert np.abs(tall - x).max() < 1


# Use


def shown(page):
    """The state of the page: what is set, what was asked and shown, what is said."""
    place = page.locator(".live")
    data = {name: place.get_attribute(f"data-{name}") for name in ("setting", "asked", "shown", "busy", "finished")}
    return SimpleNamespace(**data | {"setting": json.loads(data["setting"])})


def found(page):
    """What came out, as the page says it: a word, test error, averaging's, wrong and right labels missed."""
    right, wrong, _ = (
        text.split("missed ")[1].split(" of ") for text in page.locator(".live-key li").all_text_contents()
    )
    why = page.locator(".live-verdict span").inner_text().replace("\u202f", "")
    test, averaging = (float(share) / 100 for share in re.findall(r"(?:missed|averaging): <?([\d.]+)%", why))
    return SimpleNamespace(
        word=page.locator(".live-verdict strong").inner_text(), test=test, averaging=averaging,
        wrong=int(wrong[0]), wrongs=int(wrong[1]), right=int(right[0]),
    )  # fmt: skip


def test_it_opens_with_one_knob_and_the_phenomenon(live):
    run = found(live)
    assert run.wrong == run.right == 0 and run.wrongs > 0
    assert run.word == "memorised, harmless" and run.test < 0.05
    sliders = [slider for slider in live.locator(".live input").all() if slider.is_visible()]
    assert [slider.get_attribute("id") for slider in sliders] == ["live-p", None]
    assert sliders[1].get_attribute("aria-label") == "Gradient steps done"
    assert live.locator(".live svg[role=img]").count() == 3
    assert live.locator(".live-static").is_hidden()
    rule = live.locator(".live-rule").inner_text()
    assert "every training label is fitted" in rule and "no more than 5 in 100 new points" in rule
    live.wait_for_function("document.querySelector('.live-status').textContent.includes('memorised, harmless')")


def test_nothing_is_called_by_a_symbol_before_it_is_explained(live):
    live.locator(".live-drawer").evaluate("drawer => { drawer.open = true }")
    words = live.locator(".live-bench").inner_text()
    live.locator(".live-drawer").evaluate("drawer => { drawer.open = false }")
    assert not set(re.findall(r"λ|\bS\b|wall|\(6f\)", words))
    assert (
        live.locator(".live-drawer .live-control").count() == live.locator(".live-drawer .live-control p").count() == 8
    )


def marks(page, kind):
    """The places of the marks of a kind in the cloud, a row a point."""
    moved = page.locator(f".live-cloud .live-point.live-{kind}").evaluate_all(
        "marks => marks.map(mark => mark.getAttribute('transform').match(/[-\\d.]+/g).map(Number))"
    )
    return np.array(moved)


def test_the_cloud_moves_while_it_trains(live):
    ends = {kind: marks(live, kind) for kind in ("wrong", "right", "test")}
    scrub = live.get_by_label("Gradient steps done")
    scrub.focus()
    live.keyboard.press("Home")
    assert scrub.get_attribute("aria-valuetext") == live.locator(".live-play output").inner_text() == "step 0"
    starts = {kind: marks(live, kind) for kind in ends}
    moved = {kind: (ends[kind] - starts[kind]).mean(0) for kind in ends}
    assert moved["wrong"][1] < -100 and moved["right"][1] < -100 and abs(moved["test"][1]) < 15  # pixels, downwards
    assert moved["wrong"][0] < 0 < min(moved["right"][0], moved["test"][0])
    assert "missed 0 of 8" not in live.locator(".live-key").text_content()
    live.get_by_role("button", name="Play").click()
    live.wait_for_function("document.querySelector('.live-play output').textContent === 'step 12'")
    live.get_by_role("button", name="Pause").click()
    assert (marks(live, "wrong")[:, 1] < starts["wrong"][:, 1]).all()
    live.get_by_role("button", name="Play").click()
    live.get_by_role("button", name="Play").wait_for()  # at the end
    assert live.locator(".live-play output").inner_text().replace("\u202f", "") == "step 1000"
    assert (marks(live, "wrong") == ends["wrong"]).all()


def test_it_plays_by_itself_unless_the_reader_wants_no_motion(live, page):
    assert live.get_by_role("button", name="Play").is_visible()
    page.goto(PAGE)
    page.locator(".live-cloud").scroll_into_view_if_needed()
    page.get_by_role("button", name="Pause").wait_for()


def test_the_frame_in_which_it_begins_to_play_may_have_begun_before(page):
    page.add_init_script("const ask = requestAnimationFrame; requestAnimationFrame = go => ask(now => go(now - 100))")
    page.goto(PAGE)
    finished(page)
    steps = page.get_by_role("slider", name="Gradient steps done")
    steps.fill(steps.get_attribute("max"))  # it stands at its end, and so begins anew
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("place => place.value > 2 && place.value < place.max", arg=steps.element_handle())


def test_the_steps_of_the_path_do_what_they_say(live):
    runs = {}
    for step in itertools.count(1):
        assert f"Step {step} of 6" in live.locator(".live-steps").inner_text()
        item = live.locator(".live-steps li.live-open")
        assert item.count() == 1 and "Look for" in item.inner_text() and item.locator("details").count() == 1
        for button in item.locator("button").all():
            button.click()
            finished(live)
            runs[button.get_attribute("data-live-preset")] = found(live)
        if live.get_by_role("button", name="Next").is_disabled():
            break
        before = shown(live).setting
        live.get_by_role("button", name="Next").click()
        finished(live)
        assert shown(live).setting != before
    assert {name: run.word for name, run in runs.items()} == {
        "benign": "memorised, harmless",
        "low dimension": "memorised, harmful",
        "a billion dimensions": "memorised, harmless",
        "too little signal": "memorised, harmless",
        "beyond the wall": "not memorised",
        "beyond the wall, with a leak": "memorised, harmful",
        "large start": "memorised, harmful",
    }
    assert all(run.right == 0 for run in runs.values())
    beyond, leaky = runs["beyond the wall"], runs["beyond the wall, with a leak"]
    assert 0 < beyond.wrong and beyond.test < leaky.test / 2
    assert runs["low dimension"].averaging == pytest.approx(runs["benign"].averaging, abs=0.002)
    assert runs["too little signal"].averaging > 0.25
    live.get_by_role("button", name="Back").click()
    finished(live)
    assert "Step 5 of 6" in live.locator(".live-steps").inner_text()


FLIPPED = """
    return given.map(([p, signal]) => [1, 2, 3, 4, 5].map(seed => {
        const pieces = engine.experiment({n: 40, p, signal, labelNoise: 0.2, slope: 0, width: 64, step: 1, initScale: 1,
                                          steps: 1000, seed});
        let piece;
        do piece = pieces.next(); while (!piece.done);
        return [piece.value.flippedErrors[1] / piece.value.flips, piece.value.flippedErrors.at(-1) / piece.value.flips];
    }));
"""


def test_the_wall_is_about_the_first_step_and_fitting_about_the_room(engine):
    """Above the wall, the load about ten: with fewer dimensions than points, and with a hundred times as many."""
    little, much = np.array(engine(FLIPPED, [[20, 2.36], [4000, 1000**0.5]])).transpose(0, 2, 1)
    assert little[0].mean() > 0.8 and much[0].mean() > 0.8  # missed after the first step
    assert little[1].max() == 0 and much[1].mean() > 0.5  # missed in the end


def test_every_slider_moves_by_keyboard_and_says_its_value(live):
    live.locator(".live-drawer summary").click()
    before = shown(live)
    for slider in live.locator(".live-control input").all():
        slider.focus()
        name, value = slider.get_attribute("id"), slider.get_attribute("aria-valuetext")
        assert live.locator(f"label[for={name}]").count() == 1
        live.keyboard.press("ArrowRight")
        assert slider.get_attribute("aria-valuetext") != value, name
        assert live.locator(f"output[for={name}]").text_content() != "", name
        assert slider.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    finished(live)
    after = shown(live).setting
    assert all(after[name] != value for name, value in before.setting.items() if name != "step")
    assert int(shown(live).finished) > int(before.finished)
    live.locator(".live-drawer summary").click()


def test_keys_get_past_numbers_that_are_rounded(live):
    slider = live.locator("#live-p")
    slider.focus()
    live.keyboard.press("Home")
    for _ in range(90):
        live.keyboard.press("ArrowRight")
    assert shown(live).setting["p"] > 100


def test_tab_reaches_everything_in_order(live):
    live.locator(".live-drawer").evaluate("drawer => { drawer.open = true }")
    live.get_by_role("button", name="Next").focus()
    reached = []
    for _ in range(20):
        reached.append(
            live.evaluate("(node => node.id || node.ariaLabel || node.textContent.trim())(document.activeElement)")
        )
        live.keyboard.press("Tab")
    live.locator(".live-drawer").evaluate("drawer => { drawer.open = false }")
    knobs = [f"live-{name}" for name in ("n", "mu", "noise", "keep", "m", "slope", "start", "steps", "seed")]
    assert reached == [
        "Next", "Set: benign", "What was seen", "live-p", "Play", "Gradient steps done", "More knobs", *knobs,
        "Reset", "Another seed", "Copy the link", "The numbers of this setting",
    ]  # fmt: skip


def test_the_task_stays_as_hard_while_the_box_is_checked(live):
    live.locator(".live-drawer summary").click()
    before, signal = found(live).averaging, shown(live).setting["signal"]
    live.locator("#live-p").focus()
    live.keyboard.press("Home")
    finished(live)
    assert shown(live).setting["p"] == 2
    assert shown(live).setting["signal"] < signal / 2 and found(live).averaging == pytest.approx(before, abs=0.001)
    live.locator("#live-keep").uncheck()
    signal = shown(live).setting["signal"]
    live.locator("#live-p").focus()
    live.keyboard.press("End")
    finished(live)
    assert shown(live).setting["p"] == 10**9 and shown(live).setting["signal"] == signal
    assert found(live).averaging > 0.4
    live.locator(".live-drawer summary").click()


FRAGMENT = "p=5123&n=30&mu=3.25&noise=0.1&m=24&slope=0.3&start=50&steps=300&seed=1234567&keep=0"
SETTING = {
    "n": 30, "p": 5123, "signal": 3.25, "labelNoise": 0.1, "slope": 0.3, "width": 24, "step": 1, "initScale": 50,
    "steps": 300, "seed": 1234567,
}  # fmt: skip


def test_the_address_holds_the_setting(new_page):
    page = new_page()
    page.goto(f"{PAGE}#{FRAGMENT}")
    finished(page)
    assert shown(page).setting == SETTING and not page.locator("#live-keep").is_checked()
    assert page.evaluate("Math.abs(document.querySelector('.live').getBoundingClientRect().top) < 900")
    page.locator(".live-drawer summary").click()
    page.locator("#live-seed").focus()
    page.keyboard.press("Home")
    assert page.evaluate("location.hash") == "#" + FRAGMENT.replace("seed=1234567", "seed=0")
    # what is shared is what is seen
    other = new_page()
    other.goto(page.url)
    finished(page), finished(other)
    assert shown(other).setting == shown(page).setting and found(other) == found(page)
    page.get_by_role("button", name="Reset").click()
    assert "#" not in page.url
    page.evaluate("location.hash = 'p=77'")
    page.wait_for_function("JSON.parse(document.querySelector('.live').dataset.setting).p === 77")


def test_a_wrong_address_is_said_and_the_rest_of_it_counts(live):
    live.evaluate("location.hash = 'n=0.5&p=many&noise=0.3'")
    live.wait_for_function("document.querySelector('.live-complaint').textContent")
    complaint = live.locator(".live-complaint").text_content()
    assert "n is “0.5”: it must be a whole number from 2 to 200; 40 is taken" in complaint
    assert "p is “many”" in complaint and "noise" not in complaint
    setting = shown(live).setting
    assert (setting["n"], setting["p"], setting["labelNoise"]) == (40, 20000, 0.3)
    live.get_by_role("button", name="Reset").click()
    assert live.locator(".live-complaint").text_content() == ""


def test_an_ordinary_anchor_is_no_setting(live):
    before = shown(live)
    for anchor in ("what-is-computed", "the-pictures"):
        live.evaluate("anchor => { location.hash = anchor }", anchor)
        finished(live)
        assert live.evaluate("location.hash") == f"#{anchor}"
    assert shown(live) == before and live.locator(".live-complaint").text_content() == ""


DRAG = """
    async count => {
        const slider = document.querySelector("#live-p"), place = document.querySelector(".live"), log = [];
        const watch = new MutationObserver(() => log.push(Number(place.dataset.shown)));
        watch.observe(place, {attributes: true, attributeFilter: ["data-shown"]});
        const said = [];
        new MutationObserver(() => said.push(1)).observe(document.querySelector(".live-status"), {childList: true});
        window.said = said;
        const low = Number(slider.min), high = Number(slider.max);
        for (let k = 1; k <= count; k++) {
            slider.value = low + (high - low) * k / count;
            slider.dispatchEvent(new Event("input", {bubbles: true}));
            await new Promise(requestAnimationFrame);
        }
        slider.dispatchEvent(new Event("change", {bubbles: true}));
        return log;
    }
"""


def test_dragging_drops_what_is_superseded(live):
    live.evaluate("location.hash = 'n=80&m=128&steps=1500'")  # long enough that nobody waits for it at every place
    finished(live)
    before = shown(live)
    log = live.evaluate(DRAG, 60)
    finished(live)
    live.wait_for_function("window.said.length > 0")
    after = shown(live)
    assert after.setting["p"] == 10**9
    assert int(after.asked) - int(before.asked) >= 50
    assert after.shown == after.asked
    assert int(after.finished) - int(before.finished) < 30
    assert log == sorted(log)
    assert live.evaluate("window.said.length") <= 3  # a screen reader is not talked to at every place


def test_nothing_is_inaccessible(live):
    for part in live.locator(".live details").all():
        part.evaluate("part => { part.open = true }")
    for width, scheme in itertools.product((1440, 360), ("light", "dark")):
        live.set_viewport_size({"width": width, "height": 900})
        live.emulate_media(color_scheme=scheme)
        live.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
        # the theme lets the keyboard reach code that is wider than its box, some time after a window has another width
        live.wait_for_function(
            "[...document.querySelectorAll('.live pre')].every(e => e.scrollWidth <= e.clientWidth || !e.tabIndex)"
        )
        # colours that fade are none yet
        live.evaluate("document.getAnimations().forEach((one) => one instanceof CSSTransition && one.finish())")
        found = Axe().run(live, context=".live", options={"preload": False})  # it would fetch style sheets again
        assert found.violations_count == 0, (width, scheme, found.generate_report())


COUNT = """
    window.workers = 0;
    window.Worker = class extends Worker { constructor(...given) { super(...given); window.workers++; } };
"""


@pytest.mark.parametrize("where", ["from a file", "under a path"])
def test_it_works_from_a_file_and_under_a_path_in_a_worker(new_page, site, address, where):
    page = new_page()
    page.add_init_script(COUNT)
    page.goto(f"{site.as_uri() if where == 'from a file' else address}/{PAGE}#{FRAGMENT}")
    finished(page)
    assert shown(page).setting == SETTING
    page.get_by_role("button", name="Reset").click()
    finished(page)
    assert shown(page).finished == "2" and found(page).wrong == 0
    assert page.evaluate("workers") == 1


def test_it_works_without_workers(live, page):
    page.add_init_script("delete window.Worker")
    page.goto(PAGE)
    finished(page)
    assert found(page) == found(live)
    page.evaluate(DRAG, 10)
    finished(page)
    assert shown(page).shown == shown(page).asked


def test_a_long_run_says_how_far_it_is_and_can_be_cancelled(live):
    assert live.locator(".live-working").is_hidden()
    live.evaluate("location.hash = 'n=200&m=256&steps=5000'")
    live.locator(".live-working").wait_for()
    word = live.locator(".live-verdict strong")
    live.wait_for_function("document.querySelector('.live').dataset.stale === 'no'")
    assert word.inner_text() == "training" and " of 5\u202f000 steps" in live.locator(".live-working").inner_text()
    live.wait_for_function("document.querySelector('.live progress').value > 0.001")
    live.get_by_role("button", name="Cancel").click()
    assert word.inner_text() == "stopped"
    reached = live.locator(".live progress").evaluate("bar => bar.value")
    live.wait_for_timeout(500)
    assert live.locator(".live progress").evaluate("bar => bar.value") == reached < 1
    # what was asked for next is not held up
    live.get_by_role("button", name="Reset").click()
    finished(live)
    assert word.inner_text() == "memorised, harmless" and live.locator(".live-working").is_hidden()


def test_numbers_of_another_setting_are_grey(live, page):
    page.add_init_script("window.Worker = class { postMessage() {} }")  # one that never answers
    page.goto(PAGE)
    page.locator(".live-working").wait_for()
    assert page.locator(".live").get_attribute("data-stale") == "yes"
    # beside a run that takes long, those of the one before
    parts = [".live-cloud", ".live-key", ".live-views > :first-child"]
    seen = """([parts, opacity]) =>
        parts.every((part) => getComputedStyle(document.querySelector(part)).opacity === opacity)"""
    for answer, opacity in (("yes", "0.35"), ("no", "1")):
        live.locator(".live").evaluate("(place, is) => { place.dataset.slow = place.dataset.stale = is }", answer)
        live.wait_for_function(seen, arg=[parts, opacity])  # even without motion a style changes with a frame only


def test_on_a_phone_nothing_covers_the_map(live):
    live.set_viewport_size({"width": 390, "height": 844})
    for opened in (False, True):
        live.locator(".live-drawer").evaluate("(drawer, opened) => { drawer.open = opened }", opened)
        live.evaluate("new Promise(go => requestAnimationFrame(() => requestAnimationFrame(go)))")  # it is drawn anew
        assert live.locator(".live-views .live-picture").last.evaluate(
            """map => { map.scrollIntoView({block: "center"});
                        const {left, top, width, height} = map.getBoundingClientRect();
                        return [0.05, 0.5, 0.95].every(part => map.contains(
                            document.elementFromPoint(left + width / 2, top + part * height))); }"""
        )
    # a knob that is reached by keyboard is not under the picture
    for knob in live.locator(".live-drawer input").all():
        knob.focus()
        assert knob.evaluate(
            """knob => { const {left, top, width, height} = knob.getBoundingClientRect();
                         return document.elementFromPoint(left + width / 2, top + height / 2) === knob; }"""
        ), knob.get_attribute("id")
    live.locator(".live-drawer").evaluate("drawer => { drawer.open = false }")
    assert live.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_javascript_and_on_paper_a_figure_stands_there_and_all_steps(live, new_page):
    still = new_page(java_script_enabled=False)
    still.goto(PAGE)
    live.emulate_media(media="print")
    for page in (still, live):
        assert page.locator(".live-static img").is_visible()
        assert not any(
            part.is_visible() for part in page.locator(".live :is(svg[role=img], input), .live-button").all()
        )
        assert all(step.is_visible() for step in page.locator(".live-steps > ol > li").all())


def test_the_lines_of_python_run_the_setting(live, capsys):
    live.evaluate("location.hash = 'n=10&p=300&mu=3.5&noise=0.1&slope=0.3&m=4&steps=10&start=50&keep=0'")
    live.wait_for_function("JSON.parse(document.querySelector('.live').dataset.setting).p === 300")
    scope = {}
    exec(live.locator(".live-python code").text_content(), scope)
    table = scope["table"]
    run = PollutedClusters(
        n=10, p=300, signal_index=xu2023.signal_index(10, 300, 3.5), label_noise=0.1, seed=0,
        activation="leaky_relu(0.3)", width=4, step=1.0, init_scale=50.0, steps=10,
    )  # fmt: skip
    row = table[table.seed == 0].iloc[-1]
    assert len(table) == 10 and math.isclose(run.signal, 3.5)
    assert row.test_error == PollutedClusters.run([run])[0].test_error.iloc[-1]
    assert "training_error_flipped" in capsys.readouterr().out


def test_link_and_code_can_be_copied_or_else_it_says_how(live, address):
    live.evaluate("location.hash = 'p=77'")
    live.get_by_role("button", name="Copy the link").click()
    live.wait_for_function("document.querySelector('.live-said').textContent === 'Copied.'")
    assert live.evaluate("navigator.clipboard.readText()") == f"{address}/{PAGE}#p=77"
    live.locator(".live-python").evaluate("lines => { lines.open = true }")
    live.get_by_role("button", name="Copy the code").click()
    live.wait_for_function("navigator.clipboard.readText().then(text => text.startsWith('from benign'))")
    live.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject() }")
    live.get_by_role("button", name="Copy the link").click()
    live.wait_for_function("document.querySelector('.live-said').textContent.includes('copy the address')")
    live.evaluate("() => { delete navigator.clipboard.writeText }")
