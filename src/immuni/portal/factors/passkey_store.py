"""The tables of passkeys and of challenges that were used, in SQL."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, LiteralString

from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation
from psycopg.rows import TupleRow

from immuni.database import Pool
from immuni.errors import ImmuniError
from immuni.portal.audit.events import Action
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.factors.events import done

MOST_PASSKEYS: Final = 10

_SELECT: Final = """
    SELECT passkey.id, account_id, credential_id, public_key, sign_count, name, passkey.created_at,
        last_used_at
    FROM passkey JOIN operator_account AS account ON account.id = account_id
    WHERE account.deactivated_at IS NULL
"""
OF_ACCOUNT: Final = f"{_SELECT} AND account_id = %s ORDER BY passkey.id"
OF_CREDENTIAL: Final = f"{_SELECT} AND credential_id = %s"


class PasskeyRefusedError(ImmuniError, ValueError):
    """A passkey was not added: there are enough, or it is known already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey of an account.

    Attributes:
        credential_id: By which its authenticator knows it.
        public_key: COSE, as the authenticator told it.
        sign_count: What its authenticator last counted; 0 where it does not count.
    """

    id: int
    account_id: int
    credential_id: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    sign_count: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


class PasskeyStore:
    """Passkeys of accounts."""

    def __init__(self, pool: Pool, trail: AuditTrail) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool
        self._trail = trail

    async def add_passkey(self, passkey: Passkey, *, now: datetime) -> None:
        """Keep a new passkey, with its event.

        Raises:
            PasskeyRefusedError: Its credential is known, or the account has enough.
        """
        try:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(
                    "INSERT INTO passkey"
                    " (account_id, credential_id, public_key, sign_count, name, created_at)"
                    " SELECT %s, %s, %s, %s, %s, %s WHERE"
                    " (SELECT count(*) FROM passkey WHERE account_id = %s) < %s RETURNING id",
                    [
                        *(passkey.account_id, passkey.credential_id, passkey.public_key),
                        *(passkey.sign_count, passkey.name, now, passkey.account_id, MOST_PASSKEYS),
                    ],
                )
                if (row := await cursor.fetchone()) is None:
                    raise PasskeyRefusedError(f"an account has {MOST_PASSKEYS} passkeys at most")
                detail: dict[str, str | int] = {"kind": "passkey", "passkey": row[0]}
                await self._trail.append(
                    connection, done(Action.FACTOR_ADDITION, passkey.account_id, now, detail)
                )
        except UniqueViolation as error:
            raise PasskeyRefusedError("the passkey is known already") from error

    async def passkey_of(self, credential_id: bytes) -> Passkey | None:
        """Return the passkey with a credential id, of an account that is active."""
        async with self._pool.connection() as connection:
            found = await passkeys_where(connection, OF_CREDENTIAL, credential_id)
        return found[0] if found else None

    async def use_passkey(
        self, passkey: Passkey, sign_count: int, challenge: bytes, until: datetime, *, now: datetime
    ) -> bool:
        """Note a use of a passkey; of two with the same challenge, or count, one is noted.

        Args:
            passkey: As it was found.
            sign_count: What its authenticator has counted by now.
            challenge: By what the challenge is remembered.
            until: When that may be forgotten.
            now: When it was used.
        """
        async with self._pool.connection() as connection:
            if not await _spend(connection, challenge, until):
                return False
            cursor = await connection.execute(
                "UPDATE passkey SET sign_count = %s, last_used_at = %s"
                " WHERE id = %s AND sign_count = %s",
                [sign_count, now, passkey.id, passkey.sign_count],
            )
            return cursor.rowcount == 1

    async def spend_challenge(self, challenge: bytes, until: datetime) -> bool:
        """Use up a challenge; of two at the same instant one gets it."""
        async with self._pool.connection() as connection:
            return await _spend(connection, challenge, until)

    async def rename_passkey(self, account_id: int, passkey_id: int, name: str) -> None:
        """Give a passkey of an account another name."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "UPDATE passkey SET name = %s WHERE id = %s AND account_id = %s",
                [name, passkey_id, account_id],
            )

    async def remove_passkey(self, account_id: int, passkey_id: int, *, now: datetime) -> None:
        """Forget a passkey of an account, with its event."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "DELETE FROM passkey WHERE id = %s AND account_id = %s", [passkey_id, account_id]
            )
            if cursor.rowcount:
                detail: dict[str, str | int] = {"kind": "passkey", "passkey": passkey_id}
                await self._trail.append(
                    connection, done(Action.FACTOR_REMOVAL, account_id, now, detail)
                )


async def passkeys_where(
    connection: AsyncConnection[TupleRow], statement: LiteralString, value: int | bytes
) -> list[Passkey]:
    """Return passkeys of active accounts.

    Args:
        connection: To the portal's database.
        statement: `OF_ACCOUNT` or `OF_CREDENTIAL`.
        value: Which account or credential.
    """
    cursor = await connection.execute(statement, [value])
    return [
        Passkey(
            id=id_,
            account_id=account_id,
            credential_id=credential_id,
            public_key=public_key,
            sign_count=sign_count,
            name=name,
            created_at=created_at,
            last_used_at=last_used_at,
        )
        async for (
            id_,
            account_id,
            credential_id,
            public_key,
            sign_count,
            name,
            created_at,
            last_used_at,
        ) in cursor
    ]


async def _spend(connection: AsyncConnection[TupleRow], challenge: bytes, until: datetime) -> bool:
    cursor = await connection.execute(
        "INSERT INTO used_challenge (mark, expires_at) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        [challenge, until],
    )
    return cursor.rowcount == 1
