"""A claim's verdict follows from its interval; a malformed claim is refused in words."""

import json
import math

import numpy as np
import pytest

from livingpaper.say.claims import MIME, Claim
from livingpaper.errors import InputError


def claim(**changes):
    given = {
        "id": "claim-error-vanishes",
        "paper": "chatterji2021",
        "where": "Theorem 3.1",
        "statement": "The error is at most $\\eta$.",
        "estimate": 0.02,
        "interval": (0.01, 0.04),
        "holds_if": "< 0.05",
        "on_record": "holds",
    }
    return Claim(**(given | changes))


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
    assert claim(estimate=sum(interval) / 2, interval=interval, holds_if=holds_if).verdict == verdict


def test_a_claim_without_a_verdict_on_record_does_not_match():
    assert claim().matches_record
    assert not claim(on_record=None).matches_record
    assert not claim(on_record="fails").matches_record


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "error"}, "claim id 'error' is not 'claim-'"),
        ({"id": "claim-Error"}, "lower-case"),
        ({"estimate": math.nan}, "is not finite"),
        ({"interval": (0.0, math.inf)}, "is not finite"),
        ({"interval": (0.03, 0.04)}, "the estimate 0.02 is outside its interval"),
        ({"interval": 0.02}, "a pair"),
        ({"estimate": "small"}, "must be one number"),
        ({"holds_if": "small"}, "claim claim-error-vanishes: 'holds_if': cannot read 'small'"),
        ({"holds_if": None}, "'holds_if'"),
        ({"on_record": "true"}, "one of holds, fails, unresolved"),
        ({"figure": "error"}, "'fig-' or 'tab-'"),
        ({"statement": " "}, "'statement'"),
        ({"where": ""}, "'where'"),
        ({"paper": ""}, "None if it is ours"),
    ],
)
def test_a_malformed_claim_is_refused(changes, message):
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        claim(**changes)


def test_the_bundle_is_plain_json_with_readable_fallbacks():
    bundle = claim(estimate=np.float64(0.02), interval=np.array([0.01, 0.04]), paper=None)._repr_mimebundle_()
    payload = json.loads(json.dumps(bundle[MIME], allow_nan=False))
    assert payload["interval"] == [0.01, 0.04] and payload["verdict"] == "holds" and payload["paper"] is None
    assert "float64" not in bundle["text/plain"] and "0.02 [0.01, 0.04]" in bundle["text/plain"]
    assert "holds if &lt; 0.05" in bundle["text/html"] and "(ours)" in bundle["text/html"]
