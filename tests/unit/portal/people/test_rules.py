from datetime import UTC, datetime

import pytest

from immuni.portal.accounts.account import Account
from immuni.portal.accounts.roles import Role
from immuni.portal.people.rules import (
    Person,
    Refusal,
    RefusedError,
    require_giving,
    require_managing,
    roles_given_by,
    sees,
)

OWN, OTHER = 1, 2
MANAGED: dict[Role, dict[int, set[Role]]] = {
    Role.OPERATOR: {OWN: set(), OTHER: set()},
    Role.SUPERVISOR: {OWN: {Role.OPERATOR}, OTHER: set()},
    Role.ADMINISTRATOR: {OWN: set(Role), OTHER: set(Role)},
    Role.AUDITOR: {OWN: set(), OTHER: set()},
}
"""Whom each role may bring in, change and let go, by organisation."""


def account(role: Role, *, id_: int = 1) -> Account:
    return Account(
        id=id_,
        user="anna",
        organisation_id=OWN,
        organisation="Ospedale Maggiore",
        role=role,
        password_hash="",
    )


def person(role: Role, organisation_id: int, *, id_: int = 2) -> Person:
    return Person(
        id=id_,
        user="bruno",
        name="",
        role=role,
        organisation_id=organisation_id,
        organisation="x",
        created_at=datetime(2020, 6, 1, tzinfo=UTC),
        deactivated_at=None,
        closed=False,
    )


def refused(actor: Account, someone: Person) -> bool:
    try:
        require_managing(actor, someone)
    except RefusedError:
        return True
    return False


@pytest.mark.parametrize("organisation_id", [OWN, OTHER])
@pytest.mark.parametrize("actor", Role)
def test_each_role_manages_exactly_those_of_the_table(actor: Role, organisation_id: int) -> None:
    managed = {role for role in Role if not refused(account(actor), person(role, organisation_id))}

    assert managed == MANAGED[actor][organisation_id]


@pytest.mark.parametrize("role", Role)
def test_nobody_manages_themselves(role: Role) -> None:
    with pytest.raises(RefusedError):
        require_managing(account(role, id_=7), person(role, OWN, id_=7))


def test_a_supervisor_makes_operators_of_the_own_organisation_alone() -> None:
    supervisor = account(Role.SUPERVISOR)

    require_giving(supervisor, Role.OPERATOR, OWN)
    with pytest.raises(RefusedError, match=Refusal.ROLE_NOT_YOURS):
        require_giving(supervisor, Role.SUPERVISOR, OWN)
    with pytest.raises(RefusedError, match=Refusal.NOT_YOURS):
        require_giving(supervisor, Role.OPERATOR, OTHER)


def test_whoever_reads_the_trail_does_not_see_who_works_where() -> None:
    assert not sees(account(Role.AUDITOR), OWN)
    assert roles_given_by(account(Role.AUDITOR)) == ()
