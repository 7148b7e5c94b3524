"""The files that say what to install and how to cite agree with one another."""

import hashlib
import json
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import jsonschema
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from pybtex import errors as pybtex_errors
from pybtex.database import parse_file

import benign
import livingpaper

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.txt").read_text().splitlines()
PINS = {canonicalize_name(r.name): r for r in map(Requirement, filter(None, LOCK))}


def requirements_of_the_project() -> list[Requirement]:
    optional = PROJECT["optional-dependencies"].values()
    return [Requirement(line) for line in [*PROJECT["dependencies"], *(line for extra in optional for line in extra)]]


@pytest.mark.parametrize("requirement", requirements_of_the_project(), ids=str)
def test_dependency_is_locked_at_a_version_that_it_allows(requirement):
    pin = PINS[canonicalize_name(requirement.name)]
    (specifier,) = pin.specifier
    assert requirement.specifier.contains(specifier.version)


def test_lock_holds_exact_public_versions_and_no_address():
    assert len(PINS) > 50
    for line in LOCK:
        # Anything else would be an option, an address, a path or a local build such as 2.0+cpu.
        assert re.fullmatch(r"[a-zA-Z0-9._-]+==[0-9][a-zA-Z0-9.]*( ; python_version == \"3\.\d+\")?", line), line


def test_each_package_is_locked_once():
    names = [canonicalize_name(Requirement(line).name) for line in LOCK]
    assert len(names) == len(set(names))


def test_conda_environment_installs_the_lock_and_the_package():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["name"] == "benign"
    python, pip, pip_section = environment["dependencies"]
    assert pip == "pip"
    assert Version(python.removeprefix("python=")) in Requirement(f"x{PROJECT['requires-python']}").specifier
    # Naming the lock instead of repeating it: its pins are the environment's pins.
    assert pip_section == {"pip": ["-r requirements.txt", "-e ."]}


@pytest.mark.skipif(not shutil.which("jupyter-repo2docker"), reason="repo2docker is not installed, nor in the lock")
def test_binder_finds_the_environment_and_installs_where_the_sources_are(tmp_path):
    for name in ("environment.yml", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    command = ["jupyter-repo2docker", "--no-build", "--debug", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "Building conda environment for python=3.11" in said
    assert 0 < said.index("COPY --chown=0:0 src/ ${REPO_DIR}/") < said.index('--file "environment.yml"')


def test_version_is_one():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert str(citation["version"]) == PROJECT["version"] == benign.__version__ == version("benign")
    assert livingpaper.__version__ == benign.__version__


def test_citation_names_the_work_and_its_sources_as_the_bibliography_does():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert citation["title"] and citation["message"] and citation["authors"]
    assert citation["license"] == PROJECT["license"]
    entries = parse_file(ROOT / "references.bib").entries
    for reference, key in zip(citation["references"], ("xu2023", "zhu2023"), strict=True):
        fields = entries[key].fields
        assert reference["title"] == fields["title"]
        assert str(reference["year"]) == fields["year"]
        assert f"{reference['start']}--{reference['end']}" == fields["pages"]
        authors = entries[key].persons["author"]
        assert [a["family-names"] for a in reference["authors"]] == [a.last_names[0] for a in authors]


def cff_schema() -> dict:
    content = (ROOT / "tests/schemas/cff-1.2.0.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() in (ROOT / "tests/schemas/README.md").read_text()
    return json.loads(content)


def test_citation_is_valid_in_its_format():
    # through JSON: the schema knows no dates, which YAML makes of what looks like one
    citation = json.loads(json.dumps(yaml.safe_load((ROOT / "CITATION.cff").read_text()), default=str))
    check = jsonschema.Draft7Validator(cff_schema(), format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)
    assert [error.message for error in check.iter_errors(citation)] == []


@pytest.mark.parametrize(
    "broken", [{"authors": []}, {"doi": "nowhere"}, {"licence": "MIT"}, {"version": None}], ids=str
)
def test_what_the_format_does_not_allow_is_found(broken):
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text()) | broken
    assert not jsonschema.Draft7Validator(cff_schema()).is_valid(citation)


def test_bibliography_parses_without_a_warning():
    with pybtex_errors.capture() as complaints:
        entries = parse_file(ROOT / "references.bib").entries
    assert complaints == []
    assert all(entry.persons.get("author") and {"title", "year"} <= set(entry.fields) for entry in entries.values())
