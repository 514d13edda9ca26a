"""Who may look after whom: decided without I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from immuni.errors import ImmuniError
from immuni.portal.accounts.account import Account
from immuni.portal.accounts.roles import Permission, Role

_GIVEN_BY: Final = {
    Role.SUPERVISOR: (Role.OPERATOR,),
    Role.ADMINISTRATOR: (Role.OPERATOR, Role.SUPERVISOR, Role.ADMINISTRATOR, Role.AUDITOR),
}


class Refusal(StrEnum):
    """Why something was not done."""

    ONESELF = "oneself"
    NOT_YOURS = "not_yours"
    ROLE_NOT_YOURS = "role_not_yours"
    LAST_ADMINISTRATOR = "last_administrator"
    CLOSED = "closed"
    USER_TAKEN = "user_taken"
    USER_INVALID = "user_invalid"
    NAME_INVALID = "name_invalid"
    ORGANISATION_UNKNOWN = "organisation_unknown"
    ROLE_UNKNOWN = "role_unknown"
    INVITATION_OVER = "invitation_over"
    DEACTIVATED = "deactivated"
    CELLS_MISSING = "cells_missing"
    CELL_TOO_LONG = "cell_too_long"
    FORMULA = "formula"
    TWICE = "twice"


class RefusedError(ImmuniError, PermissionError):
    """The rules forbid it; nothing was done.

    Attributes:
        refusal: Which of them.
    """

    def __init__(self, refusal: Refusal) -> None:
        """Keep the reason."""
        super().__init__(refusal)
        self.refusal = refusal


class NobodyError(ImmuniError, LookupError):
    """There is no such person, or none whom the account may see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account as those see it who look after it.

    Attributes:
        user: The name with which they sign in.
        name: What they are called; empty where nobody said.
        organisation: The name of their hospital or region.
        created_at: Since when the account is there.
        deactivated_at: Since when it can do nothing any more; None while it can.
        closed: Whether its organisation is closed, so that it can do nothing either.
    """

    id: int
    user: str
    name: str
    role: Role
    organisation_id: int
    organisation: str
    created_at: datetime
    deactivated_at: datetime | None
    closed: bool

    @property
    def shown_name(self) -> str:
        """What pages call them."""
        return self.name or self.user

    @property
    def active(self) -> bool:
        """Whether they can sign in."""
        return self.deactivated_at is None and not self.closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an account is to be from now on."""

    role: Role
    organisation_id: int
    name: str


def roles_given_by(actor: Account) -> Sequence[Role]:
    """Return the roles that an account may give, and take away."""
    return _GIVEN_BY[actor.role] if actor.may(Permission.MANAGE_PEOPLE) else ()


def sees(actor: Account, organisation_id: int) -> bool:
    """Tell whether an account may see who belongs to an organisation."""
    return actor.may(Permission.MANAGE_PEOPLE) and (
        actor.role.whole_authority or actor.organisation_id == organisation_id
    )


def require_giving(actor: Account, role: Role, organisation_id: int) -> None:
    """Make sure that an account may bring people of a role into an organisation.

    Raises:
        RefusedError: It may not.
    """
    if not sees(actor, organisation_id):
        raise RefusedError(Refusal.NOT_YOURS)
    if role not in roles_given_by(actor):
        raise RefusedError(Refusal.ROLE_NOT_YOURS)


def require_managing(actor: Account, person: Person) -> None:
    """Make sure that an account may change what a person may do.

    Nobody does that to themselves: so nobody raises their own role, and whoever deactivates an
    administrator is one who stays.

    Raises:
        RefusedError: It may not.
    """
    if actor.id == person.id:
        raise RefusedError(Refusal.ONESELF)
    require_giving(actor, person.role, person.organisation_id)


def require_change(actor: Account, person: Person, change: Change) -> None:
    """Make sure that an account may make of a person what it wants.

    Raises:
        RefusedError: It may not.
    """
    require_managing(actor, person)
    require_giving(actor, change.role, change.organisation_id)
