"""From the type of a setting to the fields of its form, and from what was typed to a value."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import inspect

from immuni.api import ConfigurationSettings, settings_faults
from immuni.errors import ImmuniError
from immuni.portal.configuring.wording import MEMBERS

WHOLE_FIELD: Final = "value"
"""The field of a setting that has one."""
_WHOLE: Final = re.compile(r"-?[0-9]{1,15}")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_BETWEEN: Final = re.compile(r"[\s,;]+")
_MEMBER_AT_FAULT: Final = re.compile(r"\$\.(\w+)")
_EXAMPLES: Final = {
    "advice": '{"it": {"neutral": "…", "at_risk": "…", "positive": "…"}}',
    "active_regions": '["Lazio", "Molise"]',
    "faq_url": '{"it": "https://…", "en": "https://…"}',
    "pn_url": '{"it": "https://…", "en": "https://…"}',
    "tou_url": '{"it": "https://…", "en": "https://…"}',
}


class Control(StrEnum):
    """How a value is entered."""

    WHOLE = "whole"
    DECIMAL = "decimal"
    TEXT = "text"
    DATE = "date"
    NUMBERS = "numbers"
    JSON = "json"


class Fault(StrEnum):
    """What is wrong with what was typed."""

    MISSING = "missing"
    NO_NUMBER = "no_number"
    NO_JSON = "no_json"
    TWICE = "twice"
    NOT_ALLOWED = "not_allowed"


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field; the detail is technical, and empty where it tells nothing."""

    fault: Fault
    detail: str = ""


class InvalidValueError(ImmuniError, ValueError):
    """What was typed is no value of the setting.

    Attributes:
        faults: From the name of a field to what is wrong with it.
    """

    def __init__(self, faults: Mapping[str, FieldFault]) -> None:
        """Keep all faults, so that they can be mended in one go."""
        super().__init__(", ".join(f"{name}: {each.fault}" for name, each in faults.items()))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a setting's form.

    Attributes:
        name: Of the field.
        member: Of the setting's parts; empty where it has none.
        control: How it is entered.
        low: Least number, None where there is no limit.
        above: Whether `low` itself is too little.
        high: Greatest number.
        counts: How many numbers a list may have; empty for other controls.
        example: What JSON looks like.
    """

    name: str
    member: str = ""
    control: Control
    low: float | None = None
    above: bool = False
    high: float | None = None
    counts: tuple[int, int] | None = None
    example: str = ""

    @property
    def label(self) -> str:
        """What the part is called, in English."""
        return MEMBERS.get(self.member, "")

    def text_of(self, value: object) -> str:
        """Return how a value stands in the field."""
        if value is None:
            return ""
        match self.control:
            case Control.NUMBERS if isinstance(value, list | tuple):
                return " ".join(map(str, value))
            case Control.JSON:
                return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
            case _:
                return str(value)


def may_be_nothing(name: str) -> bool:
    """Tell whether a setting may be null."""
    return not settings_faults({name: None})


@cache
def fields_of(name: str) -> Sequence[Field]:
    """Return the fields of a setting's form."""
    kind = _kinds()[name]
    if isinstance(kind, inspect.StructType):
        return [
            _field(f"{WHOLE_FIELD}.{each.name}", each.type, member=each.name)
            for each in kind.fields
        ]
    return [_field(WHOLE_FIELD, kind, example=_EXAMPLES.get(name, ""))]


def texts_of(name: str, value: object) -> dict[str, str]:
    """Return how a value stands in the fields of a setting."""
    fields = fields_of(name)
    if not fields[0].member:
        return {WHOLE_FIELD: fields[0].text_of(value)}
    held: Mapping[str, object] = value if isinstance(value, Mapping) else {}
    defaults: Mapping[str, object] = default_of(name)
    return {
        each.name: each.text_of(held.get(each.member, defaults[each.member])) for each in fields
    }


def default_of(name: str) -> Any:  # noqa: ANN401 - JSON
    """Return what phones take where nothing is published."""
    return msgspec.to_builtins(getattr(ConfigurationSettings(), name))


def value_typed(name: str, form: Mapping[str, str]) -> object:
    """Return the value that was typed into the form of a setting.

    Raises:
        InvalidValueError: It is none; every field with a fault is named.
    """
    faults: dict[str, FieldFault] = {}
    read: dict[str, object] = {}
    for each in fields_of(name):
        try:
            read[each.member] = _read(each, form.get(each.name, "").strip())
        except InvalidValueError as error:
            faults |= error.faults
    if faults:
        raise InvalidValueError(faults)
    value = read.get("", read)
    if wrong := settings_faults({name: value}):
        raise InvalidValueError({_at_fault(wrong[0].fault, name): _not_allowed(wrong[0].fault)})
    return value


def _read(field: Field, text: str) -> object:
    def fail(fault: Fault, detail: str = "") -> InvalidValueError:
        return InvalidValueError({field.name: FieldFault(fault, detail)})

    if not text:
        raise fail(Fault.MISSING)
    match field.control:
        case Control.WHOLE:
            if not _WHOLE.fullmatch(text):
                raise fail(Fault.NO_NUMBER)
            return int(text)
        case Control.DECIMAL:
            return _number(text.replace(",", "."), fail(Fault.NO_NUMBER))
        case Control.NUMBERS:
            parts = [each for each in _BETWEEN.split(text) if each]
            return [_number(each, fail(Fault.NO_NUMBER)) for each in parts]
        case Control.JSON:
            return _json(field, text)
        case _:
            return text


def _number(text: str, otherwise: InvalidValueError) -> int | float:
    if not _DECIMAL.fullmatch(text):
        raise otherwise
    return float(text) if "." in text else int(text)


def _json(field: Field, text: str) -> object:
    """Read JSON as the service will: no NaN, no endless number, no name twice."""

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        members = dict(pairs)
        if len(members) < len(pairs):
            raise InvalidValueError({field.name: FieldFault(Fault.TWICE)})
        return members

    try:
        value: object = msgspec.json.decode(text.encode())
        # The reader above lets the last of two members with one name win, without a word.
        json.loads(text, object_pairs_hook=once)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidValueError({field.name: FieldFault(Fault.NO_JSON, str(error))}) from None
    except (RecursionError, json.JSONDecodeError):
        raise InvalidValueError({field.name: FieldFault(Fault.NO_JSON)}) from None
    return value


def _at_fault(fault: str, name: str) -> str:
    member = _MEMBER_AT_FAULT.search(fault)
    names = {each.member: each.name for each in fields_of(name)}
    first = fields_of(name)[0].name
    return names.get(member[1], first) if member else first


def _not_allowed(fault: str) -> FieldFault:
    return FieldFault(Fault.NOT_ALLOWED, fault)


def _field(name: str, kind: inspect.Type, *, member: str = "", example: str = "") -> Field:
    match kind:
        case inspect.UnionType(types=types):
            kinds = [each for each in types if not isinstance(each, inspect.NoneType)]
            return _field(name, kinds[0], member=member, example=example)
        case inspect.IntType() | inspect.FloatType():
            return Field(
                name=name,
                member=member,
                control=Control.WHOLE if isinstance(kind, inspect.IntType) else Control.DECIMAL,
                low=kind.gt if kind.ge is None else kind.ge,
                above=kind.ge is None,
                high=kind.le,
            )
        case inspect.VarTupleType(item_type=inspect.IntType() | inspect.FloatType() as item):
            return Field(
                name=name,
                member=member,
                control=Control.NUMBERS,
                low=item.ge,
                high=item.le,
                counts=(kind.min_length or 0, kind.max_length or 0),
            )
        case inspect.DateType():
            return Field(name=name, member=member, control=Control.DATE)
        case inspect.StrType():
            return Field(name=name, member=member, control=Control.TEXT)
        case _:
            return Field(name=name, member=member, control=Control.JSON, example=example)


@cache
def _kinds() -> Mapping[str, inspect.Type]:
    kind = inspect.type_info(ConfigurationSettings)
    if not isinstance(kind, inspect.StructType):
        raise TypeError("the settings are a struct")
    return {each.name: each.type for each in kind.fields}
