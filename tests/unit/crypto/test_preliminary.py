"""The generation of April 2020 goes on to be read as its specification's text says."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from immuni.crypto.preliminary import (
    DailyTracingKey,
    DayNumber,
    PreliminaryDiagnosisKey,
    TimeIntervalNumber,
    TracingKey,
    day_number_at,
    derive_daily_tracing_key,
    generate_rpi,
    generate_rpis,
    time_interval_number_at,
)
from immuni.keys import InvalidKeyError

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "crypto-v1.0.json").read_text(encoding="utf-8")
)
TRACING_KEY = TracingKey(bytes.fromhex(VECTORS["tracing_key"]))
DAILY_KEY = DailyTracingKey(bytes.fromhex(VECTORS["daily_tracing_key"]))


def test_the_daily_key_is_derived_from_key_and_day() -> None:
    assert derive_daily_tracing_key(TRACING_KEY, DayNumber(VECTORS["day_number"])) == DAILY_KEY


@pytest.mark.parametrize(("tin", "rpi"), VECTORS["rpi"].items())
def test_identifiers_are_made_from_daily_key_and_interval(tin: str, rpi: str) -> None:
    assert generate_rpi(DAILY_KEY, TimeIntervalNumber(int(tin))).hex() == rpi


def test_a_day_has_144_identifiers_that_all_differ() -> None:
    rpis = generate_rpis(DAILY_KEY)

    assert len(set(rpis)) == 144
    assert rpis[0].hex() == VECTORS["rpi"]["0"]
    assert rpis[143].hex() == VECTORS["rpi"]["143"]


def test_days_and_intervals_are_counted_in_utc() -> None:
    last_moment = datetime(2020, 4, 13, 23, 59, 59, tzinfo=UTC)

    assert day_number_at(last_moment) == 18365
    assert time_interval_number_at(last_moment) == 143
    assert time_interval_number_at(datetime(2020, 4, 14, tzinfo=UTC)) == 0


def test_keys_of_a_wrong_length_are_refused() -> None:
    with pytest.raises(InvalidKeyError, match="32 bytes, got 16"):
        derive_daily_tracing_key(TracingKey(bytes(16)), DayNumber(0))
    with pytest.raises(InvalidKeyError, match="16 bytes, got 32"):
        generate_rpi(DailyTracingKey(bytes(32)), TimeIntervalNumber(0))


@pytest.mark.parametrize("day", [-1, 2**32])
def test_a_day_number_fits_32_bits(day: int) -> None:
    with pytest.raises(ValueError, match="32 bits"):
        derive_daily_tracing_key(TRACING_KEY, DayNumber(day))


@pytest.mark.parametrize("tin", [-1, 144])
def test_an_interval_lies_within_its_day(tin: int) -> None:
    with pytest.raises(ValueError, match=r"0\.\.143"):
        generate_rpi(DAILY_KEY, TimeIntervalNumber(tin))


@pytest.mark.parametrize("length", [0, 15, 32])
def test_a_published_key_has_sixteen_bytes(length: int) -> None:
    with pytest.raises(InvalidKeyError, match=f"16 bytes, got {length}"):
        PreliminaryDiagnosisKey(DailyTracingKey(bytes(length)), DayNumber(0))
    with pytest.raises(InvalidKeyError, match=f"16 bytes, got {length}"):
        generate_rpis(DailyTracingKey(bytes(length)))


@pytest.mark.parametrize("day", [-1, 2**32 // 144, 2**32])
def test_the_day_of_a_published_key_has_intervals_of_32_bits(day: int) -> None:
    with pytest.raises(InvalidKeyError, match="32 bits"):
        PreliminaryDiagnosisKey(DAILY_KEY, DayNumber(day))


def test_the_last_day_of_32_bits_is_a_day() -> None:
    assert PreliminaryDiagnosisKey(DAILY_KEY, DayNumber(2**32 // 144 - 1)).day_number == 29826160


def test_a_published_key_does_not_show_itself() -> None:
    shown = repr(PreliminaryDiagnosisKey(DailyTracingKey(b"\x41" * 16), DayNumber(0)))

    assert "AAAA" not in shown
    assert "4141" not in shown
