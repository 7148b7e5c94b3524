"""What holds for every experiment: a run is the same in any batch, and a wrong setting is refused before it runs."""

import dataclasses
import importlib
import math
import pkgutil
import re
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest
import second_device

from benign import experiments
from benign.data import streamed
from benign.errors import InputError
from benign.experiments.alignments import Alignments
from benign.experiments.averaging_noise import AveragingNoise
from benign.experiments.borders import Border
from benign.experiments.borders_attacked import Attacked
from benign.experiments.borders_first_step import AfterFirstStep
from benign.experiments.cluster_tails import ClusterTails
from benign.experiments.clusters import PollutedClusters
from benign.experiments.deep_classification import DeepClassification, DeepDigits
from benign.experiments.digits import PollutedDigits
from benign.experiments.dynamics import Dynamics
from benign.experiments.global_control import GlobalControl
from benign.experiments.good_event import GoodEvent
from benign.experiments.infinite_width import InfiniteWidth
from benign.experiments.interpolators import ClusterInterpolator, DigitInterpolator
from benign.experiments.laziness import Laziness
from benign.experiments.leaky_boundary import LeakyBoundary
from benign.experiments.max_margin import MixtureMargin, RareWeakMargin
from benign.experiments.neurons_at_means import NeuronsAtMeans
from benign.experiments.ntk_fitting import Fitting
from benign.experiments.ntk_regression import KernelSplit
from benign.experiments.ntk_regression_networks import NetworkSplit
from benign.experiments.ntk_spectrum import FiniteWidth, Spectrum
from benign.experiments.other_noise import OtherNoise
from benign.experiments.parts import MarginParts
from benign.experiments.patches import Convolution
from benign.experiments.separation import Separation
from benign.experiments.several_means import SeveralMeans
from benign.experiments.tails import TailErrors
from livingpaper.build import columns

ROOT = Path(__file__).parents[2]


@dataclass
class Case:
    """A small setting, batches of changes to it, and changes that must be refused: one value, or several in a list."""

    small: object
    batches: list[list[dict]]
    wrong: dict[str, object] = field(default_factory=dict)

    def __str__(self):
        return type(self.small).__name__


def rows(**columns):
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


POLLUTED = dict(n=12, p=300, signal_index=6.0, label_noise=0.25, seed=0, width=9, step=1.0, steps=60)
MIXED = ["relu", "leaky_relu(0.2)", "elu", "relu"]
STREAMED = dict(p=2 * streamed.BLOCK + 5, frame="ambient", noise="laplace")
SEEDS = rows(seed=range(3))
XOR = ((1.0, -1.0, 0.0, 0.0), (-1.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, -1.0), (0.0, 0.0, -1.0, 1.0))

CASES = [
    Case(
        Alignments(**POLLUTED | dict(steps=30, records=(0, 7))),
        [rows(seed=range(3), activation=MIXED[:3])],
    ),
    Case(
        AveragingNoise(n=12, p=300, signal_index=6.0, label_noise=0.25, seed=0),
        [rows(noise=["gaussian", "student_t(3)", "power(0.5)"], seed=[0, 1, 2], signal_index=[6.0, 2.0, 0.0])],
        dict(noise=["lapace", "laplace"], n=0, label_noise=0.5),
    ),
    Case(
        Border(**POLLUTED | dict(width=8, step=0.5, steps=400, test_points=500)),
        [
            rows(
                activation=MIXED, seed=range(4), flips=["random", "deepest", "one class", "random"],
                signal_index=[6.0, 2.0, 100.0, 0.0], label_noise=[0.25, 0.0, 0.1, 0.4], step=[1.0, 0.2, 1.0, 20.0],
                init_scale=[1.0, 1e3, 0.1, 1.0], test_points=[800, 100, 6_000, 1],
                paired=[paired] * 4, watched=[watched] * 4,
            )
            for paired, watched in [(False, Border.watched), (True, 9)]
        ],
        dict(flips="worst", level=[-1.0, math.nan], watched=[0, 401], records=[(1,)], test_points=0, label_noise=0.5),
    ),
    Case(
        Attacked(**POLLUTED | dict(width=8, step=0.5, steps=400, test_points=500)),
        [rows(activation=MIXED, seed=range(4), label_noise=[0.25, 0.0, 0.1, 0.4])],
        dict(n=301, flips="deepest"),
    ),
    Case(
        AfterFirstStep(**POLLUTED | dict(width=8, step=0.5, steps=400, test_points=500)),
        [rows(activation=MIXED, seed=range(4), first_step=[1.0, 0.01, 20.0, 0.5], step=[1.0, 0.2, 1.0, 0.5])],
        dict(first_step=0.0),
    ),
    Case(
        PollutedClusters(**POLLUTED, records=(0, 7), test_points=800),
        [
            rows(
                loss_function=[loss] * 4, activation=activations, seed=range(4), signal_index=[6.0, 2.0, 0.5, 0.0],
                label_noise=[0.25, 0.0, 0.1, 0.4], step=[1.0, 0.2, 1.0, 2.0], test_points=[800, 100, 10_000, 1],
            )
            for loss in ("logistic", "exponential")
            for activations in (["relu"] * 4, ["elu"] * 4, MIXED)
        ],
        dict(
            n=0, p=0, signal_index=[-1.0, math.nan], label_noise=0.5, activation="rleu", width=0, step=[0, math.inf],
            init_scale=[-1, 0], steps=[-1, 2.5], records=[[0, 1], (0, 61), (-1,)], frame="flat", engine="fast",
            loss_function="squared", test_points=0,
        ),
    ),
    Case(
        DeepClassification(n=24, d=80, separation=5.0, label_noise=0.125, seed=0, width=20, test_points=200),
        [
            [
                {},
                dict(seed=1, separation=20.0),
                dict(seed=2, label_noise=0.25, init_noise=0.3, step=2.0),
                dict(centred=True, balanced=True),
            ]
        ],
        dict(
            width=0, d=0, separation=-1.0, test_points=0, depth=1, epochs=0, init_noise=0, step=-1.0, level=math.inf,
            batch_points=[0, 25], label_noise=0.5,
        ),
    ),
    Case(
        DeepDigits(negative=3, positive=8, n=40, label_noise=0.2, seed=0, width=24),
        [[{}, dict(negative=0, positive=1, seed=1, label_noise=0.0), dict(centred=True, balanced=True)]],
        dict(width=0, epochs=0),
    ),
    Case(
        PollutedDigits(negative=3, positive=8, n=40, label_noise=0.1, seed=0, width=16, step=6.0, steps=3000),
        [[{}, dict(seed=1, label_noise=0.0), dict(negative=4, positive=9, scaling="unit-norm", step=0.3)]],
        dict(n=14, activation="tanh", width=0, step=0.0, init_scale=[-1.0, 0.0], steps=-1),
    ),
    Case(
        Convolution(n=8, d=60, signal=2.0, label_noise=0.25, seed=0, filters=4, mean="none", test_points=300),
        [
            rows(
                seed=range(3), signal=[2.0, 0.0, 5.0], noise=[noise] * 3, noise_scale=[1.0, 2.0, 0.5], biases=[b] * 3,
                exponent=[q] * 3, mean=["filters", "patches", "none"], step_size=[0.1, 0.5, 0.01], level=[0.1] * 3,
            )
            for noise, b, q in [("gaussian", True, 1.0), ("orthogonal", False, 3.0)]
        ],
        dict(
            n=0, d=0, signal=-1.0, label_noise=0.5, noise="unit", noise_scale=0.0, exponent=[0.5, math.inf], filters=0,
            mean="sum", init_scale=[-1.0, 0.0], step_size=0.0, steps=-1, level=-1.0, frame="flat", engine="fast",
            test_points=0,
        ),
    ),
    Case(
        SeveralMeans(
            n=16, p=400, signal=4.0, label_noise=0.25, step_size=0.02, seed=0, width=8, steps=60, records=(0, 7),
            test_points=700, init_scale=1e-4,
        ),
        [
            rows(
                seed=range(4), activation=MIXED, signal=[4.0, 0.0, 8.0, 2.0], noise=["gaussian", "unit"] * 2,
                noise_scale=[1.0, 3.0, 0.5, 0.1], flips=["exact", "independent"] * 2, balanced=[True, False] * 2,
                signs=["random", "balanced", "negative", "random"], step_size=[0.02, 0.1, 0.001, 0.5],
            ),
            [
                dict(gram=XOR, classes=(1, 1, -1, -1), loss_function="hinge", stop="zero loss", seed=seed)
                for seed in range(2)
            ],
        ],
        dict(
            n=0, p=0, signal=-1.0, label_noise=0.5, step_size=0.0, classes=[(1,), (1, 0), [1, -1]], noise="pink",
            gram=[((1.0, 2.0), (2.0, 1.0)), ((1.0, 0.0),), [[1.0]]], noise_scale=0.0, flips="all", signs="positive",
            stop="soon", records=[(61,)], test_points=0, width=0, init_scale=-1.0, steps=-1, frame="flat",
            engine="fast",
        ),
    ),
    Case(
        NeuronsAtMeans(
            n=16, p=400, signal=4.0, label_noise=0.25, step_size=0.02, seed=0, width=8, steps=60, records=(0, 7),
            test_points=300, init_scale=1e-4, gram=XOR, classes=(1, 1, -1, -1),
        ),
        [rows(seed=range(4), activation=MIXED, signal=[4.0, 1.0, 8.0, 2.0], balanced=[True, False] * 2)],
        dict(records=[(61,)], signs="positive"),
    ),
    Case(
        ClusterTails(
            n=16, p=400, signal=7.0, label_noise=0.125, step_size=0.02, seed=0, width=8, steps=60, records=(0, 7),
            test_points=300, init_scale=1e-4, gram=XOR, classes=(1, 1, -1, -1), tail_points=100,
        ),
        [rows(seed=range(4), activation=MIXED, signal=[7.0, 1.0, 8.0, 2.0], noise=["gaussian", "orthogonal"] * 2)],
        dict(noise="unit", stop="fitted", tail_points=[0, 15], records=[(61,)]),
    ),
    Case(
        LeakyBoundary(
            n=10, p=300, signal=5.0, label_noise=0.2, step_size=0.02, seed=0, width=6, steps=40, records=(0, 7),
            test_points=300, init_scale=1e-4,
        ),
        [
            rows(
                seed=range(3), activation=["leaky_relu(0.1)", "relu", "leaky_relu(0.5)"], signal=[5.0, 0.0, 2.0],
                signs=["balanced", "random", "balanced"], step_size=[0.02, 0.1, 0.001], init_scale=[1e-4, 0.1, 1.0],
            )
        ],
        dict(activation="elu", noise="unit", stop="fitted", gram=[((1.0,),)], records=[(41,)], width=0),
    ),
    Case(
        RareWeakMargin(n=10, p=90, relevant=30, edge=0.2, label_noise=0.1, seed=0),
        [rows(seed=range(3), relevant=[30, 0, 90], edge=[0.2, 0.4, 0.0])],
        dict(n=0, p=0, relevant=[-1, 91], edge=[-0.1, 0.5], label_noise=0.5),
    ),
    Case(
        MixtureMargin(n=10, p=90, signal=3.0, label_noise=0.1, seed=0),
        [rows(seed=range(3), signal=[3.0, 0.0, 9.0], label_noise=[0.1, 0.0, 0.3])],
        dict(n=0, p=0, signal=[-1.0, math.inf], label_noise=0.5),
    ),
    Case(
        Dynamics(**POLLUTED | dict(p=150, n=50, width=33, steps=40, records=(0, 1, 7))),
        [
            rows(seed=range(4), activation=names, step=(0.2, 1.0, 5.0, 0.7), label_noise=(0.25, 0.1, 0.0, 0.4))
            for names in (["relu"] * 4, MIXED)
        ],
        dict(step=0),
    ),
    Case(
        GlobalControl(**POLLUTED | dict(records=(0, 1, 7, *range(20, 60))), fresh_points=30),
        [rows(seed=range(3), activation=MIXED[:3], signal_index=[6.0, 2.0, 0.5], fresh_points=[30, 1, 40])],
        dict(fresh_points=0),
    ),
    Case(
        GoodEvent(n=9, p=60, signal_index=5.0, label_noise=0.25, seed=3, width=7, activation="elu", init_scale=1e6),
        [[{}, STREAMED, dict(n=4, seed=1), STREAMED | dict(noise="power(1)")]],
        dict(noise=["lapace", "laplace"], direction="last", width=0),
    ),
    Case(
        InfiniteWidth(n=24, d=80, separation=5.0, label_noise=0.125, seed=0, test_points=200, init_noise=0.7),
        [[{}, dict(seed=1, label_noise=0.25), dict(centred=True, balanced=True, balanced_noise=False)]],
        dict(depth=1, d=1),
    ),
    Case(
        Laziness(
            **POLLUTED | dict(n=10, p=200, label_noise=0.2, width=8, init_scale=20.0, steps=2000),
            level=0.2, test_points=300,
        ),
        [
            rows(
                start=[start] * 5, seed=range(5), init_scale=[1.0, 30.0, 300.0, 3.0, 9.0],
                activation=["relu", "leaky_relu(0.1)", "relu", "leaky_relu(0.1)", "relu"],
                label_noise=[0.2, 0.0, 0.4, 0.1, 0.1],
            )
            for start in ("paired", "independent")
        ],
        dict(
            start="centred", width=7, activation=["elu", "relu(1"], records=[(0,)], steps=0, level=[0, math.nan],
            test_points=0, label_noise=0.5,
        ),
    ),
    Case(
        ClusterInterpolator(n=20, d=50, separation=4.0, label_noise=0.1, seed=0, width=12, test_points=300),
        [
            [
                {},
                dict(seed=1, separation=8.0, init_noise=5.0),
                dict(seed=2, label_noise=0.2, draw=3),
                dict(weight_decay=1e-3),
                dict(centred=True, certify=True, ascents=3, ascent_steps=5),
            ]
        ],
        dict(
            depth=1, width=0, n=1, draw=-1, level=0.0, weight_decay=[-1e-3, math.inf], init_noise=math.inf,
            separation=-1.0, test_points=1, label_noise=0.5, activation="rellu", ascents=0, ascent_steps=-1,
        ),
    ),
    Case(
        DigitInterpolator(negative=3, positive=8, n=24, label_noise=0.125, seed=0, width=32),
        [[{}, dict(negative=0, positive=1, seed=1, label_noise=0.0, init_noise=0.3)]],
        dict(width=0),
    ),
    Case(
        Fitting(n=15, d=5, depth=2, seed=0, times=9),
        [SEEDS],
        dict(n=1, d=1, depth=1, times=1),
    ),
    Case(
        KernelSplit(n=12, d=4, depth=3, seed=0, test_points=20),
        [rows(seed=range(3), depth=(2, 3, 5))],
        dict(d=1, depth=1, n=0, test_points=0, slope=[1.0, -0.1]),
    ),
    Case(
        NetworkSplit(
            n=6, d=4, depth=3, width=16, target="2", noise_variance=0.2, seed=3, networks=4, level=1e-4, test_points=10
        ),
        [rows(seed=range(3), width=(8, 16, 24))],
        dict(d=1, depth=1, width=0, target="4", networks=[6, 1], noise_variance=-0.1, level=0.0),
    ),
    Case(
        Spectrum(n=12, d=20, depth=3, seed=0),
        [SEEDS],
        dict(n=1, d=1, depth=0, inputs="cube"),
    ),
    Case(
        FiniteWidth(n=6, d=10, depth=3, width=12, seed=0),
        [SEEDS],
        dict(n=1, d=1, depth=1, width=0),
    ),
    Case(
        OtherNoise(**POLLUTED, noise="laplace", test_points=200),
        [
            rows(
                noise=["laplace", "gaussian", "student_t(3)", "power(0.5)"], seed=[0, 1, 2, 0],
                activation=["relu", "elu", "relu", "leaky_relu(0.1)"], test_points=[200, 1, 300, 200],
                signal_index=[6.0, 2.0, 0.0, 6.0],
            )
        ],
        dict(
            noise="lapace", frame="ambient", engine="dense", records=[(3,)], direction="second", test_points=0
        ),
    ),
    Case(
        MarginParts(**POLLUTED, records=(0, 7), fresh_points=30),
        [rows(seed=range(3), activation=["relu", "leaky_relu(0.2)", "relu"], signal_index=[6.0, 2.0, 0.5])],
        dict(activation=["elu", "smoothed_leaky_relu(0.1, 1)"], fresh_points=0, label_noise=0.5),
    ),
    Case(
        Separation(negative=4, positive=9, n=40, label_noise=0.2, seed=0),
        [[{}, dict(negative=0, positive=1, seed=1), dict(depth=2), dict(balanced=True, init_noise=0.3)]],
        dict(depth=1, n=3, init_noise=-0.1),
    ),
    Case(
        TailErrors(**POLLUTED, tail_points=400, test_points=800),
        [
            rows(
                activation=MIXED, seed=range(4), signal_index=[6.0, 2.0, 0.5, 0.0], label_noise=[0.25, 0.0, 0.1, 0.4],
                step=[1.0, 0.2, 1.0, 2.0], test_points=[800, 100, 6_000, 101], tail_points=[400, 20, 1000, 60],
            )
        ],
        dict(records=[(1,)], tail_points=[30, 0], test_points=99, activation="rleu"),
    ),
]  # fmt: skip


#: What has a device among its arguments and computes on the CPU, as it says: small eigenvalue problems, or nothing.
ON_THE_PROCESSOR = {
    AveragingNoise, FiniteWidth, Fitting, GoodEvent, InfiniteWidth, MixtureMargin, RareWeakMargin, Separation, Spectrum,
}  # fmt: skip
#: A search follows the last bits of the weights, and its points follow the search: these columns differ by chance.
SEARCHED = ["tail_error", "tail_low", "tail_high", "tail_standard_error", "effective_points", "largest_share"]


def test_every_experiment_is_among_the_cases():
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.iter_modules(experiments.__path__, "benign.experiments.")
    ]
    there = {
        thing
        for module in modules
        for thing in vars(module).values()
        if dataclasses.is_dataclass(thing) and hasattr(thing, "run")
    }
    assert there == {type(case.small) for case in CASES if case.batches}


@pytest.mark.parametrize(
    ("small", "batch"), [pytest.param(case.small, batch, id=f"{case}") for case in CASES for batch in case.batches]
)
def test_a_run_is_the_same_to_the_last_bit_in_any_batch(small, batch):
    runs = [dataclasses.replace(small, **changes) for changes in batch]
    together, backwards = small.run(runs), small.run(runs[::-1])[::-1]
    for run, one, other in zip(runs, together, backwards, strict=True):
        (alone,) = small.run([run])
        pd.testing.assert_frame_equal(alone, one, check_exact=True)
        pd.testing.assert_frame_equal(alone, other, check_exact=True)
    assert not together[0].equals(together[-1])
    kind = type(small)
    table = [*(field.name for field in dataclasses.fields(kind)), *together[0]]
    said = columns.described(ROOT, f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}", table)
    assert [column["name"] for column in said if not column["meaning"]] == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_second_device_computes_the_same_table(case):
    runs = [dataclasses.replace(case.small, **changes) for changes in case.batches[0][:2]]
    here, before = case.small.run(runs), second_device.COUNTS["launches"]
    there = case.small.run(runs, device="second_device")
    assert (second_device.COUNTS["launches"] > before) == (type(case.small) not in ON_THE_PROCESSOR)
    for one, other in zip(here, there, strict=True):
        by_chance = [name for name in SEARCHED if name in one]
        pd.testing.assert_frame_equal(one.drop(columns=by_chance), other.drop(columns=by_chance), rtol=1e-7)


@pytest.mark.parametrize(
    ("small", "name", "value"),
    [
        pytest.param(case.small, name, value, id=f"{case}-{name}-{value}")
        for case in CASES
        for name, values in case.wrong.items()
        for value in (values if isinstance(values, list) else [values])
    ],
)
def test_a_wrong_setting_is_explained_before_anything_runs(small, name, value):
    """What is wrong, with which value, and what is allowed."""
    said = rf"{name} is {re.escape(repr(value))}.*: .*(must|needs|only|leave them out|did you mean|takes|there are)"
    with pytest.raises(InputError, match=f"(?i){said}"):
        dataclasses.replace(small, **{name: value})


@pytest.mark.parametrize(
    ("small", "changes", "message"),
    [
        (Border, dict(level=-1.0), "level is -1.0: it must be greater than or equal to 0"),
        (Border, dict(flips="worst"), "flips is 'worst': it must be 'random', 'deepest' or 'one class'"),
        (Border, dict(paired=True, width=7), "width is 7: neurons can be paired only if their number is even"),
        (PollutedClusters, dict(signal_index=math.nan), "signal_index is nan: it must be a finite number"),
        (SeveralMeans, dict(balanced=True, n=17), "n is 17: 2 groups of one size need a multiple of 2 points"),
        (DeepClassification, dict(balanced=True, n=25), "n is 25: 2 groups of one size need a multiple of 2 points"),
        (
            PollutedClusters,
            dict(init_scale=0.0),
            "init_scale is 0.0: it must be positive with relu, whose slope at 0 is 0",
        ),
        (
            SeveralMeans,
            dict(init_scale=0.0, activation="power(2)"),
            r"init_scale is 0.0: it must be positive with power",
        ),
        (PollutedClusters, dict(activation="rleu"), "activation is 'rleu': did you mean 'relu'?"),
        (PollutedClusters, dict(records=[0, 1]), r"records is \[0, 1\]: it must be a valid tuple"),
        (GlobalControl, dict(p=1), r"p is 1 and width 9: log\(pm/n\) in \(22\) needs p m > n = 12"),
        (NetworkSplit, dict(networks=6), "networks is 6: it must be a power of two"),
        (TailErrors, dict(tail_points=30), "tail_points is 30: it must be a multiple of 20"),
        (
            Spectrum,
            dict(inputs="mnist"),
            "n is 12 and d is 20: the sample has 4000 images, of one of the dimensions 784, 196, 49",
        ),
        (Spectrum, dict(inputs="mnist", d=784, n=4001), "n is 4001 and d is 784: the sample has 4000"),
    ],
)
def test_what_is_said_of_a_wrong_setting(small, changes, message):
    (case,) = [case for case in CASES if type(case.small) is small]
    with pytest.raises(InputError, match=f"^{message}"):
        dataclasses.replace(case.small, **changes)


@pytest.mark.parametrize(
    ("small", "changes", "message"),
    [
        (InfiniteWidth, dict(separation=1e12), "the covariance of f_0 at the 224 points is singular to rounding"),
        (ClusterInterpolator, dict(weight_decay=1e12), "the run of seed 0 diverged: step is 2.0, weight_decay 1"),
    ],
)
def test_what_shows_only_in_a_run_is_explained_too(small, changes, message):
    (case,) = [case for case in CASES if type(case.small) is small]
    with pytest.raises(InputError, match=message):
        small.run([dataclasses.replace(case.small, **changes)])


@pytest.mark.parametrize("frame", ["reduced", "ambient"])
@pytest.mark.parametrize(
    "case",
    [
        case
        for case in CASES
        if type(case.small)
        in (
            AfterFirstStep,
            Alignments,
            Attacked,
            Border,
            ClusterTails,
            Convolution,
            GlobalControl,
            Laziness,
            LeakyBoundary,
            MarginParts,
            NeuronsAtMeans,
            PollutedClusters,
            SeveralMeans,
            TailErrors,
        )
    ],
    ids=str,
)
def test_both_engines_give_the_same_table(case, frame):
    runs = [dataclasses.replace(case.small, frame=frame, **changes) for changes in [{}, *(b[0] for b in case.batches)]]
    fast, slow = (
        pd.concat(table for run in runs for table in run.run([dataclasses.replace(run, engine=engine)]))
        for engine in ("span", "dense")
    )
    by_chance = [name for name in SEARCHED if name in fast]
    pd.testing.assert_frame_equal(fast.drop(columns=by_chance), slow.drop(columns=by_chance), rtol=1e-7)
