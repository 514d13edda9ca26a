"""What a phone keeps of each advertisement that it heard."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from immuni.crypto import AEM, RPI
from immuni.errors import ImmuniError

RPI_LENGTH: Final = 16
AEM_LENGTH: Final = 4
RSSI_RANGE_DBM: Final = range(-127, 127)
"""What a receiver reports: -127..126 dBm; 127 would mean that it does not know."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class InvalidSightingError(ImmuniError, ValueError):
    """A sighting breaks a limit of the protocol; none was made."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One identifier, heard once.

    Attributes:
        rpi: 16 bytes.
        aem: 4 bytes. None where something of another length was heard: such a sighting is kept,
            but cannot be scored.
        rssi_dbm: Received signal strength, -127..126.
        seen_at: When it was heard, aware.
        since_scan: Time from the scan before to the one that heard it; None where unknown.

    Privacy:
        Says that somebody was near at that time. It never leaves the phone.
    """

    rpi: RPI = field(repr=False)
    aem: AEM | None = field(repr=False)
    rssi_dbm: int
    seen_at: datetime
    since_scan: timedelta | None = None

    def __post_init__(self) -> None:
        """Check the limits of the protocol."""
        if len(self.rpi) != RPI_LENGTH:
            raise InvalidSightingError(f"an RPI has {RPI_LENGTH} bytes, got {len(self.rpi)}")
        if self.aem is not None and len(self.aem) != AEM_LENGTH:
            raise InvalidSightingError(f"an AEM has {AEM_LENGTH} bytes, got {len(self.aem)}")
        if self.rssi_dbm not in RSSI_RANGE_DBM:
            raise InvalidSightingError(f"rssi_dbm must be in -127..126, got {self.rssi_dbm}")
        if self.seen_at.utcoffset() is None or self.seen_at < _EPOCH:
            raise InvalidSightingError("seen_at must be aware and not before 1970")
        if self.since_scan is not None and self.since_scan < timedelta():
            raise InvalidSightingError("since_scan must not be negative")


def usable_aem(heard: bytes) -> AEM | None:
    """Return what was heard beside an identifier, None where it has not the length of an AEM.

    Source:
        Bluetooth Specification v1.2, "Associated Encrypted Metadata".
    """
    return AEM(heard) if len(heard) == AEM_LENGTH else None
