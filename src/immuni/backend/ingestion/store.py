"""Codes, uploads and the outbox, as far as ingestion may touch them; many at a time."""

import hmac
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.backend.connections import single_statement, transaction
from immuni.backend.errors import OtpUnknownError
from immuni.backend.infectiousness import Diagnosis
from immuni.backend.otp_keys import KeyedHash, OtpKeys
from immuni.backend.packed_keys import KeyParts, pack_keys, stored_keys
from immuni.backend.sealing import Sealed
from immuni.database import Pool
from immuni.otp import OtpHash

# Here and below, rows are locked in the order of their hashes: no two groups wait for each other.
_CHECK: Final = """
    WITH found AS (
        SELECT id, keyed_hash, checked FROM ingestion.otp
        WHERE keyed_hash = ANY(%b) AND expires_at > %s AND redeemed_digest IS NULL
    ), unchecked AS (
        SELECT otp.id FROM ingestion.otp JOIN found USING (id)
        WHERE NOT found.checked ORDER BY otp.keyed_hash FOR UPDATE OF otp
    ), prolonged AS (
        UPDATE ingestion.otp
        SET checked = true, expires_at = greatest(expires_at, authorised_at + %s)
        FROM unchecked WHERE otp.id = unchecked.id AND NOT otp.checked
        RETURNING otp.id
    )
    SELECT keyed_hash, prolonged.id IS NOT NULL FROM found LEFT JOIN prolonged USING (id)
"""
_FIND: Final = """
    SELECT keyed_hash, id, key_id, redeemed_digest, onset_on, tested_on, authorised_at
    FROM ingestion.otp
    WHERE keyed_hash = ANY(%b) AND expires_at > %s ORDER BY keyed_hash FOR UPDATE
"""
_REDEEM: Final = """
    UPDATE ingestion.otp SET redeemed_digest = spent.digest
    FROM unnest(%b::uuid[], %b::bytea[]) AS spent (id, digest) WHERE otp.id = spent.id
"""
_KEEP: Final = """
    INSERT INTO ingestion.upload (packed_keys, onset_on, tested_on, received_on, last_end)
    SELECT packed_keys, onset_on, tested_on, %s, last_end
    FROM unnest(%b::bytea[], %s::date[], %s::date[], %s::integer[])
        AS kept (packed_keys, onset_on, tested_on, last_end)
"""


@dataclass(frozen=True, slots=True)
class Checks:
    """What came of checking codes.

    Attributes:
        authorised: For each that was asked for, whether it is known, not expired, and not used.
        first: How many codes were never found so before.
    """

    authorised: list[bool]
    first: int


@dataclass(frozen=True, slots=True)
class Redemption:
    """A code, and the keys that it is to be spent on."""

    otp: OtpHash = field(repr=False)
    teks: Sequence[KeyParts] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code allows, once it is spent in this transaction.

    Attributes:
        diagnosis: What the operator entered beside the code.
        authorised_at: When that was, by the OTP Service's clock.
        repeated: The same keys came before and are kept already: there is nothing left to do.
    """

    diagnosis: Diagnosis
    authorised_at: datetime
    repeated: bool


class UploadWork:
    """One transaction of a group of uploads: everything in it happens, or nothing."""

    def __init__(self, connection: AsyncConnection[TupleRow], keys: OtpKeys) -> None:
        """Work in the transaction that is open on `connection`."""
        self._connection = connection
        self._keys = keys

    async def redeem(
        self, redemptions: Sequence[Redemption], *, now: datetime
    ) -> list[Grant | OtpUnknownError]:
        """Spend codes on keys, one after the other; a refusal stands where a code grants nothing.

        A second transaction with one of the codes waits here for the end of the first.

        Args:
            redemptions: What is to be spent.
            now: The codes must not have expired by then.

        Returns:
            For each what it grants, or that its code is unknown, expired, or was spent on other
            keys.
        """
        asked = [self._keys.keyed(each.otp) for each in redemptions]
        codes = await self._codes([keyed_hash for each in asked for keyed_hash in each], now)
        outcomes = [
            self._spend(_first_of(codes, keyed_hashes), each.teks)
            for keyed_hashes, each in zip(asked, redemptions, strict=True)
        ]
        spent = [code for code in codes.values() if code.is_new]
        if spent:
            values = [[code.id for code in spent], [code.redeemed_digest for code in spent]]
            await self._connection.execute(_REDEEM, values, prepare=False)
        return outcomes

    async def keep(
        self,
        uploads: Iterable[tuple[Sequence[KeyParts], Diagnosis]],
        *,
        received_on: date,
    ) -> None:
        """Keep the keys of people until publishing collects them; no keys leave no row."""
        # In the order of their keys: where a row lies says nothing of who came when.
        rows = sorted(
            ((pack_keys(stored_keys(teks)), teks, of) for teks, of in uploads if teks),
            key=lambda row: row[0],
        )
        if rows:
            columns = [
                [packed for packed, _, _ in rows],
                [of.onset_on for _, _, of in rows],
                [of.tested_on for _, _, of in rows],
                [max(map(_end, teks)) for _, teks, _ in rows],
            ]
            await self._connection.execute(_KEEP, [received_on, *columns], prepare=False)

    async def enclose(self, sealed: Sealed, *, received_on: date) -> None:
        """Put sealed Epidemiological Info into the outbox."""
        await self._connection.execute(
            "INSERT INTO ingestion.outbox (key_id, sealed, received_on) VALUES (%s, %b, %s)",
            [sealed.key_id, sealed.ciphertext, received_on],
        )

    async def _codes(
        self, keyed_hashes: Sequence[KeyedHash], now: datetime
    ) -> dict[KeyedHash, "_Code"]:
        cursor = await self._connection.execute(_FIND, [keyed_hashes, now], prepare=False)
        return {KeyedHash(row[0]): _Code(*row[1:]) for row in await cursor.fetchall()}

    def _spend(self, code: "_Code | None", teks: Sequence[KeyParts]) -> Grant | OtpUnknownError:
        if code is None:
            return OtpUnknownError("the code is not authorised")
        digest = self._keys.upload_digest(code.key_id, [tek.key_data for tek in teks])
        repeated = code.redeemed_digest is not None
        if code.redeemed_digest is None:
            code.redeemed_digest, code.is_new = digest, True
        elif not hmac.compare_digest(code.redeemed_digest, digest):
            return OtpUnknownError("the code was used")
        diagnosis = Diagnosis(code.onset_on, code.tested_on)
        return Grant(diagnosis, code.authorised_at, repeated=repeated)


@dataclass(slots=True)
class _Code:
    """A row that is locked, as the uploads of the group change it one after the other."""

    id: UUID
    key_id: str
    redeemed_digest: bytes | None
    onset_on: date | None
    tested_on: date | None
    authorised_at: datetime
    is_new: bool = False


class IngestionStore:
    """What ingestion keeps."""

    def __init__(self, pool: Pool, keys: OtpKeys) -> None:
        """Keep through `pool`; find codes with `keys`."""
        self._pool = pool
        self._keys = keys

    async def check(
        self, otps: Sequence[OtpHash], *, now: datetime, checked_lifetime: timedelta
    ) -> Checks:
        """Find out which codes are authorised; the first time, let one live longer.

        Args:
            otps: The codes' hashes.
            now: A code must not have expired by then.
            checked_lifetime: How long one lives from its authorisation, once checked.
        """
        asked = [self._keys.keyed(otp) for otp in otps]
        hashes = [keyed_hash for each in asked for keyed_hash in each]
        async with single_statement(self._pool) as connection:
            cursor = await connection.execute(_CHECK, [hashes, now, checked_lifetime])
            found = dict(await cursor.fetchall())
        authorised = [not found.keys().isdisjoint(each) for each in asked]
        return Checks(authorised, first=sum(found.values()))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[UploadWork]:
        """Open the transaction of a group of uploads; it commits at the end, or not at all."""
        async with transaction(self._pool) as connection:
            yield UploadWork(connection, self._keys)


def _first_of(codes: Mapping[KeyedHash, _Code], keyed_hashes: Iterable[KeyedHash]) -> _Code | None:
    return next((codes[each] for each in keyed_hashes if each in codes), None)


def _end(tek: KeyParts) -> int:
    """Return the first interval in which a key is no longer valid."""
    return tek.rolling_start_number + tek.rolling_period
