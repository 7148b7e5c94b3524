"""The setting of an experiment: a frozen dataclass whose class says which values each field allows."""

import functools
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

import pandas as pd
from annotated_types import Ge, Gt, Lt
from pydantic import AfterValidator, AllowInfNan, Strict, TypeAdapter, ValidationError

from benign.errors import InputError
from benign.networks import activations

FINITE = AllowInfNan(False)
AMOUNT = Annotated[float, FINITE, Ge(0)]
POSITIVE = Annotated[float, FINITE, Gt(0)]
SHARE = Annotated[float, Ge(0), Lt(0.5)]  # of wrong labels
ACTIVATION = Annotated[str, AfterValidator(activations.named)]


def at_least(least: int) -> object:
    """The integers from ``least`` on."""
    return Annotated[int, Ge(least)]


def tuple_of(kind: object) -> object:
    """Tuples of such values, of any length; no lists, by which runs cannot be told apart."""
    return Annotated[tuple[kind, ...], Strict()]


def one_of(*choices: str) -> object:
    """Some texts."""
    return Literal[choices]


class Setting:
    """Values that pydantic checks as soon as they are given: not after hours, at the one wrong setting of a sweep."""

    allows: ClassVar[Mapping[str, object]] = {}  # types with ranges, by field; those of base classes hold too

    def __post_init__(self) -> None:
        for name, allowed in _allowed(type(self)).items():
            value = getattr(self, name)
            try:
                allowed.validate_python(value)
            except ValidationError as error:
                wrong = error.errors()[0]
                if isinstance(reason := wrong.get("ctx", {}).get("error"), InputError):
                    raise reason from None
                message = wrong["msg"].removeprefix("Value error, ").replace("Input should be", "it must be")
                raise InputError(f"{name} is {value!r}: {message}") from None


class Alone:
    """An experiment whose runs share no work: a run knows its table by itself."""

    @classmethod
    def run(cls, batch: Sequence["Alone"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run."""
        return [run.table(device) for run in batch]


class Together:
    """An experiment of which those runs share work that a batch is made of, which ``batched_by`` says.

    ``tables`` has one table for each of some such runs.
    """

    batched_by: ClassVar[tuple[str, ...]]

    @classmethod
    def run(cls, batch: Sequence["Together"], device: str = "cpu") -> list[pd.DataFrame]:
        """One table a run."""
        alike: dict[tuple, list[int]] = {}
        for place, run in enumerate(batch):
            alike.setdefault(tuple(getattr(run, field) for field in cls.batched_by), []).append(place)
        found = {}
        for places in alike.values():
            found |= zip(places, cls.tables([batch[place] for place in places], device), strict=True)
        return [found[place] for place in range(len(batch))]


@functools.cache
def _allowed(experiment: type[Setting]) -> dict[str, TypeAdapter]:
    classes = [parent for parent in reversed(experiment.__mro__) if issubclass(parent, Setting)]
    allows = {name: allowed for parent in classes for name, allowed in parent.allows.items()}
    return {name: TypeAdapter(allowed) for name, allowed in allows.items()}
