"""What the portal does for its trail by itself: signs heads hourly, purges what is too old."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Gauge
from psycopg import Error

from immuni.clock import Clock
from immuni.database import Pool
from immuni.errors import ImmuniError
from immuni.portal.audit.chain import ChainBrokenError, ChainEnd, require_same_end
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.audit.head_file import append_line, read_heads
from immuni.portal.audit.keys import AuditKeys
from immuni.portal.audit.statements import Signer, Statement, StatementKind, Verifiers
from immuni.portal.audit.store import (
    count_head,
    last_before,
    oldest_at,
    purge_through,
    read_state,
    snapshot,
)
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.audit.verifying import purged_end, verified_end
from immuni.telemetry import logger

HEAD_EVERY: Final = timedelta(hours=1)
PURGE_EVERY: Final = timedelta(days=1)
_LOOK_EVERY: Final = timedelta(minutes=1)
_PURGED_AT_ONCE: Final = 10_000
_log = logger("audit")


class AuditMetrics:
    """When the last head was signed, and whether the trail was whole: alerts watch both."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register in `registry`."""
        self.head = Gauge(
            "immuni_audit_head_seconds",
            "When the last head of the audit trail was signed, in seconds since the Unix epoch.",
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        self.broken = Gauge(
            "immuni_audit_broken",
            "1 where the audit trail was not whole when its next head was to be signed, else 0.",
            registry=registry,
            multiprocess_mode="mostrecent",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailKeeper:
    """Looks after the trail of one portal.

    Attributes:
        pool: The portal's database.
        keys: What chains the trail.
        signer: Who signs heads and checkpoints.
        verifiers: Whose earlier ones are believed.
        heads: The file of heads.
        retention: How old an event may become.
        clock: Tells when a head is due.
        metrics: Where it is told of.
    """

    pool: Pool
    keys: AuditKeys
    signer: Signer
    verifiers: Verifiers
    heads: Path
    retention: timedelta
    clock: Clock
    metrics: AuditMetrics

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look after it for as long as the block runs, and sign a head at its end."""
        over = asyncio.Event()
        task = asyncio.create_task(self._look_after(over))
        try:
            yield
        finally:
            over.set()
            await task
            await self._try(at_once=True)

    async def sign_head(self, *, at_once: bool = False) -> Statement | None:
        """Sign a head where one is due; with `at_once` also where events have come since the last.

        Before it, what came since the last one is verified: no head vouches for a broken chain.

        Returns:
            None where none was due, or somebody else signed it.

        Raises:
            ChainBrokenError: The trail is not what was written; no head was signed.
        """
        newest = (await asyncio.to_thread(read_heads, [self.heads], self.verifiers)).newest
        if newest:
            self._tell_head(newest.at)
        now = self.clock.now()
        async with snapshot(self.pool) as connection:
            state = await read_state(connection)
            if state.end is None or not _is_due(state.end, newest, now, at_once=at_once):
                return None
            begin = newest.end if newest else purged_end(state, self.verifiers)
            end = await verified_end(connection, begin, self.keys)
        require_same_end(end, state.end)
        return await self._sign(end, number=state.head_number + 1, now=now)

    async def purge(self) -> int:
        """Purge what is older than the retention, a part at a time; return how many events.

        Each part is verified before it goes, and leaves a signed checkpoint.

        Raises:
            ChainBrokenError: What was to be purged is not what was written; it stays.
        """
        now, purged = self.clock.now(), 0
        async with self.pool.connection() as connection:
            oldest = await oldest_at(connection)
        if oldest is None or oldest > now - self.retention - PURGE_EVERY:
            return 0
        while part := await self._purge_part(now):
            purged += part
        return purged

    async def _purge_part(self, now: datetime) -> int:
        async with snapshot(self.pool) as connection:
            state = await read_state(connection)
            begin = purged_end(state, self.verifiers)
            through = await last_before(
                connection,
                limit=now - self.retention,
                after=begin.last_id,
                at_most=_PURGED_AT_ONCE,
            )
            if through is None:
                return 0
            end = await verified_end(connection, begin, self.keys, through=through)
        checkpoint = Statement(kind=StatementKind.CHECKPOINT, number=0, at=now, end=end)
        count = end.events - begin.events
        event = Event(
            at=now,
            action=Action.AUDIT_PURGE,
            outcome=Outcome.DONE,
            account_id=None,
            detail={"through": end.last_id, "events": count},
        )
        async with self.pool.connection() as connection:
            await purge_through(connection, end, self.signer.sign(checkpoint))
            await AuditTrail(self.pool, self.keys).append(connection, event)
        return count

    async def _sign(self, end: ChainEnd, *, number: int, now: datetime) -> Statement | None:
        head = Statement(kind=StatementKind.HEAD, number=number, at=now, end=end)
        async with self.pool.connection() as connection:
            # Whoever else wants to sign this number waits here, and then finds it signed. A crash
            # behind the line signs the number twice, which is no gap.
            if not await count_head(connection, number=number, now=now):
                return None
            await asyncio.to_thread(append_line, self.heads, self.signer.sign(head))
        self._tell_head(now)
        return head

    async def _look_after(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await self._try(at_once=False)
            # The loop's own time: however the clock jumps, it looks again within a minute.
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), _LOOK_EVERY.total_seconds())

    async def _try(self, *, at_once: bool) -> None:
        try:
            head = await self.sign_head(at_once=at_once)
            if head is not None:
                self.metrics.broken.set(0)
                await self.purge()
        except ChainBrokenError as error:
            self.metrics.broken.set(1)
            _log.error("audit_trail_broken", flaw=error.flaw, first_id=error.first_id)
        except (Error, OSError, ImmuniError) as error:
            _log.warning("audit_head_failed", kind=type(error).__name__)

    def _tell_head(self, at: datetime) -> None:
        self.metrics.head.set(at.timestamp())


def _is_due(end: ChainEnd, newest: Statement | None, now: datetime, *, at_once: bool) -> bool:
    """Tell whether the file's last head is too old, whatever the database says of it."""
    if newest is None or at_once:
        return newest is None or end != newest.end
    # A head from the future was signed by a clock that was ahead.
    return not newest.at <= now < newest.at + HEAD_EVERY
