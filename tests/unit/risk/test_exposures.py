"""From moments to exposures: where they begin and end, how long and how near they were."""

from datetime import date, timedelta

import pytest

from immuni.keys import ENIntervalNumber
from immuni.risk import Exposure, find_exposures, in_steps
from tests.unit.risk.moments import NOON, Moment, meeting, moment

THRESHOLDS = (50, 70)


def the_exposure(*moments: Moment) -> Exposure:
    """Return the one exposure that `moments` make."""
    (exposure,) = find_exposures(moments, THRESHOLDS)
    return exposure


def seconds(*values: float) -> tuple[timedelta, ...]:
    """Return durations."""
    return tuple(timedelta(seconds=value) for value in values)


def test_nothing_heard_is_no_exposure() -> None:
    assert find_exposures([], THRESHOLDS) == []


def test_one_sighting_counts_for_five_minutes() -> None:
    exposure = the_exposure(moment(0, 54))

    assert exposure.duration == timedelta(seconds=300)
    assert exposure.attenuation_db == 54
    assert exposure.attenuation_durations == seconds(0, 300, 0)
    assert exposure.day == date(2020, 6, 17)


@pytest.mark.parametrize(
    ("last", "duration"),
    [(0, 300), (150, 300), (150.000001, 600), (300, 600), (449, 600), (450, 600), (451, 900)],
)
def test_durations_are_rounded_to_five_minutes_halves_down(last: float, duration: int) -> None:
    exposure = the_exposure(moment(0), moment(last, identifier=1))

    assert exposure.duration == timedelta(seconds=duration)


@pytest.mark.parametrize(
    ("exact", "rounded"), [(0, 0), (150, 0), (151, 300), (450, 300), (451, 600), (7200, 7200)]
)
def test_steps_are_the_nearest_multiple_halves_down(exact: int, rounded: int) -> None:
    assert in_steps(timedelta(seconds=exact)) == timedelta(seconds=rounded)


def test_a_gap_of_ten_minutes_is_bridged() -> None:
    assert the_exposure(moment(0), moment(600, identifier=1)).duration == timedelta(seconds=900)


def test_a_longer_gap_makes_two_exposures() -> None:
    exposures = find_exposures([moment(0), moment(600.1, identifier=1)], THRESHOLDS)

    assert [exposure.duration for exposure in exposures] == list(seconds(300, 300))


def test_the_order_in_which_moments_come_does_not_matter() -> None:
    moments = [*meeting(30), *meeting(15, from_second=5000)]

    assert find_exposures(moments[::-1], THRESHOLDS) == find_exposures(moments, THRESHOLDS)


@pytest.mark.parametrize(("gap", "attenuation_db"), [(25.5, 60), (25.6, 71)])
def test_of_one_scan_the_strongest_sighting_counts(gap: float, attenuation_db: int) -> None:
    # Apart they are two moments: 175.6 s at 80 dB and 150 s at 60 dB.
    assert the_exposure(moment(0, 80), moment(gap, 60)).attenuation_db == attenuation_db


def test_a_scan_goes_on_as_long_as_each_sighting_follows_the_last_one() -> None:
    exposure = the_exposure(moment(0, 80), moment(25, 70), moment(50, 60), moment(75, 90))

    assert exposure.attenuation_db == 60


def test_of_equally_strong_sightings_of_a_scan_the_first_counts() -> None:
    exposure = the_exposure(
        moment(0, 60), moment(20, 0, rssi_dbm=-70), moment(300, 60, identifier=1)
    )

    assert exposure.attenuation_db == 60


def test_of_what_is_equal_in_strength_and_time_the_nearest_counts_in_whatever_order() -> None:
    twice = [moment(0, 60, rssi_dbm=-70), moment(0, 40, rssi_dbm=-70)]

    assert the_exposure(*twice).attenuation_db == 40
    assert the_exposure(*twice[::-1]).attenuation_db == 40


def test_the_strongest_is_that_with_the_highest_rssi_even_where_power_differs() -> None:
    exposure = the_exposure(moment(0, 40, rssi_dbm=-70), moment(5, 55, rssi_dbm=-65))

    assert exposure.attenuation_db == 55


def test_two_identifiers_in_one_scan_are_two_moments() -> None:
    exposure = the_exposure(moment(0, 40), moment(10, 60, identifier=1))

    # 150 s and 10 s at 40 dB, 150 s at 60 dB: 49.68 dB.
    assert exposure.attenuation_db == 50
    assert exposure.attenuation_durations == seconds(160, 150, 0)


def test_each_attenuation_holds_until_the_next_and_the_ends_reach_out() -> None:
    exposure = the_exposure(
        moment(0, 10), moment(100, 40, identifier=1), moment(500, 52, identifier=2)
    )

    # (250 · 10 + 400 · 40 + 150 · 52) / 800 = 32.875
    assert exposure.attenuation_db == 33
    assert exposure.attenuation_durations == seconds(650, 150, 0)


@pytest.mark.parametrize(("second", "mean"), [(51, 51), (50, 50), (52, 51), (53, 52)])
def test_mean_attenuation_is_rounded_halves_up(second: int, mean: int) -> None:
    # Both hold for the 150 s by which they reach out.
    exposure = the_exposure(moment(0, 50), moment(0, second, identifier=1))

    assert exposure.attenuation_db == mean


@pytest.mark.parametrize(
    ("attenuation_db", "range_index"), [(0, 0), (49, 0), (50, 1), (69, 1), (70, 2), (147, 2)]
)
def test_the_three_ranges_begin_at_their_thresholds(attenuation_db: int, range_index: int) -> None:
    times = the_exposure(moment(0, attenuation_db)).attenuation_durations

    assert [bool(time) for time in times] == [index == range_index for index in range(3)]


def test_the_ranges_add_up_to_the_exact_duration() -> None:
    exposure = the_exposure(*(moment(137 * n, 10 * n, identifier=n) for n in range(10)))

    assert sum(exposure.attenuation_durations, timedelta()) == timedelta(seconds=137 * 9 + 300)


def test_the_day_is_that_of_the_identifier() -> None:
    # Heard one minute before midnight by a clock that runs slow.
    before = moment(12 * 3600 - 60)
    late = Moment(before.at, 54, -64, ENIntervalNumber(NOON + 72))

    assert the_exposure(late).day == date(2020, 6, 18)
