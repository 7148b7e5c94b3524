"""Parameters are read from a chapter, overridden only by what they allow, and shown as they are in force."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from livingpaper.build.parameters import effective, parse_value, read, validate
from livingpaper.errors import InputError
from livingpaper.say.ranges import Range

SOURCE = """\
# what this chapter depends on
n: int = 100  # number of training samples, in [2, 10000]
rate: float = 0.1  # step size, >= 0
device: str = "cpu"  # where it runs, one of cpu, cuda
exact: bool = True  # whether to use the span
widths: list = [8, 16]  # hidden units, even, in [1, 4096]
alphas: list = [
    0.5,
    1.0,
]  # temperatures
order: int = 1  # norm, one of 1, 2
"""


def chapter(*sources, injected=None):
    cells = [new_markdown_cell("# Title"), *(new_code_cell(s, metadata={"tags": ["parameters"]}) for s in sources)]
    if injected is not None:
        cells.append(new_code_cell(injected, metadata={"tags": ["injected-parameters", "remove-cell"]}))
    return new_notebook(cells=[*cells, new_code_cell("print(n)")])


PARAMETERS = read(chapter(SOURCE))


def test_names_types_defaults_help_and_ranges_are_read():
    assert list(PARAMETERS) == ["n", "rate", "device", "exact", "widths", "alphas", "order"]
    n = PARAMETERS["n"]
    assert (n.type, n.default, n.help, n.allowed) == (int, 100, "number of training samples", Range(2, 10000))
    assert PARAMETERS["device"].allowed == ("cpu", "cuda") and PARAMETERS["exact"].allowed is None
    assert PARAMETERS["widths"].help == "hidden units, even" and PARAMETERS["widths"].allowed == Range(1, 4096)
    assert PARAMETERS["alphas"].default == [0.5, 1.0] and PARAMETERS["alphas"].help == "temperatures"
    assert PARAMETERS["order"].allowed == (1, 2)
    described = [parameter.describe() for parameter in PARAMETERS.values()]
    assert described[:4] == ["int in [2, 10000]", "float >= 0", "one of cpu, cuda", "bool"]
    assert described[4:] == ["list of int, each in [1, 4096]", "list of float", "one of 1, 2"]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([], "0 cells are tagged 'parameters'"),
        ([SOURCE, SOURCE], "2 cells"),
        (["n = 1  # number"], "'n = 1' is not"),
        (["n: int  # number"], "'n: int' is not"),
        (["n: int = 1"], "parameter n has no help"),
        (["n: Optional[int] = 1  # number"], "is not"),
        (["n: dict = {}  # number"], "the type 'dict' is none of int, float, str, bool, list"),
        (["n: int = 2 * 3  # number"], "computes its value"),
        (["n: int = 1.5  # number"], "of type float; it takes int"),
        (["n: int = 1  # number, in [2, 3]"], "the default 1 is not allowed"),
        (["n: int = 1  # number, in [2, m]"], "cannot read 'in [2, m]'"),
        (['d: str = "a"  # letter, < 3'], "a str cannot be '< 3'"),
        (["n: int = 1  # one\nn: int = 2  # two"], "declared twice"),
        (["import numpy"], "'import numpy' is not"),
        (["n: int ="], "line 1 of a parameters cell is not plain Python"),
        (["n: int = (1  # number"], "line 1 of a parameters cell is not plain Python"),
        (["n: int = 1\0  # number"], "a parameters cell is not plain Python"),
        (["n: int = 1  # number, one of 1, {[]: 2}"], "its help 'number, one of 1, {[]: 2}' ends in"),
        ([f"p: float = 1{'0' * 400}  # rate"], "it is too large for a float"),
        (["p: float = 2  # rate"], "parameter p: the default 2 is taken for 2.0: write that"),
        (["p: list = [0.1, 1]  # rates"], "the default [0.1, 1] is taken for [0.1, 1.0]"),
        (["p: list = (1, 2)  # numbers"], "the default (1, 2) is taken for [1, 2]"),
    ],
)
def test_a_cell_that_declares_badly_is_refused(sources, message):
    with pytest.raises(InputError) as error:
        read(chapter(*sources))
    assert message in str(error.value)


def test_what_papermill_injects_is_in_force():
    values = effective(chapter(SOURCE, injected='# Parameters\nn = 50\nrate = 1e-3\ndevice = "cuda"\nwidths = [2]\n'))
    assert values == {
        "n": 50, "rate": 1e-3, "device": "cuda", "exact": True, "widths": [2], "alphas": [0.5, 1.0], "order": 1,
    }  # fmt: skip
    assert effective(chapter(SOURCE))["n"] == 100


@pytest.mark.parametrize("injected", ["m = 1", "n = n + 1", "print(n)"])
def test_an_injected_cell_that_is_not_papermills_is_refused(injected):
    with pytest.raises(InputError):
        effective(chapter(SOURCE, injected=injected))


def test_allowed_overrides_pass():
    given = {"n": 2, "rate": 1, "device": "cuda", "exact": False, "widths": [1, 4096], "alphas": [1, 2.5], "order": 2}
    accepted = validate("phases", PARAMETERS, given)
    assert accepted == given
    # an int given for a float arrives as one, also inside a list
    assert type(accepted["rate"]) is float and type(accepted["alphas"][0]) is float


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"nn": 3}, "phases has no parameter 'nn': did you mean 'n'?"),
        ({"zzz": 3}, "it has n, rate"),
        ({"n": 1}, "phases: parameter n = 1: 1 is not allowed; it takes int in [2, 10000]"),
        ({"n": 3.0}, "is of type float"),
        ({"n": True}, "is of type bool"),
        ({"n": "3"}, "is of type str"),
        ({"rate": float("nan")}, "nan is no finite number"),
        ({"rate": 10**400}, "it is too large for a float"),
        ({"device": "\udcff"}, "is not text in UTF-8"),
        ({"rate": True}, "is of type bool"),
        ({"exact": 1}, "is of type int"),
        ({"device": "tpu"}, "one of cpu, cuda"),
        ({"widths": 8}, "not a list"),
        ({"widths": [8, 0]}, "0 is not allowed; it takes list of int, each in [1, 4096]"),
        ({"widths": [8, 1.5]}, "1.5 is of type float"),
        ({"alphas": ["a"]}, "'a' is of type str"),
    ],
)
def test_other_overrides_are_refused_in_words(override, message):
    with pytest.raises(InputError) as error:
        validate("phases", PARAMETERS, override)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("n", "50", 50),
        ("rate", "1e-3", 1e-3),
        ("device", "cuda", "cuda"),
        ("device", "1", "1"),
        ("exact", "False", False),
        ("exact", "true", True),
        ("widths", "[1, 2]", [1, 2]),
    ],
)
def test_texts_from_the_command_line_become_values(name, text, value):
    assert parse_value(text, PARAMETERS[name]) == value


@pytest.mark.parametrize("text", ["many", "{[]: 1}", "9" * 5000, "(" * 9999, "1\0"])
def test_an_unreadable_text_is_refused(text):
    with pytest.raises(InputError, match="parameter n: cannot read .*; it takes int in"):
        parse_value(text, PARAMETERS["n"])
