"""A release: what is in it, that it says so truly, and that the pages come out of it again."""

import functools
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
import yaml
from rocrate.rocrate import ROCrate

from livingpaper.build import archive

METADATA, SUMS = "ro-crate-metadata.json", "SHA256SUMS"


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path: Path, files: dict[str, bytes], truly: bool = False) -> Path:
    """A zip file of these; with the digests that they have, if the forger took the trouble."""
    if truly:
        lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items() if name != SUMS]
        files = files | {SUMS: "".join(lines).encode()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def graph(files: dict[str, bytes]) -> dict[str, dict]:
    """The entities of the metadata by id."""
    entities = json.loads(files[METADATA])["@graph"]
    found = {entity["@id"]: entity for entity in entities}
    assert len(found) == len(entities), "an id stands for one entity"
    return found


def listed(value: object) -> list:
    return value if isinstance(value, list) else [] if value is None else [value]


def kinds(entity: dict) -> list[str]:
    return listed(entity["@type"])


@pytest.fixture(scope="module")
def bundle(pristine_build, tmp_path_factory):
    """A release of the small book; not to be touched."""
    path = tmp_path_factory.mktemp("release") / "paper.zip"
    process = pristine_build.start("release", "--output", str(path))
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert str(path) in said and "not committed" not in said
    return path


@pytest.fixture(scope="module")
def files(bundle):
    return contents(bundle)


# -- what is in it --------------------------------------------------------------------------------


def test_the_same_build_gives_the_same_bytes(built, benign, bundle):
    for path in built.root.rglob("*"):
        os.utime(path, (1e9, 1e9))
    said = benign("release")
    assert said.status == 0, said.errors
    made = built.root / "_build/needle-1.2.zip"
    assert said.text.endswith(f"MB: {made}\n") and f"{len(contents(made))} files" in said.text
    assert made.read_bytes() == bundle.read_bytes()
    assert list(made.parent.glob(f".{made.name}*")) == []


def test_pages_notebooks_records_sources_and_lock_are_in_it(files, pristine_build):
    root = pristine_build.root
    site = {f"site/{name}": content for name, content in pristine_build.files().items()}
    assert {name: content for name, content in files.items() if name.startswith("site/")} == site
    for name in ("requirements.txt", "chapters/first.ipynb", "src/needle/experiments/throws.py", "presets/smoke.yml"):
        assert files[f"source/{name}"] == (root / name).read_bytes()
    assert files["CITATION.cff"] == (root / "CITATION.cff").read_bytes()
    executed = nbformat.reads(files["book/chapters/first.ipynb"].decode(), as_version=4)
    assert any(cell.get("outputs") for cell in executed.cells)
    assert json.loads(files["book/runs/second.json"])["sweeps"]
    assert json.loads(files["site/claims.json"])["claims"][0]["id"] == "claim-line-rises"
    made = ("_build", "__pycache__", ".git/")
    assert [name for name in files if name.startswith("source/") and any(part in name for part in made)] == []
    assert str(root).encode() not in b"".join(content for name, content in files.items() if "source/" not in name)


def test_every_file_is_listed_with_its_digest(files, bundle, tmp_path):
    sums = dict(reversed(line.split("  ", 1)) for line in files[SUMS].decode().splitlines())
    assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != SUMS}
    shutil.unpack_archive(bundle, tmp_path)
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", SUMS], cwd=tmp_path, check=True)


def test_every_file_is_described_with_its_size_and_digest(files):
    entities = graph(files)
    described = {unquote(id): entity for id, entity in entities.items() if "File" in kinds(entity)}
    assert described.keys() == files.keys() - {METADATA, SUMS}
    for name, entity in described.items():
        assert entity["contentSize"] == str(len(files[name]))
        assert entity["sha256"] == hashlib.sha256(files[name]).hexdigest()
        assert "/" in entity["encodingFormat"]
    # from the root down to every one of them
    reached, waiting = set(), ["./"]
    while waiting:
        id = waiting.pop()
        reached.add(unquote(id))
        waiting += [part["@id"] for part in listed(entities[id].get("hasPart"))]
    assert reached >= described.keys()


# -- the profile Process Run Crate ----------------------------------------------------------------


def test_the_crate_says_which_specification_and_profile_it_follows(files):
    entities, context = graph(files), json.loads(files[METADATA])["@context"]
    assert context == ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
    descriptor, root = entities[METADATA], entities["./"]
    assert descriptor["@type"] == "CreativeWork" and descriptor["about"] == {"@id": "./"}
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert root["@type"] == "Dataset" and root["name"] and root["description"]
    assert datetime.fromisoformat(root["datePublished"]).tzinfo is not None
    assert entities[root["license"]["@id"]]["@id"] == "LICENSE"
    profile = entities[root["conformsTo"]["@id"]]
    assert profile["@id"] == "https://w3id.org/ro/wfrun/process/0.5"
    assert profile["@type"] == "CreativeWork" and profile["name"] and profile["version"] == "0.5"


def test_whatever_is_referred_to_is_there(files):
    entities = graph(files)
    # what the two descriptions of the formats themselves are
    elsewhere = {"https://w3id.org/ro/crate/1.1"}
    for entity in entities.values():
        for value in entity.values():
            for item in listed(value):
                if isinstance(item, dict):
                    assert item.keys() == {"@id"}
                    assert item["@id"] in entities.keys() | elsewhere


@pytest.mark.parametrize("chapter, figure", [("first", "fig-line"), ("second", "tab-throws")])
def test_each_chapter_is_one_action(files, chapter, figure):
    entities = graph(files)
    record = json.loads(files[f"book/runs/{chapter}.json"])
    actions = [entity for entity in entities.values() if "CreateAction" in kinds(entity)]
    assert {ref["@id"] for ref in entities["./"]["mentions"]} == {action["@id"] for action in actions}
    assert len(actions) == 2
    (action,) = [action for action in actions if action["@id"].startswith(f"#run-{chapter}-")]
    assert action["name"] and action["description"]
    assert action["actionStatus"] == "http://schema.org/CompletedActionStatus" and "error" not in action
    instruments = [entities[ref["@id"]] for ref in action["instrument"]]
    assert [instrument["@id"] for instrument in instruments] == [f"source/chapters/{chapter}.ipynb", "#needle"]
    assert all("SoftwareSourceCode" in kinds(tool) and tool["name"] and tool["version"] for tool in instruments)
    inputs = [entities[ref["@id"]] for ref in action["object"]]
    values = {entity["name"]: entity["value"] for entity in inputs if kinds(entity) == ["PropertyValue"]}
    plain = {
        name: json.dumps(value) if isinstance(value, list) else value for name, value in record["parameters"].items()
    }
    assert values == plain
    used = {entity["@id"] for entity in inputs if "File" in kinds(entity)}
    # the press is installed, not among the paper's sources
    ours = {f"source/src/{module}" for module in record["modules"] if not module.startswith("livingpaper/")}
    assert used == {"source/requirements.txt", *ours}
    assert ("source/src/needle/experiments/throws.py" in used) == (chapter == "second")
    results = {ref["@id"] for ref in action["result"]}
    assert f"book/chapters/{chapter}.ipynb" in results and f"site/figures/{figure}.csv" in results
    assert {name for name in results if name.startswith("site/")} == {
        name for name in files if name.startswith(f"site/figures/{figure}.")
    }
    start, end = (datetime.fromisoformat(action[time]) for time in ("startTime", "endTime"))
    assert action["startTime"] == record["started"] and (end - start).total_seconds() == round(record["seconds"])
    assert end <= datetime.fromisoformat(entities["./"]["datePublished"])
    assert kinds(entities[action["agent"]["@id"]]) in (["Organization"], ["Person"])
    assert entities[action["subjectOf"]["@id"]]["@id"] == f"book/runs/{chapter}.json"


def test_the_library_reads_it(bundle, tmp_path, files):
    shutil.unpack_archive(bundle, tmp_path)
    crate = ROCrate(tmp_path)
    assert crate.root_dataset["version"] == "1.2"
    assert len(crate.get_by_type("CreateAction")) == 2
    assert {unquote(entity.id) for entity in crate.get_by_type("File")} >= files.keys() - {METADATA, SUMS}


# -- the sources ----------------------------------------------------------------------------------


def git(root: Path, *words: str) -> str:
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.invalid", "GIT_CONFIG_GLOBAL": os.devnull}
    who |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.invalid"}
    done = subprocess.run(["git", *words], cwd=root, env=os.environ | who, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_with_a_history_the_sources_are_what_it_has_and_the_commit_is_named(built, benign, no_pages):
    (built.root / ".gitignore").write_text("_build\n__pycache__\n.gitignore\ncalls.txt\n")
    git(built.root, "init", "--quiet")
    git(built.root, "add", ".")
    git(built.root, "commit", "--quiet", "--message", "all")
    commit = git(built.root, "rev-parse", "HEAD")
    said = benign("release", "--output", "clean.zip")
    assert said.status == 0 and "not committed" not in said.text, said.errors
    files = contents(built.root / "clean.zip")
    assert f"built from commit {commit}: its pages" in graph(files)["./"]["description"]
    assert {name.removeprefix("source/") for name in files if name.startswith("source/")} == set(
        git(built.root, "ls-files").splitlines()
    )
    # the release itself, and a note: neither is tracked
    (built.root / "note.txt").write_text("mine")
    said = benign("release", "--output", "changed.zip")
    assert "changes that are not committed" in said.text
    files = contents(built.root / "changed.zip")
    assert f"{commit}, with changes that were not committed" in graph(files)["./"]["description"]
    assert "source/note.txt" not in files


def test_without_a_history_the_sources_are_what_was_not_made(tmp_path):
    for name in (
        "a.md",
        "src/b.py",
        ".hidden",
        "_build/c",
        "src/__pycache__/d",
        "x.egg-info/e",
        "env/pyvenv.cfg",
        "env/f",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert archive.sources(tmp_path) == ["a.md", "src/b.py"]


# -- what is not released -------------------------------------------------------------------------


def test_a_build_that_is_out_of_date_is_not_released(built, benign):
    built.edit("chapters/first.ipynb", "range(n)]", "range(n + 0)]")
    said = benign("release")
    assert said.status == 1
    assert "is out of date, for first changed: run `needle build` first" in said.errors
    assert not list((built.root / "_build").glob("*.zip"))


@pytest.mark.parametrize("name", ["LICENSE", "CITATION.cff", "requirements.txt"])
def test_without_licence_citation_or_lock_there_is_no_release(built, benign, no_pages, name):
    (built.root / name).unlink()
    said = benign("release")
    assert said.status == 1 and str(built.root / name) in said.errors


def test_a_module_that_ran_and_is_not_tracked_stops_the_release(built, benign, no_pages):
    (built.root / ".gitignore").write_text("_build\n__pycache__\nthrows.py\n")
    git(built.root, "init", "--quiet")
    git(built.root, "add", ".")
    git(built.root, "commit", "--quiet", "--message", "all")
    said = benign("release")
    assert said.status == 1
    assert "source/src/needle/experiments/throws.py is not among the sources, and book/runs/second.json" in said.errors
    assert not list((built.root / "_build").glob("*.zip"))


def test_data_that_were_read_are_among_the_sources_or_there_is_no_release(built, benign, executed, no_pages):
    executed()
    (built.root / "chapters/.floor.csv").write_text("1\r\n")
    built.edit("pyproject.toml", 'command = "needle"\n', 'command = "needle"\ndata = ["chapters/.fl*.csv"]\n')
    assert benign("build").status == 0
    said = benign("release", "--output", "without.zip")
    assert said.status == 0, said.errors
    files = contents(built.root / "without.zip")
    assert files["source/chapters/.floor.csv"] == b"1\r\n"
    action = graph(files)[next(id for id in graph(files) if id.startswith("#run-second-"))]
    assert "source/chapters/.floor.csv" in {ref["@id"] for ref in action["object"]}
    (built.root / ".gitignore").write_text("_build\n__pycache__\n*.csv\n*.zip\n")
    git(built.root, "init", "--quiet")
    git(built.root, "add", ".")
    git(built.root, "commit", "--quiet", "--message", "all")
    said = benign("release", "--output", "with.zip")
    assert said.status == 1 and "with.zip: source/chapters/.floor.csv is not among the sources, and bo" in said.errors


# -- the pages again ------------------------------------------------------------------------------


def test_the_pages_come_out_again_without_torch_and_without_a_kernel(bundle, tmp_path, pristine_build):
    absent = tmp_path / "absent"
    absent.mkdir()
    for name in ("torch", "ipykernel"):
        (absent / f"{name}.py").write_text(f"raise ImportError('{name} is not to be imported')")
    environment = pristine_build.environment | {"PYTHONPATH": f"{absent}{os.pathsep}{pristine_build.root / 'src'}"}
    # what must not reach a page: a calendar, a language, another paper around the working directory
    environment |= {"SOURCE_DATE_EPOCH": "315532800", "LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONOPTIMIZE": "2"}
    (tmp_path / "_toc.yml").touch()
    (tmp_path / "pyproject.toml").write_text('[tool.livingpaper]\ncommand = "other"\n')
    command = [sys.executable, "-m", "livingpaper.cli", "render", str(bundle)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    made = tmp_path / "paper"
    rendered = {str(path.relative_to(made)): path.read_bytes() for path in made.rglob("*") if path.is_file()}
    assert rendered == pristine_build.files()
    assert f"{len(rendered)} files, each the same as in the release" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["_toc.yml", "absent", "paper", "pyproject.toml"]
    # and not over what is there
    again = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert again.returncode == 1 and f"{made} is there already" in again.stderr


def test_pages_that_come_out_differently_are_named(built, benign, files, tmp_path, monkeypatch):
    def render(tree, output, log, ours):  # as they were: the test before this one renders
        log.touch()
        return shutil.copytree(built.site, output)

    monkeypatch.setattr("livingpaper.build.render.render", render)
    changed = files | {"site/intro.html": files["site/intro.html"] + b" "}
    said = benign("render", str(pack(tmp_path / "changed.zip", changed, truly=True)), "--output", "pages")
    assert said.status == 1
    assert "1 of " in said.errors and "changed.zip: intro.html" in said.errors and "requirements.txt" in said.errors
    assert (built.root / "pages/intro.html").read_bytes() == files["site/intro.html"]


def flipped(bundle: Path, name: str) -> bytes:
    """The release with one bit of one file wrong, in the middle of its compressed bytes."""
    content = bytearray(bundle.read_bytes())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        about = archive.getinfo(name)
    content[about.header_offset + 30 + len(name) + about.compress_size // 2] ^= 1
    return bytes(content)


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda b, f: b.read_bytes()[:-100], "is no zip file, or its end is missing"),
        (lambda b, f: b.read_bytes()[: b.stat().st_size // 2], "is no zip file, or its end is missing"),
        (lambda b, f: b"words", "is no zip file"),
        (lambda b, f: flipped(b, "site/intro.html"), "is damaged: site/intro.html in it"),
        (lambda b, f: flipped(b, "book/chapters/second.ipynb"), "is damaged: book/chapters/second.ipynb in it"),
        (lambda b, f: f | {"book/intro.md": b"# Mine"}, "is damaged: book/intro.md in it is not what SHA256SUMS says"),
        (lambda b, f: {k: v for k, v in f.items() if k != "book/intro.md"}, "is not whole: book/intro.md is not in it"),
        (
            lambda b, f: f | {"site/new.html": b""},
            "was changed since it was made: site/new.html is not in its SHA256SUMS",
        ),
        (lambda b, f: {k: v for k, v in f.items() if k != SUMS}, "has no file SHA256SUMS: it is no release"),
        (lambda b, f: f | {SUMS: b"words"}, "SHA256SUMS in it is no list of digests"),
    ],
    ids=["cut", "half", "words", "bit", "other bit", "changed", "missing", "unlisted", "no sums", "bad sums"],
)
def test_a_damaged_release_is_refused_with_the_name_of_the_file(bundle, files, tmp_path, benign, damage, message):
    path, made = tmp_path / "paper.zip", damage(bundle, files)
    if isinstance(made, dict):
        pack(path, made)
    else:
        path.write_bytes(made)
    said = benign("render", str(path), "--output", str(tmp_path / "pages"))
    assert (said.status, said.text) == (1, "")
    assert f"error: {path} " in said.errors and message in said.errors
    assert [entry.name for entry in tmp_path.iterdir()] == ["paper.zip"]


@pytest.mark.parametrize(
    "forge, message",
    [
        (lambda f: {"book/../../out.md": b"gotcha"}, "book/../../out.md, which leads out of it"),
        (lambda f: {"book//out.md": b"gotcha"}, "book//out.md, which leads out of it"),
        (lambda f: {"book/Intro.md": b"gotcha"}, "two files book/"),
        (lambda f: {"book/..\\out.md": b"gotcha"}, "another one on another system"),
        (lambda f: {f"book/{'a' * 2000}.md": b"gotcha"}, "which leads out of it"),
        (lambda f: {"site/build.json": b"{}"}, "no readable site/build.json"),
        (lambda f: {"site/build.json": b'{"packages": ["../x"], "variant": "a"}'}, "'../x', which is not installed"),
        (
            lambda f: {"source/src/needle/experiments/throws.py": b"a = 1"},
            "is not as it was then, and book/run",
        ),
        (lambda f: {"book/runs/first.json": b"[]"}, "no readable book/runs/first.json"),
        (lambda f: {"book/_config.yml": b"- a"}, "no readable book/_config.yml"),
        (lambda f: configured(f, "execute.execute_notebooks", "force"), "execute.execute_notebooks: force in its"),
        (lambda f: configured(f, "sphinx.local_extensions", {"evil": "."}), "sphinx.local_extensions in its"),
        (lambda f: configured(f, "sphinx.extra_extensions", ["evil"]), "sphinx.extra_extensions: evil in its"),
        (lambda f: configured(f, "sphinx.config.nb_custom_formats", {".x": "os.system"}), "config.nb_custom_formats"),
        (lambda f: configured(f, "sphinx.config.html_context", {"edit_page_url_template": "{{x}}"}), "page_url_templ"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_release_that_was_forged_is_refused(files, tmp_path, benign, forge, message):
    path = pack(tmp_path / "evil.zip", files | forge(files), truly=True)
    said = benign("render", str(path), "--output", str(tmp_path / "pages"))
    assert said.status == 1 and message in said.errors
    assert [entry.name for entry in tmp_path.iterdir()] == ["evil.zip"]


def configured(files: dict[str, bytes], setting: str, value: object) -> dict[str, bytes]:
    """The settings of a release with one other."""
    config = yaml.safe_load(files["book/_config.yml"])
    *places, name = setting.split(".")
    functools.reduce(dict.__getitem__, places, config)[name] = value
    return {"book/_config.yml": yaml.safe_dump(config).encode()}


@pytest.mark.parametrize("what", ["MOST_FILES", "MOST_BYTES"])
def test_a_release_too_large_for_a_book_is_not_unpacked(bundle, tmp_path, benign, monkeypatch, what):
    monkeypatch.setattr(f"livingpaper.publish.bundle.{what}", 10)
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("unpacked"))
    said = benign("render", str(bundle), "--output", str(tmp_path / "pages"))
    assert said.status == 1 and "no book has" in said.errors


def test_pages_of_a_forged_release_neither_run_nor_read_anything_of_the_machine(files, tmp_path, unbuilt, benign):
    (tmp_path / "secret.txt").write_text("the password")
    (tmp_path / "secret.html").write_text("the password")
    ways = f"""---
mystnb: {{execution_mode: force}}
myst: {{enable_extensions: [substitution, colon_fence]}}
kernelspec: {{name: python3, display_name: Python 3}}
---
# Evil

{{{{ env.srcdir.joinpath("{tmp_path}/ran.txt").write_text("ran") }}}}

```{{include}} {os.path.relpath(tmp_path, "/")}/../../../../../../../../../../{tmp_path}/secret.txt
```
```{{literalinclude}} {"../" * 20}{tmp_path}/secret.txt
```
```{{raw}} html
:file: {"../" * 20}{tmp_path}/secret.html
```
```{{csv-table}} Words
:url: file://{tmp_path}/secret.txt
```
```{{code-cell}}
:load: {tmp_path}/secret.txt
```
```{{code-cell}}
open("{tmp_path}/ran.txt", "w")
```
"""
    path = pack(tmp_path / "evil.zip", files | {"book/claims.md": ways.encode()}, truly=True)
    said = benign("render", str(path), "--output", str(tmp_path / "pages"))
    assert said.status == 1 and "could not be rendered" in said.errors
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "book",
        "evil.zip",
        "pages.log",
        "secret.html",
        "secret.txt",
    ]
    assert "the password" not in (tmp_path / "pages.log").read_text()


@pytest.mark.parametrize(
    "words",
    [
        "open('outside.txt').read()",
        "open('inside/new.txt', 'w'); open('outside.txt', 'w')",
        "import subprocess; open('inside/new.txt', 'w'); subprocess.run(['true'])",
        "import socket; open('inside/new.txt', 'w'); socket.create_connection(('127.0.0.1', 9))",
        "import urllib.request; open('inside/new.txt', 'w'); urllib.request.urlopen('file:///etc/hosts')",
    ],
)
def test_what_renders_a_bundle_gets_no_further_than_its_folder(tmp_path, words):
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside.txt").write_text("kept")
    start = "from pathlib import Path; from livingpaper.build.confined import confine; confine(Path('inside'));"
    done = subprocess.run([sys.executable, "-c", f"{start} {words}"], cwd=tmp_path, capture_output=True, text=True)
    assert "what renders a bundle may not" in done.stderr
    assert (tmp_path / "outside.txt").read_text() == "kept"
    assert ("new.txt" in words) == (tmp_path / "inside/new.txt").exists()


def test_a_release_that_is_not_there_is_not_there(tmp_path, benign):
    said = benign("render", str(tmp_path / "none.zip"))
    assert said.status == 1 and f"cannot read {tmp_path / 'none.zip'}: No such file" in said.errors
