"""Where the sources are: addresses of repositories, of commits, files and lines."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from livingpaper.build import archive
from livingpaper.build.repository import Repository, Sources, address, cell_lines
from livingpaper.errors import InputError, PaperError

ROOT = Path(__file__).parents[3]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def git(folder, *words):
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *identity, "-C", folder, *words], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one commit of a book, made on a day in the past."""
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-02-03T12:00:00Z")
    git(tmp_path, "init", "--quiet")
    (tmp_path / "_toc.yml").write_text("text")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("https://github.com/owner/name", "https://github.com/owner/name"),
        ("https://github.com/owner/name.git/", "https://github.com/owner/name"),
        ("http://user:secret@example.org/owner/name.git", "https://example.org/owner/name"),
        ("https://token@gitlab.com/group/part/name", "https://gitlab.com/group/part/name"),
        ("git@codeberg.org:owner/name.git", "https://codeberg.org/owner/name"),
        ("ssh://git@GitHub.com:22/owner/name.git", "https://github.com/owner/name"),
        ("/srv/git/name.git", None),
        ("../name", None),
        ("https://proxy/owner/name", None),
        ("https://github.com/owner", None),
        ("", None),
    ],
)
def test_addresses_of_forges_become_https_without_credentials(given, found):
    assert address(given) == found


@pytest.mark.parametrize(
    ("url", "path", "link"),
    [
        ("https://github.com/o/n", "src/a.py", f"https://github.com/o/n/blob/{COMMIT}/src/a.py#L3-L9"),
        ("https://github.com/o/n", "c/a.ipynb", f"https://github.com/o/n/blob/{COMMIT}/c/a.ipynb?plain=1#L3-L9"),
        ("https://gitlab.com/g/s/n", "a.py", f"https://gitlab.com/g/s/n/-/blob/{COMMIT}/a.py#L3-9"),
        ("https://example.org/o/n", "a b.py", f"https://example.org/o/n/blob/{COMMIT}/a%20b.py#L3-L9"),
    ],
)
def test_a_permalink_has_the_layout_of_its_forge(url, path, link):
    assert Repository(url, COMMIT).permalink(path, (3, 9)) == link


def test_a_permalink_needs_an_address_and_a_commit_and_no_lines():
    assert Repository(None, COMMIT).permalink("a.py") is None
    assert Repository("https://github.com/o/n", None).permalink("a.py") is None
    known = Repository("https://github.com/o/n", COMMIT, prefix="paper/")
    assert known.permalink("a.md") == f"https://github.com/o/n/blob/{COMMIT}/paper/a.md"


def test_a_folder_under_version_control_knows_its_commit_and_whether_it_is_all(repository):
    found = Repository.of(repository)
    assert found == Repository(None, git(repository, "rev-parse", "HEAD").strip(), False, date="2026-02-03")
    (repository / "_toc.yml").write_text("other")
    changed = Repository.of(repository)
    assert changed.state == f"commit {found.commit[:10]}, with changes that are not committed"
    assert changed.date == "2026-02-03"  # not the day on which it is rendered


def untracked(repository):
    (repository / "other").touch()
    git(repository, "config", "status.showUntrackedFiles", "no")


def unwatched(repository):
    (repository / "_toc.yml").write_text("other")
    git(repository, "update-index", "--assume-unchanged", "_toc.yml")


@pytest.mark.parametrize("change", [untracked, unwatched])
def test_no_configuration_hides_a_change(repository, change):
    change(repository)
    assert Repository.of(repository).dirty


def test_a_repository_counts_only_if_it_tracks_the_book(repository, monkeypatch):
    book = repository / "unpacked"
    book.mkdir()
    (book / "_toc.yml").touch()
    (repository / ".gitignore").write_text("unpacked\n")
    assert Repository.of(book) == Repository() and archive.sources(book) == ["_toc.yml"]
    # nor does one that a variable names, as in a hook
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(book))
    assert Repository.of(book) == Repository() and Repository.of(repository).commit


def owned_by_another(repository, monkeypatch):
    if os.geteuid():
        pytest.skip("only root can give a folder away")
    os.chown(repository, 1234, 1234)


def moved(repository, monkeypatch):
    (repository / ".git").rename(repository / "elsewhere")
    (repository / ".git").write_text("gitdir: /nowhere/.git/worktrees/book\n")


def without_git(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")


@pytest.mark.parametrize(
    "break_it, message",
    [
        (owned_by_another, "git does not say which commit it is: fatal: detected dubious ownership.*safe.directory"),
        (moved, "git does not say which commit it is: fatal: not a git repository: /nowhere"),
        (without_git, "git cannot be run .*: install it, or build a copy without .git"),
    ],
)
def test_a_repository_that_cannot_be_read_is_an_error_not_none(repository, monkeypatch, break_it, message):
    break_it(repository, monkeypatch)
    with pytest.raises(PaperError, match=f"{repository} is in a git repository, and {message}"):
        Repository.of(repository)


def test_the_remote_gives_the_address_unless_the_settings_do(repository):
    git(repository, "remote", "add", "origin", "https://user:secret@github.com/owner/name.git")
    assert Repository.of(repository).url == "https://github.com/owner/name"
    assert Repository.of(repository, "https://codeberg.org/a/b").url == "https://codeberg.org/a/b"


def test_a_remote_that_is_a_folder_is_no_address(repository):
    git(repository, "remote", "add", "origin", "/srv/git/name.git")
    assert Repository.of(repository).url is None


def test_a_book_below_the_top_of_its_repository_has_a_prefix(repository):
    (repository / "paper").mkdir()
    (repository / "paper/_toc.yml").touch()
    git(repository, "add", ".")
    assert Repository.of(repository / "paper").prefix == "paper/"


def test_an_unpacked_archive_has_no_commit(tmp_path):
    found = Repository.of(tmp_path, "https://github.com/owner/name")
    assert (found.url, found.commit, found.dirty) == ("https://github.com/owner/name", None, None)
    assert found.state == "an unknown commit"


def test_an_address_in_the_settings_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"repository\.url in _config\.yml is 'github': write the address"):
        Repository.of(tmp_path, "github")


@pytest.mark.parametrize("path", sorted((ROOT / "chapters").glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_lines_of_a_cell_are_those_of_its_source_in_the_file(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    found = cell_lines(path)
    assert list(found) == [cell["id"] for cell in cells]
    for cell in cells:
        first, last = found[cell["id"]]
        assert json.loads(f"[{''.join(lines[first - 1 : last])}]") == cell["source"]


def test_the_lines_of_a_cell_are_found_in_a_file_of_another_system(tmp_path):
    text = (ROOT / "chapters/setting.ipynb").read_text(encoding="utf-8")
    (tmp_path / "a.ipynb").write_text(text, encoding="utf-8-sig", newline="\r\n")
    assert cell_lines(tmp_path / "a.ipynb") == cell_lines(ROOT / "chapters/setting.ipynb")


def test_a_notebook_with_another_layout_has_no_lines(tmp_path):
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [{"id": "a", "cell_type": "code", "source": ["1"]}]}))
    assert cell_lines(tmp_path / "a.ipynb") == {}


def test_sources_are_recorded_in_a_tree_and_read_again(tmp_path):
    chapter = Path("chapters/phenomenon.ipynb")
    sources = Sources.of(ROOT, {chapter: {"fig-trajectories": "trajectories-figure"}})
    sources.write(tmp_path)
    assert Sources.read(tmp_path) == sources
    place = sources.places["fig-trajectories"]
    assert (place.path, place.cell) == (str(chapter), "trajectories-figure")
    assert place.lines == cell_lines(ROOT / chapter)["trajectories-figure"]


def test_a_folder_without_a_record_has_none(tmp_path):
    assert Sources.read(tmp_path) is None
