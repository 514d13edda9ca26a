"""Whatever the native core leaves out when it matches, the readable reference does not miss."""

import random
from array import array
from collections.abc import Iterable
from typing import Final, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni._core import _native, reference
from tests.unit.core.calls import match_keys, matched_keys

DAY: Final = 144
START: Final = 18354 * DAY
TOLERANCE: Final = 12
MANY: Final = 400
"""More identifiers than the intervals of a day: none of them is decrypted."""


class Heard(NamedTuple):
    rpi: bytes
    interval: int


class Key(NamedTuple):
    tek: bytes
    start: int
    period: int

    def heard(self, made_for: int, late: int) -> Heard:
        rpi = reference.derive_rpis(reference.derive_rpik(self.tek), made_for, 1)
        return Heard(rpi, made_for + late)


seeds = st.integers(0, 2**32)


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - repeatable on purpose, guards nothing


def drawn_keys(draw: random.Random, starts: Iterable[int], period: int) -> list[Key]:
    return [Key(draw.randbytes(16), start, period) for start in starts]


def strangers(draw: random.Random, count: int, intervals: range) -> list[Heard]:
    return [Heard(draw.randbytes(16), draw.choice(intervals)) for _ in range(count)]


def acquaintances(draw: random.Random, keys: Iterable[Key], count: int) -> list[Heard]:
    """Return what was heard of each key: of some intervals beside its period too, some too late."""
    return [
        key.heard(
            draw.randrange(key.start - 3, key.start + key.period + 3),
            draw.randrange(-TOLERANCE - 2, TOLERANCE + 3),
        )
        for key in keys
        for _ in range(count)
    ]


def assert_both_find_the_same(keys: list[Key], heard: list[Heard], *, some: bool = True) -> None:
    arguments = (
        b"".join(key.tek for key in keys),
        array("I", [key.start for key in keys]),
        bytes(key.period for key in keys),
        b"".join(sighting.rpi for sighting in heard),
        array("I", [sighting.interval for sighting in heard]),
        TOLERANCE,
    )
    found = match_keys(_native, *arguments)
    assert found == match_keys(reference, *arguments)
    assert matched_keys(_native, *arguments) == sorted({key for key, _, _ in found})
    assert found or not some


@pytest.mark.parametrize("period", [1, 2, 10, 143, 144])
@pytest.mark.parametrize("noise", [0, MANY])
def test_nothing_is_missed_by_following_a_key_for_its_rolling_period_alone(
    period: int, noise: int
) -> None:
    draw = chance(period)
    keys = drawn_keys(draw, [START] * 3, period)
    heard = acquaintances(draw, keys, 30) + strangers(draw, noise, range(START, START + DAY))

    assert_both_find_the_same(keys, heard)


@given(
    seeds, st.lists(st.integers(-30, DAY + 30), min_size=1, max_size=6), st.sampled_from([0, MANY])
)
def test_nothing_is_missed_by_leaving_out_intervals_near_which_nothing_was_heard(
    seed: int, occasions: list[int], noise: int
) -> None:
    draw = chance(seed)
    keys = drawn_keys(draw, [START], DAY)
    heard = [
        keys[0].heard(START + occasion + late, -late)
        for occasion in occasions
        for late in (-13, -12, 0, 12, 13)
    ]
    for occasion in occasions:
        at = START + occasion
        heard += strangers(draw, noise // len(occasions), range(at, at + 1))

    assert_both_find_the_same(keys, heard, some=False)


@pytest.mark.parametrize("noise", [*range(0, 150, 10), 126, 127, 128, 129, 143, 144, 145])
def test_nothing_is_missed_by_decrypting_few_identifiers_instead(noise: int) -> None:
    draw = chance(noise)
    keys = [key for period in (20, 144) for key in drawn_keys(draw, [START] * 2, period)]
    heard = acquaintances(draw, keys, 5) * 2 + strangers(draw, noise, range(START, START + DAY))
    draw.shuffle(heard)

    assert_both_find_the_same(keys, heard)


@given(seeds, st.lists(st.integers(0, 2 * DAY), min_size=1, max_size=4), st.sampled_from([0, MANY]))
def test_nothing_is_missed_by_comparing_a_key_with_what_was_heard_on_its_days(
    seed: int, starts: list[int], noise: int
) -> None:
    draw = chance(seed)
    keys = drawn_keys(draw, (START + start for start in starts), DAY)
    heard = acquaintances(draw, keys, 20) + strangers(draw, noise, range(START, START + 3 * DAY))
    draw.shuffle(heard)

    assert_both_find_the_same(keys, heard)


def test_nothing_is_missed_by_taking_keys_in_another_order() -> None:
    draw = chance(1)
    starts = [START + DAY * draw.randrange(3) + draw.randrange(3) for _ in range(66_000)]
    keys = drawn_keys(draw, starts, 1)
    known = [draw.choice(keys) for _ in range(50)] + [keys[0], keys[32_999], keys[33_000], keys[-1]]
    heard = [key.heard(key.start, draw.randrange(-14, 15)) for key in known]
    heard += strangers(draw, MANY, range(START, START + 3 * DAY))

    assert_both_find_the_same(keys, heard)


def test_nothing_is_missed_where_identifiers_resemble_each_other() -> None:
    draw = chance(2)
    keys = drawn_keys(draw, [START] * 2, DAY)
    heard = acquaintances(draw, keys, 10)
    # Somebody who hears an identifier can broadcast others that begin or end as it does.
    heard += [Heard(rpi[:8] + draw.randbytes(8), at) for rpi, at in heard for _ in range(40)]
    heard += [Heard(draw.randbytes(8) + rpi[8:], at) for rpi, at in heard[:20] for _ in range(40)]

    assert_both_find_the_same(keys, heard)
