"""The first code cell of every chapter: on Colab, which has no package, it fetches the book and installs it.

The commit cannot stand in the notebook, which is part of it. Colab's own server says from which address a notebook
was opened, and the Colab button of a page opens it at the commit that the page was built from.
"""

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

TAG = "colab"  # cells with this tag are in no key and have no outputs; ``remove-cell`` keeps them off the page

SOURCE = """\
# On Colab: install the package at the commit that this notebook was opened at. Anywhere else: nothing.
import sys

if "google.colab" in sys.modules:
    import json
    import os
    import re
    import subprocess
    from urllib.parse import unquote
    from urllib.request import urlopen

    server = f"{os.environ['COLAB_JUPYTER_IP']}:{os.environ['KMP_TARGET_PORT']}"
    opened = unquote(json.load(urlopen(f"http://{server}/api/sessions"))[0]["path"])
    place = re.search(r"(https://github\\.com/[^/]+/[^/]+)/blob/([^/]+)/", opened)
    if place is None:
        raise RuntimeError(
            f"this notebook was opened from {opened!r}: open it from GitHub, with the Colab button of its page, so "
            "that its address names a commit; or clone the repository and run `pip install .` in it"
        )
    book = "/content/book"
    commands = [
        ["git", "clone", "--quiet", place[1], book],
        ["git", "-C", book, "checkout", "--quiet", place[2]],
        [sys.executable, "-m", "pip", "install", "--quiet", book],
    ]
    for command in commands[os.path.isdir(book) :]:
        subprocess.run(command, check=True)
    os.chdir(f"{book}/chapters")"""


def cell() -> NotebookNode:
    """A new cell of this kind."""
    return new_code_cell(SOURCE, id=TAG, metadata={"tags": [TAG, "remove-cell"]})
