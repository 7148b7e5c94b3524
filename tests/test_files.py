"""Files are whole or not there, and a refusal of the operating system says what to do."""

import errno
import os
import re
import stat
from pathlib import Path

import pytest

from livingpaper import files
from livingpaper.errors import PaperError


def test_write_makes_folders_and_replaces(tmp_path):
    path = tmp_path / "a" / "b" / "file.bin"
    files.write_atomically(path, b"one")
    files.write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["file.bin"]


@pytest.mark.changes_global_state  # the umask, for the length of the test
def test_files_have_the_users_usual_permissions(tmp_path):
    before = os.umask(0o027)
    try:
        files.write_atomically(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


@pytest.mark.parametrize("interruption", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, interruption):
    path = tmp_path / "file"
    files.write_atomically(path, b"old")

    def half(self, content):
        with open(self, "wb") as stream:
            stream.write(content[:1])
        raise interruption

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises((PaperError, KeyboardInterrupt)):
        files.write_atomically(path, b"new")
    assert os.listdir(tmp_path) == ["file"]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "the disk is full: free some space and run the same command again, finished work is kept"),
        (errno.EDQUOT, "quota is used up"),
        (errno.EROFS, "read-only: choose another folder, or set LIVINGPAPER_CACHE_DIR"),
        (errno.EACCES, "make the folder writable, or set LIVINGPAPER_CACHE_DIR"),
        (errno.EPERM, "make the folder writable, or set LIVINGPAPER_CACHE_DIR"),
        (errno.EIO, "check that the folder exists"),
    ],
)
def test_a_refusal_says_which_file_why_and_what_to_do(tmp_path, monkeypatch, number, remedy):
    def refuse(self, content):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(PaperError) as caught:
        files.write_atomically(tmp_path / "file", b"x")
    assert str(caught.value).startswith(f"cannot write {tmp_path / 'file'}: {os.strerror(number)}; ")
    assert remedy in str(caught.value)


def test_a_folder_that_is_a_file_is_refused_too(tmp_path):
    (tmp_path / "folder").write_text("")
    with pytest.raises(PaperError, match=re.escape(f"cannot write {tmp_path / 'folder' / 'file'}")):
        files.write_atomically(tmp_path / "folder" / "file", b"x")


def test_the_cache_is_where_the_user_says_else_in_the_book(tmp_path, monkeypatch):
    book = tmp_path / "book"
    (book / "chapters").mkdir(parents=True)
    (book / "_toc.yml").touch()
    assert files.cache_folder(book) == Path(os.environ["LIVINGPAPER_CACHE_DIR"])
    monkeypatch.delenv("LIVINGPAPER_CACHE_DIR")
    assert files.cache_folder(book / "chapters") == book / "_build" / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert files.project_root(tmp_path) is None
    assert "livingpaper" in files.cache_folder(tmp_path).name


def test_sha256_of_a_known_content():
    assert files.sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
