"""The package's structure: who may import whom, and what is not imported where it is not needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import benign

ROOT = Path(__file__).parents[1]
PACKAGE = Path(benign.__file__).parent


def test_imports_run_downward_only():
    script = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([script, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    assert "Contracts: 2 kept, 0 broken" in result.stdout


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("__init__.py")), ids=lambda f: str(f.relative_to(PACKAGE.parent)))
def test_packages_export_nothing_but_the_sweep(file):
    imported = [
        alias.asname or alias.name
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
    if file.parent.name in ("sphinxext", "cli"):
        return  # a Sphinx extension is a package with a function `setup`, which needs its imports; so does a command
    assert sorted(imported) == (["grid", "sweep"] if file.parent.name == "sweep" else [])


@pytest.mark.parametrize("module", ["livingpaper.sweep", "livingpaper.cli"])
def test_what_plans_the_work_starts_without_torch(module):
    # A worker pays for torch; the command, which only plans, answers at once.
    code = f"import sys, {module}; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "False\n", result.stderr


def test_no_relative_import_escapes_the_closure():
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{file}, line {node.lineno}"
