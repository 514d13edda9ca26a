"""The past of virtual phones."""

from datetime import UTC, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from immuni.clock import ManualClock
from immuni.deployment.virtual_phones import PAST, PhoneClock, meeting_before

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
# Two hours of tolerance around each identifier: page "From uploads to TEK Chunks", "Embargo".
EMBARGO = timedelta(hours=2)


def test_a_phones_clock_stands_still_until_it_follows_another() -> None:
    clock, machine = PhoneClock(NOON), ManualClock(NOON + PAST)

    clock.advance(timedelta(hours=1))
    assert clock.now() == NOON + timedelta(hours=1)

    clock.follow(machine)
    machine.advance(timedelta(minutes=5))
    assert clock.now() == NOON + PAST + timedelta(minutes=5)


@given(st.datetimes(min_value=datetime(2020, 1, 5), timezones=st.just(UTC)))  # noqa: DTZ001 - the zone comes beside it
def test_the_meeting_lies_in_the_past_on_a_day_whose_key_may_be_published(now: datetime) -> None:
    meeting = meeting_before(now)

    assert now - PAST <= meeting.begin
    assert meeting.begin.timetz() == time(12, tzinfo=UTC)
    key_ends = datetime.combine(meeting.begin.date() + timedelta(days=1), time(), tzinfo=UTC)
    assert key_ends + EMBARGO <= now
    assert (meeting.begin + meeting.length).date() == meeting.begin.date()
