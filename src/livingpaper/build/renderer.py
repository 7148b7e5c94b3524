"""Jupyter Book as a process that ends with the one that wants it: ``python -m livingpaper.build.renderer PARENT ...``.

Jupyter Book has no ``__main__``, and it must not go on alone when the build is killed. A module, not a text behind
``python -c``: Python 3.13 takes such a text for the source of whatever has no file, and autodoc reads nonsense.
"""

import gc
import mimetypes
import sys
from pathlib import Path

from livingpaper.build.confined import confine, without_templates
from livingpaper.build.processes import end_with

if __name__ == "__main__":
    end_with(int(sys.argv.pop(1)))
    from jupyter_book.cli.main import main

    gc.set_threshold(100_000, 20, 20)  # of millions of nodes few are rubbish: to look for it took a quarter of the time
    mimetypes.init([])  # Python's own table, not the machine's: it names the pictures
    if sys.argv[1] == "--confined":
        import matplotlib.font_manager  # noqa: F401  finds the machine's fonts, which is not allowed later

        without_templates()
        confine(Path(sys.argv[2]))
        del sys.argv[1:3]
    sys.exit(main())
