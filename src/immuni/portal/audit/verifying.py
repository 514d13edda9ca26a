"""Verifying the whole trail against its keys and its signed heads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.database import Pool
from immuni.portal.audit.chain import (
    BEGINNING,
    ChainBrokenError,
    ChainEnd,
    Flaw,
    StoredEvent,
    extended,
    require_same_end,
)
from immuni.portal.audit.head_file import HeadsRead, read_heads
from immuni.portal.audit.keys import AuditKeys
from immuni.portal.audit.statements import (
    Statement,
    StatementForgedError,
    StatementKind,
    Verifiers,
)
from immuni.portal.audit.store import EVERYTHING, TrailState, read_state, snapshot, stored_events

SILENCE: Final = timedelta(hours=3)
"""So long after an event some head should tell of it."""


@dataclass(slots=True)
class Verification:
    """What came of verifying a trail.

    Attributes:
        whole_to: The last event up to which the chain is whole; 0 where there is none.
        whole_at: When that was.
        events: How many events are kept up to there.
        purged_to: The last event that was purged; 0 where none was.
        head: The newest head that the chain agrees with.
        findings: What is wrong, in words.
        remarks: What is worth knowing, and no proof of anything.
    """

    whole_to: int = 0
    whole_at: datetime | None = None
    events: int = 0
    purged_to: int = 0
    head: Statement | None = None
    findings: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """Return it for machines."""
        return {
            "whole": not self.findings,
            "whole_to": self.whole_to,
            "whole_at": None if self.whole_at is None else self.whole_at.isoformat(),
            "events": self.events,
            "purged_to": self.purged_to,
            "head": None
            if self.head is None
            else {
                "number": self.head.number,
                "at": self.head.at.isoformat(),
                "last_id": self.head.end.last_id,
            },
            "findings": self.findings,
            "remarks": self.remarks,
        }


async def verify_trail(
    pool: Pool,
    *,
    keys: AuditKeys,
    verifiers: Verifiers,
    heads: Sequence[Path],
    now: datetime,
) -> Verification:
    """Verify everything that is kept.

    Args:
        pool: The portal's database.
        keys: What chains the trail.
        verifiers: Whose heads and checkpoints are believed.
        heads: The files of heads, copies from elsewhere included.
        now: Tells whether heads have failed to come.
    """
    before = read_heads(heads, verifiers)
    async with snapshot(pool) as connection:
        state = await read_state(connection)
        # Heads that are signed meanwhile tell of events that this snapshot does not show, and their
        # number may be in it: the first reading says what must be there, the second what is.
        after = read_heads(heads, verifiers)
        walk = _Walk(keys, before.heads)
        await walk.through(connection, state, verifiers)
    walk.found.findings += _wrong_heads(after, state)
    walk.found.remarks += _silence(walk, before, now)
    return walk.found


def purged_end(state: TrailState, verifiers: Verifiers) -> ChainEnd:
    """Return from where the chain goes on: where it was purged, else its beginning.

    Raises:
        StatementForgedError: The checkpoint in the database was not signed.
    """
    if state.checkpoint is None:
        return BEGINNING
    statement = verifiers.read(state.checkpoint)
    if statement.kind is not StatementKind.CHECKPOINT:
        raise StatementForgedError("a head stands in the place of a checkpoint")
    return statement.end


async def verified_end(
    connection: AsyncConnection[TupleRow],
    begin: ChainEnd,
    keys: AuditKeys,
    *,
    through: int = EVERYTHING,
) -> ChainEnd:
    """Return where a chain ends that goes on from `begin`.

    Raises:
        ChainBrokenError: It is not what was written.
    """
    end = begin
    async for event in stored_events(connection, after=begin.last_id, through=through):
        end = extended(end, event, keys)
    return end


class _Walk:
    """From the first event to the last, or to the first that is wrong."""

    def __init__(self, keys: AuditKeys, heads: Iterable[Statement]) -> None:
        self.found = Verification()
        self.uncovered_at: datetime | None = None
        self._keys = keys
        self._heads: dict[int, list[Statement]] = {}
        for head in heads:
            self._heads.setdefault(head.end.last_id, []).append(head)

    async def through(
        self, connection: AsyncConnection[TupleRow], state: TrailState, verifiers: Verifiers
    ) -> None:
        try:
            end = self._begin(state, verifiers)
            async for event in stored_events(connection, after=0):
                end = extended(end, event, self._keys)
                self._note(event, end)
            self._require_told_end(end, state)
        except ChainBrokenError as error:
            self.found.findings.append(f"{error}.")

    def _begin(self, state: TrailState, verifiers: Verifiers) -> ChainEnd:
        try:
            begin = purged_end(state, verifiers)
        except StatementForgedError:
            self.found.findings.append("The checkpoint of purged events was not signed by us.")
            return BEGINNING
        self.found.purged_to = self.found.whole_to = begin.last_id
        self._compare(begin)
        return begin

    def _note(self, event: StoredEvent, end: ChainEnd) -> None:
        self._compare(end)
        self.found.events += 1
        if end.key_id is None:
            # Only the first code vouches for what was there before the chain.
            return
        self.found.whole_to, self.found.whole_at = event.id, event.at
        if self.found.head is None or self.found.head.end.last_id < event.id:
            self.uncovered_at = self.uncovered_at or event.at
        else:
            self.uncovered_at = None

    def _compare(self, end: ChainEnd) -> None:
        for head in self._heads.get(end.last_id, ()):
            if head.end != end:
                self.found.findings.append(
                    f"Head {head.number} of {head.at:%Y-%m-%d %H:%M} UTC tells of another event "
                    f"{end.last_id}: the chain was made anew at or before it."
                )
                raise ChainBrokenError(Flaw.CHANGED, end.last_id)
            self.found.head = head

    def _require_told_end(self, end: ChainEnd, state: TrailState) -> None:
        if state.end is not None:
            require_same_end(end, state.end)
        elif end.key_id is not None:
            self.found.findings.append("The row that tells where the chain ends is gone.")
        beyond = max(self._heads, default=0)
        if beyond > end.last_id:
            require_same_end(end, self._heads[beyond][0].end)


def _wrong_heads(read: HeadsRead, state: TrailState) -> list[str]:
    findings = [f"{where} is no head that was signed by us." for where in read.forged]
    numbers = {head.number for head in read.heads}
    missing = [each for each in range(1, state.head_number + 1) if each not in numbers]
    if missing:
        findings.append(
            f"{len(missing)} of {state.head_number} heads are missing in the files, "
            f"the first is {missing[0]}, the last {missing[-1]}."
        )
    return findings


def _silence(walk: _Walk, read: HeadsRead, now: datetime) -> list[str]:
    newest = read.newest
    if newest is None:
        return ["No head was ever signed: a cut end cannot be found."]
    if now - newest.at <= SILENCE:
        return []
    told = f"No head was signed since {newest.at:%Y-%m-%d %H:%M} UTC"
    if walk.uncovered_at is not None:
        return [f"{told}, though there were events: see that the portal runs and can write."]
    return [f"{told}: right where the portal has stood still since."]
