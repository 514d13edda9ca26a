"""The core's functions in readable Python: the oracle against which the native ones are tested.

Arguments, results and errors are those of the native module. Nothing here is fast.

Source:
    Exposure Notification Cryptography Specification v1.2 (April 2020).
"""

import struct
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_BLOCK_LENGTH: Final = 16
_METADATA_LENGTH: Final = 4
_MAX_ROLLING_PERIOD: Final = 144
_MAX_UINT32: Final = 2**32 - 1
_PADDED_DATA: Final = struct.Struct("<6s6xI")


def derive_rpik(tek: bytes) -> bytes:
    """Derive the Rolling Proximity Identifier Key of `tek`.

    Raises:
        ValueError: `tek` is not 16 bytes long.

    Source:
        Cryptography Specification v1.2, "Rolling Proximity Identifier Key".
    """
    return _derive(tek, b"EN-RPIK")


def derive_aemk(tek: bytes) -> bytes:
    """Derive the Associated Encrypted Metadata Key of `tek`.

    Raises:
        ValueError: `tek` is not 16 bytes long.

    Source:
        Cryptography Specification v1.2, "Associated Encrypted Metadata Key".
    """
    return _derive(tek, b"EN-AEMK")


def derive_rpis(rpik: bytes, first_interval: int, count: int) -> bytes:
    """Return the identifiers of `count` intervals from `first_interval` on, packed.

    Args:
        rpik: 16 bytes.
        first_interval: The first ENIN, 32 bits unsigned.
        count: 0..144; no key generates more.

    Returns:
        ``16 * count`` bytes.

    Raises:
        ValueError: A length is wrong, `count` too large, or the last interval exceeds 32 bits.

    Layout:
        PaddedData, one AES block, little-endian: 0..5 b"EN-RPI", 6..11 zero, 12..15 interval.

    Source:
        Cryptography Specification v1.2, "Rolling Proximity Identifier".
    """
    _check_length("an RPIK", rpik, _BLOCK_LENGTH)
    _check_uint32(first_interval)
    _check_uint32(count)
    if count > _MAX_ROLLING_PERIOD:
        raise ValueError(f"a key generates at most {_MAX_ROLLING_PERIOD} identifiers, not {count}")
    if first_interval + count - 1 > _MAX_UINT32:
        raise ValueError("the last interval does not fit 32 bits")
    intervals = range(first_interval, first_interval + count)
    return _aes(rpik, b"".join(_PADDED_DATA.pack(b"EN-RPI", interval) for interval in intervals))


def encrypt_metadata(aemk: bytes, rpi: bytes, metadata: bytes) -> bytes:
    """Encrypt or decrypt metadata: AES-CTR with the RPI as counter is its own inverse.

    Returns:
        4 bytes.

    Raises:
        ValueError: `aemk` or `rpi` is not 16 bytes long, or `metadata` not 4.

    Source:
        Cryptography Specification v1.2, "Associated Encrypted Metadata".
    """
    _check_length("an AEMK", aemk, _BLOCK_LENGTH)
    _check_length("an RPI", rpi, _BLOCK_LENGTH)
    _check_length("metadata", metadata, _METADATA_LENGTH)
    return bytes(a ^ b for a, b in zip(metadata, _aes(aemk, rpi)[:_METADATA_LENGTH], strict=True))


def decrypt_rpi(rpik: bytes, rpi: bytes) -> int | None:
    """Return the interval hidden in `rpi`, or None when `rpik` did not make it.

    Raises:
        ValueError: An argument is not 16 bytes long.

    Source:
        Cryptography Specification v1.2, "Rolling Proximity Identifier".
    """
    _check_length("an RPIK", rpik, _BLOCK_LENGTH)
    _check_length("an RPI", rpi, _BLOCK_LENGTH)
    decryptor = Cipher(algorithms.AES128(rpik), modes.ECB()).decryptor()  # noqa: S305 - one block
    padded = decryptor.update(rpi) + decryptor.finalize()
    (interval,) = struct.unpack_from("<I", padded, 12)
    return interval if padded == _PADDED_DATA.pack(b"EN-RPI", interval) else None


def match_keys(
    key_data: bytes,
    rolling_starts: Sequence[int],
    rolling_periods: Sequence[int],
    rpis: bytes,
    intervals: Sequence[int],
    tolerance: int,
) -> list[tuple[int, int, int]]:
    """Find the sightings of the keys' identifiers.

    A sighting matches a key when its RPI is the key's for interval i of the key's own rolling
    period and it was heard no more than `tolerance` intervals before or after i.

    Args:
        key_data: The keys, 16 bytes each.
        rolling_starts: First ENIN of each key.
        rolling_periods: Number of intervals of each key, 1..144.
        rpis: The RPI of each sighting, 16 bytes each; they may repeat.
        intervals: The ENIN during which each sighting was heard.
        tolerance: In intervals.

    Returns:
        (index of the key, index of the sighting, interval of the RPI), in ascending order.

    Raises:
        ValueError: The lengths disagree or a number is out of its range.
    """
    keys = _unpack("key_data", key_data, "keys", len(rolling_starts))
    if len(rolling_periods) != len(keys):
        raise ValueError(
            f"rolling_periods must have one entry for each of {len(keys)} keys,"
            f" got {len(rolling_periods)}"
        )
    heard = _unpack("rpis", rpis, "sightings", len(intervals))
    _check_uint32(tolerance)
    for interval in intervals:
        _check_uint32(interval)
    sightings_of: defaultdict[bytes, list[int]] = defaultdict(list)
    for sighting, rpi in enumerate(heard):
        sightings_of[rpi].append(sighting)

    matches = [
        (key, sighting, interval)
        for key, validity in enumerate(map(_validity, rolling_starts, rolling_periods))
        for interval, rpi in zip(validity, _rpis_during(keys[key], validity), strict=True)
        for sighting in sightings_of.get(rpi, ())
        if abs(intervals[sighting] - interval) <= tolerance
    ]
    return sorted(matches)


def _derive(tek: bytes, info: bytes) -> bytes:
    _check_length("a TEK", tek, _BLOCK_LENGTH)
    return HKDF(algorithm=SHA256(), length=_BLOCK_LENGTH, salt=None, info=info).derive(tek)


def _aes(key: bytes, blocks: bytes) -> bytes:
    # Every block differs and is encrypted once: ECB is what the specification asks for.
    encryptor = Cipher(algorithms.AES128(key), modes.ECB()).encryptor()  # noqa: S305
    return encryptor.update(blocks) + encryptor.finalize()


def _validity(rolling_start: int, rolling_period: int) -> range:
    _check_uint32(rolling_start)
    if not 1 <= rolling_period <= _MAX_ROLLING_PERIOD:
        raise ValueError(f"rolling_period must be in 1..144, got {rolling_period}")
    if rolling_start + rolling_period > _MAX_UINT32:
        raise ValueError("the end of a rolling period does not fit 32 bits")
    return range(rolling_start, rolling_start + rolling_period)


def _rpis_during(tek: bytes, validity: range) -> list[bytes]:
    return _blocks(derive_rpis(derive_rpik(tek), validity.start, len(validity)))


def _unpack(name: str, packed: bytes, owners: str, count: int) -> list[bytes]:
    if len(packed) != _BLOCK_LENGTH * count:
        raise ValueError(
            f"{name} must have {_BLOCK_LENGTH} bytes for each of {count} {owners},"
            f" got {len(packed)} bytes"
        )
    return _blocks(packed)


def _blocks(packed: bytes) -> list[bytes]:
    return [packed[at : at + _BLOCK_LENGTH] for at in range(0, len(packed), _BLOCK_LENGTH)]


def _check_length(name: str, value: bytes, length: int) -> None:
    if len(value) != length:
        raise ValueError(f"{name} has {length} bytes, got {len(value)}")


def _check_uint32(number: int) -> None:
    if not 0 <= number <= _MAX_UINT32:
        raise ValueError("a number must fit 32 bits unsigned")
