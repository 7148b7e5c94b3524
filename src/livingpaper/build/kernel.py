"""The process that runs a chapter's cells: ``python -m livingpaper.build.kernel REPORT ROOT``, as a Jupyter kernel.

From the first cell on it writes into REPORT what of the book in ROOT the cells use (``used``). It is IPython's kernel
without what the machine's administrator set for IPython; the person's settings it never sees (``execute``).
"""

import sys
from pathlib import Path

from ipykernel.kernelapp import IPKernelApp
from IPython.core import application

from livingpaper.build import used


def main(report: str, root: str) -> None:
    """Serve one chapter until told to stop."""
    for folders in (application.SYSTEM_CONFIG_DIRS, application.ENV_CONFIG_DIRS):
        folders.clear()  # the very lists that IPython looks through for settings and for startup files
    app = IPKernelApp.instance()
    app.initialize()
    # A chapter finds modules beside it, as in Jupyter: not before Python's own, and not before this kernel has started.
    installed = (place for place, name in enumerate(sys.path) if name.endswith(("site-packages", "dist-packages")))
    sys.path.insert(next(installed, len(sys.path)), "")
    used.watch(Path(report), Path(root))
    app.start()


if __name__ == "__main__":
    main(sys.argv.pop(1), sys.argv.pop(1))
