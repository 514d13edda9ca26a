from http import HTTPStatus

import pytest

from immuni.portal.accounts.account import AccountExistsError, InvalidUserError
from immuni.portal.accounts.passwords import WeakPasswordError
from immuni.portal.accounts.registration import create_account, ensure_account
from immuni.portal.accounts.roles import Role
from tests.integration.portal.world import ORGANISATION, PASSWORD, World, add_account

pytestmark = pytest.mark.anyio

ACCOUNTS = """
    SELECT user_name, role, name FROM operator_account AS account
    JOIN organisation ON organisation.id = organisation_id ORDER BY account.id
"""


async def ensure(world: World, user: str, password: str) -> None:
    await ensure_account(
        world.pool,
        world.trail,
        user=user,
        password=password,
        organisation="Another hospital",
        role=Role.SUPERVISOR,
        clock=world.clock,
        entropy=world.entropy,
    )


async def test_accounts_of_one_organisation_share_it(world: World) -> None:
    await add_account(world.pool, "Bruno", clock=world.clock, entropy=world.entropy)

    assert await world.rows(ACCOUNTS) == [
        ("anna", "operator", ORGANISATION),
        ("bruno", "operator", ORGANISATION),
    ]
    assert await world.rows("SELECT count(*) FROM organisation") == [(1,)]


async def test_an_account_that_is_there_is_left_as_it_is(world: World) -> None:
    with pytest.raises(AccountExistsError):
        await create_account(
            world.pool,
            world.trail,
            user="ANNA",
            password="gatto lampada fiume",
            organisation="Another hospital",
            role=Role.ADMINISTRATOR,
            clock=world.clock,
            entropy=world.entropy,
        )

    assert await world.rows(ACCOUNTS) == [("anna", "operator", ORGANISATION)]
    assert await world.rows("SELECT name FROM organisation") == [(ORGANISATION,)]
    assert (await (await world.visitor()).sign_in()).status_code == HTTPStatus.SEE_OTHER


@pytest.mark.parametrize(
    ("user", "password", "error"),
    [("a b", PASSWORD, InvalidUserError), ("bruno", "short", WeakPasswordError)],
)
async def test_an_account_that_is_not_allowed_is_not_made(
    world: World, user: str, password: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await add_account(
            world.pool, user, password=password, clock=world.clock, entropy=world.entropy
        )

    assert len(await world.rows(ACCOUNTS)) == 1


async def test_an_account_can_be_asked_for_again_and_again(world: World) -> None:
    for _ in range(3):
        await ensure(world, "bruno", PASSWORD)

    assert (await world.rows(ACCOUNTS))[1:] == [("bruno", "supervisor", "Another hospital")]
    assert (await (await world.visitor()).sign_in("bruno")).status_code == HTTPStatus.SEE_OTHER


async def test_a_changed_password_ends_what_the_old_one_opened(world: World) -> None:
    operator = await world.operator()

    await ensure(world, "anna", "gatto lampada fiume")

    assert (await operator.get()).status_code == HTTPStatus.SEE_OTHER
    assert (await operator.sign_in()).status_code == HTTPStatus.UNAUTHORIZED
    assert (await operator.sign_in("anna", "gatto lampada fiume")).status_code == 303
    assert await world.rows(ACCOUNTS) == [("anna", "operator", ORGANISATION)]


async def test_a_closed_account_stays_closed(world: World) -> None:
    await world.change("UPDATE operator_account SET deactivated_at = now()")

    await ensure(world, "anna", PASSWORD)

    assert (await (await world.visitor()).sign_in()).status_code == HTTPStatus.UNAUTHORIZED
