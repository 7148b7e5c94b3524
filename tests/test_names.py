"""Members of a family by name."""

import pytest

from benign.errors import InputError
from benign.names import member

FAMILY = {"flat": lambda: "flat", "power": lambda alpha, scale=1.0: (alpha, scale)}


@pytest.mark.parametrize(
    ("text", "found"),
    [("flat", "flat"), (" flat() ", "flat"), ("power(2)", (2.0, 1.0)), ("power( 2 , 3e-1 )", (2.0, 0.3))],
)
def test_a_text_names_a_member(text, found):
    assert member("shape", FAMILY, text, "'flat'") == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flatt", r"shape is 'flatt': did you mean 'flat'\? There are flat, power"),
        ("power", "power takes alpha, scale, written as in 'flat'"),
        ("power(1, 2, 3)", "power takes alpha, scale"),
        ("power(one)", "power takes alpha, scale"),
        ("flat(1", "flat takes no number"),
    ],
)
def test_a_wrong_text_is_explained(text, message):
    with pytest.raises(InputError, match=message):
        member("shape", FAMILY, text, "'flat'")
