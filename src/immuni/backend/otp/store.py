"""The table of codes, as far as this service may touch it."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.backend.connections import transaction
from immuni.backend.errors import OtpAlreadyAuthorisedError
from immuni.backend.otp.rules import Authorisation
from immuni.backend.otp_keys import KeyedHash, OtpKeys
from immuni.database import Pool


class OtpStore:
    """The codes that are authorised."""

    def __init__(self, pool: Pool, keys: OtpKeys) -> None:
        """Keep codes through `pool`, hashed with `keys`."""
        self._pool = pool
        self._keys = keys

    async def authorise(
        self, authorisation: Authorisation, *, now: datetime, lifetime: timedelta
    ) -> bool:
        """Let the code live from `now` on.

        The same request again changes nothing: the operator's first answer may have been lost.

        Returns:
            Whether it did not before.

        Raises:
            OtpAlreadyAuthorisedError: The code is alive, from another request; it stays as it is.
        """
        hashes = self._keys.keyed(authorisation.otp)
        async with transaction(self._pool) as connection:
            await _take_turns(connection, hashes)
            cursor = await connection.execute(
                """
                SELECT key_id, request_digest FROM ingestion.otp
                WHERE keyed_hash = ANY(%s) AND expires_at > %s
                """,
                [hashes, now],
            )
            alive = await cursor.fetchone()
            if alive is None:
                await self._insert(connection, hashes[0], authorisation, now, now + lifetime)
            elif not self._repeats(authorisation, *alive):
                raise OtpAlreadyAuthorisedError("the code is authorised already")
        return alive is None

    async def _insert(
        self,
        connection: AsyncConnection[TupleRow],
        keyed_hash: KeyedHash,
        authorisation: Authorisation,
        authorised_at: datetime,
        expires_at: datetime,
    ) -> None:
        await connection.execute(
            """
            INSERT INTO ingestion.otp (key_id, keyed_hash, request_digest, onset_on, tested_on,
                                       authorised_at, expires_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            """,
            [
                self._keys.current_id,
                keyed_hash,
                self._request_digest(authorisation, self._keys.current_id),
                authorisation.diagnosis.onset_on,
                authorisation.diagnosis.tested_on,
                authorised_at,
                expires_at,
            ],
        )

    def _repeats(self, authorisation: Authorisation, key_id: str, digest: bytes | None) -> bool:
        ours = self._request_digest(authorisation, key_id)
        return ours is not None and digest is not None and hmac.compare_digest(ours, digest)

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
    """Let nobody else authorise this code until the transaction ends.

    A unique index cannot do it: expired rows of the same code are still there. One lock per
    secret, in one order for all, so that two machines meet while a secret is being replaced.
    """
    locks = sorted(int.from_bytes(each[:8], "big", signed=True) for each in hashes)
    for lock in locks:
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
