"""The log of what was heard."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from immuni.ble import AdvertisementHeard, MalformedPayloadError, parse_service_data
from immuni.crypto import AEM, RPI
from immuni.framework.encrypted_database import EncryptedDatabase, SqlValue
from immuni.matching import Sighting

_INSERT: Final = (
    "INSERT INTO sighting (seen_at, place, since_scan_seconds, rssi_dbm, rpi, aem)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)


def sighting_of(heard: AdvertisementHeard) -> Sighting:
    """Return what is kept of an advertisement: everything but the sender's address.

    Privacy:
        The time is kept to the second: scoring needs no more.

    Raises:
        MalformedPayloadError: Its service data is shorter than an identifier.
    """
    payload = parse_service_data(heard.service_data)
    return Sighting(payload.rpi, payload.aem, heard.rssi_dbm, heard.at.replace(microsecond=0))


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
    """The table of sightings, in the order of time."""

    def __init__(self, database: EncryptedDatabase) -> None:
        """Use a table that exists already."""
        self._database = database

    def add(self, sightings: Sequence[Sighting], *, since_scan: timedelta | None = None) -> None:
        """Keep the sightings of one scan, all or none.

        Args:
            sightings: What was heard.
            since_scan: Time from the scan before to this one; None where there was none.

        Raises:
            StoreError: Nothing was kept.
        """
        seconds = None if since_scan is None else round(since_scan.total_seconds())
        with self._database.transaction():
            self._database.execute_many(_INSERT, self._rows(sightings, seconds))

    def all(self) -> list[Sighting]:
        """Return every sighting, oldest first."""
        rows = self._database.execute(
            "SELECT rpi, aem, rssi_dbm, seen_at FROM sighting ORDER BY seen_at, place"
        )
        return [
            Sighting(RPI(rpi), AEM(aem), rssi_dbm, datetime.fromtimestamp(seen_at, UTC))
            for rpi, aem, rssi_dbm, seen_at in cast("list[tuple[bytes, bytes, int, int]]", rows)
        ]

    def purge(self, before: datetime) -> None:
        """Delete what was heard before `before`."""
        self._database.execute("DELETE FROM sighting WHERE seen_at < ?", (int(before.timestamp()),))

    def forget_after(self, instant: datetime) -> None:
        """Delete what is dated later than `instant`."""
        self._database.execute(
            "DELETE FROM sighting WHERE seen_at > ?", (int(instant.timestamp()),)
        )

    def _rows(
        self, sightings: Sequence[Sighting], since_scan_seconds: int | None
    ) -> list[tuple[SqlValue, ...]]:
        places: Counter[int] = Counter()
        rows: list[tuple[SqlValue, ...]] = []
        for sighting in sightings:
            second = int(sighting.seen_at.timestamp())
            if second not in places:
                places[second] = self._next_place(second)
            rows.append(
                (
                    second,
                    places[second],
                    since_scan_seconds,
                    sighting.rssi_dbm,
                    sighting.rpi,
                    sighting.aem,
                )
            )
            places[second] += 1
        return rows

    def _next_place(self, second: int) -> int:
        ((place,),) = self._database.execute(
            "SELECT coalesce(max(place) + 1, 0) FROM sighting WHERE seen_at = ?", (second,)
        )
        return cast("int", place)
