"""The core's functions in readable Python: the oracle against which the native ones are tested.

Arguments, results and errors are those of the native module. Nothing here is fast.

Source:
    Exposure Notification Cryptography Specification v1.2 (April 2020), and the preliminary Contact
    Tracing Cryptography Specification of the same month.
"""

import hmac
import struct
from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Octets: TypeAlias = bytes | bytearray
Progress: TypeAlias = Callable[[int], object]
Found: TypeAlias = tuple[bytes, bytes, bytes]

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


def derive_preliminary_rpis(daily_tracing_key: bytes, first: int, count: int) -> bytes:
    """Return the identifiers of `count` intervals of a preliminary key's day, packed.

    Args:
        daily_tracing_key: 16 bytes.
        first: The first interval within the day, 0..143.
        count: As many as are left of the day, at most.

    Returns:
        ``16 * count`` bytes.

    Raises:
        ValueError: The key is not 16 bytes long, or an interval lies beyond the day.

    Source:
        Preliminary specification, "Rolling Proximity Identifier".
    """
    _check_length("a Daily Tracing Key", daily_tracing_key, _BLOCK_LENGTH)
    _check_uint32(first)
    _check_uint32(count)
    if first + count > _MAX_ROLLING_PERIOD:
        raise ValueError("a day has the time intervals 0..143")
    digests = (
        hmac.digest(daily_tracing_key, b"CT-RPI" + bytes([interval]), "sha256")
        for interval in range(first, first + count)
    )
    return b"".join(digest[:_BLOCK_LENGTH] for digest in digests)


class Index:
    """Sightings, among which the identifiers of keys are looked for.

    A sighting matches a key when its RPI is the key's for interval i of the key's own rolling
    period and it was heard no more than `tolerance` intervals before or after i.

    Args:
        rpis: The RPI of each sighting, 16 bytes each; they may repeat.
        intervals: The ENIN during which each sighting was heard, 32 bits unsigned.
        tolerance: In intervals.

    Raises:
        ValueError: The lengths disagree or a number is out of its range.
    """

    def __init__(self, rpis: Octets, intervals: "array[int]", tolerance: int) -> None:
        _check_uint32(tolerance)
        self._tolerance = tolerance
        self._heard: dict[int, tuple[bytes, int]] = {}
        self._next = 0
        self.append(rpis, intervals)

    def append(self, rpis: Octets, intervals: "array[int]") -> None:
        """Add further sightings, whose places follow those that are there.

        Raises:
            ValueError: The lengths disagree; nothing was added.
        """
        heard = _unpack("rpis", rpis, "sightings", len(intervals))
        self._heard |= enumerate(zip(heard, intervals, strict=True), start=self._next)
        self._next += len(heard)

    def forget_before(self, interval: int) -> None:
        """Forget the sightings of before `interval`; the places of the others stay theirs.

        Raises:
            ValueError: The number is out of its range.
        """
        _check_uint32(interval)
        self._heard = {
            place: (rpi, heard) for place, (rpi, heard) in self._heard.items() if heard >= interval
        }

    def __len__(self) -> int:
        return len(self._heard)

    def match_keys(
        self,
        key_data: Octets,
        rolling_starts: "array[int]",
        rolling_periods: Octets,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> Found:
        """Find the sightings of the keys' identifiers.

        Args:
            key_data: The keys, 16 bytes each.
            rolling_starts: First ENIN of each key, 32 bits unsigned.
            rolling_periods: Number of intervals of each key, 1..144, one byte each.
            threads: How many share the work; here it makes no difference.
            progress: Called with the number of keys that are done.

        Returns:
            Three columns: index of the key, index of the sighting (64 bits each), interval of the
            RPI (32 bits), in ascending order.

        Raises:
            ValueError: The lengths disagree or a number is out of its range.
        """
        keys = _keys(key_data, rolling_starts, rolling_periods)
        return _columns(self._matches(keys, _rpis_during, threads, progress))

    def matched_keys(
        self,
        key_data: Octets,
        rolling_starts: "array[int]",
        rolling_periods: Octets,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> bytes:
        """Find the keys of which `match_keys` would find a sighting.

        Args:
            key_data: As for `match_keys`.
            rolling_starts: As for `match_keys`.
            rolling_periods: As for `match_keys`.
            threads: As for `match_keys`.
            progress: As for `match_keys`.

        Returns:
            The index of each, 64 bits, in ascending order.

        Raises:
            ValueError: The lengths disagree or a number is out of its range.
        """
        keys = _keys(key_data, rolling_starts, rolling_periods)
        found = self._matches(keys, _rpis_during, threads, progress)
        return array("Q", sorted({key for key, _, _ in found})).tobytes()

    def match_preliminary_keys(
        self,
        key_data: Octets,
        day_numbers: "array[int]",
        threads: int = 1,
        progress: Progress | None = None,
    ) -> Found:
        """Find the sightings of the identifiers of keys of the preliminary generation.

        Args:
            key_data: The Daily Tracing Keys, 16 bytes each.
            day_numbers: The day of each, since the Unix epoch, 32 bits unsigned.
            threads: As for `match_keys`.
            progress: As for `match_keys`.

        Returns:
            Columns as of `match_keys`.

        Raises:
            ValueError: The lengths disagree or a day ends beyond 32 bits.
        """
        keys = _unpack("key_data", key_data, "keys", len(day_numbers))
        days = [_validity(day * _MAX_ROLLING_PERIOD, _MAX_ROLLING_PERIOD) for day in day_numbers]
        valid_keys = [*zip(keys, days, strict=True)]
        return _columns(self._matches(valid_keys, _rpis_of_day, threads, progress))

    def _matches(
        self,
        keys: Sequence[tuple[bytes, range]],
        rpis_during: Callable[[bytes, range], list[bytes]],
        threads: int,
        progress: Progress | None,
    ) -> list[tuple[int, int, int]]:
        _check_uint32(threads)
        if threads < 1:
            raise ValueError("threads must be at least 1")
        sightings_of: defaultdict[bytes, list[int]] = defaultdict(list)
        for sighting, (rpi, _) in self._heard.items():
            sightings_of[rpi].append(sighting)

        matches = [
            (place, sighting, interval)
            for place, (key, validity) in enumerate(keys)
            for interval, rpi in zip(validity, rpis_during(key, validity), strict=True)
            for sighting in sightings_of.get(rpi, ())
            if abs(self._heard[sighting][1] - interval) <= self._tolerance
        ]
        if progress and keys:
            progress(len(keys))
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


def _rpis_of_day(daily_tracing_key: bytes, validity: range) -> list[bytes]:
    return _blocks(derive_preliminary_rpis(daily_tracing_key, 0, len(validity)))


def _keys(
    key_data: Octets, rolling_starts: "array[int]", rolling_periods: Octets
) -> list[tuple[bytes, range]]:
    keys = _unpack("key_data", key_data, "keys", len(rolling_starts))
    if len(rolling_periods) != len(keys):
        raise ValueError(
            f"rolling_periods must have one entry for each of {len(keys)} keys,"
            f" got {len(rolling_periods)}"
        )
    return [*zip(keys, map(_validity, rolling_starts, rolling_periods), strict=True)]


def _columns(matches: Sequence[tuple[int, int, int]]) -> Found:
    keys = array("Q", [key for key, _, _ in matches])
    sightings = array("Q", [sighting for _, sighting, _ in matches])
    intervals = array("I", [interval for _, _, interval in matches])
    return keys.tobytes(), sightings.tobytes(), intervals.tobytes()


def _unpack(name: str, packed: Octets, owners: str, count: int) -> list[bytes]:
    if len(packed) != _BLOCK_LENGTH * count:
        raise ValueError(
            f"{name} must have {_BLOCK_LENGTH} bytes for each of {count} {owners},"
            f" got {len(packed)} bytes"
        )
    return _blocks(bytes(packed))


def _blocks(packed: bytes) -> list[bytes]:
    return [packed[at : at + _BLOCK_LENGTH] for at in range(0, len(packed), _BLOCK_LENGTH)]


def _check_length(name: str, value: bytes, length: int) -> None:
    if len(value) != length:
        raise ValueError(f"{name} has {length} bytes, got {len(value)}")


def _check_uint32(number: int) -> None:
    if not 0 <= number <= _MAX_UINT32:
        raise ValueError("a number must fit 32 bits unsigned")
