"""The whole story on a clock that is moved: nobody waits for days, and nothing else is made up."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final

import psycopg
import pytest

from immuni.api import ProvinceCode
from immuni.app.state import AtRisk, Neutral, Positive
from immuni.deployment.databases import (
    AnalyticsDatabase,
    Databases,
    PortalDatabase,
    ServicesDatabase,
)
from immuni.deployment.virtual_phones import (
    Meeting,
    PhoneClock,
    VirtualPhone,
    live_the_past,
    set_up_all,
)
from immuni.keys import interval_at
from tests.system.town import Town

MONDAY: Final = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
MEETING: Final = Meeting(MONDAY + timedelta(hours=6))
WEDNESDAY: Final = MONDAY + timedelta(days=2, hours=3)
THURSDAY: Final = WEDNESDAY.replace(hour=3) + timedelta(days=1)
A, B, C = "phone-a", "phone-b", "phone-c"

pytestmark = pytest.mark.anyio


@pytest.fixture
async def town(
    tmp_path: Path,
    services_database: ServicesDatabase,
    analytics_database: AnalyticsDatabase,
    portal_database: PortalDatabase,
) -> AsyncIterator[Town]:
    databases = Databases(services_database, analytics_database, portal_database)
    async with Town.open(tmp_path / "town", databases, PhoneClock(MONDAY)) as opened:
        yield opened


@pytest.fixture
async def phones(town: Town) -> AsyncIterator[dict[str, VirtualPhone]]:
    """Three phones that lived until Wednesday; A and B met on Monday."""
    made = {name: await town.phones.make(name) for name in (A, B, C)}
    apps = {name: each.phone for name, each in made.items()}
    await set_up_all(apps, ProvinceCode("MI"))
    await live_the_past(
        apps,
        air=town.air,
        clock=town.clock,
        meeting=MEETING,
        meeting_phones=(A, B),
        until=WEDNESDAY,
    )
    yield made
    for each in made.values():
        await each.phone.close()


async def report_positive(town: Town, phones: dict[str, VirtualPhone]) -> None:
    """A's user dictates the code, an operator authorises it, A uploads."""
    phone = phones[A].phone
    otp = await phone.open_upload()
    async with town.operator() as operator:
        await operator.authorise(otp, town.clock.now().date() - timedelta(days=1))
    await phone.check_code()
    await phone.upload(consent=True)


def keys_of(phone: VirtualPhone, since: datetime) -> set[bytes]:
    """Return what the phone's keys since the day of `since` are."""
    return {
        key.tek.key_data
        for key in phone.store.keys.all()
        if key.tek.covers(interval_at(since)) or key.tek.rolling_start_number > interval_at(since)
    }


def reports_with_exposure(town: Town) -> list[tuple[str, str, date, date]]:
    """Return platform, province, day of the contact and of receipt of what was reported."""
    with psycopg.connect(town.wiring.databases.analytics_database_url) as service:
        return service.execute(
            "SELECT platform, province, last_risky_exposure_on, received_on"
            " FROM analytics.operational_info WHERE exposure_notification"
        ).fetchall()


async def test_who_was_near_is_warned_and_who_was_far_is_not(
    town: Town, phones: dict[str, VirtualPhone]
) -> None:
    await report_positive(town, phones)
    await town.publish()
    for name in (B, C):
        await phones[name].phone.background_session()
    town.clock.advance(timedelta(hours=4))
    await phones[B].phone.background_session()

    assert phones[A].phone.record.user == Positive(WEDNESDAY.date())
    assert phones[B].phone.record.user == AtRisk(MEETING.begin.date())
    assert [each.maximum_risk_score for each in phones[B].phone.record.summaries] == [25]
    assert phones[C].phone.record.user == Neutral()
    assert phones[C].phone.record.last_check == WEDNESDAY
    assert reports_with_exposure(town) == [
        ("android", "MI", MEETING.begin.date(), WEDNESDAY.date())
    ]


async def test_todays_key_waits_until_nobody_accepts_it_any_longer(
    town: Town, phones: dict[str, VirtualPhone]
) -> None:
    todays = keys_of(phones[A], WEDNESDAY)
    await report_positive(town, phones)

    on_wednesday = {key.tek.key_data for key in (await town.publish()).keys}
    town.clock.set(THURSDAY)
    on_thursday = {key.tek.key_data for key in (await town.publish()).keys}

    assert todays
    assert not todays & on_wednesday
    assert todays <= on_thursday
    assert not on_wednesday & on_thursday


async def test_a_warning_ends_by_itself_and_the_servers_forget(
    town: Town, phones: dict[str, VirtualPhone]
) -> None:
    await report_positive(town, phones)
    await town.publish()
    await phones[B].phone.background_session()

    town.clock.advance(timedelta(days=15))
    await town.run("outbox")
    await town.run("retention")

    assert phones[B].phone.status().user == Neutral()
    assert phones[B].phone.record.history
    assert (await town.ask("/v1/keys/index")).status_code == HTTPStatus.NOT_FOUND
    assert (await town.ask("/v1/keys/1")).status_code == HTTPStatus.NOT_FOUND
