"""From an assembled tree to published pages: all of them, or none."""

import errno
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

from rich.text import Text

from livingpaper.build import stamp
from livingpaper.errors import PaperError
from livingpaper.files import cannot_write

TIME_LIMIT = 3600  # seconds; a book takes a minute or two
#: What the process that draws the pages gets of the environment: where programs and files are, and nothing that could
#: change a page, such as a day, a language or Python's switches. It works in the tree, not where somebody stands.
PASSED = ("PATH", "HOME", "TMPDIR", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH")
FIXED = {
    "LC_ALL": "C.UTF-8", "TZ": "UTC", "NO_COLOR": "1",
    "PYTHONUTF8": "1", "PYTHONHASHSEED": "0", "PYTHONSAFEPATH": "1",
    "DOCUTILSCONFIG": "",  # else docutils reads files of the machine and of the person
}  # fmt: skip
_SHOWN = re.compile(r"""<(?:img|source|video|audio|embed|iframe)\b[^>]*?\ssrc=["']([^/"':?#][^"':?#]*)["']""")


def render(tree: Path, output: Path, log: Path, ours: bool = True) -> Path:
    """Render a tree with warnings as errors; the folder of the pages.

    A tree that is not ours lies beside the output, and the process that renders it gets no further than there.
    """
    shutil.rmtree(output, ignore_errors=True)
    work = output.parent
    command = [sys.executable, "-m", "livingpaper.build.renderer", str(os.getpid())]
    environment = {name: os.environ[name] for name in PASSED if name in os.environ} | FIXED
    if not ours:
        command += ["--confined", str(work)]
        environment["TMPDIR"] = str(work)
    command += ["build", str(tree), "--path-output", str(output), "-W", "-n", "--keep-going", "--all"]
    try:
        done = subprocess.run(
            command, cwd=tree, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace", env=environment, timeout=TIME_LIMIT,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        log.write_bytes(error.stdout or b"")
        raise PaperError(
            f"the pages were not rendered in {TIME_LIMIT} s, nothing was published: the end of the log says on which "
            f"page it stopped\nlog: {log}"
        ) from None
    log.write_text(done.stdout, encoding="utf-8")
    if done.returncode:
        lines = Text.from_ansi(done.stdout).plain.splitlines()
        told = [line.replace(f"{tree}/", "") for line in lines if "WARNING" in line or "ERROR" in line] or lines[-10:]
    else:
        told = _lost(output / "_build" / "html")
    if done.returncode or told:
        told = ["the pages could not be rendered, nothing was published:", *told]
        raise PaperError("\n  ".join(told) + f"\nlog: {log}")
    return output / "_build" / "html"


def _lost(pages: Path) -> list[str]:
    """What pages show and do not have, in words: Sphinx looks after pictures in Markdown, not after those in HTML."""
    return [
        f"{page.relative_to(pages)} shows {name!r}, which is not there: write ![...]({name}) and not HTML"
        for page in sorted(pages.rglob("*.html"))
        for name in _SHOWN.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / unquote(name)).is_file()
    ]


def put_up(pages: Path, site: Path) -> None:
    """Put finished pages in the place of the site; the old site stays until the new one is whole.

    A site that is a link to a folder, or a mounted volume, stays where it is and gets the new files.
    """
    try:
        site.parent.mkdir(parents=True, exist_ok=True)
        try:
            _fill(site, pages) if site.is_symlink() else _exchange(site, pages)
        except OSError as error:
            if error.errno not in (errno.EBUSY, errno.EXDEV):
                raise
            _fill(site, pages)
    except OSError as error:
        raise cannot_write(site, error) from error


def recover(site: Path) -> None:
    """Bring the old site back, if it is whole, where publishing stopped between taking it away and putting up the new.

    Raises:
        PaperError: something stands in the place of the site that pages cannot be put into.
    """
    if os.path.lexists(site) and not site.is_dir():
        raise PaperError(f"{site} is no folder and leads to none: make {site.resolve()} a folder, or remove {site}")
    if not site.exists() and stamp.whole(_aside(site)):
        os.replace(_aside(site), site)


def _exchange(site: Path, pages: Path) -> None:
    old = _aside(site)
    try:
        shutil.rmtree(old, ignore_errors=True)
        if site.exists():
            os.replace(site, old)
        os.replace(pages, site)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        recover(site)


def _fill(site: Path, pages: Path) -> None:
    """Replace the files of a folder one by one, so that each is there all the time, the old one or the new one."""
    new = site / ".new"
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(pages, new)  # this takes all the space that is needed
    wanted, there = _files(new), _files(site)
    for name in wanted:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(new / name, site / name)
    for name in there - wanted:
        if not name.parts[0].startswith("."):  # whose these are says ``stamp.damage``
            (site / name).unlink()
    shutil.rmtree(new)


def _files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def _aside(site: Path) -> Path:
    return site.with_name(f".{site.name}.old")
