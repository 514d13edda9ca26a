"""The generation of April 2020 goes on to be read as its specification's text says."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from immuni.crypto.preliminary import (
    DailyTracingKey,
    DayNumber,
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
