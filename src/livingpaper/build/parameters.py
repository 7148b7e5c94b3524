"""The parameters of a chapter: what its notebook declares, and whether a value may take a default's place.

A chapter declares them in one cell tagged ``parameters``, one a line::

    n: int = 100  # number of training samples, in [2, 10000]

The comment is the help; its tail may say what is allowed: ``, in [a, b)``, ``, < a`` and the like for numbers,
``, one of cpu, cuda`` for texts. For a ``list`` it speaks of every element. papermill itself only warns about
unknown names and takes any type, so a value is checked here, before anything runs.
"""

import ast
import io
import math
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass

from nbformat import NotebookNode

from livingpaper.errors import InputError, nearest
from livingpaper.say.ranges import Range
from livingpaper.sweep import closure

TYPES = {kind.__name__: kind for kind in (int, float, str, bool, list)}
#: What Python raises at a text that is no literal: ``{[]: 1}`` and brackets without end too.
NOT_LITERAL = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)
_EXAMPLE = "n: int = 100  # number of training samples, in [2, 10000]"
_ALLOWED = re.compile(r"^(?P<help>.*\S)\s*,\s*(?:one of\s+(?P<choices>.+)|(?P<interval>(?:in\s*[\[(]|[<>]).*))$")


@dataclass(frozen=True)
class Parameter:
    """A number, text or list that a chapter depends on, with its published value."""

    name: str
    type: type
    default: object
    help: str
    allowed: Range | tuple | None = None

    def describe(self) -> str:
        """What is allowed, in words: ``int in [2, 10000]``, ``one of cpu, cuda`` or ``list of float, each > 0``."""
        among = f"one of {', '.join(map(str, self.allowed))}" if isinstance(self.allowed, tuple) else self.allowed
        if self.type is list:
            kind = f"list of {type(self.default[0]).__name__}" if self.default else "list"
            return kind if among is None else f"{kind}, each {among}"
        if isinstance(self.allowed, tuple):
            return among
        return self.type.__name__ if among is None else f"{self.type.__name__} {among}"


def read(notebook: NotebookNode) -> dict[str, Parameter]:
    """The parameters that a chapter declares, in the order of its ``parameters`` cell.

    Raises ``InputError`` when there is not exactly one such cell or a line is not ``name: type = value  # help``.
    """
    cells = _tagged(notebook, "parameters")
    if len(cells) != 1:
        raise InputError(f"{len(cells)} cells are tagged 'parameters': a chapter has exactly one, e.g. {_EXAMPLE!r}")
    source = cells[0].source
    statements, comments, parameters = _statements(source), _comments(source), {}
    for statement in statements:
        parameter = _parameter(statement, comments.get(statement.end_lineno, ""))
        if parameter.name in parameters:
            raise InputError(f"parameter {parameter.name!r} is declared twice: keep one of the lines")
        parameters[parameter.name] = parameter
    return parameters


def effective(notebook: NotebookNode) -> dict[str, object]:
    """The values in force: the defaults, overridden by the cell that papermill injected, if there is one."""
    values = {name: parameter.default for name, parameter in read(notebook).items()}
    for cell in _tagged(notebook, "injected-parameters"):
        for statement in _statements(cell.source):
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in values:
                    values[name] = _literal(value, statement)
                case _:
                    raise InputError(f"the injected line {ast.unparse(statement)!r} sets none of {', '.join(values)}")
    return values


def validate(chapter: str, parameters: Mapping[str, Parameter], overrides: Mapping[str, object]) -> dict[str, object]:
    """The overrides, each of its parameter's type and within what that allows.

    An int is taken for a float; a bool is not an int. Raises ``InputError`` naming the chapter, the parameter, what
    was given and what is allowed; an unknown name with the nearest known one.
    """
    accepted = {}
    for name, value in overrides.items():
        if name not in parameters:
            hint = nearest(name, parameters, f"it has {', '.join(parameters) or 'none'}")
            raise InputError(f"{chapter} has no parameter {name!r}: {hint}")
        try:
            accepted[name] = _accept(parameters[name], value)
        except ValueError as error:
            raise InputError(f"{chapter}: parameter {name} = {value!r}: {error}") from None
    return accepted


def parse_value(text: str, parameter: Parameter) -> object:
    """The value that a text from the command line stands for; a ``str`` parameter takes the text as it is."""
    if parameter.type is str:
        return text
    try:
        return ast.literal_eval(text)
    except NOT_LITERAL:
        if text in ("true", "false"):
            return text == "true"
        raise InputError(
            f"parameter {parameter.name}: cannot read {text!r}; "
            f"it takes {parameter.describe()}, e.g. {parameter.default!r}"
        ) from None


def _tagged(notebook: NotebookNode, tag: str) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and tag in cell.metadata.get("tags", [])]


def _statements(source: str) -> list[ast.stmt]:
    return closure.parsed(source, "a parameters cell").body


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ").strip() for token in tokens if token.type == tokenize.COMMENT}


def _parameter(statement: ast.stmt, comment: str) -> Parameter:
    line = ast.unparse(statement)
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id=kind), value=value) if value is not None:
            pass
        case _:
            raise InputError(f"{line!r} is not 'name: type = value  # help': write e.g. {_EXAMPLE!r}")
    if kind not in TYPES:
        raise InputError(f"parameter {name}: the type {kind!r} is none of {', '.join(TYPES)}, which papermill can pass")
    if not comment:
        raise InputError(f"parameter {name} has no help: end its line with a comment, e.g. {_EXAMPLE!r}")
    try:
        help, allowed = _help_and_allowed(comment, TYPES[kind])
    except NOT_LITERAL as error:
        raise InputError(f"parameter {name}: its help {comment!r} ends in what is allowed: {error}") from None
    default = _literal(value, statement)
    parameter = Parameter(name, TYPES[kind], default, help, allowed)
    try:
        accepted = _accept(parameter, default)
    except ValueError as error:
        raise InputError(f"parameter {name}: the default {default!r} is not allowed: {error}") from None
    if repr(accepted) != repr(default):  # the cell runs as it stands, and an int prints otherwise than a float
        raise InputError(f"parameter {name}: the default {default!r} is taken for {accepted!r}: write that")
    return parameter


def _literal(value: ast.expr, statement: ast.stmt) -> object:
    try:
        return ast.literal_eval(value)
    except NOT_LITERAL:
        raise InputError(
            f"{ast.unparse(statement)!r} computes its value: write the number, text or list itself"
        ) from None


def _help_and_allowed(comment: str, kind: type) -> tuple[str, Range | tuple | None]:
    match = _ALLOWED.match(comment)
    if match is None:
        return comment, None
    if match["choices"]:
        choices = (choice.strip() for choice in match["choices"].split(","))
        return match["help"], tuple(choices if kind in (str, list) else map(ast.literal_eval, choices))
    if kind in (str, bool):
        raise InputError(f"a {kind.__name__} cannot be {match['interval']!r}: write e.g. ', one of cpu, cuda'")
    return match["help"], Range.parse(match["interval"])


def _accept(parameter: Parameter, value: object) -> object:
    wanted = f"it takes {parameter.describe()}"
    if parameter.type is not list:
        return _element(value, parameter.type, parameter.allowed, wanted)
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"not a list; {wanted}")
    # the default's first element says of what the list is a list; a list may hold floats written as ints
    examples = parameter.default or value
    kind = float if any(isinstance(example, float) for example in examples) else type(examples[0]) if examples else None
    return [_element(element, kind, parameter.allowed, wanted) for element in value]


def _element(value: object, kind: type, allowed: Range | tuple | None, wanted: str) -> object:
    if kind is float and type(value) is int:
        try:
            value = float(value)
        except OverflowError:
            raise ValueError(f"it is too large for a float; {wanted}") from None
    # type(), not isinstance(): a bool is an int in Python, and nowhere else
    if type(value) is not kind:
        raise ValueError(f"{value!r} is of type {type(value).__name__}; {wanted}")
    if kind is float and not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number; {wanted}")
    if kind is str and value != value.encode("utf-8", "replace").decode():
        raise ValueError(f"{value!r} is not text in UTF-8; {wanted}")
    if allowed is not None and value not in allowed:
        raise ValueError(f"{value!r} is not allowed; {wanted}")
    return value
