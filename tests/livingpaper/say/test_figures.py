"""Figures and tables as objects: what they refuse, what they carry, how they look."""

import base64
import codecs
import io
import json
import re
from itertools import pairwise

import matplotlib as mpl
import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text

from livingpaper.errors import InputError
from livingpaper.say import figures, style
from livingpaper.say.figures import MIME

DATA = pd.DataFrame({"p": [1, 2, 3], "error": [0.1 + 0.2, 1 / 3, 1e-300]})


@pytest.fixture
def handed_over(monkeypatch):
    """A function that calls another one and returns what it displays."""

    def call(function, *arguments, **options):
        shown = []
        monkeypatch.setattr(figures, "display", lambda bundle, **how: shown.append((bundle, how)))
        function(*arguments, **options)
        ((bundle, how),) = shown
        assert how == {"raw": True, "metadata": {"scrapbook": {"name": arguments[0], "mime_prefix": ""}}}
        return bundle

    return call


def a_picture():
    # made once a call and without pyplot, whose list of open figures a test should not fill
    picture = matplotlib.figure.Figure()
    picture.subplots().plot(DATA["p"], DATA["error"], label="error")
    return picture


@pytest.fixture
def drawn(handed_over):
    """A function that hands a figure over and returns what is displayed."""

    def draw(**changes):
        given = {"id": "fig-error", "picture": a_picture(), "data": DATA} | changes
        return handed_over(figures.figure, *given.values())

    return draw


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "error"}, "figure id 'error'"),
        ({"id": "fig-Error_1"}, "lower-case"),
        ({"id": "tab-error"}, "'fig-'"),
        ({"id": None}, "None"),
        ({"picture": "a.png"}, "is a str"),
        ({"data": [1, 2]}, "fig-error: 'data' is a list"),
        ({"data": DATA.iloc[:0]}, "shape (0, 2)"),
    ],
)
def test_an_incomplete_figure_is_refused(drawn, changes, message):
    with pytest.raises(InputError, match=message.replace("(", r"\(").replace(")", r"\)")):
        drawn(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"caption": " "}, "'caption'"),
        ({"alt": ""}, "'alt' is ''"),
        ({"alt": None}, "'alt' is ''"),
        ({"alt": "figures/error.PNG"}, "is the file name"),
        ({"alt": "x" * 501}, "501 characters, the limit is 500"),
    ],
)
def test_words_that_say_too_little_are_refused(changes, message):
    words = {"caption": "Error against $p$.", "alt": "It falls."}
    payload = {"id": "fig-error", "kind": "figure"}
    assert figures.captioned(payload, words) == payload | words
    with pytest.raises(InputError, match=message):
        figures.captioned(payload, words | changes)


def test_the_data_come_back_exactly(drawn):
    files = drawn()[MIME]["files"]
    read = pd.read_csv(io.StringIO(files["csv"]))
    pd.testing.assert_frame_equal(read, DATA, check_exact=True)


def test_texts_that_a_spreadsheet_takes_for_something_else_are_refused():
    misread = "3-8, 1/2, 1:30, 2024-01-02, 1.2.2024, MAR1, 1-Sep, =A1, @sum, +x, -cmd|' /c', -1+2, 007, 12e5"
    for text in [*misread.split(", "), "1" * 16]:
        for data in (pd.DataFrame({"x": [text]}), pd.DataFrame({text: [1]}), DATA.assign(p=text).set_index("p")):
            with pytest.raises(InputError, match=re.escape(f"the text {text!r} is a date, a formula")):
                figures.csv(data)
    kept = "3 vs 8; 0.12 to 0.3; -0.06 [-0.48, 0.46]; -2.5e-06; 1e-05; -; may be; margin1; n-1; 10%; 0; 1.5"
    assert figures.csv(pd.DataFrame({"x": kept.split("; ")})).isascii()


def test_a_spreadsheet_is_told_the_alphabet_where_it_matters():
    data = pd.DataFrame({"x": ["1 ± 2"]})
    content = figures.contents({"files": {"csv": figures.csv(data)}})["csv"]
    assert content.startswith(codecs.BOM_UTF8)
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(content)), data)


def test_a_named_index_is_data_and_a_row_counter_is_not(drawn):
    named = drawn(data=DATA.set_index("p"))[MIME]["files"]["csv"]
    counted = drawn(data=DATA[DATA["p"] > 1])[MIME]["files"]["csv"]
    assert named.startswith("p,error\n1,") and counted.startswith("p,error\n2,")


def test_the_same_figure_gives_the_same_bytes(drawn):
    first, second = drawn(), drawn()
    assert first == second
    payload = first[MIME]
    assert set(payload["files"]) == {"svg", "narrow.svg", "png", "pdf", "csv"}
    assert "<dc:date>" not in payload["files"]["svg"] and "<text" not in payload["files"]["svg"]
    pdf = base64.b64decode(payload["files"]["pdf"])
    assert pdf.startswith(b"%PDF") and b"CreationDate" not in pdf
    assert first["image/png"] == payload["files"]["png"] and first["text/plain"].startswith("fig-error")
    json.dumps(first, allow_nan=False)


def test_a_layout_is_searched_once_and_each_file_drawn_once(drawn, monkeypatch):
    def count(owner, name):
        plain = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *given, **more: calls.append(name) or plain(*given, **more))

    calls = []
    count(ConstrainedLayoutEngine, "execute")
    count(Axes, "draw")
    with mpl.rc_context({"figure.constrained_layout.use": True}):
        picture, _ = plt.subplots()
        drawn(picture=picture)
    assert (calls.count("execute"), calls.count("draw")) == (1, len(["png", "pdf", "svg", "narrow.svg"]))


def test_the_environment_is_recorded(drawn):
    environment = drawn()[MIME]["environment"]
    assert environment["versions"]["matplotlib"] == mpl.__version__ and environment["python"]


def test_displaying_changes_no_global_state_and_closes_the_figure(drawn):
    picture, _ = plt.subplots()
    before = dict(mpl.rcParams)
    drawn(picture=picture)
    assert dict(mpl.rcParams) == before
    assert not plt.fignum_exists(picture.number)


def test_a_table_prints_four_digits_and_keeps_all(handed_over):
    data = pd.DataFrame(
        {"rule": ["a", "b"], "gap": ["0.1 ± 0.2", "−1"], "x": [1 / 3, np.nan], "k": [10**6, 2], "ok": [True, False]}
    )
    bundle = handed_over(figures.table, "tab-rules", data.set_index("rule"))
    table = bundle[MIME]["table"]
    assert table["columns"] == ["rule", "gap", "x", "k", "ok"]
    assert table["rows"] == [["a", "0.1 ± 0.2", "0.3333", "1000000", "yes"], ["b", "−1", "–", "2", "no"]]
    assert table["numeric"] == [False, True, True, True, False]
    assert repr(1 / 3) in bundle[MIME]["files"]["csv"]
    assert "<table" in bundle["text/html"] and "0.3333" in bundle["text/plain"]


def test_only_what_is_marked_as_markup_is_markup(handed_over):
    data = pd.DataFrame({"*a*": ["*b*"], "c": ["*d*"]})
    assert handed_over(figures.table, "tab-rules", data, markup=["*a*"])[MIME]["table"]["markup"] == [True, False]
    with pytest.raises(InputError, match="tab-rules: markup names 'rules': there are "):
        figures.table("tab-rules", data, markup=["rules"])


def test_a_table_refuses_a_figures_id(handed_over):
    with pytest.raises(InputError, match="table id 'fig-rules'"):
        figures.table("fig-rules", DATA)


def test_neighbouring_colours_differ_in_grey():
    # relative luminance, then CIE lightness, on which 10 of 100 is told apart at a glance
    linear = [
        [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(hex)] for hex in style.PALETTE
    ]
    lightness = [116 * (0.2126 * r + 0.7152 * g + 0.0722 * b) ** (1 / 3) - 16 for r, g, b in linear]
    first_four = lightness[:4]
    assert min(abs(a - b) for i, a in enumerate(first_four) for b in first_four[:i]) > 10
    assert max(lightness) < 75  # a lighter line is lost on white


def test_labels_at_line_ends_do_not_overlap():
    with mpl.rc_context(style.RC):
        picture = matplotlib.figure.Figure()
        axes = picture.subplots()
        for k in range(6):
            axes.plot([0, 1], [0, 0.001 * k], label=f"line {k}")
        axes.plot([0, 1], [0, 1], label="_hidden")
        axes.plot([0, 1], [0, np.nan], label="far")
        style.label_lines(axes, {"line 5": "renamed"})
        picture.draw_without_rendering()
        # of the text alone: an annotation's own extent takes in its leader
        boxes = {text.get_text(): Text.get_window_extent(text) for text in axes.texts}
        order = sorted(boxes, key=lambda label: boxes[label].y0)
        assert len(order) == 7 and [label for label in order if label != "far"][-1] == "renamed"
        assert all(boxes[low].y1 <= boxes[high].y0 for low, high in pairwise(order))
