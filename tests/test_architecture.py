"""The structure of the two packages: who may import whom, and what is not imported where it is not needed."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
#: What a package lets others import from itself, where that is more than its modules.
FACES = {
    "livingpaper/sweep": {"grid", "sweep"},
    "livingpaper/say": {"claim", "figure", "table", "numbers", "scientific", "spelt"},
    "livingpaper/cli": {"main"},
}


def test_imports_run_downward_only_and_neither_package_knows_the_other():
    script = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([script, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    assert "Contracts: 5 kept, 0 broken" in result.stdout


def test_packages_export_nothing_but_their_faces():
    for file in (file for file in SOURCES if file.name == "__init__.py"):
        package = file.parent.relative_to(ROOT / "src").as_posix()
        if package == "livingpaper/sphinx":
            continue  # a Sphinx extension is a package with a function `setup`, which needs its imports
        imported = {
            alias.asname or alias.name
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.ImportFrom) and not (node.module == package.replace("/", "."))  # modules of its own
            for alias in node.names
        }
        assert imported == FACES.get(package, set()), package


def test_no_two_modules_of_the_press_have_one_name():
    names = [file.stem for file in SOURCES if "livingpaper" in file.parts and not file.stem.startswith("__")]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("module", ["livingpaper.sweep", "livingpaper.cli"])
def test_what_plans_the_work_starts_without_what_only_the_work_needs(module):
    # A worker pays for torch; the command, which only plans, answers at once. ``lark`` makes the grammar of addresses.
    code = f"import sys, {module}; print({{'torch', 'scipy.stats', 'lark'}} & sys.modules.keys())"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "set()\n", result.stderr


def test_what_numba_compiles_stands_in_one_file():
    # Its cache looks at the file of the function that is called, and would serve what it compiled of a changed callee.
    numba = [file for file in SOURCES if re.search(r"^\s*(import|from) numba", file.read_text(), re.MULTILINE)]
    assert [file.name for file in numba if "benign" in file.parts] == ["compiled.py"]


def test_no_relative_import_escapes_the_closure():
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text())):
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{file}, line {node.lineno}"
