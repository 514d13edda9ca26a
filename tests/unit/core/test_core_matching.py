"""What both implementations of matching promise, case by case."""

from array import array
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Final

import pytest

from immuni._core import _native, reference
from tests.unit.core.calls import (
    FoundMatch,
    match_keys,
    match_preliminary_keys,
    matched_keys,
    rows,
)

TEK: Final = bytes.fromhex("75c734c6dd1a782de7a965da5eb93125")
OTHER_TEK: Final = bytes(range(16))
NOISE: Final = bytes(16)
START: Final = 2642976
TOLERANCE: Final = 12
MAX_INTERVAL: Final = 2**32 - 1
ONE_START: Final = array("I", [START])
DAY: Final = bytes([144])

pytestmark = pytest.mark.parametrize("core", [_native, reference], ids=["native", "reference"])


def rpi_of(tek: bytes, interval: int) -> bytes:
    return reference.derive_rpis(reference.derive_rpik(tek), interval, 1)


def matched(
    core: ModuleType,
    heard: Sequence[tuple[bytes, int]],
    *,
    teks: Sequence[bytes] = (TEK,),
    start: int = START,
    period: int = 144,
) -> list[FoundMatch]:
    return match_keys(
        core,
        b"".join(teks),
        array("I", [start]) * len(teks),
        bytes([period]) * len(teks),
        b"".join(rpi for rpi, _ in heard),
        array("I", [interval for _, interval in heard]),
        TOLERANCE,
    )


def test_a_sighting_matches_up_to_the_tolerance_on_both_sides(core: ModuleType) -> None:
    made_for = START + 50
    rpi = rpi_of(TEK, made_for)
    heard = [(rpi, made_for + late) for late in (-13, -12, 0, 12, 13)]

    assert matched(core, heard) == [(0, 1, made_for), (0, 2, made_for), (0, 3, made_for)]


def test_every_sighting_of_a_repeated_identifier_is_reported(core: ModuleType) -> None:
    rpi = rpi_of(TEK, START)
    heard = [(rpi, START), (NOISE, START), (rpi, START), (rpi, START + 1)]

    assert matched(core, heard) == [(0, 0, START), (0, 2, START), (0, 3, START)]


def test_a_key_matches_within_its_own_rolling_period_only(core: ModuleType) -> None:
    heard = [(rpi_of(TEK, START + step), START + step) for step in (-1, 0, 9, 10)]

    assert matched(core, heard, period=10) == [(0, 1, START), (0, 2, START + 9)]


def test_matches_come_in_the_order_of_keys_then_sightings(core: ModuleType) -> None:
    heard = [
        (rpi_of(TEK, START + 2), START + 2),
        (rpi_of(OTHER_TEK, START), START),
        (rpi_of(TEK, START), START),
    ]

    found = matched(core, heard, teks=(OTHER_TEK, TEK))

    assert found == [(0, 1, START), (1, 0, START + 2), (1, 2, START)]


def test_a_key_given_twice_matches_twice(core: ModuleType) -> None:
    heard = [(rpi_of(TEK, START), START)]

    assert matched(core, heard, teks=(TEK, TEK)) == [(0, 0, START), (1, 0, START)]


def test_each_key_that_matches_is_told_once(core: ModuleType) -> None:
    rpi = rpi_of(TEK, START)
    teks, intervals = OTHER_TEK + TEK + TEK, array("I", [START, START, START + 13])

    found = matched_keys(core, teks, ONE_START * 3, DAY * 3, rpi * 3, intervals, TOLERANCE)
    late = matched_keys(
        core, teks, ONE_START * 3, DAY * 3, rpi * 3, array("I", [START + 13] * 3), TOLERANCE
    )

    assert found == [1, 2]
    assert late == []


def test_intervals_at_either_end_of_32_bits_do_not_wrap(core: ModuleType) -> None:
    last = MAX_INTERVAL - 1
    heard = [(rpi_of(TEK, last), MAX_INTERVAL), (rpi_of(TEK, last), 0)]

    assert matched(core, heard, start=last, period=1) == [(0, 0, last)]
    assert matched(core, [(rpi_of(TEK, 0), 0)], start=0, period=1) == [(0, 0, 0)]


def test_a_tolerance_of_32_bits_does_not_wrap(core: ModuleType) -> None:
    rpis = rpi_of(TEK, START) * 2

    found = match_keys(
        core, TEK, ONE_START, b"\x01", rpis, array("I", [0, MAX_INTERVAL]), MAX_INTERVAL
    )

    assert found == [(0, 0, START), (0, 1, START)]


def test_nothing_matches_nothing(core: ModuleType) -> None:
    assert match_keys(core, b"", array("I"), b"", b"", array("I"), TOLERANCE) == []
    assert matched(core, []) == []
    assert matched(core, [(rpi_of(TEK, START), START)], teks=()) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((TEK[:15], ONE_START, DAY, NOISE, ONE_START, 12), "16 bytes for each of 1 keys, got 15"),
        ((TEK, ONE_START * 2, DAY * 2, NOISE, ONE_START, 12), "for each of 2 keys, got 16"),
        ((TEK, ONE_START, DAY * 2, NOISE, ONE_START, 12), "rolling_periods must have one entry"),
        ((TEK, ONE_START, DAY, NOISE * 2, ONE_START, 12), "for each of 1 sightings, got 32"),
        ((TEK, ONE_START, DAY, NOISE[1:], ONE_START, 12), "for each of 1 sightings, got 15"),
        ((TEK, ONE_START, b"\x00", NOISE, ONE_START, 12), r"1\.\.144, got 0"),
        ((TEK, ONE_START, b"\x91", NOISE, ONE_START, 12), r"1\.\.144, got 145"),
        (
            (TEK, array("I", [MAX_INTERVAL]), b"\x01", NOISE, ONE_START, 12),
            "end of a rolling period",
        ),
        ((TEK, ONE_START, DAY, NOISE, ONE_START, -1), "32 bits"),
        ((TEK, ONE_START, DAY, NOISE, ONE_START, 2**32), "32 bits"),
    ],
)
def test_a_batch_that_cannot_be_right_is_refused_with_its_reason(
    core: ModuleType, arguments: tuple[Any, ...], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        match_keys(core, *arguments)


def matched_by_day(
    core: ModuleType, heard: Sequence[tuple[bytes, int]], *days: int
) -> list[FoundMatch]:
    return match_preliminary_keys(
        core,
        TEK * len(days),
        array("I", days),
        b"".join(rpi for rpi, _ in heard),
        array("I", [interval for _, interval in heard]),
        TOLERANCE,
    )


def test_a_preliminary_key_matches_on_its_own_day_up_to_the_tolerance(core: ModuleType) -> None:
    day, last = START // 144, START + 143
    rpi = reference.derive_preliminary_rpis(TEK, 143, 1)
    heard = [(rpi, last + late) for late in (-13, -12, 12, 13)]

    assert matched_by_day(core, heard, day) == [(0, 1, last), (0, 2, last)]
    assert matched_by_day(core, heard, day + 1, day - 1) == []
    assert matched_by_day(core, heard) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((TEK[:15], array("I", [1]), NOISE, ONE_START, 12), "16 bytes for each of 1 keys"),
        ((TEK, array("I", [1, 2]), NOISE, ONE_START, 12), "for each of 2 keys"),
        ((TEK, array("I", [MAX_INTERVAL // 144]), NOISE, ONE_START, 12), "end of a rolling period"),
        ((TEK, array("I", [MAX_INTERVAL]), NOISE, ONE_START, 12), "32 bits"),
        ((TEK, array("I", [1]), NOISE, array("I"), 12), "for each of 0 sightings"),
        ((TEK, array("I", [1]), NOISE, ONE_START, -1), "32 bits"),
    ],
)
def test_a_preliminary_batch_that_cannot_be_right_is_refused(
    core: ModuleType, arguments: tuple[Any, ...], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        match_preliminary_keys(core, *arguments)


@pytest.mark.parametrize(("first", "count"), [(0, 145), (144, 1), (143, 2), (2**32 - 1, 1)])
def test_a_preliminary_day_has_144_identifiers(core: ModuleType, first: int, count: int) -> None:
    assert len(core.derive_preliminary_rpis(TEK, 0, 144)) == 16 * 144
    with pytest.raises(ValueError, match=r"0\.\.143"):
        core.derive_preliminary_rpis(TEK, first, count)


def test_a_wrong_length_is_told_with_the_right_one(core: ModuleType) -> None:
    with pytest.raises(ValueError, match="a TEK has 16 bytes, got 15"):
        core.derive_rpik(TEK[:15])
    with pytest.raises(ValueError, match="an RPI has 16 bytes, got 0"):
        core.decrypt_rpi(TEK, b"")
    with pytest.raises(ValueError, match="metadata has 4 bytes, got 5"):
        core.encrypt_metadata(TEK, NOISE, bytes(5))


@pytest.mark.parametrize(
    ("first", "count", "complaint"),
    [
        (0, 145, "at most 144"),
        (0, MAX_INTERVAL, "at most 144"),
        (MAX_INTERVAL, 2, "does not fit 32 bits"),
        (-1, 1, "32 bits"),
        (0, 2**64, "32 bits"),
    ],
)
def test_no_identifiers_exist_beyond_a_day_or_32_bits(
    core: ModuleType, first: int, count: int, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        core.derive_rpis(TEK, first, count)


def test_a_refusal_never_shows_key_material(core: ModuleType) -> None:
    with pytest.raises(ValueError, match="a TEK") as refusal:
        core.derive_rpik(TEK + TEK)

    assert TEK.hex() not in str(refusal.value)
    assert repr(TEK) not in str(refusal.value)


def matched_at_once(core: ModuleType, *, threads: int) -> list[FoundMatch]:
    index = core.Index(rpi_of(TEK, START), ONE_START, TOLERANCE)
    return rows(*index.match_keys(TEK, ONE_START, DAY, threads))


def test_however_many_threads_share_the_work_the_same_is_found(core: ModuleType) -> None:
    assert matched_at_once(core, threads=1) == [(0, 0, START)]
    assert matched_at_once(core, threads=2**32 - 1) == [(0, 0, START)]
    for threads in (0, -1, 2**32):
        with pytest.raises(ValueError, match=r"at least 1|32 bits"):
            matched_at_once(core, threads=threads)


def test_an_index_grows(core: ModuleType) -> None:
    index = core.Index(b"", array("I"), TOLERANCE)
    index.append(NOISE + rpi_of(TEK, START), array("I", [START, START]))
    index.append(rpi_of(TEK, START), array("I", [START + 1]))

    with pytest.raises(ValueError, match="16 bytes for each of 2 sightings"):
        index.append(NOISE, ONE_START * 2)
    found = rows(*index.match_keys(TEK, ONE_START, DAY))

    assert len(index) == 3
    assert found == [(0, 1, START), (0, 2, START)]
    assert index.matched_keys(TEK, ONE_START, DAY) == array("Q", [0]).tobytes()


def test_an_index_forgets_what_was_heard_before_an_interval(core: ModuleType) -> None:
    rpi = rpi_of(TEK, START)
    index = core.Index(rpi * 3, array("I", [START - 1, START, START + 1]), TOLERANCE)

    index.forget_before(START)
    index.append(rpi, array("I", [START - 2]))
    found = rows(*index.match_keys(TEK, ONE_START, DAY))
    with pytest.raises(ValueError, match="32 bits"):
        index.forget_before(2**32)

    assert found == [(0, 1, START), (0, 2, START), (0, 3, START)]
    assert len(index) == 3


def test_whoever_waits_is_told_when_all_is_done_and_may_refuse(core: ModuleType) -> None:
    index = core.Index(rpi_of(TEK, START), ONE_START, TOLERANCE)
    told: list[int] = []

    def refuse(_: int) -> None:
        raise InterruptedError

    index.match_keys(TEK, ONE_START, DAY, progress=told.append)
    with pytest.raises(InterruptedError):
        index.matched_keys(TEK, ONE_START, DAY, progress=refuse)
    with pytest.raises(InterruptedError):
        index.match_preliminary_keys(TEK, array("I", [START // 144]), progress=refuse)

    assert told == [1]
