"""Speeds that were measured once, on a machine that is named beside them: a chapter shows them, and never measures."""

import json
from pathlib import Path
from typing import Any

from benign.errors import BenignError, InputError
from benign.files import project_root

FOLDER = "benchmarks"


def recorded(path: str) -> dict[str, Any]:
    """The record of measured speeds that ``make bench`` wrote, at a path relative to the project.

    Raises:
        InputError: a path outside the folder of benchmarks, whose files decide whether a chapter is up to date.
        BenignError: no such file, or outside a project.
    """
    if not path.startswith(f"{FOLDER}/") or ".." in path:
        raise InputError(f"{path!r} is not in {FOLDER}/: measured speeds are kept there, as in '{FOLDER}/results.json'")
    root = project_root(Path.cwd().resolve())
    if root is None or not (root / path).is_file():
        raise BenignError(f"{path} is not there: `make bench` writes it, and it belongs to the project's sources")
    return json.loads((root / path).read_text())
