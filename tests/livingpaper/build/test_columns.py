"""What columns mean: here, in another table, in an experiment; and files that say it wrongly."""

import pytest

from livingpaper.build import columns
from livingpaper.errors import InputError


def described(folder, text, place, *names):
    (folder / "_toc.yml").touch()
    (folder / "columns.yml").write_text(text, encoding="utf-8")
    columns.read.cache_clear()
    return [column["meaning"] for column in columns.described(folder, place, names)]


def test_a_place_has_meanings_of_its_own(tmp_path):
    text = "everywhere: {n: points, p: dimension}\nfig-a throws.Throw: {n: needles}\nfig-a: {q: share}\n"
    assert described(tmp_path, text, "fig-a", "p", "n", "q", "x") == ["dimension", "needles", "share", ""]
    assert described(tmp_path, text, "throws.Throw", "n", "q") == ["needles", ""]
    assert described(tmp_path, text, "fig-b", "n") == ["points"]
    assert described(tmp_path, "", "fig-b", "n") == [""]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("everywhere: points", "columns.yml, everywhere: 'points' is no meaning"),
        ("everywhere: {n: 5}", "columns.yml, everywhere: 5 is no meaning"),
        ("fig-a: {n: a}\nfig-a fig-b: {n: b}", "n of fig-a stands twice"),
        ("fig-a: {n: a, n: b}", "stands in line 1 already"),
    ],
)
def test_what_is_no_dictionary_is_refused(tmp_path, text, error):
    with pytest.raises(InputError, match=error):
        described(tmp_path, text, "fig-a", "n")


def test_names_of_columns_are_read_as_they_are_written():
    assert columns.names('\ufeffn,"p, all",λ\n1,2,3\n'.encode()) == ["n", "p, all", "λ"]
