"""What is only said leaves no trace in a key; what is computed does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benign.book.presentation import computed, spoken

CELL = 'Figure(id="fig-a", figure=draw(n), data=frame, caption={caption}, alt={alt})'
TEXTS = st.text(min_size=1)


@given(TEXTS, TEXTS)
def test_any_literal_caption_and_description_leave_the_code_alone(caption, alt):
    source = CELL.format(caption=repr(caption), alt=repr(alt))
    assert computed(source) == computed(CELL.format(caption="'x'", alt="'y'"))
    assert spoken(source) == {"fig-a": {"caption": caption, "alt": alt}}


@pytest.mark.parametrize(
    "source",
    [
        "x = f(1)  # why",
        "# first\nx = (\n    f(1)\n)",
        "\n\nx=f( 1 )",
    ],
)
def test_comments_and_formatting_leave_the_code_alone(source):
    assert computed(source) == "x = f(1)"


@pytest.mark.parametrize(
    "before, after",
    [
        ("x = f(1)", "x = f(2)"),
        ('x = "a"', 'x = "b"'),
        (CELL.format(caption="'c'", alt="'a'"), CELL.format(caption="'c'", alt="'a'").replace("draw(n)", "draw(m)")),
        (CELL.format(caption="f'{n} points'", alt="'a'"), CELL.format(caption="f'{n} dots'", alt="'a'")),
        (CELL.format(caption="'c'", alt="'a'"), CELL.format(caption="'c'", alt="'a'").replace(", alt='a'", "")),
        ("Claim(id='claim-a', holds_if='> 1')", "Claim(id='claim-a', holds_if='> 2')"),
        ("Claim(id='claim-a', estimate=1.0)", "Claim(id='claim-a', estimate=2.0)"),
    ],
)
def test_what_a_number_depends_on_is_in_the_code(before, after):
    assert computed(before) != computed(after)


def test_every_text_of_a_claim_is_spoken_and_may_change_without_running_anything():
    claim = "Claim(id='claim-a', statement='s{0}', where='w{0}', note='n{0}', on_record={1}, paper='p')"
    assert computed(claim.format(1, "None")) == computed(claim.format(2, "'holds'"))
    assert spoken(claim.format(1, "None")) == {
        "claim-a": {"statement": "s1", "where": "w1", "note": "n1", "on_record": None}
    }


def test_texts_of_an_object_whose_id_is_computed_stay_in_the_code():
    """No page could tell which object an edited text belongs to, so an edit must execute the cell."""
    source = "Table(id=f'tab-{name}', data=frame, caption='old')"
    assert spoken(source) == {}
    assert computed(source) != computed(source.replace("old", "new"))


def test_an_attribute_is_recognised_as_well_as_a_name_and_two_objects_in_a_cell_are_told_apart():
    source = "figures.Table(id='tab-a', caption='1')\nTable(id='tab-b', caption='2')\nother(id='tab-c', caption='3')"
    assert spoken(source) == {"tab-a": {"caption": "1"}, "tab-b": {"caption": "2"}}
