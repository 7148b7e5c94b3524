"""A process that draws the pages of somebody else: it has what is installed and what it was given, and no more."""

import errno
import os
import sys
import zoneinfo
from pathlib import Path

_ELSEWHERE = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "os.startfile")
_ELSEWHERE += ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "urllib.Request")


def confine(folder: Path) -> None:
    """From now on, write only below ``folder``, read only there and what Python is made of, start and call nothing.

    It holds whatever a page asks for by (``include``, ``:load:``, an execution mode, an address), since all ways end
    in an event that Python announces. It holds back requests, not code: that must not get in.
    """
    ours = os.path.realpath(folder) + os.sep
    python = {*sys.path, sys.prefix, sys.base_prefix, *zoneinfo.TZPATH}
    installed = tuple(os.path.realpath(path) + os.sep for path in python if path)

    def check(event: str, arguments: tuple) -> None:
        if event in _ELSEWHERE:
            raise PermissionError(errno.EACCES, f"what renders a bundle may not do it: {event}")
        if event == "open" and not isinstance(arguments[0], int) and arguments[0] != os.devnull:
            place, flags = os.path.realpath(os.fsdecode(arguments[0])), arguments[2]
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            if not (place + os.sep).startswith(ours if writes else (ours, *installed)):  # a folder opens too
                raise PermissionError(errno.EACCES, "what renders a bundle may not open it", place)

    sys.addaudithook(check)


def without_templates() -> None:
    """Let no page use MyST's substitutions: they are Jinja templates, in which a text can call any Python."""
    from myst_parser.mdit_to_docutils.base import DocutilsRenderer
    from myst_parser.warnings_ import MystWarnings

    def refuse(renderer: DocutilsRenderer, token, inline: bool) -> None:
        words = f"a page of a bundle may have no substitution, which can run code: {token.content!r}"
        renderer.create_warning(words, MystWarnings.SUBSTITUTION, line=token.map and token.map[0])

    DocutilsRenderer.render_substitution = refuse
