"""How tables differ, cell by cell, and what counts as within the seed band."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from livingpaper.errors import InputError
from livingpaper.publish.compare import compare, in_words, read_csv

TABLE = pd.DataFrame(
    {
        "rule": ["margin", "margin", "nearest", "nearest"],
        "n": [10, 20, 10, 20],
        "error": [0.5, 0.25, 0.125, np.nan],
        "fitted": [True, True, False, True],
    }
)
SEEDED = pd.DataFrame(
    {
        "n": [10, 10, 10, 20, 20, 20],
        "seed": [0, 1, 2, 0, 1, 2],
        "error": [0.10, 0.20, 0.15, 0.31, 0.29, 0.36],
        "bound": [0.3, 0.3, 0.3, 0.1, 0.1, 0.1],
    }
)


def changed(table, row, column, value):
    new = table.copy()
    new.loc[row, column] = value
    return new


def test_equal_tables_are_identical():
    same = compare(TABLE, TABLE.copy())
    assert same.identical and same.verdict == "identical" and in_words(same) == "" and not same.reordered


def test_the_order_of_rows_and_columns_is_of_no_account():
    permuted = TABLE.sample(frac=1, random_state=1)[["error", "n", "fitted", "rule"]]
    found = compare(TABLE, permuted)
    assert found.identical and found.reordered and in_words(found) == "rows in another order"


def test_a_changed_number_is_found_though_rows_are_permuted():
    found = compare(SEEDED, changed(SEEDED, 4, "error", 0.30).iloc[::-1])
    assert [(column.name, column.cells) for column in found.columns] == [("error", 1)]
    assert found.columns[0].absolute == pytest.approx(0.01) and found.columns[0].relative == pytest.approx(1 / 30)


def test_types_are_of_no_account_and_values_are():
    as_floats = TABLE.astype({"n": float, "fitted": float})
    assert compare(TABLE, as_floats).identical
    assert not compare(TABLE, as_floats.assign(n=as_floats["n"] + 1e-12)).identical


def test_missing_numbers_are_equal_to_each_other_and_to_nothing_else():
    (column,) = compare(TABLE, changed(TABLE, 3, "error", 0.1)).columns
    assert (column.name, column.cells, column.absolute, column.other) == ("error", 1, None, 1)
    (column,) = compare(TABLE, TABLE.assign(error=[0.5, np.nan, 0.25, np.nan])).columns
    assert (column.cells, column.absolute, column.relative, column.other) == (2, 0.125, 0.5, 1)
    infinite = changed(TABLE, 0, "error", np.inf)
    assert compare(infinite, infinite.copy()).identical
    (column,) = compare(TABLE, infinite).columns
    assert (column.absolute, column.other) == (None, 1)


def test_texts_differ_without_a_number():
    (column,) = compare(TABLE, TABLE.assign(rule=TABLE["rule"].str.upper())).columns
    assert (column.name, column.cells, column.absolute, column.other) == ("rule", 4, None, 4)
    (column,) = compare(TABLE, TABLE.assign(n=["10", "20", "10", "20"])).columns
    assert (column.name, column.other) == ("n", 4)


def test_columns_come_and_go():
    found = compare(TABLE, TABLE.drop(columns="fitted").assign(margin=1.0))
    assert (found.columns_added, found.columns_removed, found.columns) == (("margin",), ("fitted",), ())
    assert found.verdict == "different"
    assert in_words(found) == "column margin added; column fitted removed"


@pytest.mark.parametrize("where", [0, 2, 3])
def test_rows_come_and_go_wherever_they_stand(where):
    fewer = TABLE.drop(index=where)
    gone, came = compare(TABLE, fewer), compare(fewer, TABLE)
    assert (gone.rows, gone.rows_added, gone.rows_removed, gone.columns) == ((4, 3), 0, 1, ())
    assert (came.rows, came.rows_added, came.rows_removed, came.columns) == ((3, 4), 1, 0, ())
    assert in_words(gone) == "1 row removed" and in_words(came) == "1 row added"


def test_more_seeds_are_rows_added_and_nothing_else():
    more = pd.concat([SEEDED, SEEDED.assign(seed=3, error=0.2)]).sort_values(["n", "seed"])
    found = compare(SEEDED, more)
    assert (found.rows_added, found.rows_removed, found.columns, found.verdict) == (6, 0, (), "different")


def test_rows_that_are_alike_are_counted():
    twice = pd.concat([TABLE, TABLE.iloc[:1]])
    assert compare(TABLE, twice).rows_added == 1 and compare(twice, twice.iloc[::-1]).identical


def test_empty_tables():
    empty = TABLE.iloc[:0]
    assert compare(empty, empty).identical
    assert compare(empty, TABLE).rows_added == 4 and compare(TABLE, empty).rows_removed == 4
    assert compare(pd.DataFrame(), pd.DataFrame()).identical
    assert compare(pd.DataFrame(), TABLE).columns_added == tuple(TABLE)


def test_without_seeds_there_is_no_band():
    found = compare(TABLE, changed(TABLE, 0, "error", 0.5 + 1e-15))
    assert found.band is None and found.verdict == "different"
    one = SEEDED[SEEDED["seed"] == 0]
    assert compare(one, one.assign(error=one["error"] + 1e-15)).verdict == "different"


def test_the_band_is_the_interval_of_the_published_mean():
    ten = SEEDED[SEEDED["n"] == 10]["error"]
    half = t.ppf(0.975, 2) * ten.std() / np.sqrt(3)
    for share, verdict in ((0.99, "within the seed band"), (1.01, "different")):
        moved = SEEDED.assign(error=SEEDED["error"] + np.where(SEEDED["n"] == 10, share * half, 0))
        assert compare(SEEDED, moved).verdict == verdict
        assert compare(SEEDED, moved.sample(frac=1, random_state=2)).verdict == verdict


def test_settings_may_be_missing():
    open_ended = SEEDED.assign(rule=["a", "a", "a", None, None, None], p=[1.0, 1.0, 1.0, np.nan, np.nan, np.nan])
    assert compare(open_ended, open_ended.assign(error=SEEDED["error"] + 1e-3)).verdict == "within the seed band"


def test_where_seeds_agree_only_rounding_is_allowed():
    assert compare(SEEDED, SEEDED.assign(bound=SEEDED["bound"] * (1 + 1e-12))).verdict == "within the seed band"
    assert compare(SEEDED, SEEDED.assign(bound=SEEDED["bound"] * (1 + 1e-6))).verdict == "different"


def test_several_rows_of_a_seed_count_once():
    """Four places a seed: if each were a draw of its own, the interval would be too short for this difference."""
    places = pd.DataFrame({"seed": np.repeat([0, 1, 2], 4), "value": np.repeat([1.0, 2.0, 3.0], 4)})
    moved = places.assign(value=places["value"] + 2.0)
    half_if_independent = t.ppf(0.975, 11) * places["value"].std() / np.sqrt(12)
    assert half_if_independent < 2.0 < t.ppf(0.975, 2) * 1.0 / np.sqrt(3)
    assert compare(places, moved).verdict == "within the seed band"


def test_settings_with_seeds_of_their_own_are_settings():
    ragged = SEEDED[(SEEDED["n"] == 10) | (SEEDED["seed"] < 2)]
    assert compare(ragged, ragged.assign(error=ragged["error"] + 0.001)).verdict == "within the seed band"
    assert compare(ragged, ragged.assign(error=ragged["error"] + 1.0)).verdict == "different"


@pytest.mark.parametrize(
    "new",
    [
        SEEDED.iloc[:5],
        SEEDED.assign(extra=1),
        SEEDED.drop(columns="bound"),
        changed(SEEDED, 0, "error", np.nan),
        SEEDED.assign(bound="0.3"),
    ],
)
def test_another_shape_or_a_lost_number_is_outside_the_band(new):
    assert compare(SEEDED, new).verdict == "different"


def test_the_words_say_how_many_and_by_how_much():
    found = compare(TABLE, changed(changed(TABLE, 0, "error", 0.4), 3, "error", 1.0))
    assert in_words(found) == "error: 2 cells, by up to 0.1 (relative 0.2), 1 not as numbers"


def test_a_table_is_read_exactly_or_refused():
    table = pd.DataFrame({"x": [0.1 + 0.2, 1e-300, 1 / 3]})
    assert compare(table, read_csv(table.to_csv(index=False).encode(), "x.csv")).identical
    for content in (b"", b'a,b\n"1', b"\xff\xfe\x00"):
        with pytest.raises(InputError, match=r"cannot read x\.csv as a table"):
            read_csv(content, "x.csv")
