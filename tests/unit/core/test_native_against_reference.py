"""The native core and its readable reference agree on whatever they are given."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from hypothesis import given
from hypothesis import strategies as st

from immuni._core import _native, reference
from tests.unit.core.calls import match_keys, match_preliminary_keys, matched_keys

MAX = 2**32 - 1
DAY = 144

blocks = st.binary(min_size=16, max_size=16)
any_bytes = st.one_of(blocks, st.binary(max_size=40))
uint32s = st.integers(0, MAX) | st.integers(MAX - DAY, MAX) | st.integers(0, DAY)
days = st.integers(0, 2) | st.just(18365) | st.just(MAX // DAY - 1)
any_numbers = st.one_of(st.integers(0, MAX), st.integers(-1, DAY + 1), st.integers(MAX, MAX + 2))
starts = st.one_of(st.integers(0, 20), st.just(2642976), st.integers(MAX - DAY - 20, MAX - DAY))


@dataclass(frozen=True, slots=True)
class Batch:
    """The arguments of one `match_keys` call."""

    key_data: bytes
    rolling_starts: list[int]
    rolling_periods: bytes
    rpis: bytes
    intervals: list[int]
    tolerance: int

    def matched_by(self, match: Callable[..., object], core: ModuleType) -> object:
        return outcome(
            match,
            core,
            self.key_data,
            array("I", self.rolling_starts),
            self.rolling_periods,
            self.rpis,
            array("I", self.intervals),
            self.tolerance,
        )


@dataclass(frozen=True, slots=True)
class PreliminaryBatch:
    """The arguments of one `match_preliminary_keys` call."""

    key_data: bytes
    day_numbers: list[int]
    rpis: bytes
    intervals: list[int]
    tolerance: int

    def matched_by(self, match: Callable[..., object], core: ModuleType) -> object:
        days, intervals = array("I", self.day_numbers), array("I", self.intervals)
        return outcome(match, core, self.key_data, days, self.rpis, intervals, self.tolerance)


def outcome(function: Callable[..., object], *arguments: object) -> object:
    """Return what `function` returned, or the kind of error that it raised."""
    try:
        return function(*arguments)
    except ValueError:
        return ValueError


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Draw keys, and sightings that come from them: some too early, too late or out of period."""
    keys = draw(st.lists(st.tuples(blocks, starts, st.integers(1, DAY)), min_size=1, max_size=4))
    tolerance = draw(st.integers(0, 15))
    heard: list[tuple[bytes, int]] = []
    for _ in range(draw(st.integers(0, 12))):
        tek, start, period = draw(st.sampled_from(keys))
        made_for = within_32_bits(start + draw(st.integers(-2, period + 2)))
        heard_at = within_32_bits(made_for + draw(st.integers(-tolerance - 2, tolerance + 2)))
        rpi = reference.derive_rpis(reference.derive_rpik(tek), made_for, 1)
        heard += [(rpi, heard_at)] * draw(st.integers(1, 3))
    heard += draw(st.lists(st.tuples(blocks, st.integers(0, MAX)), max_size=3))
    heard = draw(st.permutations(heard))
    return Batch(
        key_data=b"".join(tek for tek, _, _ in keys),
        rolling_starts=[start for _, start, _ in keys],
        rolling_periods=bytes(period for _, _, period in keys),
        rpis=b"".join(rpi for rpi, _ in heard),
        intervals=[at for _, at in heard],
        tolerance=tolerance,
    )


@st.composite
def preliminary_batches(draw: st.DrawFn) -> PreliminaryBatch:
    """Draw preliminary keys, and sightings that come from them or nearly so."""
    keys = draw(st.lists(st.tuples(blocks, days), min_size=1, max_size=3))
    tolerance = draw(st.integers(0, 15))
    heard: list[tuple[bytes, int]] = []
    for _ in range(draw(st.integers(0, 8))):
        key, day = draw(st.sampled_from(keys))
        tin = draw(st.integers(0, DAY - 1))
        heard_at = DAY * day + tin + draw(st.integers(-tolerance - 2, tolerance + 2))
        rpi = reference.derive_preliminary_rpis(key, tin, 1)
        heard += [(rpi, within_32_bits(heard_at))] * draw(st.integers(1, 3))
    return PreliminaryBatch(
        key_data=b"".join(key for key, _ in keys),
        day_numbers=[day for _, day in keys],
        rpis=b"".join(rpi for rpi, _ in heard),
        intervals=[at for _, at in heard],
        tolerance=tolerance,
    )


def within_32_bits(interval: int) -> int:
    return min(max(interval, 0), MAX)


@given(any_bytes)
def test_derived_keys_agree(tek: bytes) -> None:
    assert outcome(_native.derive_rpik, tek) == outcome(reference.derive_rpik, tek)
    assert outcome(_native.derive_aemk, tek) == outcome(reference.derive_aemk, tek)


@given(any_bytes, any_numbers, any_numbers)
def test_derived_identifiers_agree(rpik: bytes, first: int, count: int) -> None:
    arguments = (rpik, first, count)

    assert outcome(_native.derive_rpis, *arguments) == outcome(reference.derive_rpis, *arguments)


@given(blocks, starts, st.integers(0, DAY))
def test_identifiers_within_the_limits_are_derived_by_both(
    rpik: bytes, first: int, count: int
) -> None:
    native = _native.derive_rpis(rpik, first, count)

    assert native == reference.derive_rpis(rpik, first, count)
    assert len(native) == 16 * count


@given(any_bytes, any_bytes, st.one_of(st.binary(min_size=4, max_size=4), any_bytes))
def test_encrypted_metadata_agrees(aemk: bytes, rpi: bytes, metadata: bytes) -> None:
    native = outcome(_native.encrypt_metadata, aemk, rpi, metadata)

    assert native == outcome(reference.encrypt_metadata, aemk, rpi, metadata)


@given(any_bytes, any_bytes)
def test_foreign_identifiers_show_nothing_to_either(rpik: bytes, rpi: bytes) -> None:
    assert outcome(_native.decrypt_rpi, rpik, rpi) == outcome(reference.decrypt_rpi, rpik, rpi)


@given(blocks, st.integers(0, MAX))
def test_own_identifiers_show_their_interval_to_both(rpik: bytes, interval: int) -> None:
    rpi = reference.derive_rpis(rpik, interval, 1)

    assert _native.decrypt_rpi(rpik, rpi) == reference.decrypt_rpi(rpik, rpi) == interval


@given(blocks, st.integers(0, MAX), st.integers(0, 127))
def test_an_identifier_with_one_bit_flipped_shows_nothing(
    rpik: bytes, interval: int, bit: int
) -> None:
    rpi = bytearray(reference.derive_rpis(rpik, interval, 1))
    rpi[bit // 8] ^= 1 << bit % 8

    assert _native.decrypt_rpi(rpik, bytes(rpi)) is None


@given(batches())
def test_matches_agree(batch: Batch) -> None:
    native = batch.matched_by(match_keys, _native)

    assert native == batch.matched_by(match_keys, reference)
    assert isinstance(native, list)


@given(batches())
def test_the_keys_that_match_agree(batch: Batch) -> None:
    native = batch.matched_by(matched_keys, _native)

    assert native == batch.matched_by(matched_keys, reference)
    assert isinstance(native, list)


@given(preliminary_batches())
def test_matches_of_preliminary_keys_agree(batch: PreliminaryBatch) -> None:
    native = batch.matched_by(match_preliminary_keys, _native)

    assert native == batch.matched_by(match_preliminary_keys, reference)
    assert isinstance(native, list)


@given(any_bytes, any_numbers, any_numbers)
def test_preliminary_identifiers_agree(key: bytes, first: int, count: int) -> None:
    native = outcome(_native.derive_preliminary_rpis, key, first, count)

    assert native == outcome(reference.derive_preliminary_rpis, key, first, count)


@given(
    st.builds(
        Batch,
        key_data=st.one_of(any_bytes, st.binary(min_size=32, max_size=32)),
        rolling_starts=st.lists(uint32s, max_size=3),
        rolling_periods=st.binary(max_size=3),
        rpis=any_bytes,
        intervals=st.lists(uint32s, max_size=3),
        tolerance=any_numbers,
    )
)
def test_hostile_batches_are_refused_by_both_or_neither(batch: Batch) -> None:
    assert batch.matched_by(match_keys, _native) == batch.matched_by(match_keys, reference)
    assert batch.matched_by(matched_keys, _native) == batch.matched_by(matched_keys, reference)


@given(
    st.builds(
        PreliminaryBatch,
        key_data=any_bytes,
        day_numbers=st.lists(uint32s, max_size=2),
        rpis=any_bytes,
        intervals=st.lists(uint32s, max_size=2),
        tolerance=any_numbers,
    )
)
def test_hostile_preliminary_batches_are_refused_by_both_or_neither(
    batch: PreliminaryBatch,
) -> None:
    native = batch.matched_by(match_preliminary_keys, _native)

    assert native == batch.matched_by(match_preliminary_keys, reference)


@given(batches(), st.sampled_from([bytes, bytearray]))
def test_bytes_of_any_kind_are_taken(batch: Batch, kind: type[bytes] | type[bytearray]) -> None:
    rpis, starts = kind(batch.rpis), array("I", batch.rolling_starts)
    periods, intervals = kind(batch.rolling_periods), array("I", batch.intervals)

    found = match_keys(
        _native, kind(batch.key_data), starts, periods, rpis, intervals, batch.tolerance
    )

    assert found == batch.matched_by(match_keys, reference)
