"""Which sightings belong to which key."""

import tracemalloc
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from immuni.crypto import RPI, derive_rpik, generate_rpi
from immuni.crypto.preliminary import (
    DailyTracingKey,
    DayNumber,
    PreliminaryDiagnosisKey,
    day_number_at,
    generate_rpis,
)
from immuni.export import read_unverified_export
from immuni.keys import DiagnosisKey, ENIntervalNumber, PackedKeys, ReportType, start_of
from immuni.matching import InvalidSightingError, Match, PackedSightings, Sighting, recognise
from tests.unit.export.chunks import SAMPLE
from tests.unit.matching.contacts import FIRST, MIDNIGHT, NOON, a_key, heard

INTERVAL = timedelta(minutes=10)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Moment:
    """The least that can be recognised."""

    rpi: RPI
    seen_at: datetime


def recognised(keys: list[DiagnosisKey], *sightings: Sighting) -> list[Match]:
    """Return the matches of `sightings`."""
    return recognise(keys, sightings)


def test_each_match_names_key_sighting_and_interval() -> None:
    near, far = a_key(1), a_key(2)

    assert recognised([far, near], heard(a_key(3)), heard(near)) == [Match(1, 1, NOON)]


@pytest.mark.parametrize("after", [-12 * INTERVAL, timedelta(), 13 * INTERVAL - SECOND])
def test_a_sighting_within_two_hours_of_its_interval_counts(after: timedelta) -> None:
    assert len(recognised([a_key()], heard(a_key(), after=after))) == 1


@pytest.mark.parametrize("after", [-12 * INTERVAL - SECOND, 13 * INTERVAL])
def test_a_sighting_more_than_two_hours_off_does_not_count(after: timedelta) -> None:
    assert recognised([a_key()], heard(a_key(), after=after)) == []


@pytest.mark.parametrize("offset", [0, 49])
def test_a_key_is_recognised_throughout_its_own_rolling_period(offset: int) -> None:
    interval = ENIntervalNumber(FIRST + offset)

    assert len(recognised([a_key(rolling_period=50)], heard(a_key(), interval))) == 1


@pytest.mark.parametrize("offset", [-1, 50, 143])
def test_a_key_is_not_recognised_outside_its_own_rolling_period(offset: int) -> None:
    interval = ENIntervalNumber(FIRST + offset)

    assert recognised([a_key(rolling_period=50)], heard(a_key(), interval)) == []


def test_what_is_heard_twenty_minutes_after_the_first_time_counts() -> None:
    sightings = [heard(a_key(), after=timedelta(seconds=seconds)) for seconds in (0, 1200)]

    assert len(recognised([a_key()], *sightings)) == 2


def test_what_is_heard_later_is_a_replay_in_whatever_order_it_comes() -> None:
    sightings = [heard(a_key(), after=timedelta(seconds=seconds)) for seconds in (1201, 0, 600)]

    assert [match.sighting_index for match in recognised([a_key()], *sightings)] == [1, 2]


def test_an_invalid_early_sighting_does_not_make_a_later_one_a_replay() -> None:
    sightings = [heard(a_key(), after=-13 * INTERVAL), heard(a_key())]

    assert [match.sighting_index for match in recognised([a_key()], *sightings)] == [1]


def test_twenty_minutes_count_for_each_identifier_apart() -> None:
    later = ENIntervalNumber(NOON + 6)

    assert len(recognised([a_key()], heard(a_key()), heard(a_key(), later))) == 2


def test_a_key_that_is_published_twice_is_matched_once() -> None:
    assert recognised([a_key(), a_key()], heard(a_key())) == [Match(0, 0, NOON)]


def test_a_better_report_type_takes_the_place_of_the_former() -> None:
    keys = [a_key(report_type=ReportType.SELF_REPORT), a_key(2), a_key()]

    assert recognised(keys, heard(a_key())) == [Match(2, 0, NOON)]


def test_a_revoked_key_gives_nothing() -> None:
    keys = [a_key(), a_key(report_type=ReportType.REVOKED)]

    assert recognised(keys, heard(a_key())) == []


def test_nothing_matches_nothing() -> None:
    assert recognised([], heard(a_key())) == []
    assert recognised([a_key()]) == []


def test_identifiers_planted_for_the_real_sample_are_found() -> None:
    keys = read_unverified_export(SAMPLE).keys
    tek = keys[77].tek
    interval = ENIntervalNumber(tek.rolling_start_number + 100)
    rpi = generate_rpi(derive_rpik(tek), interval)

    assert recognise(keys, [Moment(rpi, start_of(interval))]) == [Match(77, 0, interval)]


@pytest.mark.parametrize(
    "heard_otherwise",
    [
        Moment(RPI(bytes(15)), MIDNIGHT),
        Moment(RPI(bytes(16)), MIDNIGHT.replace(tzinfo=None)),
        Moment(RPI(bytes(16)), MIDNIGHT.replace(year=1969)),
    ],
    ids=["a short identifier", "a naive time", "a time before 1970"],
)
def test_what_cannot_have_been_heard_is_refused(heard_otherwise: Moment) -> None:
    with pytest.raises(InvalidSightingError):
        recognise([a_key()], [heard_otherwise])


def test_packed_keys_and_sightings_match_like_the_values_in_them() -> None:
    keys = [a_key(report_type=ReportType.SELF_REPORT), a_key(2), a_key()]
    sightings = [heard(a_key(2)), heard(a_key(), after=40 * SECOND), heard(a_key(9))]

    packed = recognise(PackedKeys(keys), PackedSightings(sightings))

    assert packed == recognise(keys, sightings) == [Match(1, 0, NOON), Match(2, 1, NOON)]


def test_copies_of_a_key_do_not_multiply_with_what_was_heard_of_it() -> None:
    copies = PackedKeys([a_key()] * 299 + [a_key(report_type=ReportType.REVOKED)])
    flood = PackedSightings([heard(a_key())] * 1000)

    tracemalloc.start()
    matches = recognise(copies[:-1], flood)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [match.key_index for match in matches] == [0] * 1000
    assert peak_bytes < 5_000_000
    assert recognise(copies, flood) == []


def test_a_better_version_counts_with_its_own_rolling_period() -> None:
    whole = a_key(report_type=ReportType.SELF_REPORT)
    short = a_key(rolling_period=10)

    assert recognise([whole, short], [heard(whole), heard(whole, FIRST)]) == [Match(1, 1, FIRST)]
    assert recognise([whole, short], [heard(whole)]) == []


def test_keys_of_april_2020_are_recognised_by_the_same_rules() -> None:
    key = PreliminaryDiagnosisKey(DailyTracingKey(bytes(range(16))), day_number_at(MIDNIGHT))
    rpi = generate_rpis(key.daily_tracing_key)[72]
    offsets = [-12 * INTERVAL - SECOND, -12 * INTERVAL, timedelta(), 1200 * SECOND]
    sightings = [Moment(rpi, start_of(NOON) + offset) for offset in offsets]

    assert recognise([key], sightings) == [Match(0, 1, NOON)]
    assert recognise([key], sightings[2:]) == [Match(0, 0, NOON), Match(0, 1, NOON)]


def test_a_key_of_april_2020_that_is_published_twice_is_matched_once() -> None:
    day = day_number_at(MIDNIGHT)
    stranger, key = (
        PreliminaryDiagnosisKey(DailyTracingKey(bytes([number]) * 16), day) for number in (1, 2)
    )
    heard_once = Moment(generate_rpis(key.daily_tracing_key)[72], start_of(NOON))

    assert recognise([stranger, key, stranger, key], [heard_once]) == [Match(1, 0, NOON)]


def test_a_key_of_april_2020_makes_the_identifiers_of_its_own_day_only() -> None:
    day = day_number_at(MIDNIGHT)
    key = DailyTracingKey(bytes(16))
    last = Moment(generate_rpis(key)[143], MIDNIGHT + 24 * 6 * INTERVAL - SECOND)

    assert len(recognise([PreliminaryDiagnosisKey(key, day)], [last])) == 1
    assert recognise([PreliminaryDiagnosisKey(key, DayNumber(day + 1))], [last]) == []


def test_keys_of_both_generations_cannot_be_given_together() -> None:
    preliminary = PreliminaryDiagnosisKey(DailyTracingKey(bytes(16)), DayNumber(18_430))
    both: Any = [a_key(), preliminary]

    with pytest.raises(TypeError, match="one generation"):
        recognise(both, [heard(a_key())])
