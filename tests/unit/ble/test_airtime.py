from datetime import timedelta

import pytest

from immuni.ble import on_air_time, pdu_time


@pytest.mark.parametrize(("data_length", "microseconds"), [(31, 376), (28, 352), (0, 128)])
def test_a_pdu_takes_a_microsecond_a_bit(data_length: int, microseconds: int) -> None:
    assert pdu_time(data_length) == timedelta(microseconds=microseconds)


def test_a_phone_that_broadcasts_all_the_time_is_on_air_for_sixteen_seconds_an_hour() -> None:
    # An event every 255 ms in the mean, on three channels.
    expected = 3600 / 0.255 * 3 * 376e-6

    assert on_air_time(timedelta(hours=1)).total_seconds() == pytest.approx(expected, rel=1e-6)
    assert 15 < expected < 17


def test_silence_takes_no_time() -> None:
    assert on_air_time(timedelta(0)) == timedelta(0)
