"""Many sightings in little memory."""

from array import array
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from immuni.crypto import AEM, RPI
from immuni.keys import INTERVAL_SECONDS, Columns
from immuni.matching.sighting import (
    AEM_LENGTH,
    RPI_LENGTH,
    RSSI_RANGE_DBM,
    InvalidSightingError,
    Sighting,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_INTERVAL_MICROSECONDS: Final = INTERVAL_SECONDS * 1_000_000
_UNUSABLE: Final = bytes(AEM_LENGTH)
_END_OF_TIME_US: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
UNKNOWN_SCAN: Final = -1
"""Stands in a column for an unknown time since the scan before."""


class PackedSightings(Columns[Sighting]):
    """A sequence of sightings, kept in columns and built one by one when asked for.

    Attributes:
        rpis: 16 bytes each.
        aems: 4 bytes each; zeros where there is none.
        has_aem: One byte each: 1 where the AEM can be used.
        rssis_dbm: Signed bytes.
        seen_at_us: Microseconds since 1970, 64 bits signed.
        since_scan_us: Microseconds from the scan before, or `UNKNOWN_SCAN`; 64 bits signed.

    Complexity:
        38 bytes a sighting, where a list of values takes some 400. Access by index takes constant
        time.

    Privacy:
        The representation shows how many sightings there are, never an identifier.
    """

    __slots__ = ("aems", "has_aem", "rpis", "rssis_dbm", "seen_at_us", "since_scan_us")

    def __init__(self, sightings: Iterable[Sighting] = ()) -> None:
        """Take over `sightings`, in their order."""
        self.rpis = bytearray()
        self.aems = bytearray()
        self.has_aem = bytearray()
        self.rssis_dbm = array("b")
        self.seen_at_us = array("q")
        self.since_scan_us = array("q")
        for sighting in sightings:
            self._append(sighting)

    @classmethod
    def from_columns(
        cls,
        *,
        rpis: bytearray,
        aems: bytearray,
        has_aem: bytearray,
        rssis_dbm: "array[int]",
        seen_at_us: "array[int]",
        since_scan_us: "array[int]",
    ) -> Self:
        """Take over columns as they are.

        Raises:
            InvalidSightingError: They are not of one length, or a number breaks a limit.
        """
        packed = cls()
        packed.rpis, packed.aems, packed.has_aem = rpis, aems, has_aem
        packed.rssis_dbm = rssis_dbm
        packed.seen_at_us, packed.since_scan_us = seen_at_us, since_scan_us
        count = len(seen_at_us)
        lengths = {len(has_aem), len(rssis_dbm), len(since_scan_us)}
        if lengths != {count} or len(rpis) != RPI_LENGTH * count or len(aems) != AEM_LENGTH * count:
            raise InvalidSightingError("the columns of sightings are not of one length")
        packed._check_numbers()
        return packed

    @property
    def intervals(self) -> "array[int]":
        """The interval in which each was heard, 32 bits unsigned."""
        return intervals_of(self.seen_at_us)

    def __len__(self) -> int:
        return len(self.seen_at_us)

    def seen_at(self, place: int) -> datetime:
        """Return when the sighting at `place` was heard."""
        return _EPOCH + self.seen_at_us[place] * _MICROSECOND

    def _check_numbers(self) -> None:
        """Hold whole columns against the limits that single sightings check one by one."""
        if not all(rssi_dbm in RSSI_RANGE_DBM for rssi_dbm in _span(self.rssis_dbm)):
            raise InvalidSightingError("every rssi_dbm must be in -127..126")
        if not all(0 <= moment < _END_OF_TIME_US for moment in _span(self.seen_at_us)):
            raise InvalidSightingError("every seen_at must lie between the years 1970 and 9999")
        if not all(since >= UNKNOWN_SCAN for since in _span(self.since_scan_us)):
            raise InvalidSightingError("no since_scan may be negative")

    def _append(self, sighting: Sighting) -> None:
        since = sighting.since_scan
        self.rpis += sighting.rpi
        self.aems += _UNUSABLE if sighting.aem is None else sighting.aem
        self.has_aem.append(sighting.aem is not None)
        self.rssis_dbm.append(sighting.rssi_dbm)
        self.seen_at_us.append(microseconds_of(sighting.seen_at))
        self.since_scan_us.append(UNKNOWN_SCAN if since is None else since // _MICROSECOND)

    def _at(self, place: int) -> Sighting:
        aem = AEM(bytes(self.aems[place * AEM_LENGTH : (place + 1) * AEM_LENGTH]))
        since = self.since_scan_us[place]
        return Sighting(
            rpi=RPI(bytes(self.rpis[place * RPI_LENGTH : (place + 1) * RPI_LENGTH])),
            aem=aem if self.has_aem[place] else None,
            rssi_dbm=self.rssis_dbm[place],
            seen_at=self.seen_at(place),
            since_scan=None if since == UNKNOWN_SCAN else since * _MICROSECOND,
        )


def _span(numbers: "array[int]") -> set[int]:
    """Return the least and the greatest of `numbers`, if there are any."""
    return {min(numbers), max(numbers)} if numbers else set()


def microseconds_of(instant: datetime) -> int:
    """Return the microseconds from 1970 to `instant`.

    Raises:
        InvalidSightingError: `instant` is naive, or before 1970.
    """
    if instant.utcoffset() is None or instant < _EPOCH:
        raise InvalidSightingError("seen_at must be aware and not before 1970")
    return (instant - _EPOCH) // _MICROSECOND


def intervals_of(moments_us: "array[int]") -> "array[int]":
    """Return the interval of each moment, 32 bits unsigned."""
    return array("I", (moment // _INTERVAL_MICROSECONDS for moment in moments_us))
