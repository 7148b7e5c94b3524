"""What a person sees while a sweep runs."""

import json

import numba

from livingpaper.sweep.progress import VARIABLE, progress


# Not inside the test: numba leaves proxies of what is gone, over which an extension of Sphinx stumbles, as it looks at
# all objects of its process.
@numba.njit
def inner(number):
    return number + 1


@numba.njit
def outer(number):
    return inner(number)


def test_compiling_is_shown_while_it_lasts(tmp_path, monkeypatch):
    path = tmp_path / "progress"
    monkeypatch.setenv(VARIABLE, str(path))
    shown = []

    with progress("Needle", 10) as display:
        say = display.say
        monkeypatch.setattr(
            display, "say", lambda doing: (say(doing), shown.append(json.loads(path.read_text())["label"]))
        )
        assert outer(1) == 2
        assert shown == ["Needle, compiling", "Needle, compiling", "Needle, compiling", "Needle"]
        assert outer(2) == 3
        assert len(shown) == 4, "what is compiled is not compiled again"
        display.advance(10)
    assert json.loads(path.read_text()) == {"label": "Needle", "done": 10, "total": 10}
