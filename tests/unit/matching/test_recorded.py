"""CSV text, as values; ``tests.unit.cli.test_match`` has what is wrong with each row."""

from datetime import UTC, date, datetime

import pytest

from immuni.crypto.preliminary import PreliminaryDiagnosisKey
from immuni.matching import MalformedTableError, read_preliminary_keys, read_sightings

RPI = "00112233445566778899aabbccddeeff"


def test_a_row_becomes_a_sighting() -> None:
    (found,) = read_sightings(f"aem,rssi,rpi,time\n01020304,-60,{RPI},2020-06-17T12:00:01+02:00\n")

    assert found.rpi.hex() == RPI
    assert found.aem == b"\x01\x02\x03\x04"
    assert found.rssi_dbm == -60
    assert found.seen_at == datetime(2020, 6, 17, 10, 0, 1, tzinfo=UTC)
    assert found.line == 2


@pytest.mark.parametrize("aem", ["", "01", "010203", "0102030405", "01020304" * 8, "0102030"])
def test_metadata_of_another_length_is_none_and_the_sighting_counts(aem: str) -> None:
    first, second = read_sightings(f"rpi,enin,aem\n{RPI},1,{aem}\n{RPI},2,01020304\n")

    assert first.aem is None
    assert second.aem is not None


def test_what_is_not_hexadecimal_is_no_metadata_of_another_length() -> None:
    with pytest.raises(MalformedTableError, match="line 2 of the sightings: aem"):
        read_sightings(f"rpi,enin,aem\n{RPI},1,0x010203\n")


def test_no_rows_are_no_sightings() -> None:
    assert read_sightings("rpi,time\n\n , \n") == []


def test_a_recorded_sighting_does_not_show_what_was_heard() -> None:
    shown = repr(read_sightings(f"rpi,enin,aem\n{'41' * 16},1,41414141\n"))

    assert "AAAA" not in shown
    assert "4141" not in shown


def test_time_begins_with_1970() -> None:
    (heard,) = read_sightings(f"rpi,enin\n{RPI},0\n")
    (key,) = read_preliminary_keys(f"day,key\n0,{RPI}\n")

    assert heard.seen_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert key.day_number == 0


@pytest.mark.parametrize("day", ["2020-04-13", "18365"])
def test_a_row_becomes_a_preliminary_key(day: str) -> None:
    (found,) = read_preliminary_keys(f"day,daily_tracing_key\n{day},{RPI}\n")

    assert isinstance(found, PreliminaryDiagnosisKey)
    assert found.daily_tracing_key.hex() == RPI
    assert found.day_number == (date(2020, 4, 13) - date(1970, 1, 1)).days


def test_the_error_of_a_table_names_the_line_and_never_the_cell() -> None:
    with pytest.raises(MalformedTableError) as refusal:
        read_preliminary_keys(f"day,key\n1,{RPI}{RPI}\n")

    assert "line 2" in str(refusal.value)
    assert RPI not in str(refusal.value)
