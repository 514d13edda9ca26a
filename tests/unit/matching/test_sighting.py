"""What a sighting may hold."""

from datetime import UTC, datetime, timedelta

import pytest

from immuni.crypto import AEM, RPI
from immuni.matching import InvalidSightingError, Sighting, usable_aem
from tests.unit.matching.contacts import MIDNIGHT

MARK = b"\xde\xad\xbe\xef"


@pytest.mark.parametrize("rssi_dbm", [-127, 126])
def test_the_limits_of_received_strength_are_inclusive(rssi_dbm: int) -> None:
    assert Sighting(RPI(bytes(16)), AEM(bytes(4)), rssi_dbm, MIDNIGHT).rssi_dbm == rssi_dbm


@pytest.mark.parametrize("rssi_dbm", [-128, 127])
def test_a_strength_that_no_receiver_reports_is_refused(rssi_dbm: int) -> None:
    with pytest.raises(InvalidSightingError, match=f"got {rssi_dbm}"):
        Sighting(RPI(bytes(16)), AEM(bytes(4)), rssi_dbm, MIDNIGHT)


@pytest.mark.parametrize("length", [0, 15, 17])
def test_an_identifier_has_sixteen_bytes(length: int) -> None:
    with pytest.raises(InvalidSightingError, match=f"got {length}"):
        Sighting(RPI(bytes(length)), AEM(bytes(4)), -60, MIDNIGHT)


@pytest.mark.parametrize("length", [0, 3, 5, 27])
def test_metadata_has_four_bytes_or_is_unusable(length: int) -> None:
    with pytest.raises(InvalidSightingError, match=f"got {length}"):
        Sighting(RPI(bytes(16)), AEM(bytes(length)), -60, MIDNIGHT)
    assert usable_aem(bytes(length)) is None


def test_metadata_of_the_right_length_is_usable() -> None:
    assert usable_aem(MARK) == MARK


def test_the_time_since_the_scan_before_is_not_negative() -> None:
    with pytest.raises(InvalidSightingError, match="since_scan"):
        Sighting(RPI(bytes(16)), None, -60, MIDNIGHT, timedelta(microseconds=-1))


@pytest.mark.parametrize(
    "seen_at", [MIDNIGHT.replace(tzinfo=None), datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)]
)
def test_the_time_is_aware_and_not_before_the_first_interval(seen_at: datetime) -> None:
    with pytest.raises(InvalidSightingError):
        Sighting(RPI(bytes(16)), AEM(bytes(4)), -60, seen_at)


def test_the_first_second_of_1970_is_a_time() -> None:
    first = datetime(1970, 1, 1, tzinfo=UTC)

    assert Sighting(RPI(bytes(16)), None, -60, first).seen_at == first


def test_a_sighting_does_not_show_what_was_heard() -> None:
    shown = repr(Sighting(RPI(MARK * 4), AEM(MARK), -60, MIDNIGHT))

    assert "xde" not in shown
    assert "dead" not in shown
