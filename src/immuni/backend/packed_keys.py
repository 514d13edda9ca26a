"""TEKs as ingestion stores and publishing reads them: one packed row per upload."""

import struct
from collections.abc import Iterable, Iterator
from typing import Final, Protocol, TypeAlias

from immuni.errors import ImmuniError
from immuni.keys import ENIntervalNumber, TemporaryExposureKey

_KEY: Final = struct.Struct(">16sIH")
PACKED_KEY_BYTES: Final = _KEY.size


class KeyParts(Protocol):
    """What a row keeps of a key, be it a TEK or as it came in an upload."""

    @property
    def key_data(self) -> bytes:
        """The key's 16 bytes."""
        ...

    @property
    def rolling_start_number(self) -> int:
        """First interval in which it is valid."""
        ...

    @property
    def rolling_period(self) -> int:
        """Number of intervals for which it is valid."""
        ...


StoredKey: TypeAlias = tuple[bytes, int, int]
"""Key data, rolling_start_number, rolling_period: as plain as it gets, because one night of a
country may have millions of them."""


class PackedKeysError(ImmuniError, ValueError):
    """A stored row is not a sequence of packed keys; nothing of it was read."""


def stored_keys(teks: Iterable[KeyParts]) -> Iterator[StoredKey]:
    """Return keys as a row has them."""
    return ((tek.key_data, tek.rolling_start_number, tek.rolling_period) for tek in teks)


def teks_of(keys: Iterable[StoredKey]) -> list[TemporaryExposureKey]:
    """Return keys as values that keep the limits of the protocol.

    Raises:
        InvalidKeyError: A key breaks one.
    """
    return [
        TemporaryExposureKey(key_data, ENIntervalNumber(start), period)
        for key_data, start, period in keys
    ]


def pack_keys(keys: Iterable[StoredKey]) -> bytes:
    """Put keys one after the other, in order of their bytes.

    Layout:
        22 bytes each, big-endian: ``0..15`` key data, ``16..19`` rolling_start_number,
        ``20..21`` rolling_period.

    Privacy:
        Sorted, so that a row does not keep the order in which the phone listed its keys.
    """
    return b"".join(sorted(_KEY.pack(*key) for key in keys))


def unpack_keys(packed: bytes) -> Iterator[StoredKey]:
    """Read what `pack_keys` wrote.

    Raises:
        PackedKeysError: The length is no multiple of 22 bytes.
    """
    if len(packed) % PACKED_KEY_BYTES:
        raise PackedKeysError(
            f"packed keys have a multiple of {PACKED_KEY_BYTES} bytes, got {len(packed)}"
        )
    return _KEY.iter_unpack(packed)
