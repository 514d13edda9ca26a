import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from http import HTTPStatus

import httpx
import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.portal.accounts.account import AccountExistsError
from immuni.portal.accounts.invitations import (
    INVITATION_LIFETIME,
    InvitationOverError,
    Invitations,
    InvitationToken,
)
from immuni.portal.accounts.passwords import PasswordKeeper
from immuni.portal.accounts.roles import Role
from immuni.portal.people.inviting import invite_from_outside
from tests.integration.portal.world import ORGANISATION, World

pytestmark = pytest.mark.anyio

PASSWORD = "seven purple umbrellas sing"
OVER = "This invitation is not valid"


async def invited(world: World, *, user: str = "", role: Role = Role.ADMINISTRATOR) -> str:
    made = await invite_from_outside(
        world.pool,
        world.trail,
        role=role,
        organisation=ORGANISATION,
        user=user,
        clock=world.clock,
        entropy=world.entropy,
    )
    return made.token.text


async def join(world: World, token: str, user: str = "bruno", **more: str) -> httpx.Response:
    form = {"token": token, "user": user, "name": "Bruno", "password": PASSWORD, **more}
    return await (await world.visitor()).post("/join/accept", form)


async def users(world: World) -> list[tuple[object, ...]]:
    return await world.rows("SELECT user_name, role FROM operator_account ORDER BY id")


async def test_whoever_is_invited_sees_into_what_joins_and_is_in(world: World) -> None:
    visitor = await world.visitor()
    token = await invited(world)

    page = await visitor.post("/join", {"token": f" {token} "})
    answer = await visitor.post(
        "/join/accept", {"token": token, "user": "Bruno", "name": "Bruno B", "password": PASSWORD}
    )

    assert ORGANISATION in page.text
    assert "Administrator" in page.text
    assert answer.status_code == HTTPStatus.SEE_OTHER
    assert (await users(world))[1:] == [("bruno", "administrator")]
    assert (await (await world.visitor()).sign_in("bruno", PASSWORD)).status_code == 303


async def test_of_many_who_use_one_link_at_once_one_gets_in(world: World) -> None:
    token = await invited(world)

    answers = await asyncio.gather(*(join(world, token, f"twin{each}") for each in range(6)))

    assert sorted(answer.status_code for answer in answers) == [303] + [410] * 5
    assert len(await users(world)) == 2


async def test_a_link_counts_for_a_week_to_the_second(world: World) -> None:
    token, second = await invited(world), timedelta(seconds=1)
    world.clock.advance(INVITATION_LIFETIME - second)
    assert (await (await world.visitor()).post("/join", {"token": token})).status_code == 200

    world.clock.advance(second)

    assert OVER in (await (await world.visitor()).post("/join", {"token": token})).text
    assert (await join(world, token)).status_code == HTTPStatus.GONE
    assert len(await users(world)) == 1


@pytest.mark.parametrize(
    "change",
    ["UPDATE invitation SET revoked_at = now()", "UPDATE organisation SET closed_at = now()"],
)
async def test_a_link_that_was_taken_back_or_leads_nowhere_does_not_count(
    world: World, change: str
) -> None:
    token = await invited(world)
    await world.change(change)

    assert (await join(world, token)).status_code == HTTPStatus.GONE
    assert len(await users(world)) == 1


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "é" * 43, "\x00"])
async def test_what_is_no_link_says_nothing(world: World, token: str) -> None:
    assert (await join(world, token)).status_code == HTTPStatus.GONE


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"user": "anna"}, "Somebody has that user name already."),
        ({"user": "b b"}, "This user name is not possible."),
        ({"name": "\u202ebad"}, "without special characters"),
        ({"password": "short"}, "too easy to guess, or too short"),
    ],
)
async def test_a_fault_uses_no_link_up_and_loses_nothing(
    world: World, changes: dict[str, str], said: str
) -> None:
    token = await invited(world)

    refused = await join(world, token, **{"user": "bruno", **changes})

    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert said in refused.text
    assert f'value="{changes.get("user", "bruno")}"' in refused.text
    assert PASSWORD not in refused.text
    assert (await join(world, token)).status_code == HTTPStatus.SEE_OTHER


async def test_what_the_host_fixed_stays_fixed(world: World) -> None:
    token = await invited(world, user="bruno.bianchi")

    await join(world, token, "administrator.of.everything", role="administrator")

    assert (await users(world))[1:] == [("bruno.bianchi", "administrator")]


async def test_the_secret_is_in_no_table_and_no_event(world: World) -> None:
    token = await invited(world)
    await join(world, token)

    kept = repr(await world.rows("SELECT * FROM invitation"))
    events = await world.rows("SELECT action, subject, detail FROM audit_event ORDER BY id")

    assert token not in kept + repr(events)
    assert repr(InvitationToken.parse(token).secret) not in kept + repr(events)
    assert [action for action, _, _ in events[1:]] == [
        "invitation",
        "account_creation",
        "sign_in",
    ]


async def test_an_account_without_a_password_comes_with_another_way_in_or_not_at_all(
    world: World,
) -> None:
    invitations = Invitations(
        world.pool,
        world.trail,
        passwords=PasswordKeeper(world.entropy),
        clock=world.clock,
    )
    token = await invited(world)
    seen: list[int] = []

    async def broken(_connection: AsyncConnection[TupleRow], _account_id: int) -> None:
        raise LookupError

    async def sound(_connection: AsyncConnection[TupleRow], account_id: int) -> None:
        seen.append(account_id)

    with pytest.raises(LookupError):
        await invitations.accept(token, user="bruno", also=broken)
    with pytest.raises(AccountExistsError):
        await invitations.accept(token, user="anna", also=sound)
    account = await invitations.accept(token, user="bruno", also=sound)

    assert seen == [account.id]
    assert account.password_hash is None
    await refuses(invitations.accept(token, user="carla"))
    for guess in ("", PASSWORD):
        visitor = await world.visitor()
        assert (await visitor.sign_in("bruno", guess)).status_code == HTTPStatus.UNAUTHORIZED


async def refuses(acceptance: Awaitable[object]) -> None:
    with pytest.raises(InvitationOverError):
        await acceptance


async def test_nothing_is_authorised_before_the_organisation_begins(world: World) -> None:
    operator, code = await world.operator(), world.code()
    form = await operator.form(code=code, onset="2020-06-18")
    # Midnight in Rome is ten in the evening in Greenwich; the clock stands at noon in Rome.
    await world.change("UPDATE organisation SET active_from = '2020-06-21'")

    early = await operator.get()
    refused = await operator.post("/authorise", form)
    world.clock.advance(timedelta(hours=12) - timedelta(seconds=1))
    assert (await operator.sign_in()).status_code == HTTPStatus.SEE_OTHER
    still_early = await operator.get()
    assert await world.authorised_codes() == []
    world.clock.advance(timedelta(seconds=1))
    answer = await operator.authorise(code)

    assert "from 21 Jun 2020" in early.text
    assert [page.status_code for page in (early, refused, still_early)] == [403] * 3
    assert answer.status_code == HTTPStatus.SEE_OTHER
    assert len(await world.authorised_codes()) == 1


async def test_whose_organisation_is_closed_is_out_at_once(world: World) -> None:
    operator = await world.operator()

    await world.change("UPDATE organisation SET closed_at = now()")

    assert (await operator.get()).headers["location"].startswith("/sign-in")
    assert (await operator.sign_in()).status_code == HTTPStatus.UNAUTHORIZED
