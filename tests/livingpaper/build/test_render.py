"""Publishing: what is put up is whole, is known to be what was published, and stays where people put its folder."""

import errno
import os

import pytest

from livingpaper.build import render, stamp
from livingpaper.errors import PaperError

OLD = {"index.html": "old", "gone.html": "old", "figures/fig-a.csv": "1\n"}
NEW = {"index.html": "new", "figures/fig-a.csv": "2\n", "figures/fig-b.csv": "3\n"}


def pages(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    stamp.write(folder, {"key": "what it was made from"})
    return folder


@pytest.fixture
def site(tmp_path):
    return pages(tmp_path / "book/html", OLD)


@pytest.mark.parametrize(
    "edit, damage",
    [
        (lambda site: None, []),
        (lambda site: (site / "index.html").write_text("forged"), ["index.html"]),
        (lambda site: (site / "gone.html").unlink(), ["gone.html"]),
        (lambda site: (site / "figures/fig-a.csv").write_text(""), ["figures/fig-a.csv"]),
        (lambda site: (site / "figures/mine.csv").touch(), ["figures/mine.csv"]),
        (lambda site: (site / ".git").touch(), []),
        (lambda site: (site / stamp.FILE).write_text("[]"), sorted(OLD)),
    ],
)
def test_a_file_that_is_not_as_it_was_published_is_damage(site, edit, damage):
    edit(site)
    assert (stamp.damage(site), stamp.whole(site)) == (damage, not damage)


def test_only_a_whole_site_is_brought_back(site):
    aside = render._aside(site)
    site.rename(aside)
    render.recover(site)
    assert stamp.whole(site)
    site.rename(aside)
    (aside / "gone.html").unlink()  # somebody, or a kill, had begun to remove it
    render.recover(site)
    assert not site.exists()


def ordinary(site, monkeypatch):
    return site


def linked(site, monkeypatch):
    served = site.rename(site.parents[1] / "served")
    site.symlink_to(served)
    (served / ".git").write_text("a repository that is pushed")
    return served


def mounted(site, monkeypatch):
    def replace(source, target):
        if site in (source, target):  # as the system has it for a mounted volume
            raise OSError(errno.EBUSY, "Device or resource busy")
        os_replace(source, target)

    os_replace = os.replace
    monkeypatch.setattr(render.os, "replace", replace)
    return site


@pytest.mark.parametrize("place", [ordinary, linked, mounted])
def test_pages_are_put_where_the_site_is(site, tmp_path, monkeypatch, place):
    served = place(site, monkeypatch)
    folder = served.stat().st_ino
    render.put_up(pages(tmp_path / "pages", NEW), site)
    found = {str(path.relative_to(served)) for path in served.rglob("*") if path.is_file()}
    assert found - {".git"} == NEW.keys() | {stamp.FILE} and stamp.whole(site)
    if place is not ordinary:
        assert served.stat().st_ino == folder
    assert site.is_symlink() == (served / ".git").exists() == (place is linked)


def test_a_full_disk_leaves_a_folder_that_stays_as_it_was(site, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    linked(site, monkeypatch)
    monkeypatch.setattr(render.shutil, "copytree", full)
    with pytest.raises(PaperError, match="the disk is full"):
        render.put_up(pages(tmp_path / "pages", NEW), site)
    assert stamp.whole(site)


def test_a_link_to_nowhere_is_named(tmp_path):
    (tmp_path / "html").symlink_to("nowhere")
    with pytest.raises(PaperError, match=f"leads to none: make {tmp_path}/nowhere a folder, or remove {tmp_path}/html"):
        render.recover(tmp_path / "html")


def test_a_picture_that_a_page_shows_and_does_not_have_is_named(tmp_path):
    text = '<img src="a.png"/> <img alt="" src="a%20b.png"> <img src="https://a.org/a.png"> &lt;img src="c.png"&gt;'
    pages(tmp_path, {"chapters/a.html": text, "chapters/a b.png": ""})
    assert render._lost(tmp_path) == [
        "chapters/a.html shows 'a.png', which is not there: write ![...](a.png) and not HTML"
    ]
