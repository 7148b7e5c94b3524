"""Moving pictures: all frames of one in one SVG file, of which its address shows one.

The file shows its last frame; ``fig-memory.svg#frame-3`` shows the third. So a page needs no more than a picture
whose address changes, and paper, GitHub and a browser without scripts have the end of the story.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib.figure

from livingpaper.errors import InputError

_GID = re.compile(r"frame-(\d+)-.")


def gid(frame: int, name: str) -> str:
    """The gid of what is drawn in one frame alone, counted from 0: ``axes.plot(..., gid=moving.gid(3, "fresh"))``."""
    return f"frame-{frame}-{name}"


@contextmanager
def only_last(picture: matplotlib.figure.Figure, frames: Sequence[str]) -> Iterator[None]:
    """The picture without what is in other frames than the last."""
    last, others = gid(len(frames) - 1, ""), []
    if frames:  # to look through everything takes a tenth of a second
        others = picture.findobj(
            lambda artist: _GID.match(name := artist.get_gid() or "") and not name.startswith(last)
        )
    for artist in others:
        artist.set_visible(False)
    try:
        yield
    finally:
        for artist in others:
            artist.set_visible(True)


def stacked(id: str, svg: str, frames: Sequence[str]) -> str:
    """An SVG file of matplotlib's that shows the frame which its address names, and the last if it names none.

    Raises:
        InputError: frames in which nothing is drawn, or something drawn in frames that are not named.
    """
    drawn = {int(frame) for frame in re.findall(rf'id="{_GID.pattern}', svg)}
    if drawn != set(range(len(frames))):
        raise InputError(
            f"figure {id}: {len(frames)} frames have a name, and something is drawn in the frames {sorted(drawn)}: "
            "name each in 'frames', and draw something in each, under moving.gid(frame, name)"
        )
    if not frames:
        return svg
    last = len(frames) - 1
    rules = [f'[id^="frame-"]{{display:none}}[id^="frame-{last}-"]{{display:inline}}']
    for frame in range(last):
        shown, end = (f'#frame-{frame}:target~g [id^="frame-{which}-"]' for which in (frame, last))
        rules.append(f"{end}{{display:none}}{shown}{{display:inline}}")
    targets = "".join(f'<g id="frame-{frame}"/>' for frame in range(len(frames)))
    # an id of a frame itself has nothing behind its number
    before, mark, after = svg.replace("</style>", f"{''.join(rules)}</style>", 1).partition("</defs>")
    return f"{before}{mark}{targets}{after}"
