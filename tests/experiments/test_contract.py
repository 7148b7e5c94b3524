"""What holds for every experiment: a run is the same in any batch, and a wrong setting is refused before it runs."""

import dataclasses
import importlib
import math
import pkgutil
from dataclasses import dataclass

import pandas as pd
import pytest

from benign import experiments
from benign.data import streamed
from benign.errors import InputError
from benign.experiments.alignments import Alignments
from benign.experiments.borders import Border
from benign.experiments.clusters import PollutedClusters
from benign.experiments.deep_classification import DeepClassification
from benign.experiments.deep_digits import DeepDigits
from benign.experiments.digits import PollutedDigits
from benign.experiments.dynamics import Dynamics
from benign.experiments.good_event import GoodEvent
from benign.experiments.infinite_width import InfiniteWidth
from benign.experiments.laziness import Laziness
from benign.experiments.lazy_training import LazyTraining
from benign.experiments.lipschitz import ClusterInterpolator
from benign.experiments.lipschitz_digits import DigitInterpolator
from benign.experiments.ntk_fitting import Fitting
from benign.experiments.ntk_regression import KernelSplit
from benign.experiments.ntk_regression_networks import NetworkSplit
from benign.experiments.ntk_spectrum import Spectrum
from benign.experiments.ntk_width import FiniteWidth
from benign.experiments.other_noise import OtherNoise
from benign.experiments.parts import MarginParts
from benign.experiments.separated import Separated
from benign.experiments.separation import Separation
from benign.experiments.tails import TailErrors


@dataclass
class Case:
    """A small setting, batches of changes to it, and changes that must be refused, each with what is said of it."""

    small: object
    batches: list[list[dict]]
    wrong: list[tuple[dict, str]]

    def __str__(self):
        return type(self.small).__name__


def rows(**columns):
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


POLLUTED = dict(n=12, p=300, signal_index=6.0, label_noise=0.25, seed=0, width=9, step=1.0, steps=60)
MIXED = ["relu", "leaky_relu(0.2)", "elu", "relu"]
STREAMED = dict(p=2 * streamed.BLOCK + 5, frame="ambient", noise="laplace")
SEEDS = rows(seed=range(3))

CASES = [
    Case(
        Alignments(**POLLUTED | dict(steps=30, records=(0, 7))),
        [rows(seed=range(3), activation=MIXED[:3])],
        [],
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
        [
            (dict(flips="worst"), "flips is 'worst': it must be one of random, deepest, one class"),
            (dict(level=-1.0), "level is -1.0: it must be a finite number, at least 0"),
            (dict(level=math.nan), "level is nan"),
            (dict(paired=True, width=7), "width is 7: neurons can be paired only if their number is even"),
            (dict(watched=0), "watched is 0: it must be a number of steps from 1 to 400"),
            (dict(watched=401), "watched is 401"),
            (dict(records=(1,)), r"records is \(1,\): this experiment measures at the end"),
            (dict(test_points=0), "test_points is 0: it must be a finite number, at least 1"),
            (dict(label_noise=0.5), "label_noise is 0.5"),
        ],
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
        [
            (dict(n=0), "n is 0"),
            (dict(p=0), "p is 0"),
            (dict(signal_index=-1.0), "signal_index is -1.0: it must be a finite number, at least 0"),
            (dict(signal_index=math.nan), "signal_index is nan"),
            (dict(label_noise=0.5), "label_noise is 0.5"),
            (dict(activation="rleu"), "did you mean 'relu'"),
            (dict(width=0), "width is 0"),
            (dict(step=0), "step is 0: it must be a positive number"),
            (dict(init_scale=-1), "init_scale is -1"),
            (dict(steps=-1), "steps is -1"),
            (dict(test_points=0), "test_points is 0: it must be a finite number, at least 1"),
            (dict(records=(0, 61)), r"records is \(0, 61\): it must be a tuple of steps from 0 to 60, the last"),
            (dict(frame="flat"), "frame is 'flat': it must be one of reduced, ambient"),
            (dict(engine="fast"), "engine is 'fast': it must be one of span, dense"),
            (dict(loss_function="squared"), "loss_function is 'squared': it must be one of logistic, exponential, hin"),
            (dict(records=[0, 1]), r"records is \[0, 1\]: it must be a tuple"),
        ],
    ),
    Case(
        DeepClassification(n=24, d=80, separation=5.0, label_noise=0.125, seed=0, width=20, test_points=200),
        [[{}, dict(seed=1, separation=20.0), dict(seed=2, label_noise=0.25, init_noise=0.3, step=2.0)]],
        [(dict(width=0), "width is 0: a hidden layer has at least one neuron")],
    ),
    Case(
        DeepDigits(negative=3, positive=8, n=40, label_noise=0.2, seed=0, width=24),
        [[{}, dict(negative=0, positive=1, seed=1, label_noise=0.0)]],
        [(dict(width=0), "width is 0"), (dict(epochs=0), "epochs is 0")],
    ),
    Case(
        PollutedDigits(negative=3, positive=8, n=40, label_noise=0.1, seed=0, width=16, step=6.0, steps=3000),
        [[{}, dict(seed=1, label_noise=0.0), dict(negative=4, positive=9, scaling="unit-norm", step=0.3)]],
        [
            (dict(activation="tanh"), "activation is 'tanh'"),
            (dict(width=0), "width is 0"),
            (dict(step=0.0), "step is 0.0: it must be a positive number"),
            (dict(init_scale=-1.0), "init_scale is -1.0"),
            (dict(steps=-1), "steps is -1"),
        ],
    ),
    Case(
        Dynamics(**POLLUTED | dict(p=150, n=50, width=33, steps=40, records=(0, 1, 7))),
        [
            rows(seed=range(4), activation=names, step=(0.2, 1.0, 5.0, 0.7), label_noise=(0.25, 0.1, 0.0, 0.4))
            for names in (["relu"] * 4, MIXED)
        ],
        [(dict(step=0), "step is 0: it must be a positive number")],
    ),
    Case(
        GoodEvent(n=9, p=60, signal_index=5.0, label_noise=0.25, seed=3, width=7, activation="elu", init_scale=1e6),
        [[{}, STREAMED, dict(n=4, seed=1), STREAMED | dict(noise="power(1)")]],
        [
            (dict(noise="lapace"), "did you mean 'laplace'"),
            (dict(noise="laplace"), "noise is 'laplace' and frame 'reduced': only Gaussian noise has a reduced frame"),
            (dict(direction="last"), "direction is 'last': it must be one of spread, first"),
            (dict(width=0), "width is 0"),
        ],
    ),
    Case(
        InfiniteWidth(n=24, d=80, separation=5.0, label_noise=0.125, seed=0, test_points=200, init_noise=0.7),
        [[{}, dict(seed=1, label_noise=0.25)]],
        [],
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
        [
            (dict(start="centred"), "start is 'centred': it must be one of paired, independent"),
            (dict(width=7), "width is 7: a paired start needs an even number of neurons"),
            (dict(activation="elu"), "activation is 'elu': the kernel machine is known for relu and leaky_relu"),
            (dict(records=(0,)), r"records is \(0,\).* leave records out"),
            (dict(steps=0), "steps is 0.*at least one step"),
            (dict(level=0), "level is 0.*must be positive"),
            (dict(level=math.nan), "level is nan"),
            (dict(test_points=0), "test_points is 0.*at least one test point"),
            (dict(label_noise=0.5), "label_noise is 0.5"),
        ],
    ),
    Case(
        LazyTraining(n=10, label_noise=0.1, seed=0, batch_points=5),
        [],
        [
            (dict(depth=1), "depth is 1"),
            (dict(epochs=0), "epochs is 0"),
            (dict(init_noise=0), "init_noise is 0: it must be a positive number"),
            (dict(step=-1.0), "step is -1.0"),
            (dict(level=float("inf")), "level is inf"),
            (dict(batch_points=11), "batch_points is 11: it must lie between 1 and the 10 points"),
            (dict(label_noise=0.5), "label_noise is 0.5"),
        ],
    ),
    Case(
        ClusterInterpolator(n=20, d=50, separation=4.0, label_noise=0.1, seed=0, width=12, test_points=300),
        [
            [
                {},
                dict(seed=1, separation=8.0, init_noise=5.0),
                dict(seed=2, label_noise=0.2, draw=3),
                dict(weight_decay=1e-3),
            ]
        ],
        [
            (dict(depth=1), "depth is 1"),
            (dict(width=0), "width is 0"),
            (dict(n=1), "n is 1"),
            (dict(draw=-1), "draw is -1"),
            (dict(level=0.0), "level is 0"),
            (dict(weight_decay=-1e-3), "weight_decay is -0.001: it must be a finite number, at least 0"),
            (dict(weight_decay=math.inf), "weight_decay is inf"),
            (dict(init_noise=math.inf), "init_noise is inf"),
            (dict(separation=-1.0), "separation is -1"),
            (dict(test_points=1), "test_points is 1"),
            (dict(label_noise=0.5), "label_noise is 0.5"),
            (dict(activation="rellu"), "did you mean 'relu'"),
        ],
    ),
    Case(
        DigitInterpolator(negative=3, positive=8, n=24, label_noise=0.125, seed=0, width=32),
        [[{}, dict(negative=0, positive=1, seed=1, label_noise=0.0, init_noise=0.3)]],
        [],
    ),
    Case(
        Fitting(n=15, d=5, depth=2, seed=0, times=9),
        [SEEDS],
        [({name: 1}, f"{name} is 1") for name in ("n", "d", "depth", "times")],
    ),
    Case(
        KernelSplit(n=12, d=4, depth=3, seed=0, test_points=20),
        [rows(seed=range(3), depth=(2, 3, 5))],
        [
            (dict(d=1), "d is 1 and depth is 3: the sphere needs two"),
            (dict(depth=1), "depth is 1.*cannot interpolate"),
            (dict(n=0), "n is 0.*a training and a test point"),
            (dict(test_points=0), "test_points is 0"),
            (dict(slope=1.0), r"slope is 1.0.*\[0, 1\)"),
            (dict(slope=-0.1), "slope is -0.1"),
        ],
    ),
    Case(
        NetworkSplit(
            n=6, d=4, depth=3, width=16, target="2", noise_variance=0.2, seed=3, networks=4, level=1e-4, test_points=10
        ),
        [rows(seed=range(3), width=(8, 16, 24))],
        [
            (dict(d=1), "d is 1.*at least 2"),
            (dict(depth=1), "depth 1.*at least 2"),
            (dict(width=0), "width 0.*at least 1"),
            (dict(target="4"), "target is '4': it must be one of 1, 2, 3, mixture"),
            (dict(networks=6), "networks is 6: it must be a power of two"),
            (dict(networks=1), "networks is 1"),
            (dict(noise_variance=-0.1), "noise_variance is -0.1"),
            (dict(level=0.0), "level is 0.0"),
        ],
    ),
    Case(
        Spectrum(n=12, d=20, depth=3, seed=0),
        [SEEDS],
        [
            (dict(n=1), "n is 1"),
            (dict(d=1), "d is 1"),
            (dict(depth=0), "depth is 0"),
            (dict(inputs="cube"), "'cube'.*sphere, gaussian"),
            (dict(inputs="mnist"), "784 pixels"),
            (dict(inputs="mnist", d=784, n=4001), "has 4000"),
        ],
    ),
    Case(
        FiniteWidth(n=6, d=10, depth=3, width=12, seed=0),
        [SEEDS],
        [({name: value}, f"{name} is {value}") for name, value in dict(n=1, d=1, depth=1, width=0).items()],
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
        [
            (dict(noise="lapace"), "did you mean 'laplace'"),
            (dict(frame="ambient"), "frame is 'ambient', engine 'span' and records"),
            (dict(engine="dense"), "engine 'dense'"),
            (dict(records=(3,)), r"records \(3,\)"),
            (dict(direction="second"), "direction is 'second': it must be one of spread, first"),
            (dict(test_points=0), "test_points is 0: it must be at least 1"),
        ],
    ),
    Case(
        MarginParts(**POLLUTED, records=(0, 7), fresh_points=30),
        [rows(seed=range(3), activation=["relu", "leaky_relu(0.2)", "relu"], signal_index=[6.0, 2.0, 0.5])],
        [
            (dict(activation="elu"), "activation is 'elu': only for relu and leaky_relu"),
            (dict(activation="smoothed_leaky_relu(0.1, 1)"), "only for relu and leaky_relu"),
            (dict(fresh_points=0), "fresh_points is 0: it must be a finite number, at least 1"),
            (dict(label_noise=0.5), "label_noise is 0.5"),
        ],
    ),
    Case(
        Separated(n=20, d=60, separation=1.0, label_noise=0.1, seed=0),
        [],
        [(dict(d=0), "d is 0"), (dict(test_points=0), "test_points is 0"), (dict(separation=-1.0), "separation is -1")],
    ),
    Case(
        Separation(negative=4, positive=9, n=40, label_noise=0.2, seed=0),
        [[{}, dict(negative=0, positive=1, seed=1), dict(depth=2)]],
        [(dict(depth=1), "depth is 1"), (dict(n=3), "n is 3")],
    ),
    Case(
        TailErrors(**POLLUTED, tail_points=400, test_points=800),
        [
            rows(
                activation=MIXED, seed=range(4), signal_index=[6.0, 2.0, 0.5, 0.0], label_noise=[0.25, 0.0, 0.1, 0.4],
                step=[1.0, 0.2, 1.0, 2.0], test_points=[800, 100, 6_000, 101], tail_points=[400, 20, 1000, 60],
            )
        ],
        [
            (dict(records=(1,)), r"records is \(1,\): this experiment measures at the end"),
            (dict(tail_points=30), "tail_points is 30: it must be a positive multiple of 20"),
            (dict(tail_points=0), "tail_points is 0"),
            (dict(test_points=99), "test_points is 99: the spread of the margins in each class needs at least 100"),
            (dict(activation="rleu"), "did you mean 'relu'"),
        ],
    ),
]  # fmt: skip


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


@pytest.mark.parametrize(
    ("small", "changes", "message"),
    [pytest.param(case.small, *wrong, id=f"{case}-{wrong[1]}") for case in CASES for wrong in case.wrong],
)
def test_a_wrong_setting_is_explained_before_anything_runs(small, changes, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(small, **changes)
