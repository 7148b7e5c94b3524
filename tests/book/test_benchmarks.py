"""Reading measured speeds."""

import json

import pytest

from benign.book.benchmarks import recorded
from benign.errors import BenignError, InputError


def test_a_record_is_read_from_anywhere_in_the_project(tmp_path, monkeypatch):
    (tmp_path / "_toc.yml").touch()
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "results.json").write_text(json.dumps({"rows": [1]}))
    (tmp_path / "chapters").mkdir()
    monkeypatch.chdir(tmp_path / "chapters")
    assert recorded("benchmarks/results.json") == {"rows": [1]}
    with pytest.raises(BenignError, match=r"benchmarks/other.json is not there: `make bench` writes it"):
        recorded("benchmarks/other.json")
    for outside in ("results.json", "benchmarks/../_toc.yml"):
        with pytest.raises(InputError, match=f"'{outside}' is not in benchmarks/"):
            recorded(outside)


def test_outside_a_project_there_is_no_record(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BenignError, match="is not there"):
        recorded("benchmarks/results.json")
