"""What a paper says of itself to the press: ``[tool.livingpaper]`` in its ``pyproject.toml``."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from livingpaper.errors import InputError
from livingpaper.files import inside, project_root

TABLE = "tool.livingpaper"


_Model = TypeVar("_Model", bound=BaseModel)


class Settings(BaseModel):
    """What is special to one paper; a paper without a table has the defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    #: what its readers type: the name of its script, in messages and on pages
    command: str = "livingpaper"
    #: the top-level packages that its chapters compute with: their modules are in the keys
    packages: list[str] = []
    #: the files that they or the experiments read, as patterns such as data/*.csv relative to its root: what the files
    #: hold is in the keys. Not those whose names stand whole in a cell, which are found.
    data: list[str] = []
    #: the package whose modules hold the experiments that ``train`` finds
    experiments: str = ""
    #: the notebook that a new chapter begins as, relative to its root; {name} and {title} in it are filled in
    template: str = ""
    #: the YAML file of its symbols, relative to its root
    notation: str = "notation.yml"


def read(start: Path | None = None) -> Settings:
    """The settings of the paper in which the working directory (or ``start``) lies; the defaults outside of any.

    Raises:
        InputError: a file that is no TOML, or a setting that is unknown, of another type, or a path out of the paper.
    """
    root = project_root(start)
    path = root and root / "pyproject.toml"
    if not path or not path.is_file():
        return Settings()
    found = _parse(path, path.read_bytes())
    for name in ("template", "notation"):
        inside(root, getattr(found, name), f"{path}: [{TABLE}] {name}")
    return found


@cache
def _parse(path: Path, content: bytes) -> Settings:
    try:
        tool = tomllib.loads(content.decode()).get("tool", {})
    except ValueError as error:
        raise InputError(f"cannot read {path}: {error}") from None
    return checked(Settings, tool.get("livingpaper", {}) if isinstance(tool, dict) else tool, f"{path}: [{TABLE}]")


def checked(model: type[_Model], content: Mapping[str, Any], where: str) -> _Model:
    """What a file says, as a model that it fits; the error names the place, the value and what there may be."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        name, known = ".".join(map(str, first["loc"])), ", ".join(model.model_fields)
        raise InputError(f"{where} {name} = {first['input']!r}: {first['msg']}; it takes {known}") from None
