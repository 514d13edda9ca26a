"""Epidemiological Info as it arrives from ingestion's outbox, each delivery kept exactly once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from immuni.api import MalformedRequestError
from immuni.backend.analytics.days import open_day
from immuni.backend.epidemiological import open_epidemiological
from immuni.backend.sealing import OpeningKey, Sealed, UnsealableError
from immuni.database import Pool
from immuni.telemetry import logger

_RECEIVE: Final = """
    INSERT INTO analytics.received (id) SELECT unnest(%s::uuid[])
    ON CONFLICT DO NOTHING RETURNING id
"""
_KEEP_EPIDEMIOLOGICAL: Final = """
    INSERT INTO analytics.epidemiological_info (received_on, province, onset, summaries)
    VALUES (%s, %s, %s, %s)
"""
_FORGET: Final = "DELETE FROM analytics.received WHERE id = ANY(%s)"
_FORGET_OTHERS: Final = "DELETE FROM analytics.received WHERE id <> ALL(%s)"
_log = logger("analytics")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row of ingestion's outbox.

    Attributes:
        id: Random, known to the outbox and to this delivery only.
        sealed: The Epidemiological Info of one or several uploads, sealed to the analytics key.
        received_on: Day of the upload, in UTC.
    """

    id: UUID
    sealed: Sealed
    received_on: date


async def keep_epidemiological(
    pool: Pool, deliveries: Sequence[Delivery], key: OpeningKey
) -> list[UUID]:
    """Keep Epidemiological Info, each delivery exactly once however often it is brought.

    Rows are written in the order of their random ids, which says nothing about that of the uploads.

    Args:
        pool: The analytics database.
        deliveries: One batch.
        key: Opens them. Those that it does not open are logged and left where they are: the right
            key may come back, and retention deletes them at last.

    Returns:
        Ids of the deliveries that are done with, now or earlier: delete them from the outbox, then
        let `forget_deliveries` forget them here.
    """
    opened = {each.id: rows for each in deliveries if (rows := _rows(each, key)) is not None}
    if len(opened) < len(deliveries):
        _log.error("deliveries_unreadable", count=len(deliveries) - len(opened))
    async with pool.connection() as connection, connection.cursor() as cursor:
        await cursor.execute(_RECEIVE, (list(opened),))
        new = sorted(row[0] for row in await cursor.fetchall())
        rows = [row for each in new for row in opened[each]]
        for day in {row[0] for row in rows}:
            await open_day(connection, day)
        await cursor.executemany(_KEEP_EPIDEMIOLOGICAL, rows)
    return list(opened)


async def forget_deliveries(pool: Pool, ids: Collection[UUID]) -> None:
    """Forget that deliveries were received; their rows in the outbox must be gone."""
    async with pool.connection() as connection:
        await connection.execute(_FORGET, (list(ids),))


async def forget_deliveries_except(pool: Pool, waiting: Collection[UUID]) -> None:
    """Forget what a mover that was killed left behind: all ids but those still in the outbox."""
    async with pool.connection() as connection:
        await connection.execute(_FORGET_OTHERS, (list(waiting),))


def _rows(delivery: Delivery, key: OpeningKey) -> list[tuple[date, str, str, Jsonb]] | None:
    try:
        infos = open_epidemiological(delivery.sealed, key)
    except (UnsealableError, MalformedRequestError):
        return None
    return [
        (
            delivery.received_on,
            info.province,
            info.onset,
            Jsonb(msgspec.to_builtins(info.summaries)),
        )
        for info in infos
    ]
