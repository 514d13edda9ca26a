"""What an organisation may be: decided without I/O."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Self

from immuni.errors import ImmuniError
from immuni.portal.accounts.account import InvalidNameError, parse_name

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER: Final = re.compile(r"[0-9]{1,15}")


class Kind(StrEnum):
    """What an organisation is."""

    REGION = "region"
    HOSPITAL = "hospital"
    OTHER = "other"


class Fault(StrEnum):
    """What is wrong with one field, or with the whole."""

    MISSING = "missing"
    NAME = "name"
    TAKEN = "taken"
    KIND = "kind"
    NO_DATE = "no_date"
    PARENT = "parent"
    PARENT_OF_REGION = "parent_of_region"
    HAS_HOSPITALS = "has_hospitals"
    OWN = "own"
    LAST_ADMINISTRATOR = "last_administrator"


class InvalidOrganisationError(ImmuniError, ValueError):
    """An organisation cannot be like that; nothing was changed.

    Attributes:
        faults: From the name of a field to what is wrong with it; "" is the whole.
    """

    def __init__(self, faults: Mapping[str, Fault]) -> None:
        """Keep all faults, so that they can be mended in one go."""
        super().__init__(", ".join(f"{name}: {fault}" for name, fault in faults.items()))
        self.faults = faults


class NoOrganisationError(ImmuniError, LookupError):
    """There is no such organisation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an organisation is to be.

    Attributes:
        active_from: The day, where the operators work, before which it authorises nothing.
    """

    name: str
    kind: Kind
    parent_id: int | None
    active_from: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """What an organisation is.

    Attributes:
        parent: The name of the region to which it belongs; empty where there is none.
        closed_at: Since when nobody of it can do anything; None while they can.
        people: How many accounts of it are active.
    """

    id: int
    plan: Plan
    parent: str
    closed_at: datetime | None
    people: int

    @property
    def choice(self) -> tuple[int, str]:
        """The organisation as one of a list to choose from."""
        return self.id, self.plan.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The form as it was filled in, to be parsed or shown again."""

    name: str = ""
    kind: str = Kind.HOSPITAL
    parent: str = ""
    active_from: str = ""

    @classmethod
    def of(cls, form: Mapping[str, str]) -> Self:
        """Take the fields of a form that was sent; those that are missing are empty."""
        names = ("name", "kind", "parent", "active_from")
        return cls(**{name: form.get(name, "").strip() for name in names})

    @classmethod
    def of_plan(cls, plan: Plan) -> Self:
        """Show what an organisation is."""
        return cls(
            name=plan.name,
            kind=plan.kind,
            parent="" if plan.parent_id is None else str(plan.parent_id),
            active_from=plan.active_from.isoformat(),
        )

    def parse(self, *, regions: Collection[int]) -> Plan:
        """Return what the organisation is to be.

        Args:
            regions: To which it may belong.

        Raises:
            InvalidOrganisationError: At least one field is wrong; all of them are named.
        """
        faults: dict[str, Fault] = {}
        name, kind = self._name(faults), self._kind(faults)
        parent_id, day = self._parent(faults, regions), self._day(faults)
        if kind is Kind.REGION and parent_id is not None:
            faults["parent"] = Fault.PARENT_OF_REGION
        if faults:
            raise InvalidOrganisationError(faults)
        return Plan(name=name, kind=kind, parent_id=parent_id, active_from=day)

    def _name(self, faults: dict[str, Fault]) -> str:
        try:
            name = parse_name(self.name)
        except InvalidNameError:
            faults["name"] = Fault.NAME
            return ""
        if not name:
            faults["name"] = Fault.MISSING
        return name

    def _kind(self, faults: dict[str, Fault]) -> Kind:
        if self.kind in {*Kind}:
            return Kind(self.kind)
        faults["kind"] = Fault.KIND
        return Kind.OTHER

    def _parent(self, faults: dict[str, Fault], regions: Collection[int]) -> int | None:
        if not self.parent:
            return None
        if not _NUMBER.fullmatch(self.parent) or int(self.parent) not in regions:
            faults["parent"] = Fault.PARENT
            return None
        return int(self.parent)

    def _day(self, faults: dict[str, Fault]) -> date:
        try:
            # fromisoformat alone would also take week dates and dates without dashes.
            return date.fromisoformat(self.active_from if _DAY.fullmatch(self.active_from) else "")
        except ValueError:
            faults["active_from"] = Fault.NO_DATE if self.active_from else Fault.MISSING
            return date.min
