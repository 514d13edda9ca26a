import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from immuni.portal.limits.settings import LimitSettings
from tests.integration.portal.world import Visitor, World, hidden, living_world

pytestmark = pytest.mark.anyio

LIMITS = LimitSettings(
    portal_operator_quota=4,
    portal_organisation_quota=6,
    portal_warning_floor=2,
    portal_pace=3,
)
PAST_THE_PACE = timedelta(minutes=11)
COUNTS = "SELECT scope, count FROM work_day ORDER BY scope"
WARNINGS = "SELECT kind, scope FROM warning ORDER BY id"


@pytest.fixture
async def world(
    portal_database: PortalDatabase, services_database: ServicesDatabase, certificates: Path
) -> AsyncIterator[World]:
    async with living_world(
        portal_database, services_database, certificates, limits=LIMITS
    ) as world:
        yield world


async def authorise(world: World, operator: Visitor, times: int = 1) -> list[int]:
    """Authorise fresh codes, each later than the pace asks for."""
    answers = []
    for _ in range(times):
        world.clock.advance(PAST_THE_PACE)
        answers.append((await operator.authorise(world.code())).status_code)
    return answers


async def test_a_day_holds_so_many_codes_and_the_next_day_begins_anew(world: World) -> None:
    operator = await world.operator()

    assert await authorise(world, operator, 5) == [303] * 4 + [429]
    page = (await operator.authorise(world.code())).text
    assert "as many codes as a day allows" in page
    assert len(await world.authorised_codes()) == 4

    world.clock.advance(timedelta(hours=14))
    operator = await world.operator()
    assert await authorise(world, operator) == [303]


async def test_what_was_typed_is_still_there_when_a_limit_is_reached(world: World) -> None:
    operator = await world.operator()
    await authorise(world, operator, 4)
    code = world.code()

    page = (await operator.authorise(code)).text

    assert f'value="{code}"' in page
    assert 'value="2020-06-18" required checked' in page


async def test_no_more_slip_through_at_the_same_instant(world: World) -> None:
    operator = await world.operator()
    await authorise(world, operator, 2)
    world.clock.advance(PAST_THE_PACE)
    forms = [await operator.form(code=world.code(), onset="2020-06-18") for _ in range(8)]

    answers = await asyncio.gather(*(operator.post("/authorise", form) for form in forms))

    assert sorted(each.status_code for each in answers) == [303] * 2 + [429] * 6
    assert await world.rows(COUNTS) == [("account", 4), ("organisation", 4)]


async def test_what_is_not_authorised_is_not_counted(world: World) -> None:
    operator = await world.operator()
    code = world.code()
    await operator.authorise(code)
    assert (await operator.authorise(code)).status_code == HTTPStatus.CONFLICT
    world.wire.cut()
    assert (await operator.authorise(world.code())).status_code == HTTPStatus.SERVICE_UNAVAILABLE
    await operator.authorise("nonsense")

    assert await world.rows(COUNTS) == [("account", 1), ("organisation", 1)]


async def test_an_organisation_has_a_quota_of_its_own(world: World) -> None:
    anna = await world.operator()
    await world.add_account("bruno")

    assert await authorise(world, anna, 4) == [303] * 4
    bruno = await world.operator("bruno")
    assert await authorise(world, bruno, 3) == [303, 303, 429]


async def test_nobody_authorises_faster_than_people_talk(world: World) -> None:
    operator = await world.operator()
    answers = [await operator.authorise(world.code()) for _ in range(4)]

    assert [each.status_code for each in answers] == [303] * 3 + [429]
    assert "in 10 minutes" in answers[-1].text
    assert ("pace", "account") in await world.rows(WARNINGS)


async def test_the_supervisor_is_warned_before_and_at_the_quota_once_each(world: World) -> None:
    operator = await world.operator()
    await authorise(world, operator, 7)

    assert await world.rows(WARNINGS) == [
        ("much", "account"),
        ("much", "organisation"),
        ("quota", "account"),
    ]


async def test_a_quota_follows_what_was_done_before(world: World) -> None:
    await world.change(
        "INSERT INTO work_day (scope, subject_id, day, count, quota, warn_above)"
        " SELECT scope, 1, date '2020-06-20' - ago, 10, 0, 0"
        " FROM generate_series(1, 5) AS ago, unnest(ARRAY['account', 'organisation']) AS scope"
    )
    operator = await world.operator()
    await authorise(world, operator)

    rows = await world.rows("SELECT scope, quota, warn_above FROM work_day WHERE day='2020-06-20'")
    assert sorted(rows) == [("account", 40, 20), ("organisation", 40, 20)]


async def test_a_refusal_is_in_the_trail_with_its_reason(world: World) -> None:
    operator = await world.operator()
    await authorise(world, operator, 5)

    assert await world.rows(
        "SELECT outcome, detail->>'limit' FROM audit_event WHERE action = 'authorisation'"
        " ORDER BY id DESC LIMIT 2"
    ) == [("refused", "quota"), ("authorised", None)]


@pytest.mark.parametrize("whom", ["'account', 1", "'organisation', 1", "'everything', NULL"])
async def test_whoever_is_stopped_authorises_nothing_and_sees_it_before_typing(
    world: World, whom: str
) -> None:
    operator = await world.operator()
    form = await operator.form(code=world.code(), onset="2020-06-18")
    columns = "scope, subject_id, reason, by_authority, stopped_at, stopped_by"
    await world.change(f"INSERT INTO stop ({columns}) VALUES ({whom}, 'x', true, now(), 1)")  # noqa: S608 - a row of the table

    page = (await operator.get()).text
    assert "Authorising is stopped" in page
    assert "May I call you back?" in page
    # All fields stand in a part of the form that nobody can fill in; to look again is a link.
    assert page.index("<fieldset disabled") < page.index('id="code"')
    assert 'type="submit" autofocus' not in page
    answer: httpx.Response = await operator.post("/authorise", form)
    assert (answer.status_code, await world.authorised_codes()) == (429, [])

    await world.change("UPDATE stop SET released_at = now(), released_by = 1")
    kept = {name: hidden(answer.text, name) for name in ("csrf", "id", "code", "onset")}
    assert kept == form
    assert (await operator.post("/authorise", kept)).status_code == HTTPStatus.SEE_OTHER
