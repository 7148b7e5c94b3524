"""Figures and tables that carry their data: one output, from which page, files and fallback are made.

What a code cell displays is self-contained, so an executed notebook is all that the page needs; Jupyter, GitHub and
Colab show the fallback. The words, caption and alternative text, stand in a directive below the cell.
"""

import base64
import importlib.metadata
import io
import platform
import re
import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import cache
from html import escape

import matplotlib as mpl
import matplotlib.figure
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display
from matplotlib.transforms import Bbox
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from livingpaper.errors import InputError, nearest
from livingpaper.say import dark, moving, panels
from livingpaper.say.marks import Marks, described, places

MIME = "application/vnd.livingpaper.figure+json"
SCHEMA = 4
LONGEST_ALT = 500  # characters; screen readers offer no way to go back inside an alternative text
PNG_DPI = 200  # sharp on a double-density screen at column width
MARGIN = 0.05  # inches around a picture

_NO_LAYOUT = {"figure.autolayout": False, "figure.constrained_layout.use": False}
_PACKAGES = ("livingpaper", "torch", "numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "seaborn")
_FILE_NAME = re.compile(r"\S+\.(png|svg|pdf|jpe?g|gif|webp)", re.IGNORECASE)
# What a spreadsheet makes something else of, without a word: a formula, a date, a time, a number with fewer digits.
_MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec|january|february|march|april|june|july|august|september|"
_MONTH += "october|november|december)"
_MISREAD = re.compile(
    r"[=@].*|[+-](?![\d.]).+|[+-][\d.]+[-+*/^(].*"
    rf"|\d+[-/:]\d+([-/:.]\d+)?|\d+\.\d+\.\d+|{_MONTH}[-/. ]?\d+|\d+[-/. ]?{_MONTH}"
    r"|0\d+|\d{16,}|\d+e\d+",
    re.IGNORECASE | re.DOTALL,
)
_LOOKS_NUMERIC = re.compile(r"\s*[-+−<>≤≥≈±]?\s*\.?\d.*")


def figure(
    id: str,
    picture: matplotlib.figure.Figure,
    data: pd.DataFrame,
    *,
    explore: Sequence[Marks] = (),
    frames: Sequence[str] = (),
) -> None:
    """Hand over a picture together with the numbers it shows; ``{glue:figure}`` of that id gives caption and alt.

    Several panels are lettered, and stand below one another in the narrow version, which telephones show.

    ``id``       label, HTML anchor, file stem and citation key at once: ``fig-`` and kebab case, unique in the
                 book, never reused;
    ``picture``  a matplotlib figure; it is closed, so that Jupyter does not show it a second time;
    ``data``     a non-empty frame, one row an observation, units in the column names; published as CSV;
    ``explore``  the tiles or points that the page shows the setting, numbers and command of;
    ``frames``   what the frames of a moving picture are called, in order: what is drawn under the gid
                 ``frames.gid(k, ...)`` is in the k-th alone. On paper, and in PNG and PDF, it is the last.

    Raises:
        InputError: one of them is missing or malformed.
    """
    check_id(id, "fig", what="figure")
    if not isinstance(picture, matplotlib.figure.Figure):
        raise InputError(
            f"figure {id}: the picture is a {type(picture).__name__}, not a matplotlib Figure: "
            "pass e.g. the first result of plt.subplots(), or grid.figure of a seaborn grid"
        )
    _check_data(id, data)
    letters = panels.letter(picture)
    seen = _seen(picture)
    with moving.only_last(picture, frames):
        png = _picture(id, picture, seen, "png", dpi=PNG_DPI)
        pdf = _picture(id, picture, seen, "pdf", metadata={"CreationDate": None, "Title": id})
    # last: the marks' places are those of the last drawing, and the page shows these
    svg, wide = _svg(id, picture, seen, frames), places(picture, explore, seen)
    panels.stack(picture)
    seen = Bbox.from_bounds(0, 0, *picture.get_size_inches())
    narrow_svg, narrow = _svg(id, picture, seen, frames), places(picture, explore, seen)
    files = {"png": _base64(png), "pdf": _base64(pdf), "svg": svg, "narrow.svg": narrow_svg, "csv": csv(data)}
    payload = {"schema": SCHEMA, "kind": "figure", "id": id, "explore": described(explore, wide, narrow)}
    payload |= {"frames": list(frames), "panels": letters}
    plt.close(picture)
    _hand_over(payload | {"files": files, "environment": environment()}, {"image/png": _base64(png), "text/plain": id})


def table(id: str, data: pd.DataFrame, *, markup: Collection[str] = ()) -> None:
    """Hand over a numbered table with the full-precision data behind it; ``{glue:table}`` of that id gives the caption.

    ``id`` is ``tab-`` and kebab case; ``data`` a non-empty frame whose columns are shown in order (a named
    index first). Numbers print with four significant digits; an author who wants ``0.12 ± 0.01`` writes it as a
    string. A string is text as it is, ``*`` and ``<`` too; in the columns that ``markup`` names, and in their
    headings, it is MyST inline markup.

    Raises:
        InputError: one of them is missing or malformed.
    """
    check_id(id, "tab", what="table")
    _check_data(id, data)
    frame = data.reset_index() if _has_named_index(data) else data
    if unknown := set(markup) - set(frame.columns):
        raise InputError(f"{id}: markup names {min(unknown)!r}: {nearest(min(unknown), [*map(str, frame.columns)])}")
    cells = {
        "columns": [str(name) for name in frame.columns],
        "markup": [name in markup for name in frame.columns],
        "numeric": [_is_numeric(frame[name]) for name in frame.columns],
        "rows": [[_cell(value) for value in row] for row in frame.itertuples(index=False, name=None)],
    }
    payload = {"schema": SCHEMA, "kind": "table", "id": id, "table": cells, "files": {"csv": csv(data)}}
    shown = pd.DataFrame(cells["rows"], columns=cells["columns"])
    html = f"{shown.to_html(index=False, border=0)}<p>{escape(id)}</p>"
    fallback = {"text/html": html, "text/plain": f"{id}\n{shown.to_string(index=False)}"}
    _hand_over(payload | {"environment": environment()}, fallback)


def _hand_over(payload: dict, fallback: dict) -> None:
    # shown, and glued under its id as MyST-NB's glue does it
    display({MIME: payload} | fallback, raw=True, metadata={"scrapbook": {"name": payload["id"], "mime_prefix": ""}})


def contents(payload: dict) -> dict[str, bytes]:
    """The files of a figure or table as published, by suffix, out of the payload that its notebook output carries."""
    return {
        suffix: base64.b64decode(content) if suffix in ("png", "pdf") else content.encode()
        for suffix, content in payload["files"].items()
    }


def captioned(payload: dict, words: dict) -> dict:
    """A figure or table with what is said of it: ``caption``, and of a figure ``alt``.

    Raises:
        InputError: one of them is missing; an alternative text that is too long, or a file's name.
    """
    caption, alt = words.get("caption") or "", words.get("alt") or ""
    _check_text(payload["id"], "caption", caption)
    if payload["kind"] == "figure":
        _check_alt(payload["id"], alt)
    return payload | {"caption": caption, "alt": alt}


def csv(data: pd.DataFrame) -> str:
    """The frame as comma-separated text from which every float is recovered exactly, in a spreadsheet too.

    Raises:
        InputError: a text in it that spreadsheets take for a date, a formula or another number.
    """
    frame = data.reset_index() if _has_named_index(data) else data
    texts = {cell for _, column in frame.items() for cell in column if isinstance(cell, str)}
    for text in sorted(texts.union(map(str, frame.columns))):
        if _MISREAD.fullmatch(text):
            raise InputError(
                f"the text {text!r} is a date, a formula or another number to a spreadsheet: "
                "call it something else, e.g. '3 vs 8' for '3-8'"
            )
    # pandas writes the shortest decimal that rounds back to the same float
    content = data.to_csv(index=_has_named_index(data), lineterminator="\n")
    return content if content.isascii() else f"\ufeff{content}"  # without the mark Excel takes another alphabet


@cache
def _versions() -> dict[str, str]:
    versions = {}
    for package in _PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions


def environment() -> dict:
    """The versions and numerical settings under which the running kernel computes."""
    facts = {"python": platform.python_version(), "system": platform.system(), "machine": platform.machine()}
    # a chapter that trains nothing need not pay the seconds that importing torch takes
    torch = sys.modules.get("torch")
    if torch is not None:
        facts["torch"] = {
            "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
            "threads": torch.get_num_threads(),
            "default_dtype": str(torch.get_default_dtype()).removeprefix("torch."),
            "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
            "float32_matmul_precision": torch.get_float32_matmul_precision(),
        }
    return {"versions": _versions()} | facts


def check_id(id: str, *prefixes: str, what: str) -> None:
    """Refuse an id that cannot serve as label, anchor, file stem and citation key at once."""
    if not isinstance(id, str) or not re.fullmatch(rf"({'|'.join(prefixes)})(-[a-z0-9]+)+", id):
        starts = " or ".join(f"'{prefix}-'" for prefix in prefixes)
        raise InputError(
            f"{what} id {id!r} is not {starts} followed by lower-case words joined by single hyphens: "
            f"write e.g. '{prefixes[0]}-test-error'"
        )


def _check_data(id: str, data: pd.DataFrame) -> None:
    if not isinstance(data, pd.DataFrame):
        raise InputError(f"{id}: 'data' is a {type(data).__name__}: pass the pandas DataFrame with the numbers shown")
    if data.empty:
        raise InputError(f"{id}: 'data' has shape {data.shape}: pass the numbers shown, at least one row and column")


def _check_text(id: str, name: str, text: str) -> None:
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{id}: '{name}' is {text!r}: write a sentence")


def _check_alt(id: str, alt: str) -> None:
    _check_text(id, "alt", alt)
    if _FILE_NAME.fullmatch(alt.strip()):
        raise InputError(f"figure {id}: 'alt' is the file name {alt!r}: say in words what is to be seen")
    if len(alt) > LONGEST_ALT:
        raise InputError(
            f"figure {id}: 'alt' has {len(alt)} characters, the limit is {LONGEST_ALT}: "
            "keep what is plotted and what is to be seen, and leave the details to caption and data"
        )


def _seen(picture: matplotlib.figure.Figure) -> Bbox:
    """The part of a figure that has something on it, in inches, with a narrow margin: what its pictures show."""
    if engine := picture.get_layout_engine():
        engine.execute(picture)
    # It has found every place, and would search again for each file. No engine at all, as matplotlib's settings say:
    # with "none" it draws each file twice, to give one that does nothing its turn.
    with mpl.rc_context(_NO_LAYOUT):
        picture.set_layout_engine(None)
    return picture.get_tightbbox().padded(MARGIN)


def _picture(id: str, picture: matplotlib.figure.Figure, seen: Bbox, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    # the salt makes the SVG's internal ids, otherwise random, a function of the figure's id
    with mpl.rc_context({"svg.hashsalt": id, "svg.fonttype": "path", "pdf.fonttype": 42} | _NO_LAYOUT):
        picture.savefig(buffer, format=kind, bbox_inches=seen, facecolor="white", **options)
    return buffer.getvalue()


def _svg(id: str, picture: matplotlib.figure.Figure, seen: Bbox, frames: Sequence[str]) -> str:
    svg = _picture(id, picture, seen, "svg", metadata={"Date": None, "Title": id}).decode()
    return moving.stacked(id, dark.themed(svg), frames)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _has_named_index(data: pd.DataFrame) -> bool:
    # an unnamed index is a row counter that filtering left behind
    return any(name is not None for name in data.index.names)


def _is_numeric(column: pd.Series) -> bool:
    if is_numeric_dtype(column):
        return not is_bool_dtype(column)
    return all(isinstance(value, str) and _LOOKS_NUMERIC.fullmatch(value) for value in column)


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return "–"
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
