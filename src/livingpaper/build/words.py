"""What a chapter's Markdown says of what its code hands over: the directives ``glue:figure``, ``table`` and ``claim``.

The pages read these directives with Sphinx. Whoever asks for a verdict without rendering pages, as ``run`` does, reads
them here, by the same parser and with the same meaning.
"""

import ast
import re
from collections.abc import Iterator, Mapping

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.directives import TokenizeError, options_to_items
from myst_parser.parsers.mdit import create_md_parser
from nbformat import NotebookNode

from livingpaper.build import parameters
from livingpaper.errors import InputError
from livingpaper.say import claims, figures

KINDS = ("figure", "table", "claim")
OPTIONS = {
    "figure": ("alt",),
    "table": (),
    "claim": ("paper", "where", "holds-if", "record", "figure", "theorem", "changed"),
}
MIMES = (figures.MIME, claims.MIME)
_GLUED = re.compile(r"\{glue:text\}`(?P<name>[\w-]+)(?::(?P<form>[^`]*))?`")


def said(notebook: NotebookNode) -> dict[str, dict[str, str]]:
    """The words for each id of a notebook: ``kind``, and what ``figures.captioned`` or ``claims.judged`` takes.

    Raises:
        InputError: an option that a directive does not have, or two directives of one id.
    """
    parser = create_md_parser(MdParserConfig(enable_extensions={"colon_fence"}), RendererHTML)
    found: dict[str, dict[str, str]] = {}
    for cell in notebook.cells:
        if cell.cell_type != "markdown" or "{glue:" not in cell.source:
            continue
        for token in parser.parse(cell.source):
            name, _, id = token.info.partition(" ")
            kind = name.removeprefix("{glue:").removesuffix("}")
            if token.type not in ("fence", "colon_fence") or name != f"{{glue:{kind}}}" or kind not in KINDS:
                continue
            if id.strip() in found:
                raise InputError(f"cell {cell.id}: a second directive for {id.strip()}: keep one of them")
            found[id.strip()] = {"kind": kind} | _words(kind, id.strip(), token)
    return found


def handed_over(notebook: NotebookNode) -> Iterator[tuple[str, dict]]:
    """What the code of an executed chapter hands over, without words, each behind the id of its cell."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for mime in MIMES:
                if payload := output.get("data", {}).get(mime):
                    yield cell.id, payload


def joined(notebook: NotebookNode) -> dict[str, dict]:
    """All figures, tables and claims of an executed chapter, by id, each with its words.

    Raises:
        InputError: a half without the other, words that say too little.
    """
    words, whole, numbers = said(notebook), {}, glued(notebook)
    for cell, payload in handed_over(notebook):
        id, kind = payload["id"], payload.get("kind", "claim")
        if id in whole:
            raise InputError(f"cell {cell} hands {id} over a second time: an id is unique in the book")
        if words.get(id, {}).get("kind") != kind:
            raise InputError(
                f"cell {cell} hands {id} over, and no Markdown cell says what it shows: "
                f"write a directive {{glue:{kind}}} {id} below it"
            )
        join = claims.judged if kind == "claim" else figures.captioned
        told = words[id] | {"holds_if": filled(words[id].get("holds_if", ""), numbers)}
        whole[id] = join(payload, told) | {"cell": cell}
    if missing := words.keys() - whole.keys():
        id = min(missing)
        raise InputError(
            f"the directive {{glue:{words[id]['kind']}}} {id} is there, and no code cell hands {id} over: "
            f"call say.{words[id]['kind']}({id!r}, ...) in the cell above it"
        )
    return whole


def glued(notebook: NotebookNode) -> dict[str, str]:
    """The numbers that an executed chapter has for its prose, as Python writes them: glued ones, and its parameters."""
    numbers = {name.replace("_", "-"): repr(value) for name, value in parameters.effective(notebook).items()}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if name := output.get("metadata", {}).get("scrapbook", {}).get("name"):
                prefix = output.metadata["scrapbook"].get("mime_prefix", "")
                numbers[name] = output["data"].get(f"{prefix}text/plain", "")
    return numbers


def filled(text: str, numbers: Mapping[str, str]) -> str:
    """A text with numbers in the place of its roles ``{glue:text}``, printed as a page prints them.

    Raises:
        InputError: a number that there is not, or that cannot be printed so.
    """

    def number(match: re.Match) -> str:
        name, form = match["name"].replace("_", "-"), match["form"] or ""
        if name not in numbers:
            raise InputError(f"{match[0]}: the chapter has no number {name!r}: hand it over with say.numbers")
        try:
            return format(ast.literal_eval(numbers[name]), form)
        except (ValueError, SyntaxError) as error:
            raise InputError(f"{match[0]}: {numbers[name]} cannot be printed so: {error}") from None

    return _GLUED.sub(number, text)


def _words(kind: str, id: str, token: Token) -> dict[str, str]:
    lines = token.content.splitlines()
    given = next((number for number, line in enumerate(lines) if not line.lstrip().startswith(":")), len(lines))
    try:
        items, _ = options_to_items("\n".join(line.lstrip()[1:] for line in lines[:given]))
    except TokenizeError as error:
        raise InputError(f"the options of {{glue:{kind}}} {id} cannot be read: {error.problem}") from None
    options = dict(items)
    if unknown := options.keys() - set(OPTIONS[kind]):
        known = ", ".join(OPTIONS[kind]) or "no options"
        raise InputError(f"{{glue:{kind}}} {id} has an option {min(unknown)!r}: it takes {known}")
    return spelled(kind, options, "\n".join(lines[given:]).strip())


def spelled(kind: str, options: dict[str, str], body: str) -> dict[str, str]:
    """Options and body of a directive under the names that ``captioned`` and ``judged`` take."""
    if kind != "claim":
        return {"caption": body, "alt": options.get("alt", "")}
    statement, _, note = body.partition("\n\n")
    words = {"statement": statement.strip(), "note": note.strip()}
    words |= {name: options.get(name, "") for name in ("paper", "where", "figure", "theorem")}
    return words | {"holds_if": options.get("holds-if", ""), "on_record": options.get("record", "")}
