"""TEKs as ingestion stores and publishing reads them: one packed row per upload."""

import struct
from collections.abc import Iterable
from typing import Final

from immuni.errors import ImmuniError
from immuni.keys import ENIntervalNumber, TemporaryExposureKey

_KEY: Final = struct.Struct(">16sIH")
PACKED_KEY_BYTES: Final = _KEY.size


class PackedKeysError(ImmuniError, ValueError):
    """A stored row is not a sequence of packed keys; nothing of it was read."""


def pack_keys(teks: Iterable[TemporaryExposureKey]) -> bytes:
    """Put keys one after the other, in order of their bytes.

    Layout:
        22 bytes each, big-endian: ``0..15`` key data, ``16..19`` rolling_start_number,
        ``20..21`` rolling_period.

    Privacy:
        Sorted, so that a row does not keep the order in which the phone listed its keys.
    """
    return b"".join(
        sorted(
            _KEY.pack(tek.key_data, tek.rolling_start_number, tek.rolling_period) for tek in teks
        )
    )


def unpack_keys(packed: bytes) -> list[TemporaryExposureKey]:
    """Read what `pack_keys` wrote.

    Raises:
        PackedKeysError: The length is no multiple of 22 bytes.
        InvalidKeyError: A key breaks a limit of the protocol.
    """
    if len(packed) % PACKED_KEY_BYTES:
        raise PackedKeysError(
            f"packed keys have a multiple of {PACKED_KEY_BYTES} bytes, got {len(packed)}"
        )
    return [
        TemporaryExposureKey(key_data, ENIntervalNumber(start), period)
        for key_data, start, period in _KEY.iter_unpack(packed)
    ]
