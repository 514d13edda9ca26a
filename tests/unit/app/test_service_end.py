from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from immuni.api import ConfigurationSettings, ProvinceCode
from immuni.app.notifications import Notification, NotificationKind
from immuni.app.record import AppRecord, OnboardingStep
from immuni.app.server_time import ServerTime
from immuni.app.service_end import has_ended, may_erase, remains, with_end_told
from immuni.app.settings import SettingsInForce
from immuni.app.state import AtRisk
from tests.unit.app.records import NOW, TODAY, a_summary, days_ago

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MIDNIGHT = datetime.combine(TODAY, datetime.min.time(), tzinfo=UTC)


def ending_on(end: date | None, *, ahead: timedelta | None = None) -> AppRecord:
    """Return the memory of a phone that knows of an end, and how far a server's clock is ahead."""
    return AppRecord(
        settings=SettingsInForce(ConfigurationSettings(service_end_date=end)),
        server_time=None if ahead is None else ServerTime(ahead),
    )


def test_a_service_without_a_date_does_not_end() -> None:
    assert not has_ended(ending_on(None), now=NOW + 10_000 * DAY)
    assert not may_erase(ending_on(None), now=NOW + 10_000 * DAY, server_now=NOW + 10_000 * DAY)


def test_the_service_ends_with_the_first_second_of_the_day_in_utc() -> None:
    assert not has_ended(ending_on(TODAY), now=MIDNIGHT - SECOND)
    assert has_ended(ending_on(TODAY), now=MIDNIGHT)


@pytest.mark.parametrize("ahead", [-3 * DAY, 3 * DAY])
def test_the_servers_idea_of_the_day_counts_where_it_is_known(ahead: timedelta) -> None:
    record = ending_on(TODAY, ahead=ahead)

    assert not has_ended(record, now=MIDNIGHT - ahead - SECOND)
    assert has_ended(record, now=MIDNIGHT - ahead)


@pytest.mark.parametrize(
    ("now", "server_now", "may"),
    [
        (MIDNIGHT, MIDNIGHT, True),
        (MIDNIGHT - SECOND, MIDNIGHT, False),
        (MIDNIGHT, MIDNIGHT - SECOND, False),
        (MIDNIGHT + 365 * DAY, MIDNIGHT - SECOND, False),
    ],
)
def test_nothing_is_erased_before_both_clocks_agree(
    now: datetime, server_now: datetime, *, may: bool
) -> None:
    assert may_erase(ending_on(TODAY), now=now, server_now=server_now) is may


def test_without_a_server_data_go_when_they_would_have_gone_of_age() -> None:
    fourteen_days_on = MIDNIGHT + 14 * DAY

    assert not may_erase(ending_on(TODAY), now=fourteen_days_on - SECOND, server_now=None)
    assert may_erase(ending_on(TODAY), now=fourteen_days_on, server_now=None)


def test_without_a_server_a_clock_that_is_known_to_run_ahead_erases_nothing() -> None:
    record = ending_on(TODAY, ahead=-20 * DAY)

    assert not may_erase(record, now=MIDNIGHT + 20 * DAY, server_now=None)


def test_a_date_that_was_put_off_ends_nothing_any_more() -> None:
    assert has_ended(ending_on(TODAY), now=NOW)
    assert not has_ended(ending_on(TODAY + DAY), now=NOW)
    assert not has_ended(ending_on(None), now=NOW)


def test_what_remains_knows_the_end_and_nothing_of_the_user() -> None:
    full = replace(
        ending_on(TODAY, ahead=HOUR),
        language="it",
        onboarding=frozenset(OnboardingStep),
        onboarded_at=NOW,
        first_start=NOW,
        province=ProvinceCode("CH"),
        user=AtRisk(days_ago(2)),
        summaries=(a_summary(),),
        notifications=(Notification(kind=NotificationKind.RISK, at=NOW, contact_day=TODAY),),
        is_silenced=True,
    )

    left = remains(with_end_told(full, now=NOW))

    news = Notification(kind=NotificationKind.SERVICE_ENDED, at=NOW)
    assert left == replace(
        ending_on(TODAY, ahead=HOUR),
        language="it",
        notifications=(news,),
        unseen=news,
        end_told=TODAY,
    )
    assert has_ended(left, now=NOW)
    assert remains(left) == left


def test_the_end_is_told_once_for_each_date() -> None:
    told = with_end_told(ending_on(TODAY), now=NOW)
    put_off = replace(told, settings=ending_on(TODAY + 5 * DAY).settings)

    assert [each.kind for each in told.notifications] == [NotificationKind.SERVICE_ENDED]
    assert with_end_told(told, now=NOW + 30 * DAY) == told
    assert len(with_end_told(put_off, now=NOW + 5 * DAY).notifications) == 2
