"""Which files a result depends on: all that its code imports, and no other."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import benign
from livingpaper.sweep import closure


def test_imports_are_found_wherever_they_are():
    source = """
import numpy, benign.seeds as s
from benign.train import span
def lazy():
    from benign.measure.errors import noisy_error
    if True:
        import benign.theory.xu2023
"""
    found = closure.of_source(source, ["benign"])
    for module in ("__init__", "seeds", "train/__init__", "train/span", "measure/errors", "theory/xu2023"):
        assert f"benign/{module}.py" in found
    assert not [name for name in found if not name.startswith("benign/")]


def test_the_closure_is_transitive_and_has_the_parents():
    files = closure.of_modules(["benign.experiments.clusters"])
    for module in ("", "experiments/", "train/", "networks/", "data/", "measure/", "theory/"):
        assert f"benign/{module}__init__.py" in files
    for module in ("experiments/clusters", "train/span", "train/problem", "data/labels", "seeds", "errors"):
        assert f"benign/{module}.py" in files
    assert not any("livingpaper" in file or "digits" in file or "images" in file for file in files)
    assert list(files) == sorted(files)


def test_it_is_the_closure_that_python_loads():
    code = "import sys, benign.experiments.digits as d; print(*(m.__file__ for m in sys.modules.values() if "
    code += "m.__name__.split('.')[0] == 'benign'))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    root = Path(benign.__file__).parents[1]
    expected = {str(Path(file).relative_to(root)) for file in loaded}
    assert set(closure.of_modules(["benign.experiments.digits"])) == expected


def test_what_is_not_ours_has_no_closure():
    assert closure.of_modules(["numpy", "__main__", "benignant.module"], ["benign"]) == {}
    assert closure.of_modules(["__main__"]) == {}
    assert closure.of_source("import numpy", ["benign"]) == {}
    assert closure.of_source("import benign", []) == {}
    found = closure.of_source("from livingpaper.errors import InputError", ["livingpaper"])
    assert set(found) == {"livingpaper/__init__.py", "livingpaper/errors.py"}


@pytest.fixture
def copy(tmp_path):
    """A copy of the package, and a function that gives the digests of a closure in it."""
    shutil.copytree(Path(benign.__file__).parent, tmp_path / "benign", ignore=shutil.ignore_patterns("*.npz", "*.pyc"))

    def digests(module: str) -> dict[str, str]:
        code = (
            f"import json; from livingpaper.sweep import closure; print(json.dumps(closure.of_modules(['{module}'])))"
        )
        environment = os.environ | {"PYTHONPATH": str(tmp_path)}
        run = subprocess.run(
            [sys.executable, "-P", "-c", "import benign; print(benign.__file__)\n" + code],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        where, result = run.stdout.splitlines()
        assert where.startswith(str(tmp_path))
        return ast.literal_eval(result)

    return tmp_path / "benign", digests


def test_an_edit_of_a_module_changes_the_key_and_an_edit_elsewhere_does_not(copy):
    folder, digests = copy
    before = digests("benign.experiments.clusters")
    for file in ("experiments/digits.py", "ntk/analytic.py"):
        with open(folder / file, "a") as stream:
            stream.write("\n# an edit\n")
    for path in (folder / "train").glob("*.py"):  # as Git checks it out on Windows
        path.write_text(path.read_text(), newline="\r\n")
    assert digests("benign.experiments.clusters") == before
    with open(folder / "train" / "losses.py", "a") as stream:
        stream.write("\n# an edit\n")
    after = digests("benign.experiments.clusters")
    assert {file for file in before if before[file] != after[file]} == {"benign/train/losses.py"}
    # A new import brings its files with it.
    with open(folder / "train" / "losses.py", "a") as stream:
        stream.write("\nfrom benign.data import images\n")
    assert "benign/data/images.py" in digests("benign.experiments.clusters")


def test_byte_code_that_a_run_leaves_is_no_part_of_a_package(tmp_path, monkeypatch):
    package = tmp_path / "leaving"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "style.css").write_text("p { color: black }")
    monkeypatch.syspath_prepend(tmp_path)
    before = closure.of_packages(["leaving"], "*")
    (package / "__pycache__" / "__init__.cpython-311.pyc").write_bytes(b"made by a run")
    assert closure.of_packages(["leaving"], "*") == before
    assert set(before) == {"leaving/__init__.py", "leaving/style.css"}
