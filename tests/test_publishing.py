"""The workflows that publish the book on a forge are valid, and what they type exists."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from livingpaper.cli.app import app

ROOT = Path(__file__).parents[1]
WORKFLOWS = {
    ".github/workflows/book.yml": "vendor.github-workflows",
    ".github/workflows/nightly.yml": "vendor.github-workflows",
    ".gitlab-ci.yml": "vendor.gitlab-ci",
}


def scripts(path):
    """All that a workflow types."""
    jobs = yaml.safe_load((ROOT / path).read_text())
    if path == ".gitlab-ci.yml":
        return [line for job in jobs.values() for line in [*job["before_script"], *job["script"]]]
    return [step["run"] for job in jobs["jobs"].values() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("path", WORKFLOWS)
def test_a_workflow_is_valid(path):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", WORKFLOWS[path], str(ROOT / path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS)
def test_what_a_workflow_types_exists(path):
    """Its targets of make, its commands of the book, and the files that they make."""
    typed = "\n".join(scripts(path))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    made = set(re.findall(r"\bmake ([a-z-]+)(?: |$)", typed, re.MULTILINE)) - {"git"}
    assert made and made <= targets
    assert set(re.findall(r"bin/benign ([a-z-]+)", typed)) <= set(get_command(app).commands)


def test_the_nightly_build_knows_the_message_of_a_changed_verdict():
    (wanted,) = re.findall(r'grep -q "(.+?)"', "\n".join(scripts(".github/workflows/nightly.yml")))
    assert wanted in (ROOT / "src/livingpaper/build/pipeline.py").read_text()


def test_every_workflow_keeps_what_a_build_can_use_again():
    """The store of trainings, which is where a build puts it; the nightly build must not use one."""
    kept = {path: "_build/cache" in (ROOT / path).read_text() for path in WORKFLOWS}
    assert kept == {path: not path.endswith("nightly.yml") for path in WORKFLOWS}
