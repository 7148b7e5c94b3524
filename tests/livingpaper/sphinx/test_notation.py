"""The table of notation: what its file may hold, and which formulas are which symbol."""

import shutil

import pytest

from livingpaper.build import notation
from livingpaper.errors import InputError

ENTRY = "- {id: n, tex: [n, 'n_0'], meaning: sample size, defined: setting}\n"


def written(folder, text):
    notation.read.cache_clear()
    (folder / notation.FILE).write_text(text)
    return notation.read(folder)


@pytest.mark.parametrize("formula", ["n", " n ", "n=100", "n = 100", "n_0", r"n\approx3", r"n\in\mathbb N"])
def test_a_formula_is_a_symbol_alone_or_with_what_it_equals(tmp_path, formula):
    (symbol,) = written(tmp_path, ENTRY)
    assert symbol.is_in(formula, "setting") and symbol.anchor == "symbol-n"


@pytest.mark.parametrize("formula", ["n^2", "n+1", "np", "2n", "n_1", r"\mu n", r"n\le p"])
def test_a_formula_that_contains_a_symbol_is_not_the_symbol(tmp_path, formula):
    (symbol,) = written(tmp_path, ENTRY)
    assert not symbol.is_in(formula, "setting")


def test_a_meaning_may_hold_in_some_chapters_only(tmp_path):
    first, second = written(
        tmp_path,
        "- {id: s, tex: [s], meaning: a, defined: one, only: [one]}\n"
        "- {id: t, tex: [s], meaning: b, defined: two, only: [two]}\n",
    )
    assert (first.is_in("s", "one"), first.is_in("s", "two")) == (True, False)
    assert (second.is_in("s", "one"), second.is_in("s", "two")) == (False, True)


def test_a_book_without_the_file_has_no_symbols(tmp_path):
    notation.read.cache_clear()
    assert notation.read(tmp_path) == ()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("- [", "cannot read .*notation.yml, line 1"),
        ("- {id: n, tex: [n], meaning: a}\n", "must have id, tex, meaning and defined"),
        ("- {id: n, tex: [n], meaning: a, defined: b, olny: [c]}\n", "'olny'"),
        ("- {id: n, tex: n, meaning: a, defined: b}\n", "n: tex is 'n'"),
        ("- {id: n, tex: [n], meaning: '', defined: b}\n", "meaning is ''"),
        (ENTRY + ENTRY, "the id 'n' stands twice"),
        (ENTRY + "- {id: m, tex: [n], meaning: a, defined: b, only: [b]}\n", "n and m are written alike"),
    ],
)
def test_a_malformed_entry_is_refused(tmp_path, text, error):
    with pytest.raises(InputError, match=error):
        written(tmp_path, text)


def test_the_file_is_read_once(tmp_path):
    symbols = written(tmp_path, ENTRY)
    shutil.rmtree(tmp_path)
    assert notation.read(tmp_path) is symbols
