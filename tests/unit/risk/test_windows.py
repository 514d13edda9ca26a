"""From moments to windows: where they begin and end, and what they tell."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from immuni.crypto import CalibrationConfidence
from immuni.keys import ENIntervalNumber, ReportType
from immuni.matching import match
from immuni.risk import (
    ExposureWindow,
    Infectiousness,
    InvalidExposureWindowError,
    ScanInstance,
    find_windows,
)
from tests.unit.matching.contacts import NOON as DAY_OF_KEYS
from tests.unit.matching.contacts import a_key, heard
from tests.unit.risk.moments import NOON, Met, Moment, meeting, moment
from tests.unit.risk.windows import DAY, MAPPING, scan, window


def windows_of(*moments: Moment) -> Sequence[ExposureWindow]:
    """Return the windows that `moments` of one key make."""
    return find_windows([Met(moments)], MAPPING)


def scans_of(*moments: Moment) -> Sequence[ScanInstance]:
    """Return the scans of the one window that `moments` make."""
    (found,) = windows_of(*moments)
    return found.scan_instances


def lengths_of(*moments: Moment) -> list[int]:
    """Return the number of scans of each window, the longest first."""
    return sorted((len(found.scan_instances) for found in windows_of(*moments)), reverse=True)


def test_half_an_hour_at_a_metre_is_one_window() -> None:
    (found,) = windows_of(*meeting(30, 54))

    assert found == ExposureWindow(
        day=date(2020, 6, 17),
        report_type=ReportType.CONFIRMED_TEST,
        infectiousness=Infectiousness.HIGH,
        calibration_confidence=CalibrationConfidence.LOWEST,
        scan_instances=(scan(54, 120),) * 6,
    )


def test_what_matching_returns_makes_windows_as_it_is() -> None:
    sightings = [
        heard(a_key(), ENIntervalNumber(DAY_OF_KEYS + number), since_scan=timedelta(minutes=4))
        for number in range(3)
    ]

    (found,) = find_windows(match([a_key()], sightings), MAPPING)

    assert found.scan_instances == (scan(54, 240),) * 3


def test_nothing_heard_makes_no_window() -> None:
    assert find_windows([Met([])], MAPPING) == ()


@pytest.mark.parametrize(("second", "lengths"), [(1799.999999, [2]), (1800, [1, 1])])
def test_what_is_heard_half_an_hour_after_a_window_began_begins_another(
    second: float, lengths: list[int]
) -> None:
    assert lengths_of(moment(0), moment(second)) == lengths


def test_an_hour_is_two_windows_and_no_gap_ends_one_sooner() -> None:
    assert lengths_of(*meeting(60)) == [6, 6]
    assert lengths_of(moment(0), moment(1700)) == [2]


def test_a_window_is_counted_from_its_own_beginning_not_from_a_grid() -> None:
    assert lengths_of(*(moment(second) for second in (0, 2000, 3700, 3801))) == [2, 1, 1]


def test_a_scan_that_goes_on_past_the_end_of_a_window_is_not_cut() -> None:
    assert lengths_of(moment(0), moment(1790), moment(1800), moment(1810)) == [2]


@pytest.mark.parametrize(("gap", "count"), [(25.5, 1), (25.500001, 2)])
def test_sightings_that_follow_closely_are_one_scan(gap: float, count: int) -> None:
    assert len(scans_of(moment(0), moment(gap))) == count


def test_two_identifiers_of_one_key_in_one_scan_are_one_scan() -> None:
    assert scans_of(moment(0, 40), moment(2, 60, identifier=1)) == (scan(50, 120, minimum_db=40),)


@pytest.mark.parametrize(
    ("losses", "typical"),
    [((50,), 50), ((50, 51), 51), ((50, 50, 51), 50), ((50, 51, 51), 51), ((0, 147), 74)],
)
def test_the_typical_attenuation_is_the_mean_halves_up(
    losses: tuple[int, ...], typical: int
) -> None:
    (found,) = scans_of(*(moment(second, loss) for second, loss in enumerate(losses)))

    assert found == scan(typical, 120, minimum_db=min(losses))


@pytest.mark.parametrize(
    ("since", "counted"),
    [
        (0, 0), (29.9, 0), (30, 60), (89.9, 60), (90, 120), (211, 240), (240, 240), (269.9, 240),
        (270, 300), (300, 300), (301, 300), (86_400, 300),
    ],
)  # fmt: skip
def test_a_scan_counts_for_the_nearest_minute_since_the_one_before_five_at_most(
    since: float, counted: int
) -> None:
    (found,) = scans_of(replace(moment(0), since_scan=timedelta(seconds=since)))

    assert found.seconds_since_last_scan == counted


def test_a_scan_of_which_nobody_knows_the_one_before_counts_two_minutes() -> None:
    assert scans_of(moment(0))[0].seconds_since_last_scan == 120


def test_where_sightings_of_a_scan_disagree_the_longest_known_time_counts() -> None:
    known = [timedelta(minutes=4), None, timedelta(minutes=1)]
    heard = [replace(moment(second), since_scan=each) for second, each in enumerate(known)]

    assert scans_of(*heard)[0].seconds_since_last_scan == 240
    assert scans_of(*heard[::-1])[0].seconds_since_last_scan == 240


def test_a_window_is_as_sure_of_its_calibration_as_its_least_sure_sighting() -> None:
    sure = replace(moment(0), calibration_confidence=CalibrationConfidence.HIGH)
    less = replace(moment(300), calibration_confidence=CalibrationConfidence.MEDIUM)

    assert windows_of(sure)[0].calibration_confidence is CalibrationConfidence.HIGH
    assert windows_of(sure, less)[0].calibration_confidence is CalibrationConfidence.MEDIUM


@pytest.mark.parametrize("published", ReportType)
def test_keys_that_nobody_reported_make_no_windows(published: ReportType) -> None:
    found = find_windows([Met([moment(0)], report_type=published)], MAPPING)

    told = {
        ReportType.UNKNOWN: [ReportType.CONFIRMED_TEST],
        ReportType.RECURSIVE: [],
        ReportType.REVOKED: [],
    }
    assert [each.report_type for each in found] == told.get(published, [published])


@pytest.mark.parametrize(
    ("days", "infectiousness"), [(0, Infectiousness.HIGH), (None, Infectiousness.STANDARD)]
)
def test_a_window_is_as_infectious_as_the_keys_day(
    days: int | None, infectiousness: Infectiousness
) -> None:
    met = Met([moment(0)], days_since_onset_of_symptoms=days)

    assert find_windows([met], MAPPING)[0].infectiousness is infectiousness


def test_the_day_is_that_of_the_first_identifier() -> None:
    # Heard at noon by a clock that runs far behind; midnight comes after 72 intervals.
    last, first = ENIntervalNumber(NOON + 71), ENIntervalNumber(NOON + 72)

    (found,) = windows_of(replace(moment(0), interval=last), replace(moment(2), interval=first))
    (later,) = windows_of(replace(moment(0), interval=first))

    assert (found.day, later.day) == (date(2020, 6, 17), date(2020, 6, 18))


def test_windows_and_their_scans_stand_in_the_order_of_what_they_tell() -> None:
    coming = Met([moment(0, 60), moment(300, 50), moment(600, 40)])
    going = Met([moment(0, 40), moment(300, 50), moment(600, 60)])
    other = Met([moment(0, 30)], report_type=ReportType.SELF_REPORT)

    found = find_windows([other, coming, going], MAPPING)

    assert found == find_windows([going, coming, other], MAPPING)
    assert found[0] == found[1]
    assert [each.typical_attenuation_db for each in found[0].scan_instances] == [40, 50, 60]
    assert found[2].report_type is ReportType.SELF_REPORT


@pytest.mark.parametrize(
    ("typical", "minimum", "seconds"), [(50, 51, 60), (0, -1, 60), (50, 50, -1), (50, 50, 301)]
)
def test_a_scan_that_cannot_have_been_heard_is_refused(
    typical: int, minimum: int, seconds: int
) -> None:
    with pytest.raises(InvalidExposureWindowError):
        scan(typical, seconds, minimum_db=minimum)


@pytest.mark.parametrize("report_type", [ReportType(0), ReportType(4), ReportType(5)])
def test_a_window_of_a_key_that_makes_none_is_refused(report_type: ReportType) -> None:
    with pytest.raises(InvalidExposureWindowError, match=report_type.name):
        window(report_type=report_type)


def test_a_window_without_a_scan_is_refused() -> None:
    with pytest.raises(InvalidExposureWindowError, match="at least one"):
        replace(window(), day=DAY, scan_instances=())
