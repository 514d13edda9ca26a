"""The log of what was heard."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from immuni.ble import AdvertisementHeard, MalformedPayloadError, parse_service_data
from immuni.framework.store.encrypted_database import EncryptedDatabase, Row
from immuni.framework.store.kept_index import KeptIndex
from immuni.framework.store.scans import (
    LONGEST_SPAN_SECONDS,
    first_id,
    packed_sightings,
    scan_rows,
)
from immuni.matching import PackedSightings, Sighting, SightingIndex, usable_aem

_COLUMNS: Final = "id, since_scan_seconds, rpis, aems, usable, rssis_dbm, offsets_seconds"
_INSERT: Final = (
    f"INSERT INTO scan ({_COLUMNS})"  # noqa: S608 - names of ours
    " SELECT coalesce(max(id) + 1, ?1), ?3, ?4, ?5, ?6, ?7, ?8"
    " FROM scan WHERE id >= ?1 AND id < ?2"
)
_INDEXED: Final = "SELECT id, rpis, offsets_seconds FROM scan WHERE id > ? ORDER BY id"
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
    """The table of scans, in the order of time, with an index that lasts as long as it is open.

    The database is open to no other process: whatever changes the table goes through here.
    """

    def __init__(self, database: EncryptedDatabase) -> None:
        """Use a table that exists already."""
        self._database = database
        self._kept = KeptIndex()
        self._rollbacks = database.rollbacks

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
        scans = list(scan_rows(sightings, since_scan))
        rows = ((first_id(second), first_id(second + 1), *columns) for second, columns in scans)
        with self._database.transaction():
            self._database.execute_many(_INSERT, rows)
        for second, _ in scans[:1]:
            self._kept.note_addition(second)

    def all(self) -> PackedSightings:
        """Return every sighting, scan by scan, the oldest first."""
        return packed_sightings(self._database.rows(f"{_SELECT} ORDER BY id"))

    @contextmanager
    def index(self) -> Iterator[SightingIndex]:
        """Lend an index of all sightings, for searches in any thread, one at a time.

        What is heard or deleted meanwhile changes it only afterwards.

        Raises:
            StoreError: The log cannot be read.

        Complexity:
            Reads what is new since the last time. All that there is, where there was none; or
            where something was taken back, or dated earlier than what was there already.
        """
        if self._rollbacks != self._database.rollbacks:
            # What was noted of a change may not have come about.
            self._rollbacks = self._database.rollbacks
            self._kept.forget()
        with self._kept.use(lambda last: self._database.rows(_INDEXED, (last,))) as index:
            yield index

    def scans_of(self, places: Iterable[int]) -> PackedSightings:
        """Return sightings, with those of the same scans, the oldest first.

        To be asked while the index is lent.
        Where the log changed beneath the index, all that is in the log is returned.

        Args:
            places: Those of the sightings in the index.
        """
        if not self._kept.is_current:
            return self.all()
        rows = (
            row
            for row_id in self._kept.rows_of(places)
            for row in self._database.rows(f"{_SELECT} WHERE id = ?", (row_id,))
        )
        return packed_sightings(rows)

    def purge(self, before: datetime) -> None:
        """Delete what was heard before `before`."""
        cut = int(before.timestamp())
        with self._database.transaction():
            last = self._between(cut - LONGEST_SPAN_SECONDS, cut)
            self._database.execute("DELETE FROM scan WHERE id < ?", (first_id(cut),))
            self._kept.note_deletion(cut)
            self.add([sighting for sighting in last if sighting.seen_at.timestamp() >= cut])

    def forget_after(self, instant: datetime) -> None:
        """Delete what is dated later than `instant`."""
        cut = int(instant.timestamp()) + 1
        begin = cut - LONGEST_SPAN_SECONDS
        with self._database.transaction():
            first = self._between(begin, cut)
            self._database.execute("DELETE FROM scan WHERE id >= ?", (first_id(begin),))
            self._kept.forget()
            self.add([sighting for sighting in first if sighting.seen_at <= instant])

    def _between(self, begin: int, end: int) -> PackedSightings:
        """Return the scans that began in these seconds: they may reach beyond the last."""
        ids: Row = (first_id(begin), first_id(end))
        return packed_sightings(
            self._database.rows(f"{_SELECT} WHERE id >= ? AND id < ? ORDER BY id", ids)
        )
