"""The press prints other papers: installed by itself, it builds one where the science of this one does not exist."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import livingpaper

PYPROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "livingpaper"
version = "0"

[project.scripts]
livingpaper = "livingpaper.cli:main"

[project.entry-points."myst_nb.mime_renderers"]
livingpaper = "livingpaper.sphinx:Renderer"

[tool.setuptools.packages.find]
include = ["livingpaper*"]

[tool.setuptools.package-data]
livingpaper = ["**/*"]
"""
#: Before anything else in every process, kernels too: the science of this repository is not to be found.
BLOCK = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "benign":
            raise ModuleNotFoundError("benign is not to be imported", name="benign")

sys.meta_path.insert(0, Absent())
"""


def test_a_wheel_of_the_press_alone_builds_another_paper(toy, tmp_path):
    source, installed, blocked = tmp_path / "press", tmp_path / "installed", tmp_path / "blocked"
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(livingpaper.__file__).parent, source / "livingpaper", ignore=left_out)
    (source / "pyproject.toml").write_text(PYPROJECT)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    alone = ["--no-build-isolation", "--no-deps", "--no-index"]
    subprocess.run([*pip, "wheel", *alone, "--wheel-dir", tmp_path, source], check=True)
    (wheel,) = tmp_path.glob("livingpaper-*.whl")
    subprocess.run([*pip, "install", *alone, "--target", installed, wheel], check=True)
    blocked.mkdir()
    (blocked / "sitecustomize.py").write_text(BLOCK)
    paths = os.pathsep.join(map(str, (blocked, installed, toy.root / "src")))
    environment = toy.environment | {"PYTHONPATH": paths}

    def run(*words):
        return subprocess.run(
            [sys.executable, *words], cwd=toy.root, env=environment, capture_output=True, text=True
        )  # fmt: skip

    assert "benign is not to be imported" in run("-c", "import benign").stderr
    assert run("-c", "import livingpaper; print(livingpaper.__file__)").stdout.startswith(str(installed))
    done = run("-m", "livingpaper.cli", "build")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "A line of" in toy.page("chapters/first.html")
    assert "benign" not in (toy.page("chapters/first.html") + toy.page("claims.html")).lower()
