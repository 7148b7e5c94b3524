"""Marks of explorable figures: they lie where the picture has them, and tell what their runs say."""

import base64
import io
import itertools
import shlex
from dataclasses import dataclass
from unittest import mock

import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import Normalize, to_rgb

from livingpaper.errors import InputError
from livingpaper.say import figures
from livingpaper.say.marks import Marks
from livingpaper.sphinx.explore import command


@dataclass(frozen=True)
class Toy:
    load: float
    ratio: int
    seed: int
    kind: str = "plain"
    steps: int = 100


def runs_of(loads, ratios, seeds=2, **others):
    rows = [
        {"load": load, "ratio": ratio, "seed": seed, "kind": "plain", "steps": 100, "error": load + ratio + seed / 10}
        for load in loads
        for ratio in ratios
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows).assign(**others)


def marks_of(axes, runs, **changes):
    given = {
        "axes": axes, "runs": runs, "experiment": Toy, "x": "ratio", "y": "load",
        "settings": {"ratio": "p/n", "load": "λ"}, "values": {"error": "test error"},
    }  # fmt: skip
    return Marks(**(given | changes))


def shown(picture, marks):
    """What the page gets of the marks, the picture's pixels, between 0 and 1, and all that is displayed."""
    with mock.patch.object(figures, "display") as display:
        figures.figure("fig-map", picture, pd.DataFrame({"a": [1]}), explore=marks)
    picture.savefig(narrow := io.BytesIO(), format="png", dpi=figures.PNG_DPI)  # as it was left: stacked
    narrow.seek(0)
    payload = display.call_args.args[0][figures.MIME]
    images = {"at": io.BytesIO(base64.b64decode(payload["files"]["png"])), "narrow": narrow}
    return payload["explore"], {name: plt.imread(image)[..., :3] for name, image in images.items()}, payload


def pixel(image, x, y):
    height, width, _ = image.shape
    return image[min(int(y * height), height - 1), min(int(x * width), width - 1)]


def inside(at):
    """The centre of a mark, and points near its corners."""
    x, y, width, height = at
    return [
        (x + a * width, y + b * height) for a, b in ((0.5, 0.5), (0.08, 0.08), (0.92, 0.08), (0.08, 0.92), (0.92, 0.92))
    ]


def test_tiles_lie_on_the_cells_of_the_drawn_map():
    loads, ratios = [0.1, 1.0, 16.0], [2, 30, 100, 1000]
    runs = runs_of(loads, ratios)
    picture = matplotlib.figure.Figure(figsize=(6, 4), layout="constrained")
    axes = picture.subplots(1, 2)
    means = runs.groupby(["load", "ratio"]).error.mean().unstack()
    scale = Normalize(means.min().min(), means.max().max())
    for ax, origin in zip(axes, ("lower", "upper"), strict=True):
        ax.imshow(means, origin=origin, aspect="auto", norm=scale, cmap="cividis")
        ax.set(xlabel="p / n", ylabel="a label that is long enough to move the axes")
    found, images, _ = shown(picture, [marks_of(ax, runs, name=name) for ax, name in zip(axes, "ab", strict=True)])
    assert len(found) == 24
    cells = [(load, ratio) for _ in "ab" for load in loads for ratio in ratios]
    for mark, (load, ratio) in zip(found, cells, strict=True):
        assert mark["setting"].endswith(f"p/n = {ratio:,d}, λ = {load:g}")
        wanted = plt.get_cmap("cividis")(scale(means.loc[load, ratio]))[:3]
        for version, image in images.items():
            for x, y in inside(mark[version]):
                np.testing.assert_allclose(pixel(image, x, y), wanted, atol=0.02)


def test_a_categorical_gives_the_order_of_tiles():
    order = pd.CategoricalDtype(["c", "a", "b"])
    runs = runs_of([1.0], [1, 2, 3]).assign(name=lambda frame: frame.ratio.map({1: "a", 2: "b", 3: "c"}).astype(order))
    picture = matplotlib.figure.Figure()
    ax = picture.subplots()
    ax.imshow([[0, 1, 2]], aspect="auto")
    found, _, _ = shown(picture, [marks_of(ax, runs, x="name", settings={"name": "law"})])
    left = {mark["setting"]: mark["at"][0] for mark in found}
    assert sorted(left, key=left.get) == ["law = c", "law = a", "law = b"]


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_points_lie_on_the_drawn_markers(scale):
    runs = runs_of([0.1, 1.0, 16.0], [2, 30, 1000])
    picture = matplotlib.figure.Figure(layout="constrained")
    ax = picture.subplots()
    means = runs.groupby(["load", "ratio"]).error.mean().reset_index()
    ax.plot(means.ratio, means.error, "s", color="#D55E00", markersize=8, clip_on=False)
    ax.set(xscale=scale, yscale=scale, title="a title", ylabel="error")
    found, images, _ = shown(picture, [marks_of(ax, runs, y="error", tiles=False)])
    assert len(found) == 9
    for mark, (version, image) in itertools.product(found, images.items()):
        np.testing.assert_allclose(pixel(image, *inside(mark[version])[0]), to_rgb("#D55E00"), atol=0.02)


def test_what_is_not_drawn_has_no_mark():
    runs = runs_of([0.0, 1.0, 50.0], [2])
    picture = matplotlib.figure.Figure()
    ax = picture.subplots()
    ax.plot([1, 2], [1, 4])
    ax.set(xscale="log", xlim=(0.5, 4))
    found, _, _ = shown(picture, [marks_of(ax, runs, x="load", y="error", tiles=False)])
    assert [mark["setting"] for mark in found] == ["p/n = 2, λ = 1"]


@pytest.mark.parametrize(
    ("runs", "mean", "numbers"),
    [
        (runs_of([1.0], [2]), "arithmetic", "3.05 (3, 3.1)"),
        (runs_of([1.0], [2], seeds=9), "arithmetic", "3.4 (3 to 3.8)"),
        (runs_of([1.0], [2], seeds=3, error=[True, False, True]), "arithmetic", "2 of 3"),
        (runs_of([1.0], [2], seeds=3, error=[0.0, 1e-4, 1e-6]), "geometric", "1e-05 (0, 0.0001, 1e-06)"),
        (runs_of([1.0], [2], error=0.5), "arithmetic", "0.5"),
        (runs_of([1.0], [2], error=0.0), "arithmetic", "0"),
    ],
)
def test_a_mark_tells_its_numbers_seed_by_seed_or_by_their_ends(runs, mean, numbers):
    marks = marks_of(matplotlib.figure.Figure().subplots(), runs, mean=mean)
    ((_, behind),) = marks
    told = marks.tell(behind)
    assert told["numbers"] == [f"test error: {numbers}"]
    assert told["seeds"] == f"{len(runs)} seeds, 0 to {len(runs) - 1}"


def test_the_command_names_what_differs_from_the_experiments_defaults():
    marks = marks_of(matplotlib.figure.Figure().subplots(), runs_of([0.1 + 0.2], [2], kind="leaky_relu(0.1)"))
    ((_, runs),) = marks
    assert shlex.split(marks.tell(runs)["command"])[3:] == [
        "load=0.30000000000000004", "ratio=2", "kind=leaky_relu(0.1)", "--seeds", "2",
    ]  # fmt: skip


def test_the_command_of_a_fresh_draw_names_its_first_seed():
    runs = runs_of([0.1], [2]).assign(seed=[10000, 10001])
    ((_, behind),) = marks = marks_of(matplotlib.figure.Figure().subplots(), runs)
    told = marks.tell(behind)
    assert shlex.split(told["command"])[-4:] == ["--seeds", "2", "--first-seed", "10000"]
    assert told["seeds"] == "2 seeds, 10000 to 10001"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": "rato"}, "no column 'rato'"),
        ({"values": {"loss": "loss"}}, "no column 'loss'"),
        ({"runs": runs_of([1.0], [2]).drop(columns="kind")}, "no column 'kind'"),
        ({"mean": "harmonic"}, "arithmetic or geometric"),
    ],
)
def test_marks_without_their_columns_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        marks_of(matplotlib.figure.Figure().subplots(), **({"runs": runs_of([1.0], [2])} | changes))


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        (runs_of([1.0], [2], steps=[100, 200]), "several steps: name the column"),
        (runs_of([1.0], [2], seed=[0, 5]), r"the seeds \[0, 5\]: they must follow one another"),
    ],
)
def test_a_mark_that_no_command_computes_is_refused(runs, message):
    marks = marks_of(matplotlib.figure.Figure().subplots(), runs)
    with pytest.raises(InputError, match=message):
        for _, behind in marks:
            marks.tell(behind)


def test_a_figure_without_marks_has_none_and_all_pictures_show_the_same_part():
    picture = matplotlib.figure.Figure(figsize=(5, 3), layout="constrained")
    picture.subplots().plot([1, 2])
    found, images, payload = shown(picture, ())
    assert found == []
    for name, image in zip(("svg", "narrow.svg"), images.values(), strict=True):
        svg = payload["files"][name]
        width, height = (float(svg.split(f'{side}="')[1].split("pt")[0]) for side in ("width", "height"))
        assert image.shape[1] / image.shape[0] == pytest.approx(width / height, rel=0.01)


def test_the_chapters_command_repeats_this_build():
    assert command("first", None) == "benign run first"
    assert command("first", {"variant": "published", "preset": "published", "overrides": {}}) == "benign run first"
    smoke = {"variant": "smoke", "preset": "smoke", "overrides": {"n": 2}}
    assert command("first", smoke) == "benign run first --preset smoke"
    own = {"variant": "custom-1", "preset": "smoke", "overrides": {"n": 2, "names": ["a", "b"]}}
    assert shlex.split(command("first", own)) == ["benign", "run", "first", "-p", "n=2", "-p", "names=['a', 'b']"]
