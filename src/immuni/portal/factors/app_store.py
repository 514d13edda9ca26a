"""The table of authenticator apps, in SQL."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.database import Pool
from immuni.portal.audit.events import Action
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.factors.events import done
from immuni.portal.factors.keys import Sealed

APP_SETUP_LIFETIME: Final = timedelta(hours=1)
STRANGE_BUDGET: Final = 30
"""How many wrong codes are looked at from browsers that the account never used."""
STRANGE_WINDOW: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class App:
    """An authenticator app's secret, with what is known of its use.

    Attributes:
        sealed: The secret.
        last_step: The newest time step whose code was taken: it and those before are over.
        strange: How many wrong codes came from browsers that the account never used.
        strange_since: Since when these are counted.
    """

    sealed: Sealed
    last_step: int
    strange: int
    strange_since: datetime | None

    def wait(self, now: datetime) -> timedelta:
        """Return how long no code from a strange browser is looked at."""
        if self.strange_since is None or self.strange < STRANGE_BUDGET:
            return timedelta(0)
        return max(self.strange_since + STRANGE_WINDOW - now, timedelta(0))


class AppStore:
    """Authenticator apps, one for an account at most."""

    def __init__(self, pool: Pool, trail: AuditTrail) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool
        self._trail = trail

    async def begin_app(self, account_id: int, sealed: Sealed, *, now: datetime) -> Sealed | None:
        """Keep the secret of an app that is not confirmed yet.

        Returns:
            The secret to show: an earlier one where that was begun a moment ago, so that whoever
            reloads the page need not scan again. None where the account has an app already.
        """
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO totp (account_id, key_id, sealed, created_at) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT (account_id) DO UPDATE SET key_id = EXCLUDED.key_id,"
                " sealed = EXCLUDED.sealed, created_at = EXCLUDED.created_at, last_step = 0"
                " WHERE totp.confirmed_at IS NULL AND totp.created_at < %s",
                [account_id, sealed.key_id, sealed.ciphertext, now, now - APP_SETUP_LIFETIME],
            )
            app = await _app(connection, account_id, confirmed=False)
        return app.sealed if app else None

    async def app_in_setup(self, account_id: int) -> App | None:
        """Return the app that is not confirmed yet."""
        async with self._pool.connection() as connection:
            return await _app(connection, account_id, confirmed=False)

    async def confirm_app(self, account_id: int, step: int, *, now: datetime) -> None:
        """Let an app count from now on, with its event; the code that was typed is over."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "UPDATE totp SET confirmed_at = %s, last_step = %s"
                " WHERE account_id = %s AND confirmed_at IS NULL",
                [now, step, account_id],
            )
            await self._trail.append(
                connection, done(Action.FACTOR_ADDITION, account_id, now, {"kind": "totp"})
            )

    async def app_of(self, account_id: int) -> App | None:
        """Return an account's app."""
        async with self._pool.connection() as connection:
            return await _app(connection, account_id, confirmed=True)

    async def take_step(self, account_id: int, step: int) -> bool:
        """Take the code of a time step; of two at the same instant one is taken.

        Returns:
            Whether it was newer than all before.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE totp SET last_step = %s WHERE account_id = %s AND last_step < %s",
                [step, account_id, step],
            )
            return cursor.rowcount == 1

    async def reseal(self, account_id: int, sealed: Sealed) -> None:
        """Keep the secret of an app as another key has encrypted it."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "UPDATE totp SET key_id = %s, sealed = %s WHERE account_id = %s",
                [sealed.key_id, sealed.ciphertext, account_id],
            )

    async def admit_strange(self, account_id: int, *, now: datetime) -> timedelta:
        """Count a code from a strange browser before it is looked at, or say how long to wait."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE totp SET"
                " strange = CASE WHEN strange_since > %(since)s THEN strange + 1 ELSE 1 END,"
                " strange_since = CASE WHEN strange_since > %(since)s THEN strange_since"
                " ELSE %(now)s END"
                " WHERE account_id = %(account)s"
                " AND (strange < %(budget)s OR strange_since <= %(since)s)",
                {
                    "since": now - STRANGE_WINDOW,
                    "now": now,
                    "account": account_id,
                    "budget": STRANGE_BUDGET,
                },
            )
            if cursor.rowcount:
                return timedelta(0)
            app = await _app(connection, account_id, confirmed=True)
            return app.wait(now) if app else timedelta(0)

    async def forgive_strange(self, account_id: int) -> None:
        """Take back what `admit_strange` counted, because the code was right."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "UPDATE totp SET strange = greatest(strange - 1, 0) WHERE account_id = %s",
                [account_id],
            )

    async def remove_app(self, account_id: int, *, now: datetime) -> None:
        """Forget an app, with its event."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "DELETE FROM totp WHERE account_id = %s AND confirmed_at IS NOT NULL", [account_id]
            )
            if cursor.rowcount:
                await self._trail.append(
                    connection, done(Action.FACTOR_REMOVAL, account_id, now, {"kind": "totp"})
                )


async def _app(
    connection: AsyncConnection[TupleRow], account_id: int, *, confirmed: bool
) -> App | None:
    cursor = await connection.execute(
        "SELECT key_id, sealed, last_step, strange, strange_since FROM totp"
        " WHERE account_id = %s AND (confirmed_at IS NOT NULL) = %s",
        [account_id, confirmed],
    )
    if (row := await cursor.fetchone()) is None:
        return None
    key_id, sealed, last_step, strange, strange_since = row
    return App(Sealed(key_id, sealed), last_step, strange, strange_since)
