"""What the parameters of the risk models may be, and how settings that break a rule are refused."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Any, ClassVar, Final

from immuni.errors import ImmuniError

MAX_ATTENUATION_DB: Final = 255


class InvalidRiskConfigurationError(ImmuniError, ValueError):
    """Parameters of a risk model break its rules; none were made.

    Attributes:
        faults: Each fault with its name and the rule.
    """

    setting: ClassVar[str] = "risk configuration"

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(f"{self.setting}: " + "; ".join(faults))
        self.faults = tuple(faults)


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Rule:
    """What one parameter may be.

    Attributes:
        holds: Tells whether a value keeps the rule.
        wanted: The rule in words; they follow the name of the parameter.
        read: Turns what stands in JSON into the type of the parameter, or leaves it as it is where
            it cannot: then it does not hold.
    """

    holds: Callable[[object], bool]
    wanted: str
    read: Callable[[object], object] = _as_tuple


Rules = Mapping[str, Rule]
"""By the name of the parameter."""


def faults_in(values: Mapping[str, object], rules: Rules) -> list[str]:
    """Return what is wrong with `values`, in the order of `rules`."""
    return [
        f"{name} {rule.wanted}, got {values[name]!r}"
        for name, rule in rules.items()
        if name in values and not rule.holds(values[name])
    ]


def faults_of(parameters: object, rules: Rules) -> list[str]:
    """Return what is wrong with the attributes of `parameters` that have rules."""
    return faults_in({name: getattr(parameters, name) for name in rules}, rules)


def read_parameters(
    source: Mapping[str, object], known: Iterable[Field[Any]], rules: Rules
) -> tuple[dict[str, Any], list[str]]:
    """Read the fields of a dataclass from a JSON object.

    Args:
        source: Members that are not known are ignored; those with a default may be missing.
        known: The fields of the dataclass.
        rules: One for each field.

    Returns:
        The values that there are, and all faults.
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field in known:
        if field.name in source:
            values[field.name] = rules[field.name].read(source[field.name])
        elif field.default is MISSING:
            faults.append(f"{field.name} is missing")
    return values, faults + faults_in(values, rules)


def member_named(members: type[IntEnum]) -> Callable[[object], object]:
    """Return what turns the name of a member of an enumeration into the member."""

    def read(value: object) -> object:
        return members.__members__.get(value, value) if isinstance(value, str) else value

    return read


def by_member(members: type[IntEnum]) -> Callable[[object], object]:
    """Return what reads a JSON object whose names are those of an enumeration."""
    read_name = member_named(members)

    def read(value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {read_name(name): each for name, each in value.items()}

    return read


def is_whole(value: object, least: int, most: int) -> bool:
    """Tell whether `value` is a whole number in a range."""
    # In JSON and in Python true is no number, though Python's bool is an int.
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def is_number(value: object, most: float) -> bool:
    """Tell whether `value` is a number that is neither negative nor above `most`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= most


def are_whole(value: object, count: int, most: int) -> bool:
    """Tell whether `value` is a tuple of `count` whole numbers in 0..`most`."""
    return (
        isinstance(value, tuple)
        and len(value) == count
        and all(is_whole(each, 0, most) for each in value)
    )


def are_thresholds(value: object, count: int) -> bool:
    """Tell whether `value` is a tuple of `count` ascending attenuations in dB."""
    return (
        isinstance(value, tuple)
        and are_whole(value, count, MAX_ATTENUATION_DB)
        and all(lower < upper for lower, upper in pairwise(value))
    )


def are_weights(value: object, names: Collection[object], most: float) -> bool:
    """Tell whether `value` gives some of `names`, and nothing else, a weight."""
    return isinstance(value, Mapping) and all(
        name in names and is_number(weight, most) for name, weight in value.items()
    )
