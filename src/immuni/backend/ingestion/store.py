"""Codes, uploads and the outbox, as far as ingestion may touch them."""

import hmac
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.backend.connections import single_statement, transaction
from immuni.backend.errors import OtpUnknownError
from immuni.backend.infectiousness import Diagnosis
from immuni.backend.otp_keys import OtpKeys
from immuni.backend.packed_keys import pack_keys, stored_keys
from immuni.backend.sealing import Sealed
from immuni.database import Pool
from immuni.keys import TemporaryExposureKey
from immuni.otp import OtpHash

_CHECK: Final = """
    WITH found AS (
        SELECT id FROM ingestion.otp
        WHERE keyed_hash = ANY(%s) AND expires_at > %s AND redeemed_digest IS NULL
    ), prolonged AS (
        UPDATE ingestion.otp
        SET checked = true, expires_at = greatest(expires_at, authorised_at + %s)
        FROM found WHERE otp.id = found.id AND NOT otp.checked
    )
    SELECT true FROM found
"""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code allows, once it is spent in this transaction.

    Attributes:
        diagnosis: What the operator entered beside the code.
        repeated: The same keys came before and are kept already: there is nothing left to do.
    """

    diagnosis: Diagnosis
    repeated: bool


class UploadWork:
    """One transaction of an upload: everything in it happens, or nothing."""

    def __init__(self, connection: AsyncConnection[TupleRow], keys: OtpKeys) -> None:
        """Work in the transaction that is open on `connection`."""
        self._connection = connection
        self._keys = keys

    async def redeem(
        self, otp: OtpHash, *, teks: Sequence[TemporaryExposureKey], now: datetime
    ) -> Grant:
        """Spend the code on `teks`.

        A second transaction with the same code waits here for the end of the first.

        Raises:
            OtpUnknownError: The code is unknown, expired, or was spent on other keys.
        """
        cursor = await self._connection.execute(
            """
            SELECT id, key_id, redeemed_digest, onset_on, tested_on FROM ingestion.otp
            WHERE keyed_hash = ANY(%s) AND expires_at > %s FOR UPDATE
            """,
            [self._keys.keyed(otp), now],
        )
        row = await cursor.fetchone()
        if row is None:
            raise OtpUnknownError("the code is not authorised")
        id_, key_id, redeemed, onset_on, tested_on = row
        digest = self._keys.upload_digest(key_id, [tek.key_data for tek in teks])
        if redeemed is None:
            await self._mark_redeemed(id_, digest)
        elif not hmac.compare_digest(redeemed, digest):
            raise OtpUnknownError("the code was used")
        return Grant(Diagnosis(onset_on, tested_on), repeated=redeemed is not None)

    async def keep(
        self, teks: Sequence[TemporaryExposureKey], diagnosis: Diagnosis, *, received_on: date
    ) -> None:
        """Keep keys until publishing collects them; none at all leave no row."""
        if not teks:
            return
        await self._connection.execute(
            """
            INSERT INTO ingestion.upload (packed_keys, onset_on, tested_on, received_on, last_end)
            VALUES (%s, %s, %s, %s, %s)
            """,
            [
                pack_keys(stored_keys(teks)),
                diagnosis.onset_on,
                diagnosis.tested_on,
                received_on,
                max(tek.rolling_end_number for tek in teks),
            ],
        )

    async def enclose(self, sealed: Sealed, *, received_on: date) -> None:
        """Put sealed Epidemiological Info into the outbox."""
        await self._connection.execute(
            "INSERT INTO ingestion.outbox (key_id, sealed, received_on) VALUES (%s, %s, %s)",
            [sealed.key_id, sealed.ciphertext, received_on],
        )

    async def _mark_redeemed(self, id_: UUID, digest: bytes) -> None:
        await self._connection.execute(
            "UPDATE ingestion.otp SET redeemed_digest = %s WHERE id = %s", [digest, id_]
        )


class IngestionStore:
    """What ingestion keeps."""

    def __init__(self, pool: Pool, keys: OtpKeys) -> None:
        """Keep through `pool`; find codes with `keys`."""
        self._pool = pool
        self._keys = keys

    async def check(self, otp: OtpHash, *, now: datetime, checked_lifetime: timedelta) -> None:
        """Find out whether a code is authorised; the first time, let it live longer.

        Args:
            otp: The code's hash.
            now: The code must not have expired by then.
            checked_lifetime: How long it lives from its authorisation, once checked.

        Raises:
            OtpUnknownError: It is unknown, expired or used.
        """
        async with single_statement(self._pool) as connection:
            cursor = await connection.execute(
                _CHECK, [self._keys.keyed(otp), now, checked_lifetime]
            )
            if await cursor.fetchone() is None:
                raise OtpUnknownError("the code is not authorised")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[UploadWork]:
        """Open the transaction of one upload; it commits at the end, or not at all."""
        async with transaction(self._pool) as connection:
            yield UploadWork(connection, self._keys)
