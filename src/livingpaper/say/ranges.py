"""Sets of real numbers as the book writes them: ``in [0, 0.5)``, ``< 0.05``, ``>= 2``."""

import math
import re
from dataclasses import dataclass

from livingpaper.errors import InputError

_NUMBER = r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|inf)"
_IN = re.compile(rf"\s*(?:in\s+)?([\[(])\s*({_NUMBER})\s*,\s*({_NUMBER})\s*([\])])\s*", re.IGNORECASE)
_COMPARE = re.compile(rf"\s*(<=|>=|<|>)\s*({_NUMBER})\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Range:
    """An interval of the real line, each end open or closed."""

    low: float = -math.inf
    high: float = math.inf
    includes_low: bool = True
    includes_high: bool = True

    @classmethod
    def parse(cls, text: str) -> "Range":
        """The interval that a text such as ``in [0, 0.5)`` or ``< 0.05`` describes."""
        if match := _IN.fullmatch(text):
            left, low, high, right = match.groups()
            return cls(float(low), float(high), left == "[", right == "]")
        if match := _COMPARE.fullmatch(text):
            sign, value = match.groups()
            if sign.startswith("<"):
                return cls(high=float(value), includes_high=sign == "<=")
            return cls(low=float(value), includes_low=sign == ">=")
        raise InputError(f"cannot read {text!r} as a set of numbers: write e.g. 'in [0, 0.5)', '< 0.05' or '>= 2'")

    def __contains__(self, value: float) -> bool:
        above = value >= self.low if self.includes_low else value > self.low
        below = value <= self.high if self.includes_high else value < self.high
        return bool(above and below)

    def contains_all_of(self, low: float, high: float) -> bool:
        """Whether the closed interval [low, high] lies inside."""
        return low in self and high in self

    def contains_none_of(self, low: float, high: float) -> bool:
        """Whether the closed interval [low, high] lies outside."""
        above = low > self.high or (low == self.high and not self.includes_high)
        below = high < self.low or (high == self.low and not self.includes_low)
        return above or below

    def __str__(self) -> str:
        if math.isinf(self.low) and math.isinf(self.high):
            return "any number"
        if math.isinf(self.low):
            return f"{'<=' if self.includes_high else '<'} {self.high:g}"
        if math.isinf(self.high):
            return f"{'>=' if self.includes_low else '>'} {self.low:g}"
        return f"in {'[' if self.includes_low else '('}{self.low:g}, {self.high:g}{']' if self.includes_high else ')'}"
