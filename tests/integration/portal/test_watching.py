import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest

from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from immuni.portal.accounts.roles import Role
from immuni.portal.limits.settings import LimitSettings
from tests.integration.portal.world import Visitor, World, hidden, living_world

pytestmark = pytest.mark.anyio

LIMITS = LimitSettings(portal_operator_quota=4, portal_warning_floor=2, portal_pace=100)
ELSEWHERE = (
    "INSERT INTO organisation (id, name, created_at, active_from) OVERRIDING SYSTEM VALUE"
    " VALUES (2, 'Elsewhere', now(), now())"
)
NOT_THEIRS = [
    ("/watch/stop", {"whom": "account 1", "reason": "x"}),
    ("/watch/stop", {"whom": "organisation 1", "reason": "x"}),
    ("/watch/stop", {"whom": "everything", "reason": "x", "sure": "yes"}),
    ("/watch/allow", {"whom": "account 1", "more": "10"}),
    ("/watch/release", {"id": "1"}),
]
NOBODY = [
    {"whom": "", "reason": "x"},
    {"whom": "account", "reason": "x"},
    {"whom": "account 99999999999999999999", "reason": "x"},
    {"whom": "account -1", "reason": "x"},
    {"whom": "account 12345", "reason": "x"},
    {"whom": "account 1", "reason": " "},
    {"whom": "account 1", "reason": "x" * 201},
]
STOPPED = "SELECT scope, subject_id, released_at IS NULL FROM stop ORDER BY id"


@pytest.fixture
async def world(
    portal_database: PortalDatabase, services_database: ServicesDatabase, certificates: Path
) -> AsyncIterator[World]:
    async with living_world(
        portal_database, services_database, certificates, limits=LIMITS
    ) as world:
        yield world


async def send(visitor: Visitor, path: str, **fields: str) -> int:
    """Send a form of the page of warnings."""
    csrf = hidden((await visitor.get("/watch")).text, "csrf")
    return (await visitor.post(path, {"csrf": csrf, **fields})).status_code


async def watcher(world: World, role: Role = Role.SUPERVISOR) -> Visitor:
    await world.add_account("vera", role=role)
    return await world.operator("vera")


async def one(world: World, query: str) -> object:
    ((value,),) = await world.rows(query)
    return value


async def test_a_stop_holds_from_the_next_code_on_until_somebody_lets_go(world: World) -> None:
    operator, vera = await world.operator(), await watcher(world)

    assert await send(vera, "/watch/stop", whom="account 1", reason="strange calls") == 303
    assert (await operator.authorise(world.code())).status_code == 429
    assert "strange calls" in (await vera.get("/watch")).text

    stop = str(await one(world, "SELECT id FROM stop"))
    assert await send(vera, "/watch/release", id=stop) == 303
    assert (await operator.authorise(world.code())).status_code == 303
    assert await world.rows(
        "SELECT action, subject FROM audit_event WHERE account_id = 2 AND subject <> '' ORDER BY id"
    ) == [("stop", "account 1"), ("release", "account 1")]


async def test_stopping_twice_at_the_same_instant_is_one_stop(world: World) -> None:
    vera = await watcher(world)
    csrf = hidden((await vera.get("/watch")).text, "csrf")
    form = {"csrf": csrf, "whom": "account 1", "reason": "x"}

    answers = await asyncio.gather(*(vera.post("/watch/stop", form) for _ in range(5)))

    assert {each.status_code for each in answers} == {303}
    assert await world.rows(STOPPED) == [("account", 1, True)]


async def test_everything_is_stopped_by_an_administrator_who_is_sure(world: World) -> None:
    admin = await watcher(world, Role.ADMINISTRATOR)

    assert await send(admin, "/watch/stop", whom="everything", reason="x") == 422
    assert await send(admin, "/watch/stop", whom="everything", reason="x", sure="yes") == 303
    assert await world.rows(STOPPED) == [("everything", None, True)]


async def test_an_administrators_stop_stands_above_a_supervisors(world: World) -> None:
    vera = await watcher(world)
    await world.add_account("ada", role=Role.ADMINISTRATOR)
    ada = await world.operator("ada")
    await send(vera, "/watch/stop", whom="account 1", reason="x")

    assert await send(ada, "/watch/stop", whom="account 1", reason="y") == 303
    assert await world.rows(STOPPED) == [("account", 1, False), ("account", 1, True)]
    assert await send(vera, "/watch/release", id="2") == 422
    assert await send(ada, "/watch/release", id="2") == 303


async def test_a_supervisor_of_elsewhere_changes_nothing_here(world: World) -> None:
    vera = await watcher(world)
    await world.change(ELSEWHERE)
    await world.change("UPDATE operator_account SET organisation_id = 2 WHERE id = 2")
    await world.change(
        "INSERT INTO stop (scope, subject_id, reason, by_authority, stopped_at, stopped_by)"
        " VALUES ('account', 1, 'x', false, now(), 1)"
    )

    assert [await send(vera, path, **fields) for path, fields in NOT_THEIRS] == [422] * 5
    assert await world.rows(STOPPED) == [("account", 1, True)]
    assert "anna" not in (await vera.get("/watch")).text


async def test_what_names_nobody_or_no_reason_stops_nobody(world: World) -> None:
    vera = await watcher(world)

    assert [await send(vera, "/watch/stop", **fields) for fields in NOBODY] == [422] * 7
    assert await world.rows(STOPPED) == []


async def test_a_supervisor_sees_the_warning_and_can_double_the_day(world: World) -> None:
    operator = await world.operator()
    for _ in range(5):
        await operator.authorise(world.code())
    vera = await watcher(world)
    page = (await vera.get("/watch")).text
    assert "The quota of a day was reached" in page
    assert "Today: 4 of 4." in page

    assert await send(vera, "/watch/allow", whom="account 1", more="10") == 422
    await world.change("UPDATE work_day SET quota = 20, extra = 0")
    assert await send(vera, "/watch/allow", whom="account 1", more="10") == 303
    assert await send(vera, "/watch/allow", whom="account 1", more="10") == 303
    assert await send(vera, "/watch/allow", whom="account 1", more="10") == 422
    assert await send(vera, "/watch/allow", whom="organisation 1", more="10") == 422
    assert await one(world, "SELECT extra FROM work_day WHERE scope = 'account'") == 20


async def test_a_warning_waits_until_somebody_has_seen_it(world: World) -> None:
    operator = await world.operator()
    for _ in range(3):
        await operator.authorise(world.code())
    vera = await watcher(world)
    assert "waits for you" in (await vera.get("/watch")).text

    for each in ("1", "2"):
        assert await send(vera, "/watch/seen", id=each) == 303
    page = (await vera.get("/watch")).text
    assert "waits for you" not in page
    assert "seen by vera" in page


async def test_operators_see_their_own_day_without_the_codes(world: World) -> None:
    operator, other = await world.operator(), await watcher(world, Role.OPERATOR)
    world.clock.advance(timedelta(minutes=10))
    code = world.code()
    await operator.authorise(code)
    await operator.authorise(code)

    page = (await operator.get("/day")).text
    assert "12:10" in page
    assert "one code authorised" in page
    assert "Was authorised already" in page
    assert code not in page
    assert "Nothing yet today" in (await other.get("/day")).text


async def test_totals_withhold_small_days(world: World) -> None:
    await world.change(
        "INSERT INTO work_day (scope, subject_id, day, count, quota, warn_above)"
        " VALUES ('organisation', 1, '2020-06-19', 3, 0, 0),"
        " ('organisation', 1, '2020-06-18', 40, 0, 0)"
    )
    page = (await (await watcher(world)).get("/totals")).text

    assert "40 codes on the days that are shown" in page
    assert "1 to 4" in page
    assert ">3<" not in page


async def test_a_supervisor_sees_no_other_organisations_totals(world: World) -> None:
    await world.change(ELSEWHERE)
    await world.change(
        "INSERT INTO work_day (scope, subject_id, day, count, quota, warn_above)"
        " VALUES ('organisation', 2, '2020-06-19', 77, 0, 0)"
    )
    vera = await watcher(world)
    await world.add_account("ada", role=Role.ADMINISTRATOR)
    ada = await world.operator("ada")

    assert ">77<" not in (await vera.get("/totals?organisation=2")).text
    assert ">77<" in (await ada.get("/totals?organisation=2")).text


async def test_operators_see_neither_totals_nor_warnings(world: World) -> None:
    operator = await world.operator()

    for path in ("/totals", "/watch"):
        assert (await operator.get(path)).status_code == HTTPStatus.FORBIDDEN
