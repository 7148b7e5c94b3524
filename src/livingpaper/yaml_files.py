"""YAML files that people write, read as they are meant: nothing is lost, and nothing is taken for something else.

A number is what people take for one, ``1e5`` too. A name that stands twice, and a word that readers of YAML
disagree about (``no``, ``010``, ``12:30``), is refused with its line.
"""

import re
from pathlib import Path

import yaml
from yaml.constructor import ConstructorError

from livingpaper.errors import InputError

#: What plain words mean, as YAML 1.2 has it, and with which characters they begin.
_MEANINGS = {
    "tag:yaml.org,2002:null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "tag:yaml.org,2002:bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "tag:yaml.org,2002:int": (r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    "tag:yaml.org,2002:float": (
        r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    "tag:yaml.org,2002:merge": ("<<", ["<"]),
}
_TEXT = "tag:yaml.org,2002:str"
#: What YAML 1.1 takes some texts for. Not for dates: they stay as they are written, nothing here computes with them.
_DOUBTFUL = [f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float", "value")]
_OLD = yaml.resolver.Resolver()


class _Reader(yaml.SafeLoader):
    """YAML 1.2's plain words; what YAML 1.1, which Jupyter Book reads, takes for anything else is refused."""

    yaml_implicit_resolvers: dict = {}  # noqa: RUF012  # PyYAML's own form; filled below

    def compose_node(self, parent: yaml.Node, index: object) -> yaml.Node:
        if tag := getattr(self.peek_event(), "tag", None):
            mark = self.peek_event().start_mark
            raise ConstructorError(None, None, f"the tag {tag} is not for people: write the value as it is", mark)
        return super().compose_node(parent, index)

    def compose_scalar_node(self, anchor: object) -> yaml.ScalarNode:
        plain = self.peek_event().implicit[0]
        node = super().compose_scalar_node(anchor)
        if plain and node.tag == _TEXT and _OLD.resolve(yaml.ScalarNode, node.value, (True, False)) in _DOUBTFUL:
            raise _refusal(node, f"{node.value} is not the same to all readers: quote it, or write true, false or 1000")
        return node

    def compose_mapping_node(self, anchor: object) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.tag != _TEXT:
                written = key.value if isinstance(key, yaml.ScalarNode) else f"of kind {key.id}"
                raise _refusal(key, f"the name {written} is not a text: quote it")
            if key.value in lines:
                raise _refusal(key, f"{key.value!r} stands in line {lines[key.value]} already: keep one of the two")
            lines[key.value] = key.start_mark.line + 1
        return node


class _Texts(_Reader):
    """YAML in which every plain word is a text: version 1.10 is not 1.1."""

    yaml_implicit_resolvers: dict = {}  # noqa: RUF012
    compose_scalar_node = yaml.SafeLoader.compose_scalar_node


def _refusal(node: yaml.Node, why: str) -> ConstructorError:
    return ConstructorError(None, None, why, node.start_mark)


for _tag, (_pattern, _first) in _MEANINGS.items():
    _Reader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), _first)


def read(path: Path, as_texts: bool = False) -> object:
    """What a YAML file says; ``as_texts``, with every number as it is written.

    Raises:
        InputError: a file that is no YAML, a name that stands twice, or a word that may be read in two ways.
    """
    try:
        return yaml.load(path.read_bytes(), _Texts if as_texts else _Reader)  # bytes tell whether they are UTF-16
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"cannot read {path}{line}: {error.problem}") from None
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        told = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot read {path}: {told}: save it as YAML in UTF-8") from None


def read_names(path: Path, as_texts: bool = False) -> dict:
    """What a YAML file says that maps names to values; an empty one maps none."""
    content = read(path, as_texts) or {}
    if not isinstance(content, dict):
        raise InputError(f"{path} holds a {type(content).__name__}: it must map names to values")
    return content
