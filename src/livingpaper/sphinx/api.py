"""The reference of the package, out of its docstrings: one page a package, one section a module."""

import pkgutil
import re
from importlib.util import find_spec
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.ext.napoleon import GoogleDocstring
from sphinx.util.docutils import SphinxDirective

_COLUMN = re.compile(r"^(``\w+``(?:, ``\w+``)*)(\s{2,})")  # ``name``   what it is, one below the other
# What stays as it is: literals, roles such as :func:`name`, and the stars of a list.
_MARKED = re.compile(r"(``.+?``(?!`)|:[a-z:]+:`[^`]+`|^\s*\* )")
_SPECIAL = re.compile(r"[*|`\\]|_(?=_*(?:\W|$))")


class PackageReference(SphinxDirective):
    """All public modules of a package, or of the listed top-level ones, each with what its docstrings say.

    The option ``first`` names those that a reader should meet before the others.
    """

    required_arguments = 1
    optional_arguments = 100
    option_spec: ClassVar = {"first": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        first, *others = self.arguments
        lines = [] if others else _automodule(first)
        wanted = [f"{first}.{name}" for name in self.options.get("first", "").split()]
        found = self.arguments if others else modules(first)
        if unknown := [name for name in wanted if name not in found]:
            raise self.error(f"there is no module {unknown[0]}: there are {', '.join(found)}")
        for module in [*wanted, *(name for name in found if name not in wanted)]:
            lines += [f"## {module.rpartition('.')[2]}", "", f"`{module}`", "", *_automodule(module)]
        holder = nodes.section()
        self.state.nested_parse(StringList(lines, self.get_source_info()[0]), 0, holder, match_titles=True)
        return holder.children


def modules(package: str) -> list[str]:
    """The public modules right below a package, by full name."""
    spec = find_spec(package)
    found = sorted(module.name for module in pkgutil.iter_modules(spec.submodule_search_locations) if not module.ispkg)
    return [f"{package}.{name}" for name in found if not name.startswith("_")]


def escape(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Make a docstring say in reStructuredText what it says as plain prose: ``||w||`` and ``a * b`` are no markup."""
    literal = None  # the indentation of the line that announced a literal block
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if literal is not None and line.strip() and indent <= literal:
            literal = None
        if literal is None:
            parts = _MARKED.split(line)
            parts[::2] = [_SPECIAL.sub(r"\\\g<0>", part) for part in parts[::2]]
            line = "".join(parts)
            lines[number] = _COLUMN.sub(lambda match: f":param {match[1].replace('`', '')}:{match[2]}", line)
            if line.endswith("::"):
                literal = indent
    # not the extension of that name: of a field's comment, it takes what is before a colon for its type
    lines[:] = str(GoogleDocstring(lines, what="function")).splitlines()


def _automodule(name: str) -> list[str]:
    return ["```{eval-rst}", f".. automodule:: {name}", "```", ""]


def setup(app: Sphinx) -> None:
    """Register the reference of the package."""
    app.add_directive("package", PackageReference)
    app.connect("autodoc-process-docstring", escape)
