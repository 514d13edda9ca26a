"""What a row of a list of people does: decided without I/O, by the rules of doing it by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from immuni.portal.accounts.account import Account
from immuni.portal.accounts.roles import Role
from immuni.portal.people.lists import Entry
from immuni.portal.people.rules import (
    Change,
    Person,
    Refusal,
    RefusedError,
    require_change,
    require_giving,
)


class Verdict(StrEnum):
    """What a row does, or did; what it does not do is a `Refusal`."""

    NEW = "new"
    CHANGE = "change"
    UNCHANGED = "unchanged"
    INVITED = "invited"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open invitation under a user name."""

    role: Role
    organisation_id: int


@dataclass(frozen=True, slots=True)
class Known:
    """What the portal knows of the people and places on a part of a list."""

    people: Mapping[str, Person]
    invited: Mapping[str, Waiting]
    places: Mapping[str, tuple[int, bool]] = field(default_factory=dict)
    """From an organisation's name to its id, and whether it is closed."""


def verdict_of(actor: Account, entry: Entry, known: Known) -> Verdict:
    """Tell what a row would do.

    Raises:
        RefusedError: It cannot or must not do anything; the rules are those of inviting and of
            changing by hand.
    """
    if entry.fault is not None or entry.role is None:
        raise RefusedError(entry.fault or Refusal.ROLE_UNKNOWN)
    organisation_id = place_of(entry, known)
    require_giving(actor, entry.role, organisation_id)
    if (person := known.people.get(entry.user)) is not None:
        return _verdict_of_person(actor, entry, person, organisation_id)
    if (waiting := known.invited.get(entry.user)) is not None:
        if waiting != Waiting(entry.role, organisation_id):
            raise RefusedError(Refusal.USER_TAKEN)
        return Verdict.INVITED
    return Verdict.NEW


def place_of(entry: Entry, known: Known) -> int:
    """Return the id of the organisation that a row names.

    Raises:
        RefusedError: There is none of that name, or it is closed.
    """
    if entry.organisation not in known.places:
        raise RefusedError(Refusal.ORGANISATION_UNKNOWN)
    organisation_id, closed = known.places[entry.organisation]
    if closed:
        raise RefusedError(Refusal.CLOSED)
    return organisation_id


def change_of(entry: Entry, person: Person, organisation_id: int) -> Change:
    """Return what a row makes of somebody who has an account; no name leaves theirs."""
    role = entry.role or person.role
    return Change(role=role, organisation_id=organisation_id, name=entry.name or person.name)


def _verdict_of_person(
    actor: Account, entry: Entry, person: Person, organisation_id: int
) -> Verdict:
    if person.deactivated_at is not None:
        raise RefusedError(Refusal.DEACTIVATED)
    change = change_of(entry, person, organisation_id)
    if change == Change(role=person.role, organisation_id=person.organisation_id, name=person.name):
        return Verdict.UNCHANGED
    require_change(actor, person, change)
    return Verdict.CHANGE
