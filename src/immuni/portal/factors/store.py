"""What second factors an account has: all of them, and recovery codes, in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.database import Pool
from immuni.portal.audit.events import Action
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.factors.app_store import APP_SETUP_LIFETIME
from immuni.portal.factors.events import done
from immuni.portal.factors.passkey_store import OF_ACCOUNT, Passkey, passkeys_where

_FORGET: Final = (
    "DELETE FROM totp WHERE account_id = %s",
    "DELETE FROM recovery_code WHERE account_id = %s",
    "DELETE FROM passkey WHERE account_id = %s",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What an account has beside its password.

    Attributes:
        app_since: Since when an authenticator app shows codes for it, if one does.
        passkeys: The oldest first.
        recovery_codes: How many are left.
    """

    app_since: datetime | None
    passkeys: Sequence[Passkey]
    recovery_codes: int

    @property
    def any(self) -> bool:
        """Whether there is a second factor."""
        return self.app_since is not None or bool(self.passkeys)


class FactorStore:
    """Second factors as a whole, and the codes for the day on which they are lost."""

    def __init__(self, pool: Pool, trail: AuditTrail) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool
        self._trail = trail

    async def factors_of(self, account_id: int) -> Factors:
        """Return what an account has."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT (SELECT confirmed_at FROM totp WHERE account_id = %s),"
                " (SELECT count(*) FROM recovery_code WHERE account_id = %s)",
                [account_id, account_id],
            )
            app_since, codes = await cursor.fetchone() or (None, 0)
            passkeys = await passkeys_where(connection, OF_ACCOUNT, account_id)
        return Factors(app_since=app_since, passkeys=passkeys, recovery_codes=codes)

    async def replace_recovery_codes(
        self, account_id: int, hashes: Sequence[bytes], *, now: datetime
    ) -> None:
        """Put new codes in the place of all that there were, with an event."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "DELETE FROM recovery_code WHERE account_id = %s", [account_id]
            )
            await connection.execute(
                "INSERT INTO recovery_code (account_id, code_hash) SELECT %s, unnest(%s::bytea[])",
                [account_id, list(hashes)],
            )
            await self._trail.append(
                connection, done(Action.RECOVERY_CODES, account_id, now, {"count": len(hashes)})
            )

    async def spend_recovery_code(
        self, account_id: int, code_hash: bytes, *, now: datetime
    ) -> bool:
        """Use up a code, with its event; of two at the same instant one gets it."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "DELETE FROM recovery_code WHERE account_id = %s AND code_hash = %s",
                [account_id, code_hash],
            )
            if cursor.rowcount == 0:
                return False
            left = await connection.execute(
                "SELECT count(*) FROM recovery_code WHERE account_id = %s", [account_id]
            )
            (count,) = await left.fetchone() or (0,)
            await self._trail.append(
                connection, done(Action.RECOVERY_CODE_USE, account_id, now, {"left": count})
            )
        return True

    async def purge(self, *, now: datetime) -> None:
        """Forget challenges that have expired, and apps that nobody confirmed."""
        async with self._pool.connection() as connection:
            await connection.execute("DELETE FROM used_challenge WHERE expires_at < %s", [now])
            await connection.execute(
                "DELETE FROM totp WHERE confirmed_at IS NULL AND created_at < %s",
                [now - APP_SETUP_LIFETIME],
            )


async def forget_factors(connection: AsyncConnection[TupleRow], account_id: int) -> None:
    """Forget all second factors of an account; at the next sign-in it sets up a new one.

    For whoever has lost them all and was recognised by somebody who manages people. Nothing secret
    comes back. The event and the end of the sessions are for the caller.
    """
    for statement in _FORGET:
        await connection.execute(statement, [account_id])
