from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.backend.packed_keys import (
    PACKED_KEY_BYTES,
    PackedKeysError,
    pack_keys,
    stored_keys,
    teks_of,
    unpack_keys,
)
from immuni.keys import ENIntervalNumber, TemporaryExposureKey

teks = st.builds(
    TemporaryExposureKey,
    key_data=st.binary(min_size=16, max_size=16),
    rolling_start_number=st.integers(0, 2**31 - 1).map(ENIntervalNumber),
    rolling_period=st.integers(1, 144),
)


@given(st.lists(teks, max_size=30))
def test_what_was_packed_is_unpacked(keys: list[TemporaryExposureKey]) -> None:
    unpacked = teks_of(unpack_keys(pack_keys(stored_keys(keys))))

    assert sorted(unpacked, key=fields_of) == sorted(keys, key=fields_of)


@given(st.lists(teks, max_size=30), st.randoms())
def test_a_row_does_not_keep_the_order_of_the_keys(
    keys: list[TemporaryExposureKey], random: Random
) -> None:
    shuffled = list(keys)
    random.shuffle(shuffled)

    assert pack_keys(stored_keys(shuffled)) == pack_keys(stored_keys(keys))


def test_fourteen_keys_take_14_times_22_bytes() -> None:
    key = TemporaryExposureKey(bytes(16), ENIntervalNumber(2_700_000))

    assert PACKED_KEY_BYTES == 22
    assert len(pack_keys(stored_keys([key] * 14))) == 14 * 22


def test_half_a_key_is_refused() -> None:
    with pytest.raises(PackedKeysError, match="multiple of 22 bytes, got 21"):
        unpack_keys(bytes(21))


def fields_of(key: TemporaryExposureKey) -> tuple[bytes, int, int]:
    return key.key_data, key.rolling_start_number, key.rolling_period
