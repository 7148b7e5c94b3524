"""What a chapter's outputs depend on, and the words for a difference."""

import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from livingpaper.build import keys
from livingpaper.errors import InputError, PaperError

PARTS = {
    "schema": keys.SCHEMA,
    "cells": [["setup", "1"], ["run", "2"]],
    "modules": {"benign/train/span.py": "1"},
    "files": {"benchmarks/results.json": "1"},
    "parameters": {"n": 5},
    "versions": {"torch": "2.13.0"},
    "device": "cpu",
}


def chapter(*sources, text="words"):
    cells = [new_code_cell("n: int = 1  # points, > 0", id="parameters", metadata={"tags": ["parameters"]})]
    cells += [new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)]
    return new_notebook(cells=[*cells, new_markdown_cell(text, id="text")])


@pytest.mark.parametrize(
    "changed, words",
    [
        ({}, []),
        ({"cells": [["setup", "1"], ["run", "3"]]}, ["cell run changed"]),
        ({"cells": [["setup", "1"]]}, ["cell run removed"]),
        ({"cells": [["setup", "1"], ["run", "2"], ["more", "3"]]}, ["cell more added"]),
        ({"cells": [["run", "2"], ["setup", "1"]]}, ["cells in another order"]),
        ({"modules": {"benign/train/span.py": "2"}}, ["benign/train/span.py changed"]),
        ({"modules": {}}, ["benign/train/span.py removed"]),
        ({"files": {"benchmarks/results.json": "2"}}, ["benchmarks/results.json changed"]),
        ({"parameters": {"n": 6}}, ["n 5 → 6"]),
        ({"parameters": {"n": 5, "m": 0}}, ["m – → 0"]),
        ({"versions": {"torch": "2.14.0"}}, ["torch 2.13.0 → 2.14.0"]),
        ({"device": "H200, CUDA 13"}, ["device cpu → H200, CUDA 13"]),
        ({"schema": -1, "cells": None}, ["the book layer keeps executed notebooks differently now"]),
        ({"parameters": {"n": 6}, "modules": {}}, ["benign/train/span.py removed", "n 5 → 6"]),
    ],
)
def test_changes_are_said_in_words(changed, words):
    assert keys.changes(PARTS, PARTS | changed) == words


def test_the_parts_hold_the_imported_modules_down_to_the_bottom():
    modules = keys.parts(chapter("from livingpaper.sweep import sweep"), {})["modules"]
    expected = {f"livingpaper/{name}.py" for name in ("__init__", "sweep/engine", "sweep/store", "files")}
    assert expected <= set(modules)
    assert not [name for name in modules if "/build/" in name or "/sphinx/" in name]


def test_modules_of_the_papers_packages_count_and_an_import_inside_a_function_too():
    importing = chapter("def f():\n    from benign.theory import xu2023")
    assert "benign/theory/xu2023.py" in keys.parts(importing, {}, ["benign"])["modules"]
    assert keys.parts(importing, {})["modules"] == {}
    with pytest.raises(InputError, match="there is no package 'bening': install it, or correct `packages`"):
        keys.parts(importing, {}, ["bening"])


@pytest.mark.parametrize("other", [chapter("x = 1", text="other words"), chapter("x  =  1  # said")])
def test_prose_and_comments_are_no_part(other):
    assert keys.parts(chapter("x = 1"), {"n": 1}) == keys.parts(other, {"n": 1})


@pytest.mark.parametrize("other", [chapter("x = 2"), chapter("x = 1", "y = 2"), chapter()])
def test_code_is_a_part(other):
    assert keys.parts(chapter("x = 1"), {"n": 1}) != keys.parts(other, {"n": 1})


def test_the_help_of_a_parameter_is_no_part_but_the_id_and_the_place_of_its_cell_are():
    """Outputs are put back into a page by the id of their cell."""
    before, said, renamed, moved = (chapter("x = 1") for _ in range(4))
    said.cells[0].source = "n: int = 1  # number of points, in [0, 10]"
    renamed.cells[0].id = "values"
    moved.cells[:2] = moved.cells[1::-1]
    assert keys.parts(said, {"n": 1}) == keys.parts(before, {"n": 1})
    assert keys.parts(renamed, {"n": 1}) != keys.parts(before, {"n": 1}) != keys.parts(moved, {"n": 1})


def test_measured_speeds_that_a_cell_names_are_a_part(tmp_path):
    record = tmp_path / "benchmarks" / "results.json"
    record.parent.mkdir()
    record.write_text("{}")
    reading = chapter('recorded("benchmarks/results.json")', 'recorded("benchmarks/none.json")')
    before = keys.parts(reading, {"n": 1}, folders=[tmp_path])
    assert list(before["files"]) == ["benchmarks/results.json"]
    record.write_text('{"rows": []}')
    after = keys.parts(reading, {"n": 1}, folders=[tmp_path])
    assert keys.changes(before, after) == ["benchmarks/results.json changed"]
    assert keys.parts(chapter("x = 1"), {"n": 1}, folders=[tmp_path])["files"] == {}


def test_a_magic_is_refused_with_the_name_of_the_cell():
    with pytest.raises(InputError, match=r"cell cell-1 is not plain Python.*\n?.*write a magic"):
        keys.parts(chapter("x = 1", "%matplotlib inline"), {})


@pytest.mark.parametrize(
    ("there", "device", "message"),
    [
        (None, "cuda", "device is 'cuda', but PyTorch .* finds cpu here: take one of these"),
        ("cuda", "cuda:2", "device is 'cuda:2', but PyTorch .* finds cpu, cuda:0, cuda:1 here"),
        ("cuda", "gpu", "device is 'gpu', but PyTorch .* finds cpu, cuda:0, cuda:1 here"),
        ("mps", "mps", "device is 'mps', which has no float64, .*: use device 'cpu'"),
    ],
)
def test_a_device_on_which_a_chapter_cannot_run_is_an_error(monkeypatch, there, device, message):
    has(there, monkeypatch)
    with pytest.raises(PaperError, match=message):
        keys.parts(chapter("x = 1"), {"device": device})


def test_devices_of_one_kind_are_one_class(monkeypatch):
    has("cuda", monkeypatch)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device: "H200")
    classes = {keys.parts(chapter("x = 1"), {"device": device})["device"] for device in ("cuda", "cuda:0", "cuda:1")}
    assert classes == {f"H200, CUDA {torch.version.cuda}"}
    has("xpu", monkeypatch)
    assert keys.parts(chapter("x = 1"), {"device": "xpu:1"})["device"] == "xpu"


def has(accelerator, monkeypatch):
    """A machine with two such devices, or with none."""
    kind = accelerator and torch.device(accelerator)
    monkeypatch.setattr("torch.accelerator.current_accelerator", lambda: kind)
    monkeypatch.setattr("torch.accelerator.device_count", lambda: 2 if kind else 0)


def test_effective_values_are_defaults_with_overrides():
    assert keys.values(chapter(), {}) == {"n": 1}
    assert keys.values(nbformat.from_dict(chapter()), {"n": 3}) == {"n": 3}


@pytest.mark.parametrize("content", [b"def f(\n", b"x = 1\0", "x = 'é'".encode("latin-1")])
def test_a_module_that_is_not_python_is_named(tmp_path, monkeypatch, content):
    (tmp_path / "needles.py").write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"needles.py is not plain Python: "):
        keys.parts(chapter("import needles"), {}, ["needles"])
