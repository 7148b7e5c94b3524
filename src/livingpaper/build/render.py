"""From an assembled tree to published pages: all of them, or none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from rich.text import Text

from livingpaper.errors import PaperError
from livingpaper.files import cannot_write

TIME_LIMIT = 3600  # seconds; a book takes a minute or two


def render(tree: Path, output: Path, log: Path) -> Path:
    """Render a tree with warnings as errors; the folder of the pages."""
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-m", "livingpaper.build.renderer", str(os.getpid())]
    command += ["build", str(tree), "--path-output", str(output), "-W", "-n", "--keep-going", "--all"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIME_LIMIT,
            text=True, errors="replace", env=os.environ | {"NO_COLOR": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        log.write_bytes(error.stdout or b"")
        raise PaperError(
            f"the pages were not rendered in {TIME_LIMIT} s, nothing was published: the end of the log says on which "
            f"page it stopped\nlog: {log}"
        ) from None
    log.write_text(done.stdout)
    if done.returncode:
        lines = Text.from_ansi(done.stdout).plain.splitlines()
        told = [line.replace(f"{tree}/", "") for line in lines if "WARNING" in line or "ERROR" in line] or lines[-10:]
        told = ["the pages could not be rendered, nothing was published:", *told]
        raise PaperError("\n  ".join(told) + f"\nlog: {log}")
    return output / "_build" / "html"


def put_up(pages: Path, site: Path) -> None:
    """Put finished pages in the place of the site; the old site stays until the new one is whole."""
    old = _aside(site)
    try:
        site.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(old, ignore_errors=True)
        if site.exists():
            os.replace(site, old)
        os.replace(pages, site)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise cannot_write(site, error) from error
    finally:
        recover(site)


def recover(site: Path) -> None:
    """Bring the old site back if publishing was stopped between taking it away and putting up the new one."""
    if not site.exists() and _aside(site).exists():
        os.replace(_aside(site), site)


def _aside(site: Path) -> Path:
    return site.with_name(f".{site.name}.old")
