"""Kinds of values: how a setting is read from text, and what is said when it is wrong."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, Generic, TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_UNITS: Final = {"d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|[dhms])")


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """How a setting is read from text and written back.

    Attributes:
        parse: Reads the text; raises ValueError where it is not allowed.
        wanted: What is allowed, in words: "a whole number from 1 to 20".
        render: Writes a value as `parse` reads it.
    """

    parse: Callable[[str], T]
    wanted: str
    render: Callable[[T], str] = str


def integer(low: int, high: int) -> Kind[int]:
    """A whole number within limits, both included."""

    def parse(text: str) -> int:
        value = int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else None
        if value is None or not low <= value <= high:
            raise ValueError
        return value

    return Kind(parse, f"a whole number from {low} to {high}")


def number(low: float, high: float) -> Kind[float]:
    """A real number within limits, both included."""

    def parse(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise ValueError
        return value

    return Kind(parse, f"a number from {low:g} to {high:g}")


def duration(low: str, high: str) -> Kind[timedelta]:
    """A duration such as ``2m30s`` or ``150`` (seconds) within limits, both included."""
    bounds = parse_duration(low), parse_duration(high)

    def parse(text: str) -> timedelta:
        value = parse_duration(text)
        if not bounds[0] <= value <= bounds[1]:
            raise ValueError
        return value

    return Kind(
        parse, f"a duration from {low} to {high} (like 90, 90s, 2m30s, 4h, 14d)", render_duration
    )


def text(*, pattern: str = r".*", wanted: str = "a text") -> Kind[str]:
    """A text that fits a pattern as a whole."""

    def parse(value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise ValueError
        return value

    return Kind(parse, wanted)


def url(*schemes: str) -> Kind[str]:
    """A URL with one of the schemes."""
    alternatives = "|".join(schemes)
    return text(pattern=rf"(?:{alternatives})://\S+", wanted=f"a URL with {' or '.join(schemes)}")


def path() -> Kind[Path | None]:
    """A path in the file system; empty means none."""
    return Kind(lambda text: Path(text) if text else None, "a path", lambda value: str(value or ""))


def flag() -> Kind[bool]:
    """Yes or no."""
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

    def parse(text: str) -> bool:
        if text.lower() not in words:
            raise ValueError
        return words[text.lower()]

    return Kind(parse, "true or false", lambda value: str(value).lower())


def choice(options: type[E]) -> Kind[E]:
    """One of an enumeration's values."""
    return Kind(options, "one of " + ", ".join(options))


def parse_duration(text: str) -> timedelta:
    """Read ``150``, ``150s``, ``2m30s``, ``4h`` or ``14d``.

    Raises:
        ValueError: It is none of these.
    """
    if re.fullmatch(r"[0-9]{1,12}", text):
        return timedelta(seconds=int(text))
    parts = _DURATION.findall(text)
    if not parts or "".join(amount + unit for amount, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration like 90, 90s, 2m30s, 4h or 14d")
    try:
        return timedelta(seconds=sum(float(amount) * _UNITS[unit] for amount, unit in parts))
    except OverflowError as error:
        raise ValueError(f"{text!r} is longer than any duration") from error


def render_duration(value: timedelta) -> str:
    """Write a duration as `parse_duration` reads it, in the largest units that fit."""
    rest = round(value / timedelta(milliseconds=1))
    parts = []
    for unit, seconds in _UNITS.items():
        amount, rest = divmod(rest, round(seconds * 1000))
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"
