"""What a paper says of itself to the press: ``[tool.livingpaper]`` in its ``pyproject.toml``."""

import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from livingpaper.errors import InputError
from livingpaper.files import project_root

TABLE = "tool.livingpaper"


class Settings(BaseModel):
    """What is special to one paper; a paper without a table has the defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    #: what its readers type: the name of its script, in messages and on pages
    command: str = "livingpaper"
    #: the top-level packages that its chapters compute with: their modules are in the keys
    packages: list[str] = []
    #: the package whose modules hold the experiments that ``train`` finds
    experiments: str = ""
    #: the notebook that a new chapter begins as, relative to its root; {name} and {title} in it are filled in
    template: str = ""
    #: the YAML file of its symbols, relative to its root
    notation: str = "notation.yml"


def read(start: Path | None = None) -> Settings:
    """The settings of the paper in which the working directory (or ``start``) lies; the defaults outside of any.

    Raises:
        InputError: a file that is no TOML, or a setting that is unknown or of another type.
    """
    root = project_root(start)
    path = root and root / "pyproject.toml"
    return _parse(path, path.read_bytes()) if path and path.is_file() else Settings()


@cache
def _parse(path: Path, content: bytes) -> Settings:
    try:
        return Settings(**tomllib.loads(content.decode()).get("tool", {}).get("livingpaper", {}))
    except ValidationError as error:
        first = error.errors()[0]
        name, known = ".".join(map(str, first["loc"])), ", ".join(Settings.model_fields)
        raise InputError(f"{path}: [{TABLE}] {name} = {first['input']!r}: {first['msg']}; it takes {known}") from None
    except ValueError as error:
        raise InputError(f"cannot read {path}: {error}") from None
