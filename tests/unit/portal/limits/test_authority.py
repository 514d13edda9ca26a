import pytest

from immuni.portal.accounts.account import Account
from immuni.portal.accounts.roles import Role
from immuni.portal.limits.authority import (
    OutOfReachError,
    Target,
    require_reach,
    require_release,
)
from immuni.portal.limits.rules import Scope

OWN = Target(Scope.ACCOUNT, 7, 1)
OWN_ORGANISATION = Target(Scope.ORGANISATION, 1, 1)
OTHER = Target(Scope.ACCOUNT, 8, 2)
EVERYTHING = Target(Scope.EVERYTHING, None, None)


def somebody(role: Role) -> Account:
    return Account(id=1, user="x", organisation_id=1, organisation="H", role=role, password_hash="")


@pytest.mark.parametrize("target", [OWN, OWN_ORGANISATION])
def test_a_supervisor_stops_and_releases_the_own_organisation_and_its_people(
    target: Target,
) -> None:
    require_reach(somebody(Role.SUPERVISOR), target)
    require_release(somebody(Role.SUPERVISOR), target, by_authority=False)


@pytest.mark.parametrize("target", [OTHER, EVERYTHING])
def test_a_supervisor_reaches_nothing_else(target: Target) -> None:
    with pytest.raises(OutOfReachError):
        require_reach(somebody(Role.SUPERVISOR), target)


def test_what_an_administrator_stopped_only_an_administrator_releases() -> None:
    require_release(somebody(Role.ADMINISTRATOR), OWN, by_authority=True)
    with pytest.raises(OutOfReachError):
        require_release(somebody(Role.SUPERVISOR), OWN, by_authority=True)


@pytest.mark.parametrize("target", [OWN, OTHER, EVERYTHING])
def test_an_administrator_reaches_everything(target: Target) -> None:
    require_reach(somebody(Role.ADMINISTRATOR), target)
