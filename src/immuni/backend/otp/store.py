"""The table of codes, as far as this service may touch it."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.backend.connections import transaction
from immuni.backend.errors import OtpAlreadyAuthorisedError
from immuni.backend.otp.rules import Authorisation
from immuni.backend.otp_keys import KeyedHash, OtpKeys
from immuni.database import Pool
from immuni.database.grouping import Grouped

_ALIVE: Final = """
    SELECT keyed_hash, key_id, request_digest, expires_at FROM ingestion.otp
    WHERE keyed_hash = ANY(%s) AND expires_at > %s ORDER BY expires_at
"""
_INSERT: Final = """
    INSERT INTO ingestion.otp (key_id, keyed_hash, request_digest, onset_on, tested_on,
                               authorised_at, expires_at)
    SELECT %s, * FROM unnest(%s::bytea[], %s::bytea[], %s::date[], %s::date[],
                             %s::timestamptz[], %s::timestamptz[])
"""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A code that shall live, and for how long."""

    authorisation: Authorisation
    now: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Alive:
    """A code that lives, and what the request was that asked for it."""

    key_id: str
    request_digest: bytes | None
    expires_at: datetime


Outcome = bool | OtpAlreadyAuthorisedError


class OtpStore:
    """The codes that are authorised."""

    def __init__(self, pool: Pool, keys: OtpKeys) -> None:
        """Keep codes through `pool`, hashed with `keys`."""
        self._pool = pool
        self._keys = keys
        self._authorise: Grouped[_Wanted, bool] = Grouped(self._authorise_together)

    async def authorise(
        self, authorisation: Authorisation, *, now: datetime, lifetime: timedelta
    ) -> bool:
        """Let the code live from `now` on.

        The same request again changes nothing: the operator's first answer may have been lost.
        Codes that come while others are being written share a transaction.

        Returns:
            Whether it did not before.

        Raises:
            OtpAlreadyAuthorisedError: The code is alive, from another request; it stays as it is.
            UnavailableError: The database does not answer.
        """
        return await self._authorise(_Wanted(authorisation, now, now + lifetime))

    async def _authorise_together(self, group: Sequence[_Wanted]) -> Sequence[Outcome]:
        """Take the codes one after the other, so that two requests for one are told apart."""
        hashes = [self._keys.keyed(each.authorisation.otp) for each in group]
        every = sorted({each for own in hashes for each in own})
        async with transaction(self._pool) as connection:
            await _take_turns(connection, every)
            alive = await _alive(connection, every, min(each.now for each in group))
            outcomes: list[Outcome] = []
            added: list[tuple[KeyedHash, _Wanted]] = []
            for wanted, own in zip(group, hashes, strict=True):
                known = (alive[each] for each in own if each in alive)
                found = next((each for each in known if each.expires_at > wanted.now), None)
                if found is None:
                    alive[own[0]] = self._made_by(wanted)
                    added.append((own[0], wanted))
                    outcomes.append(True)
                elif self._repeats(wanted.authorisation, found):
                    outcomes.append(False)
                else:
                    outcomes.append(OtpAlreadyAuthorisedError("the code is authorised already"))
            await self._insert(connection, added)
        return outcomes

    def _made_by(self, wanted: _Wanted) -> _Alive:
        key_id = self._keys.current_id
        digest = self._request_digest(wanted.authorisation, key_id)
        return _Alive(key_id, digest, wanted.expires_at)

    async def _insert(
        self,
        connection: AsyncConnection[TupleRow],
        added: Sequence[tuple[KeyedHash, _Wanted]],
    ) -> None:
        if not added:
            return
        key_id = self._keys.current_id
        wanted = [each for _, each in added]
        await connection.execute(
            _INSERT,
            [
                key_id,
                [keyed_hash for keyed_hash, _ in added],
                [self._request_digest(each.authorisation, key_id) for each in wanted],
                [each.authorisation.diagnosis.onset_on for each in wanted],
                [each.authorisation.diagnosis.tested_on for each in wanted],
                [each.now for each in wanted],
                [each.expires_at for each in wanted],
            ],
        )

    def _repeats(self, authorisation: Authorisation, alive: _Alive) -> bool:
        ours, theirs = self._request_digest(authorisation, alive.key_id), alive.request_digest
        return ours is not None and theirs is not None and hmac.compare_digest(ours, theirs)

    def _request_digest(self, authorisation: Authorisation, key_id: str) -> bytes | None:
        if authorisation.request_id is None:
            return None
        return self._keys.request_digest(
            key_id,
            authorisation.request_id,
            onset_on=authorisation.diagnosis.onset_on,
            tested_on=authorisation.diagnosis.tested_on,
        )


async def _take_turns(connection: AsyncConnection[TupleRow], hashes: Sequence[KeyedHash]) -> None:
    """Let nobody else authorise these codes until the transaction ends.

    A unique index cannot do it: expired rows of the same code are still there. One lock per code
    and secret, in one order for all, so that groups, of one machine or of two, meet while a secret
    is being replaced, and none waits for another in a circle.
    """
    locks = sorted({int.from_bytes(each[:8], "big", signed=True) for each in hashes})
    await connection.execute(
        "SELECT pg_advisory_xact_lock(lock) FROM unnest(%s::bigint[]) AS lock", [locks]
    )


async def _alive(
    connection: AsyncConnection[TupleRow], hashes: Sequence[KeyedHash], now: datetime
) -> dict[KeyedHash, _Alive]:
    """Return those of some codes that live, each as the last row tells of it."""
    cursor = await connection.execute(_ALIVE, [hashes, now])
    return {KeyedHash(row[0]): _Alive(*row[1:]) async for row in cursor}
