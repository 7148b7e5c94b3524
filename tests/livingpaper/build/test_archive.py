"""The archive of its sources that a site offers: whoever has it alone can build the book, and install it."""

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from livingpaper.build import archive

ROOT = Path(__file__).parents[3]


def unpacked(content, folder):
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        packed.extractall(folder)
    (top,) = folder.iterdir()
    return top


def test_who_has_the_archive_builds_the_same_book(built, tmp_path):
    packed = (built.site / archive.FILE).read_bytes()
    root = unpacked(packed, tmp_path / "reader")
    assert root.name == "needle" and not (root / "_build").exists()
    environment = built.environment | {"PYTHONPATH": str(root / "src"), "NEEDLE_CALLS": str(tmp_path / "calls.txt")}
    command = [sys.executable, "-m", "livingpaper.cli", "build"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("chapters/second.html", "figures/fig-line.svg", "figures/tab-throws.csv", "claims.json"):
        there, here = ((site / name).read_text() for site in (root / "_build/html", built.site))
        assert without_times(there) == without_times(here), name
    assert (root / "_build/html" / archive.FILE).read_bytes() == packed


def without_times(text):
    return [line for line in text.splitlines() if "whole chapter in" not in line]


def test_the_archive_of_this_book_installs_and_knows_its_chapters(tmp_path):
    """Without a repository: what is lost is the commit in citations and on pages."""
    root = unpacked(archive.of_sources(ROOT, [], "benign"), tmp_path / "reader")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "wheel", "--wheel-dir", tmp_path]
    subprocess.run([*pip, "--no-build-isolation", "--no-deps", "--no-index", root], check=True)
    (wheel,) = tmp_path.glob("benign-*.whl")
    held = zipfile.ZipFile(wheel).namelist()
    for name in ("benign/data/mnist-sample.npz", "livingpaper/sphinx/mathjax/tex-mml-chtml.js"):
        assert name in held
    environment = os.environ | {"PYTHONPATH": str(root / "src")}

    def benign(*words):
        command = [sys.executable, "-m", "livingpaper.cli", *words]
        return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True).stdout

    assert benign("--version").strip() == "0.1.0"
    assert "phenomenon:" in benign("build", "--dry-run", "--preset", "smoke")
