"""A claim's verdict follows from its interval; a malformed claim is refused in words."""

import json
import math

import numpy as np
import pytest

from livingpaper.errors import InputError
from livingpaper.say import claims
from livingpaper.say.claims import MIME

ID = "claim-error-vanishes"
WORDS = {
    "paper": "chatterji2021",
    "where": "Theorem 3.1",
    "statement": "The error is at most $\\eta$.",
    "holds_if": "< 0.05",
    "on_record": "holds",
}


@pytest.fixture
def claim(monkeypatch):
    """A function that hands a claim over and returns what is displayed."""

    def call(id=ID, values=(0.01, 0.02, 0.04), **how):
        shown = []
        monkeypatch.setattr(claims, "display", lambda bundle, **how: shown.append(bundle))
        claims.claim(id, values, **how)
        return shown[0]

    return call


def judged(interval=(0.01, 0.04), **words):
    return claims.judged({"id": ID, "estimate": sum(interval) / 2, "interval": list(interval)}, WORDS | words)


@pytest.mark.parametrize(
    ("interval", "holds_if", "verdict"),
    [
        ((0.01, 0.04), "< 0.05", "holds"),
        ((0.01, 0.05), "< 0.05", "unresolved"),
        ((0.01, 0.05), "<= 0.05", "holds"),
        ((0.05, 0.05), "< 0.05", "fails"),
        ((0.06, 0.09), "< 0.05", "fails"),
        ((0.9, 1.1), "in [0.9, 1.1]", "holds"),
        # both ends outside, on either side: the number may still be inside
        ((0.5, 1.5), "in [0.9, 1.1]", "unresolved"),
        ((2.0, 3.0), ">= 2", "holds"),
    ],
)
def test_the_verdict_is_about_the_whole_interval(interval, holds_if, verdict):
    assert judged(interval, holds_if=holds_if)["verdict"] == verdict


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"holds_if": "small"}, f"claim {ID}: 'holds-if': cannot read 'small'"),
        ({"holds_if": None}, "'holds-if'"),
        ({"on_record": "true"}, "one of holds, fails, unresolved"),
        ({"figure": "error"}, "'fig-' or 'tab-'"),
        ({"theorem": "error"}, "'thm-'"),
        ({"statement": " "}, "'statement'"),
        ({"where": ""}, "'where'"),
    ],
)
def test_malformed_words_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        judged(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "error"}, "claim id 'error' is not 'claim-'"),
        ({"id": "claim-Error"}, "lower-case"),
        ({"values": [0.1, math.nan]}, "the values hold NaN"),
        ({"values": [0.1, math.inf]}, "is not finite"),
        ({"values": [0.1]}, "1 value"),
        ({"values": None}, "0 value"),
        ({"values": ["a", "b", "c"]}, "must be numbers"),
        ({"statistic": lambda values: values}, "must be numbers"),
    ],
)
def test_a_malformed_number_is_refused(claim, changes, message):
    with pytest.raises(InputError, match=message):
        claim(**changes)


def test_what_is_displayed_is_plain_json_with_readable_fallbacks(claim):
    bundle = claim(values=np.array([0.25, 0.25]))
    payload = json.loads(json.dumps(bundle[MIME], allow_nan=False))
    assert (payload["estimate"], payload["interval"], payload["draws"]) == (0.25, [0.25, 0.25], 2)
    assert bundle["text/plain"] == f"{ID}: 0.25 [0.25, 0.25]"
    assert bundle["text/html"] == f"<p>{ID}: 0.25 [0.25, 0.25]</p>"


def test_where_nothing_can_be_tested_there_is_no_number(claim):
    bundle = claim(values=None, testable=False)
    assert (bundle[MIME]["estimate"], bundle[MIME]["interval"], bundle[MIME]["draws"]) == (None, None, None)
    assert bundle["text/plain"] == f"{ID}: nothing to test"
    assert claims.judged(bundle[MIME], WORDS)["verdict"] == "not testable"


def test_values_give_their_statistic_with_its_interval(claim):
    payload = claim(values=[0.1, 0.2, 0.3, 0.4], statistic=np.median)[MIME]
    low, high = payload["interval"]
    assert payload["estimate"] == pytest.approx(0.25) and low < 0.25 < high and payload["draws"] == 4


def test_values_that_are_true_or_false_give_the_share_of_the_true_ones(claim):
    payload = claim(values=[True] * 9)[MIME]
    assert payload["estimate"] == 1 and payload["interval"] == [pytest.approx(0.025 ** (1 / 9)), 1]
