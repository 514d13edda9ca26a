"""When phones met, from the times at which they heard each other."""

from datetime import UTC, datetime, timedelta

from immuni.world.sight import first_meeting, scans_of
from tests.unit.world.seen import NOON

MIDNIGHT = datetime(2026, 3, 3, tzinfo=UTC)


def every_four_minutes(begin: datetime, count: int) -> list[datetime]:
    return [begin + number * timedelta(minutes=4) for number in range(count)]


def test_packets_of_one_moment_are_one_scan() -> None:
    moments = every_four_minutes(NOON, 3)
    packets = [
        round(moment.timestamp() * 1e6) + later
        for moment in moments
        for later in (0, 300_000, 2_000_000)
    ]

    scans = scans_of(reversed(packets))

    assert scans == [moment + timedelta(seconds=2) for moment in moments]


def test_whoever_was_never_heard_was_not_met() -> None:
    assert first_meeting(scans_of([])) is None


def test_phones_met_on_the_first_day_with_scans_enough() -> None:
    too_few = every_four_minutes(NOON, 3)
    over_midnight = every_four_minutes(MIDNIGHT - timedelta(minutes=8), 6)

    assert first_meeting(too_few) is None
    assert first_meeting(every_four_minutes(NOON, 4)) == NOON.date()
    assert first_meeting([*too_few, *over_midnight]) == NOON.date()
    assert first_meeting(over_midnight) == MIDNIGHT.date()
