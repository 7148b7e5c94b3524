"""Ids stay: what was published is still there, or leads to where it is."""

from pathlib import Path

import pytest

from benign.book import ids
from benign.errors import InputError


def written(tmp_path: Path, text: str) -> ids.Ids:
    (tmp_path / ids.FILE).write_text(text)
    return ids.read(tmp_path)


KNOWN = "published:\n  a: [fig-x, fig-y]\n  b: [claim-z]\nrenamed: {fig-x: fig-y, fig-y: fig-new}\n"


def test_what_is_known(tmp_path):
    assert ids.read(tmp_path) == ids.Ids({}, {})
    known = written(tmp_path, KNOWN)
    assert known.chapters == {"fig-x": "a", "fig-y": "a", "claim-z": "b"}
    assert [known.now(id) for id in ("fig-x", "fig-y", "claim-z", "fig-other")] == [
        "fig-new", "fig-new", "claim-z", "fig-other",
    ]  # fmt: skip


def test_what_leads_nowhere_is_said(tmp_path):
    known = written(tmp_path, KNOWN)
    assert known.lost({"fig-new", "claim-z", "fig-more"}, {"a", "b", "c"}) == []
    assert known.lost({"fig-new"}, {"a", "b"}) == [
        "claim-z, published in b, is gone: name its successor under 'renamed' in ids.yml"
    ]
    assert known.lost({"claim-z"}, {"a", "b"})[0].startswith("fig-x, published in a, has become fig-new, which is not")
    assert known.lost({"fig-new", "claim-z", "fig-x"}, {"a", "b"}) == [
        "fig-x is in the book, though ids.yml has it renamed to fig-new: take that line away"
    ]
    assert known.lost({"fig-new", "claim-z"}, {"a"})[0].startswith("the chapter b, which published ids, is gone")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("published: [fig-x]", "cannot read"),
        ("published: {a: 3}", "cannot read"),
        ("- fig-x", "cannot read"),
        ("published: {a: [fig-x", "cannot read"),
        ("publisehd: {a: [fig-x]}", "'publisehd'"),
        ("published: {a: [fig-x], b: [fig-x]}", "'fig-x' stands there twice"),
        ("published: {a: [fig-x]}\nrenamed: {fig-y: fig-x}", "'fig-y' is renamed but was never published"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        written(tmp_path, text)


def test_a_circle_is_refused(tmp_path):
    known = written(tmp_path, "published: {a: [fig-x, fig-y]}\nrenamed: {fig-x: fig-y, fig-y: fig-x}\n")
    with pytest.raises(InputError, match="fig-x → fig-y → fig-x"):
        known.now("fig-x")
