"""From an assembled tree to published pages: all of them, or none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from rich.text import Text

from benign.errors import BenignError
from benign.files import cannot_write

_JUPYTER_BOOK = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"  # it has no __main__


def render(tree: Path, output: Path, log: Path) -> Path:
    """Render a tree with warnings as errors; the folder of the pages."""
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-c", _JUPYTER_BOOK, "build", str(tree), "--path-output", str(output)]
    command += ["-W", "-n", "--keep-going", "--all"]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", env=os.environ | {"NO_COLOR": "1"},
    )  # fmt: skip
    log.write_text(done.stdout)
    if done.returncode:
        lines = Text.from_ansi(done.stdout).plain.splitlines()
        told = [line.replace(f"{tree}/", "") for line in lines if "WARNING" in line or "ERROR" in line] or lines[-10:]
        raise BenignError("the pages could not be rendered, nothing was published:\n  " + "\n  ".join(told) + f"\nlog: {log}")
    return output / "_build" / "html"


def publish(pages: Path, site: Path) -> None:
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
        recover(site)
        raise cannot_write(site, error) from error


def recover(site: Path) -> None:
    """Bring the old site back if a process was killed in the instant between taking it away and publishing the new."""
    if not site.exists() and _aside(site).exists():
        os.replace(_aside(site), site)


def _aside(site: Path) -> Path:
    return site.with_name(f".{site.name}.old")
