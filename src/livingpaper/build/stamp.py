"""What a site was made from, and whether it is still what was published: ``build.json`` in it."""

import json
from pathlib import Path

from livingpaper.files import digests, write_atomically

FILE = "build.json"


def write(site: Path, facts: dict) -> None:
    """Write down what finished pages were made from, with the digest of each of their files."""
    write_atomically(site / FILE, json.dumps(facts | {"files": _files(site)}).encode())


def read(site: Path) -> dict:
    """What was written down; nothing where that cannot be read, or has no digests as in sites of old."""
    try:
        content = json.loads((site / FILE).read_bytes())
        return content if isinstance(content["files"], dict) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def damage(site: Path) -> list[str]:
    """The files of a site that are not as they were published: changed, gone, or added.

    Hidden ones at its top that were not published are somebody else's, such as the ``.git`` of a site that is pushed.
    """
    published, found = read(site).get("files", {}), _files(site)
    names = published.keys() | {name for name in found if not name.startswith(".")}
    return sorted(name for name in names if published.get(name) != found.get(name))


def whole(site: Path) -> bool:
    """Whether all that was published is there."""
    return bool(read(site)) and not damage(site)


def _files(site: Path) -> dict[str, str]:
    return {name: digest for name, digest in digests(site).items() if name != FILE}
