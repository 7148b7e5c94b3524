"""Numbers on their way to prose."""

import numpy as np
import pytest
from myst_nb.ext.glue import glue

from livingpaper.errors import InputError
from livingpaper.say.numbers import numbers, scientific, spelt


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1.53e9, 1, "1.5·10⁹"),
        (3.3e-14, 0, "3·10⁻¹⁴"),
        (9.99e3, 1, "1.0·10⁴"),
        (-120, 2, "-1.20·10²"),
        (1.0, 0, "1·10⁰"),
    ],
)
def test_powers_of_ten_are_written_as_people_write_them(value, digits, text):
    assert scientific(value, digits) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(800, "800"), (20000.0, "20,000"), (10**6, "10⁶"), (np.int64(15 * 10**8), "1.5·10⁹"), (1_234_567, "1,234,567")],
)
def test_labels_spell_whole_numbers(number, text):
    assert spelt(number) == text


@pytest.mark.parametrize("value", [np.float64(0.5), np.array(0.5), 0.5, np.int64(3), "word", np.bool_(True)])
def test_numbers_are_glued_as_myst_nb_glues_plain_python(monkeypatch, value):
    shown, plain = [], getattr(value, "item", lambda: value)()
    for function, shows in {numbers: "display", glue: "ipy_display"}.items():
        monkeypatch.setitem(function.__globals__, shows, lambda bundle, **how: shown.append((bundle, how)))
    numbers(a_key=value)
    glue("a-key", plain, display=False)
    ours, theirs = shown
    assert ours == theirs and list(ours[0].values()) == [repr(plain)]


@pytest.mark.parametrize("value", [[1, 2], np.ones(2), None, float("nan"), 1j, {}])
def test_it_refuses_what_is_not_one_number(value):
    with pytest.raises(InputError, match="^key: "):
        numbers(key=value)
