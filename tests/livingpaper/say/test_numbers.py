"""Numbers on their way to prose."""

import numpy as np
import pytest

from livingpaper.errors import InputError
from livingpaper.say.numbers import numbers, scientific


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


@pytest.mark.parametrize("value", [np.float64(0.5), np.array(0.5), 0.5, np.int64(3), "word", np.bool_(True)])
def test_numbers_are_glued_as_plain_python(monkeypatch, value):
    sent = []
    monkeypatch.setattr("myst_nb.glue", lambda name, value, display: sent.append((name, value, display)))
    numbers(a_key=value)
    assert type(sent[0][1]) in (float, int, str, bool) and sent[0][:2] == ("a-key", value) and sent[0][2] is False


@pytest.mark.parametrize("value", [[1, 2], np.ones(2), None, float("nan"), 1j, {}])
def test_it_refuses_what_is_not_one_number(value):
    with pytest.raises(InputError, match="^key: "):
        numbers(key=value)
