"""The log of what was heard."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from immuni.ble import AdvertisementHeard, MalformedPayloadError, parse_service_data
from immuni.framework.store.encrypted_database import EncryptedDatabase, Row
from immuni.framework.store.scans import LONGEST_SPAN_SECONDS, first_id, packed_sightings, scan_rows
from immuni.matching import PackedSightings, Sighting, usable_aem

_COLUMNS: Final = "id, since_scan_seconds, rpis, aems, usable, rssis_dbm, offsets_seconds"
_INSERT: Final = (
    f"INSERT INTO scan ({_COLUMNS})"  # noqa: S608 - names of ours
    " SELECT coalesce(max(id) + 1, ?1), ?3, ?4, ?5, ?6, ?7, ?8"
    " FROM scan WHERE id >= ?1 AND id < ?2"
)
_SELECT: Final = f"SELECT {_COLUMNS} FROM scan"  # noqa: S608 - names of ours


def sighting_of(heard: AdvertisementHeard) -> Sighting:
    """Return what is kept of an advertisement: everything but the sender's address.

    Privacy:
        The time is kept to the second: scoring needs no more.

    Raises:
        MalformedPayloadError: Its service data is shorter than an identifier.
    """
    payload = parse_service_data(heard.service_data)
    aem = usable_aem(payload.aem)
    return Sighting(payload.rpi, aem, heard.rssi_dbm, heard.at.replace(microsecond=0))


def sightings_of(heard: Sequence[AdvertisementHeard]) -> list[Sighting]:
    """Return what is kept of one scan, without what is malformed."""
    sightings = []
    for advertisement in heard:
        try:
            sightings.append(sighting_of(advertisement))
        except MalformedPayloadError:
            continue
    return sightings


class SightingLog:
    """The table of scans, in the order of time."""

    def __init__(self, database: EncryptedDatabase) -> None:
        """Use a table that exists already."""
        self._database = database

    def add(self, sightings: Sequence[Sighting], *, since_scan: timedelta | None = None) -> None:
        """Keep the sightings of one scan, or of several, all or none.

        Args:
            sightings: What was heard.
            since_scan: Time from the scan before to this one. Without it what each sighting says
                counts.

        Raises:
            StoreError: Nothing was kept.

        Privacy:
            Times are kept to the second.
        """
        rows = (
            (first_id(second), first_id(second + 1), *columns)
            for second, columns in scan_rows(sightings, since_scan)
        )
        with self._database.transaction():
            self._database.execute_many(_INSERT, rows)

    def all(self) -> PackedSightings:
        """Return every sighting, scan by scan, the oldest first."""
        return packed_sightings(self._database.rows(f"{_SELECT} ORDER BY id"))

    def purge(self, before: datetime) -> None:
        """Delete what was heard before `before`."""
        cut = int(before.timestamp())
        with self._database.transaction():
            last = self._between(cut - LONGEST_SPAN_SECONDS, cut)
            self._database.execute("DELETE FROM scan WHERE id < ?", (first_id(cut),))
            self.add([sighting for sighting in last if sighting.seen_at.timestamp() >= cut])

    def forget_after(self, instant: datetime) -> None:
        """Delete what is dated later than `instant`."""
        cut = int(instant.timestamp()) + 1
        begin = cut - LONGEST_SPAN_SECONDS
        with self._database.transaction():
            first = self._between(begin, cut)
            self._database.execute("DELETE FROM scan WHERE id >= ?", (first_id(begin),))
            self.add([sighting for sighting in first if sighting.seen_at <= instant])

    def _between(self, begin: int, end: int) -> PackedSightings:
        """Return the scans that began in these seconds: they may reach beyond the last."""
        ids: Row = (first_id(begin), first_id(end))
        return packed_sightings(
            self._database.rows(f"{_SELECT} WHERE id >= ? AND id < ? ORDER BY id", ids)
        )
