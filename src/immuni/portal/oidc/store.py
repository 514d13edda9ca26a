"""The tables of identities at providers, and of sign-ins that are under way, in SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from immuni.database import Pool
from immuni.portal.accounts.account import Account
from immuni.portal.accounts.store import SELECT_ACCOUNT, account_of
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.oidc.providers import Provider
from immuni.portal.oidc.rules import FLOW_LIFETIME, Identity


@dataclass(frozen=True, slots=True)
class BegunFlow:
    """What somebody set out to a provider for.

    Attributes:
        account_id: The account that they want to link; None where they sign in.
    """

    account_id: int | None


class FlowStore:
    """Ways to providers that somebody has begun; each is finished once, in time, or never."""

    def __init__(self, pool: Pool) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool

    async def begin(
        self, id_hash: bytes, provider: Provider, *, account_id: int | None, now: datetime
    ) -> None:
        """Keep that somebody has set out, and forget who set out too long ago."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "DELETE FROM provider_flow WHERE begun_at <= %s", [now - FLOW_LIFETIME]
            )
            await connection.execute(
                "INSERT INTO provider_flow (id_hash, provider, account_id, begun_at)"
                " VALUES (%s, %s, %s, %s)",
                [id_hash, provider.name, account_id, now],
            )

    async def finish(
        self, id_hash: bytes, provider: Provider, *, now: datetime
    ) -> BegunFlow | None:
        """Return what was begun, and forget it; None where there is nothing, or no more."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "DELETE FROM provider_flow WHERE id_hash = %s AND provider = %s AND begun_at > %s"
                " RETURNING account_id",
                [id_hash, provider.name, now - FLOW_LIFETIME],
            )
            row = await cursor.fetchone()
        return BegunFlow(row[0]) if row else None


class IdentityStore:
    """Which account is whose, by provider."""

    def __init__(self, pool: Pool, trail: AuditTrail) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool
        self._trail = trail

    async def account_of(self, identity: Identity) -> Account | None:
        """Return the active account to which an identity is linked."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT account_id FROM provider_identity WHERE issuer = %s AND subject = %s",
                [identity.issuer, identity.subject],
            )
            if (row := await cursor.fetchone()) is None:
                return None
            cursor = await connection.execute(f"{SELECT_ACCOUNT} AND account.id = %s", [row[0]])
            return account_of(await cursor.fetchone())

    async def linked_since(self, account_id: int) -> Mapping[str, datetime]:
        """Return the issuers with which an account is linked, and since when."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT issuer, linked_at FROM provider_identity WHERE account_id = %s",
                [account_id],
            )
            return dict(await cursor.fetchall())

    async def link(
        self, account_id: int, provider: Provider, identity: Identity, *, now: datetime
    ) -> bool:
        """Link an identity to an account, in place of the one that it had at that provider.

        An identity that was linked to an account which is closed by now moves: whoever comes back
        to work with a new account is still themselves.

        Returns:
            False where it is linked to another account that is active; nothing was changed.
        """
        async with self._pool.connection() as connection:
            await connection.execute(
                "DELETE FROM provider_identity WHERE account_id = %s AND issuer = %s"
                " AND subject <> %s",
                [account_id, identity.issuer, identity.subject],
            )
            cursor = await connection.execute(
                "INSERT INTO provider_identity AS mine (issuer, subject, account_id, linked_at)"
                " VALUES (%s, %s, %s, %s) ON CONFLICT (issuer, subject)"
                " DO UPDATE SET account_id = EXCLUDED.account_id, linked_at = EXCLUDED.linked_at"
                " WHERE mine.account_id = EXCLUDED.account_id OR EXISTS (SELECT FROM"
                " operator_account WHERE id = mine.account_id AND deactivated_at IS NOT NULL)"
                " RETURNING account_id",
                [identity.issuer, identity.subject, account_id, now],
            )
            if await cursor.fetchone() is None:
                await connection.rollback()
                return False
            event = _done(Action.PROVIDER_LINK, account_id, provider, now)
            await self._trail.append(connection, event)
        return True

    async def unlink(self, account_id: int, provider: Provider, *, now: datetime) -> None:
        """Forget the identity of an account at a provider; where there is none, nothing is done."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "DELETE FROM provider_identity WHERE account_id = %s AND issuer = %s",
                [account_id, provider.issuer],
            )
            if cursor.rowcount:
                event = _done(Action.PROVIDER_UNLINK, account_id, provider, now)
                await self._trail.append(connection, event)


def _done(action: Action, account_id: int, provider: Provider, now: datetime) -> Event:
    return Event(
        at=now,
        action=action,
        outcome=Outcome.DONE,
        account_id=account_id,
        detail={"provider": provider.name},
    )
