from dataclasses import replace
from datetime import timedelta

from immuni.framework.key_life import current_key, keys_to_hand_out, may_begin_key
from immuni.framework.store.own_keys import OwnKey
from immuni.keys import ENIntervalNumber, TemporaryExposureKey, first_interval_of
from tests.unit.framework.phones import NOON

TODAY = first_interval_of(NOON.date())
YESTERDAY = first_interval_of(NOON.date() - timedelta(days=1))


def later(interval: ENIntervalNumber, by: int) -> ENIntervalNumber:
    return ENIntervalNumber(interval + by)


def own_key(
    number: int, start: ENIntervalNumber, *, period: int = 144, released: bool = False
) -> OwnKey:
    return OwnKey(number, TemporaryExposureKey(bytes([number] * 16), start, period), released)


def test_the_key_of_the_day_is_broadcast() -> None:
    keys = [own_key(1, YESTERDAY), own_key(2, TODAY)]

    assert current_key(keys, TODAY) == keys[1]
    assert current_key(keys, later(TODAY, 143)) == keys[1]
    assert current_key(keys, later(TODAY, -1)) == keys[0]
    assert current_key(keys, later(TODAY, 144)) is None


def test_a_released_key_is_never_broadcast_not_even_when_the_clock_goes_back() -> None:
    keys = [own_key(1, TODAY, period=73, released=True)]

    assert current_key(keys, later(TODAY, 10)) is None


def test_a_key_whose_identifier_of_a_time_was_broadcast_is_not_taken_for_that_time_again() -> None:
    used = replace(own_key(1, TODAY), unused_from=later(TODAY, 11))

    assert current_key([used, own_key(2, TODAY)], later(TODAY, 10)) == own_key(2, TODAY)
    assert current_key([used], later(TODAY, 10)) is None
    assert current_key([used, own_key(2, TODAY)], later(TODAY, 11)) == used


def test_a_key_that_is_handed_out_during_its_day_ends_with_the_present_interval() -> None:
    (handed_out,) = keys_to_hand_out([own_key(1, TODAY)], later(TODAY, 72))

    assert handed_out.released
    assert handed_out.tek.rolling_period == 73
    assert handed_out.tek.covers(later(TODAY, 72))
    assert not handed_out.tek.covers(later(TODAY, 73))


def test_keys_of_the_past_are_handed_out_whole() -> None:
    (handed_out,) = keys_to_hand_out([own_key(1, YESTERDAY)], TODAY)

    assert handed_out.tek == own_key(1, YESTERDAY).tek
    assert handed_out.released


def test_a_key_that_was_cut_once_is_not_cut_again() -> None:
    keys = [own_key(1, TODAY, period=10, released=True), own_key(2, TODAY)]

    first, second = keys_to_hand_out(keys, later(TODAY, 72))

    assert first.tek.rolling_period == 10
    assert second.tek.rolling_period == 73


def test_the_third_key_of_a_day_is_held_back_until_the_day_is_over() -> None:
    keys = [
        own_key(1, TODAY, period=10, released=True),
        own_key(2, TODAY, period=20, released=True),
        own_key(3, TODAY),
    ]

    during = keys_to_hand_out(keys, later(TODAY, 72))
    after = keys_to_hand_out(keys, later(TODAY, 144))

    assert [key.id for key in during] == [1, 2]
    assert [key.id for key in after] == [1, 2, 3]
    assert not may_begin_key(keys, later(TODAY, 72))
    assert may_begin_key(keys, later(TODAY, 144))


def test_a_key_whose_day_has_not_come_is_not_handed_out() -> None:
    assert keys_to_hand_out([own_key(1, TODAY)], later(TODAY, -1)) == []
