from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from immuni.ble import is_non_resolvable, next_rotation, random_address
from immuni.entropy import SeededEntropy

NOON = datetime(2020, 6, 1, 12, tzinfo=UTC)
MIDNIGHT = NOON + timedelta(hours=12)
seeds = st.integers(min_value=0)


class Scripted(SeededEntropy):
    """An entropy whose tokens are chosen by the test."""

    def __init__(self, *tokens: bytes) -> None:
        super().__init__(0)
        self._tokens = iter(tokens)

    def token(self, length: int) -> bytes:
        token = next(self._tokens)
        assert len(token) == length
        return token


@given(seeds)
def test_a_change_comes_after_more_than_ten_and_less_than_twenty_minutes(seed: int) -> None:
    change = next_rotation(NOON, tek_ends_at=MIDNIGHT, entropy=SeededEntropy(seed))

    assert timedelta(minutes=10) < change - NOON < timedelta(minutes=20)


def test_changes_are_spread_over_the_whole_span() -> None:
    entropy = SeededEntropy(1)
    waits = [next_rotation(NOON, tek_ends_at=MIDNIGHT, entropy=entropy) - NOON for _ in range(1000)]

    assert min(waits) < timedelta(minutes=10, seconds=10)
    assert max(waits) > timedelta(minutes=19, seconds=45)
    assert len(set(waits)) > 990


@given(seeds, st.timedeltas(min_value=timedelta(0), max_value=timedelta(minutes=10)))
def test_the_rollover_of_the_key_is_a_change(seed: int, left: timedelta) -> None:
    change = next_rotation(NOON, tek_ends_at=NOON + left, entropy=SeededEntropy(seed))

    assert change == NOON + left


@given(seeds)
def test_addresses_are_random_and_non_resolvable(seed: int) -> None:
    address = random_address(SeededEntropy(seed))

    assert len(address) == 6
    assert address[5] >> 6 == 0
    assert is_non_resolvable(address)


def test_an_address_is_never_all_zeros_or_all_ones() -> None:
    good = bytes.fromhex("0102030405c6")
    entropy = Scripted(bytes(6), b"\xff" * 6, b"\x00" * 5 + b"\xc0", good)

    assert random_address(entropy) == bytes.fromhex("010203040506")


def test_other_kinds_of_address_are_told_apart() -> None:
    assert not is_non_resolvable(bytes.fromhex("010203040546"))  # resolvable
    assert not is_non_resolvable(bytes.fromhex("0102030405c6"))  # static
    assert not is_non_resolvable(bytes(6))
    assert not is_non_resolvable(b"\xff" * 5 + b"\x3f")
    assert not is_non_resolvable(b"\x01\x02\x03")
