"""The phone's own keys, and what it broadcasts at present."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from immuni.framework.store.encrypted_database import EncryptedDatabase, Row
from immuni.keys import INTERVAL, ENIntervalNumber, TemporaryExposureKey

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A TEK of this phone.

    Attributes:
        id: Its row.
        tek: The key; its rolling period is cut when it is released during its day.
        released: It was handed out, so it must never be broadcast again.
        unused_from: First interval of which no identifier was ever broadcast; 0 where none was.
    """

    id: int
    tek: TemporaryExposureKey
    released: bool = False
    unused_from: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One pair of identifier and address, for as long as both stay.

    Attributes:
        key: Whose identifier it is.
        interval: Of the identifier.
        address: 6 bytes, as on the air.
        began_at: When both changed last.
        ends_at: When both change next.
    """

    key: OwnKey
    interval: ENIntervalNumber
    address: bytes = field(repr=False)
    began_at: datetime
    ends_at: datetime

    def may_go_on_at(self, now: datetime) -> bool:
        """Tell whether the pair still stands at `now`, on a clock that was set back only a little.

        After a larger step back the interval is another one.
        """
        return self.began_at - INTERVAL < now < self.ends_at


class OwnKeys:
    """The tables of own keys and of the present broadcast."""

    def __init__(self, database: EncryptedDatabase) -> None:
        """Use tables that exist already."""
        self._database = database

    def all(self) -> list[OwnKey]:
        """Return every key, oldest first."""
        rows = self._database.execute(
            "SELECT id, key_data, rolling_start_number, rolling_period, released, unused_from"
            " FROM tek ORDER BY rolling_start_number, id"
        )
        return [_own_key(row) for row in rows]

    def add(self, tek: TemporaryExposureKey) -> OwnKey:
        """Keep a new key."""
        ((row_id,),) = self._database.execute(
            "INSERT INTO tek (key_data, rolling_start_number, rolling_period)"
            " VALUES (?, ?, ?) RETURNING id",
            (tek.key_data, tek.rolling_start_number, tek.rolling_period),
        )
        return OwnKey(cast("int", row_id), tek)

    def release(self, keys: Sequence[OwnKey]) -> None:
        """Note that `keys` are handed out, with the rolling periods that they have here.

        A broadcast of one of them is forgotten in the same transaction, so that even a crash
        between this and the radio's next change cannot bring it back on the air.
        """
        rows = [(key.tek.rolling_period, key.id) for key in keys]
        with self._database.transaction():
            self._database.execute_many(
                "UPDATE tek SET released = 1, rolling_period = ? WHERE id = ?", rows
            )
            self._database.execute(
                "DELETE FROM broadcast WHERE tek_id IN (SELECT id FROM tek WHERE released)"
            )
        # Not even a machine that loses its power now may send them again once they are published.
        self._database.checkpoint()

    def purge(self, before: ENIntervalNumber) -> None:
        """Delete keys whose rolling period ended before or with the beginning of `before`."""
        self._database.execute(
            "DELETE FROM tek WHERE rolling_start_number + rolling_period <= ?", (before,)
        )

    def forget_after(self, interval: ENIntervalNumber) -> None:
        """Delete keys that begin after `interval`."""
        self._database.execute("DELETE FROM tek WHERE rolling_start_number > ?", (interval,))

    def broadcast(self) -> Broadcast | None:
        """Return what was broadcast last, None when there is nothing to continue."""
        rows = self._database.execute(
            "SELECT tek.id, key_data, rolling_start_number, rolling_period, released, unused_from,"
            " interval, address, began_at, ends_at"
            " FROM broadcast JOIN tek ON tek.id = tek_id"
        )
        return _broadcast(rows[0]) if rows else None

    def keep_broadcast(self, broadcast: Broadcast) -> None:
        """Remember what is broadcast from now on, in place of what was.

        Privacy:
            It is on the disk before it is on the air: not even a machine that loses its power
            forgets it, and sends its identifier from another address.
        """
        row = (
            broadcast.key.id,
            broadcast.interval,
            broadcast.address,
            _microseconds(broadcast.began_at),
            _microseconds(broadcast.ends_at),
        )
        with self._database.transaction():
            self._database.execute(
                "INSERT OR REPLACE INTO broadcast"
                " (id, tek_id, interval, address, began_at, ends_at) VALUES (1, ?, ?, ?, ?, ?)",
                row,
            )
            self._database.execute(
                "UPDATE tek SET unused_from = max(unused_from, ?) WHERE id = ?",
                (broadcast.interval + 1, broadcast.key.id),
            )
        self._database.checkpoint()


def _own_key(row: Row) -> OwnKey:
    row_id, key_data, start, period, released, unused_from = cast(
        "tuple[int, bytes, int, int, int, int]", row
    )
    tek = TemporaryExposureKey(key_data, ENIntervalNumber(start), period)
    return OwnKey(row_id, tek, bool(released), unused_from)


def _broadcast(row: Row) -> Broadcast:
    interval, address, began_at, ends_at = cast("tuple[int, bytes, int, int]", row[6:])
    return Broadcast(
        _own_key(row[:6]),
        ENIntervalNumber(interval),
        address,
        _EPOCH + began_at * _MICROSECOND,
        _EPOCH + ends_at * _MICROSECOND,
    )


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND
