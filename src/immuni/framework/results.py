"""What came of detections: when they were held, and the exposures that they found."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import cast

import msgspec

from immuni.framework.encrypted_database import EncryptedDatabase
from immuni.risk import ExposureInfo


class ResultLog:
    """The tables of detections and exposures.

    Privacy:
        An exposure is kept without the key that gave it away.
    """

    def __init__(self, database: EncryptedDatabase) -> None:
        """Use tables that exist already."""
        self._database = database

    def add(self, held_at: datetime, exposures: Sequence[ExposureInfo]) -> None:
        """Keep the outcome of a detection, all of it or nothing."""
        with self._database.transaction():
            ((detection_id,),) = self._database.execute(
                "INSERT INTO detection (held_at) VALUES (?) RETURNING id",
                (int(held_at.timestamp()),),
            )
            self._database.execute_many(
                "INSERT INTO exposure (detection_id, place, info) VALUES (?, ?, ?)",
                [
                    (detection_id, place, msgspec.json.encode(info))
                    for place, info in enumerate(exposures)
                ],
            )

    def held_on(self, day: date) -> int:
        """Return how many detections were held on the UTC day `day`."""
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        end = start + timedelta(days=1)
        ((count,),) = self._database.execute(
            "SELECT count(*) FROM detection WHERE held_at >= ? AND held_at < ?",
            (int(start.timestamp()), int(end.timestamp())),
        )
        return cast("int", count)

    def latest_exposures(self) -> list[ExposureInfo]:
        """Return the exposures of the last detection that found any."""
        rows = self._database.execute(
            "SELECT info FROM exposure"
            " WHERE detection_id = (SELECT max(detection_id) FROM exposure) ORDER BY place"
        )
        return [
            msgspec.json.decode(info, type=ExposureInfo)
            for (info,) in cast("list[tuple[bytes]]", rows)
        ]

    def purge(self, before: datetime) -> None:
        """Delete detections held before `before`, with what they found."""
        self._database.execute(
            "DELETE FROM detection WHERE held_at < ?", (int(before.timestamp()),)
        )

    def forget_after(self, instant: datetime) -> None:
        """Delete detections that are dated later than `instant`."""
        self._database.execute(
            "DELETE FROM detection WHERE held_at > ?", (int(instant.timestamp()),)
        )
