"""The four bytes that travel encrypted beside each identifier."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from immuni.errors import ImmuniError

DEFAULT_METADATA_VERSION: Final = 0x40
"""Major version 1, minor version 0: what this project broadcasts."""

_METADATA: Final = struct.Struct("<Bb2x")
_SUPPORTED_MAJOR: Final = 1


class InvalidMetadataError(ImmuniError, ValueError):
    """Bytes or values are no Bluetooth metadata of a version we can read; nothing was made."""


class CalibrationConfidence(IntEnum):
    """How well the sender knows its own transmit power."""

    LOWEST = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class BluetoothMetadata:
    """What a phone tells about its own radio.

    Attributes:
        version: The version byte, whose major version is 1.
        tx_power_dbm: Transmit power, -128..127 dBm. Whether it is plausible, matching decides.

    Layout:
        ``0`` version: bits 7:6 major, 5:4 minor, 3:2 calibration confidence where minor >= 1,
        1:0 reserved; ``1`` transmit power, int8; ``2..3`` reserved, zero.

    Source:
        Bluetooth Specification v1.2, "Advertising Payload", Associated Encrypted Metadata.
    """

    version: int = DEFAULT_METADATA_VERSION
    tx_power_dbm: int

    def __post_init__(self) -> None:
        """Check the limits of the protocol."""
        if not 0 <= self.version <= 0xFF:
            raise InvalidMetadataError(f"version must fit one byte, got {self.version}")
        if self.major != _SUPPORTED_MAJOR:
            raise InvalidMetadataError(
                f"metadata of major version {_SUPPORTED_MAJOR} expected, got {self.major}"
            )
        if not -128 <= self.tx_power_dbm <= 127:
            raise InvalidMetadataError(
                f"tx_power_dbm must be in -128..127, got {self.tx_power_dbm}"
            )

    @property
    def major(self) -> int:
        """The major version: another one would mean another layout."""
        return self.version >> 6

    @property
    def minor(self) -> int:
        """The minor version, 0..3, all of which can be read."""
        return self.version >> 4 & 0b11

    @property
    def calibration_confidence(self) -> CalibrationConfidence | None:
        """The sender's confidence in its transmit power; None where minor version 0 has none."""
        if self.minor == 0:
            return None
        return CalibrationConfidence(self.version >> 2 & 0b11)

    def encode(self) -> bytes:
        """Return the four bytes, not yet encrypted, with their reserved bytes zero."""
        return _METADATA.pack(self.version, self.tx_power_dbm)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read four decrypted bytes, whatever their reserved bits hold.

        Raises:
            InvalidMetadataError: `data` is not 4 bytes long or its major version is not 1.
        """
        if len(data) != _METADATA.size:
            raise InvalidMetadataError(f"metadata has {_METADATA.size} bytes, got {len(data)}")
        version, tx_power_dbm = _METADATA.unpack(data)
        return cls(version=version, tx_power_dbm=tx_power_dbm)
