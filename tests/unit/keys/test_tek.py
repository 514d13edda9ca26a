"""A key that exists is valid, covers its rolling period and does not show its secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.entropy import SeededEntropy, SystemEntropy
from immuni.errors import ImmuniError
from immuni.keys import (
    KEY_LENGTH,
    MAX_INTERVAL,
    DiagnosisKey,
    ENIntervalNumber,
    InvalidKeyError,
    TemporaryExposureKey,
    generate_tek,
)

SECRET = bytes.fromhex("75c734c6dd1a782de7a965da5eb93125")
START = ENIntervalNumber(2642976)

teks = st.builds(
    TemporaryExposureKey,
    st.binary(min_size=KEY_LENGTH, max_size=KEY_LENGTH),
    st.integers(1, MAX_INTERVAL - 144).map(ENIntervalNumber),
    st.integers(1, 144),
)


@given(teks)
def test_a_key_covers_exactly_its_rolling_period(tek: TemporaryExposureKey) -> None:
    first, last = tek.rolling_start_number, tek.rolling_start_number + tek.rolling_period - 1

    assert tek.covers(first)
    assert tek.covers(ENIntervalNumber(last))
    assert not tek.covers(ENIntervalNumber(first - 1))
    assert not tek.covers(ENIntervalNumber(last + 1))


@given(teks)
def test_a_key_ends_where_it_no_longer_covers(tek: TemporaryExposureKey) -> None:
    assert not tek.covers(tek.rolling_end_number)
    assert tek.covers(ENIntervalNumber(tek.rolling_end_number - 1))


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_a_key_has_sixteen_bytes(length: int) -> None:
    with pytest.raises(InvalidKeyError, match=f"16 bytes, got {length}"):
        TemporaryExposureKey(bytes(length), START)


@pytest.mark.parametrize("period", [-1, 0, 145, 2**32])
def test_a_rolling_period_is_one_interval_to_a_day(period: int) -> None:
    with pytest.raises(InvalidKeyError, match=r"1\.\.144"):
        TemporaryExposureKey(SECRET, START, period)


@pytest.mark.parametrize("start", [-1, MAX_INTERVAL - 143, MAX_INTERVAL, 2**32])
def test_a_rolling_period_fits_32_bits_to_its_end(start: int) -> None:
    with pytest.raises(InvalidKeyError, match="32 bits"):
        TemporaryExposureKey(SECRET, ENIntervalNumber(start))


def test_the_last_possible_rolling_period_is_accepted() -> None:
    tek = TemporaryExposureKey(SECRET, ENIntervalNumber(MAX_INTERVAL - 144))

    assert tek.rolling_end_number == MAX_INTERVAL


@pytest.mark.parametrize("level", [-1, 9])
def test_a_transmission_risk_level_is_in_0_to_8(level: int) -> None:
    with pytest.raises(InvalidKeyError, match=r"0\.\.8"):
        DiagnosisKey(TemporaryExposureKey(SECRET, START), transmission_risk_level=level)


@pytest.mark.parametrize("days", [-(2**31) - 1, 2**31, 2**63])
def test_days_since_onset_fit_the_32_bits_of_their_field(days: int) -> None:
    with pytest.raises(InvalidKeyError, match="32 bits"):
        DiagnosisKey(TemporaryExposureKey(SECRET, START), days_since_onset_of_symptoms=days)


def test_a_broken_key_can_be_caught_as_ours_and_as_a_value_error() -> None:
    assert issubclass(InvalidKeyError, ImmuniError)
    assert issubclass(InvalidKeyError, ValueError)


def test_no_repr_shows_key_material() -> None:
    tek = TemporaryExposureKey(SECRET, START)

    for text in (repr(tek), str(tek), repr(DiagnosisKey(tek))):
        assert SECRET.hex() not in text
        assert repr(SECRET) not in text
        assert "key_data" not in text


@given(st.integers(0, 20_000_000).map(ENIntervalNumber))
def test_a_generated_key_is_valid_for_the_whole_day_around_its_interval(
    interval: ENIntervalNumber,
) -> None:
    tek = generate_tek(interval, SeededEntropy(1))

    assert tek.covers(interval)
    assert tek.rolling_start_number % 144 == 0
    assert tek.rolling_period == 144


def test_generated_keys_are_not_chained_and_differ() -> None:
    keys = {generate_tek(START, SystemEntropy()).key_data for _ in range(100)}

    assert len(keys) == 100
