"""A picture that follows the page: on a dark one its sheet is dark, its ink light, and its colours stay apart.

An SVG file in a page knows the page's colour scheme, so that one file serves both. Its colours are looked up by value:
the greys of the style, and the one colour of the palette that is too dark for a dark sheet. The colours of a map say
numbers and stay as they are, as does what stands on them: letters, and what has the two colours that ``style`` keeps
for tiles.
"""

SHEET = "#121212"  #: the page's own background in the dark
#: What each colour of ``style`` becomes on a dark sheet.
COLOURS = {
    "#000000": "#f2f4f6", "#222222": "#e4e8ec", "#333333": "#d6dade", "#666666": "#9aa2ab", "#777777": "#a5adb5",
    "#888888": "#a5adb5", "#999999": "#8a929a", "#bbbbbb": "#626a72", "#dddddd": "#3a4149",
    "#0072b2": "#58b4ee",
}  # fmt: skip


def themed(svg: str) -> str:
    """A picture of matplotlib's with a second set of colours, for dark pages."""
    rules = [
        f'[style*="{what}: {light}"]{{{what}:{dark}!important}}'
        for light, dark in COLOURS.items()
        for what in ("fill", "stroke")
    ]
    rules += [f'rect[fill="{light}"]{{fill:{dark}!important}}' for light, dark in COLOURS.items()]  # of hatches
    # sheets, hollow marks and halos are paths and copies of paths
    for node in ("path", "use"):
        rules += [f'{node}[style*="{what}: #ffffff"]{{{what}:{SHEET}!important}}' for what in ("fill", "stroke")]
    # matplotlib leaves black, SVG's own colour, unsaid; a path with an id is the shape of marks, which have their own
    rules.append(f':is(path:not([id]),use)[style]:not([style*="fill:"]){{fill:{COLOURS["#000000"]}!important}}')
    before, mark, after = svg.partition("</style>")
    if not mark:
        raise ValueError(
            "the picture has no style sheet, which every SVG file of matplotlib has: another writer made it"
        )
    return f"{before}@media (prefers-color-scheme: dark){{{''.join(rules)}}}{mark}{after}"
