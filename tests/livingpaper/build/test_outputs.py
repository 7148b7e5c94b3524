"""What a page shows of the outputs of a cell, and what it says in the place of the rest."""

import pytest
from nbformat.v4 import new_code_cell, new_output

from livingpaper.build import render
from livingpaper.build.outputs import LARGEST, LONGEST, WIDGET, shown
from livingpaper.errors import PaperError
from livingpaper.say import figures


def of(*outputs):
    return shown(new_code_cell(id="run", outputs=list(outputs)))


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def data(**texts):
    return new_output("display_data", data={name.replace("_", "/"): text for name, text in texts.items()})


def test_what_is_short_is_shown_as_it_is():
    outputs = [stream("a\nb\n"), data(text_plain="1"), new_output("execute_result", data={"text/html": "<b>"})]
    assert of(*outputs) == (outputs, [])


def test_standard_error_is_told_to_the_author_and_shown_to_nobody():
    bars = stream("\r  0%|    | 0/2\r100%|████| 2/2\n", "stderr")
    assert of(bars, stream("done\n"), bars) == (
        [stream("done\n")],
        ["cell run wrote to standard error, which no page shows: 100%|████| 2/2"],
    )


def test_of_a_line_that_is_written_over_the_last_state_is_shown():
    assert of(stream("0 of 2\r1 of 2\r2 of 2\nend\r\n"))[0] == [stream("2 of 2\nend\n")]


def test_a_widget_is_left_out_and_the_page_says_so():
    (output,), told = of(new_output("display_data", data={WIDGET: {"model_id": "1"}, "text/plain": "IntSlider()"}))
    assert output == stream("[left out: a widget, which needs a running kernel]\n")
    assert told == ["cell run has an output that no page shows: a widget, which needs a running kernel"]


@pytest.mark.parametrize("outputs", [[stream("x" * 2_000_000)], [stream("x\n" * 60_000), stream("x\n" * 60_000)] * 9])
def test_a_long_text_is_cut_and_the_page_says_so(outputs):
    kept, told = of(*outputs, data(text_plain="y", image_png="picture"))
    text = "".join(output.text for output in kept[:-1])
    assert len(text) < LONGEST + 100 and text.endswith("[the rest of this text is left out here]\n")
    assert kept[-1].data["image/png"] == "picture"
    assert told == [f"cell run prints more than the {LONGEST} characters that a page shows"]


def test_a_large_output_is_left_out_unless_it_is_a_figure_of_the_book():
    large = "x" * (LARGEST + 1)
    (output,), _ = of(data(text_html=large, text_plain="table"))
    assert output == stream(f"[left out: {len(large)} characters of text/html]\n")
    figure = new_output("display_data", data={figures.MIME: {"svg": large}, "text/plain": "fig-a"})
    assert of(figure) == ([figure], [])


def test_pages_that_take_too_long_are_not_published(tmp_path, monkeypatch):
    monkeypatch.setattr(render, "TIME_LIMIT", 0.01)
    with pytest.raises(PaperError, match=r"not rendered in 0.01 s, nothing was published: .*\nlog: .*render.log"):
        render.render(tmp_path, tmp_path / "site", tmp_path / "render.log")
