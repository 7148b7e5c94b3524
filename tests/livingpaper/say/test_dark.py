"""Pictures on a dark page: legible, and one file for both colour schemes."""

import io

import matplotlib.pyplot as plt
import pytest

from livingpaper.say import dark, style


def luminance(colour):
    """The relative luminance of WCAG 2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", style.PALETTE)
def test_every_line_can_be_seen_on_the_dark_sheet(colour):
    shown = dark.COLOURS.get(colour.lower(), colour)
    assert contrast(shown, dark.SHEET) >= 4  # 3 is asked of lines


def test_letters_can_be_read_on_the_dark_sheet():
    assert contrast(dark.COLOURS[style.INK], dark.SHEET) >= 7
    # what was quieter than the ink stays so, and what was quietest is
    order = [contrast(dark.COLOURS[grey], dark.SHEET) for grey in ("#222222", "#666666", "#bbbbbb", "#dddddd")]
    assert order == sorted(order, reverse=True)


def test_a_picture_keeps_its_light_colours_and_gets_rules_for_the_dark():
    with plt.rc_context(style.RC):
        picture, axes = plt.subplots()
        axes.plot([0, 1], label="a line")
        buffer = io.StringIO()
        picture.savefig(buffer, format="svg", facecolor="white")
        plt.close(picture)
    svg = buffer.getvalue()
    themed = dark.themed(svg)
    rules = themed.partition("@media (prefers-color-scheme: dark){")[2].partition("}}")[0]
    assert themed.replace(f"@media (prefers-color-scheme: dark){{{rules}}}}}", "") == svg
    for light in ("#222222", "#0072b2", "#ffffff", "#dddddd"):
        assert f": {light}" in svg and f": {light}" in rules  # as matplotlib spells it


def test_what_no_matplotlib_wrote_is_refused():
    with pytest.raises(ValueError, match="no style sheet"):
        dark.themed("<svg/>")


def test_black_which_a_file_does_not_name_is_light_in_the_dark():
    # matplotlib writes no fill for a black marker or band; the shape that coloured markers copy names none either
    rules = dark.themed("<style></style>")
    unsaid = ':is(path:not([id]),use)[style]:not([style*="fill:"]){fill:' + dark.COLOURS["#000000"]
    assert unsaid in rules


def test_what_stands_on_the_tiles_of_a_map_is_the_same_in_the_dark():
    assert not {style.ON_TILES, style.TILE_INK} & {*dark.COLOURS, "#ffffff"}
    assert contrast(style.ON_TILES, style.TILE_INK) >= 15
