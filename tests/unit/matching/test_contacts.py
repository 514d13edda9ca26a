"""From keys and sightings to samples of each key."""

from dataclasses import fields
from datetime import timedelta

from immuni.crypto import CalibrationConfidence
from immuni.keys import ENIntervalNumber, ReportType, start_of
from immuni.matching import AttenuationSample, MatchedKey, match
from tests.unit.matching.contacts import NOON, a_key, heard

LATER = ENIntervalNumber(NOON + 1)
MINUTE = timedelta(minutes=1)
NOTHING = timedelta()
MINOR_1_HIGH = 0b01_01_11_00


def sample(
    interval: ENIntervalNumber, attenuation_db: int, rssi_dbm: int, *, after: timedelta = NOTHING
) -> AttenuationSample:
    """Return what is known of one sighting of a phone that tells no more than it must."""
    return AttenuationSample(
        start_of(interval) + after,
        attenuation_db,
        rssi_dbm,
        interval,
        CalibrationConfidence.LOWEST,
        since_scan=None,
    )


def test_samples_are_grouped_by_key_and_sorted_by_time() -> None:
    sightings = [
        heard(a_key(2), rssi_dbm=-70),
        heard(a_key(1), LATER, rssi_dbm=-50),
        heard(a_key(1), after=MINUTE, rssi_dbm=-60),
    ]

    first, second = match([a_key(1), a_key(2)], sightings)

    assert first.samples == (sample(NOON, 50, -60, after=MINUTE), sample(LATER, 40, -50))
    assert second.samples == (sample(NOON, 60, -70),)


def test_a_sample_tells_the_senders_confidence_and_the_time_since_the_scan_before() -> None:
    scan = timedelta(minutes=4)

    (found,) = match([a_key()], [heard(a_key(), version=MINOR_1_HIGH, since_scan=scan)])

    assert found.samples[0].calibration_confidence is CalibrationConfidence.HIGH
    assert found.samples[0].since_scan == scan


def test_a_matched_key_carries_what_scoring_needs() -> None:
    (found,) = match([a_key(7), a_key(1)], [heard(a_key())])

    assert found.key_index == 1
    assert found.report_type is ReportType.CONFIRMED_TEST
    assert found.transmission_risk_level == 4
    assert found.days_since_onset_of_symptoms == 1


def test_a_sighting_with_implausible_metadata_is_dropped() -> None:
    sightings = [heard(a_key(), tx_power_dbm=100), heard(a_key(), after=MINUTE)]

    (found,) = match([a_key()], sightings)

    assert [sample.at for sample in found.samples] == [start_of(NOON) + MINUTE]


def test_a_key_without_a_usable_sighting_is_not_told_of() -> None:
    assert match([a_key()], [heard(a_key(), usable=False)]) == []
    assert match([a_key()], []) == []


def test_nothing_that_is_returned_can_hold_a_key_or_an_identifier() -> None:
    kinds = [field.type for shape in (MatchedKey, AttenuationSample) for field in fields(shape)]

    assert not {bytes, object} & set(kinds)
