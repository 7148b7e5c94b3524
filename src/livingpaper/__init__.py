"""What any executable paper needs: parameters, keys, execution, figures, claims, pages, releases.

A paper is a Jupyter Book whose chapters are notebooks; what is special to it stands in ``[tool.livingpaper]`` of its
``pyproject.toml``. Imports run downward only: ``cli -> sphinx -> publish -> build -> say -> sweep -> files``.
"""

__version__ = "0.1.0"
