"""Inviting somebody: an open invitation, and the link that is handed over.

The portal sends no mail: a mail server would be one more party that learns who works where and
could use the link first. Whoever invites hands the link over by a way on which they know the
person.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.clock import Clock
from immuni.database import Pool
from immuni.entropy import Entropy
from immuni.portal.accounts.account import parse_name, parse_user
from immuni.portal.accounts.invitations import INVITATION_LIFETIME, InvitationToken
from immuni.portal.accounts.roles import Role
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.people.rules import Refusal, RefusedError

KEPT_AFTER_EXPIRY: Final = timedelta(days=30)
"""How long an invitation that is over stays in the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Whom somebody invites into what.

    Attributes:
        user: The name with which they will sign in; empty where they choose it.
        name: What they are called; empty where nobody says.
        host_id: The account that invites; None for whoever sets the portal up.
        import_id: The list on which they stand, if any.
    """

    organisation_id: int
    role: Role
    user: str = ""
    name: str = ""
    host_id: int | None = None
    import_id: int | None = None


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation and the secret of its link, which is shown once."""

    id: int
    token: InvitationToken = field(repr=False)


async def add_invitation(
    connection: AsyncConnection[TupleRow],
    wish: Wish,
    *,
    token: InvitationToken | None,
    now: datetime,
) -> int:
    """Add an open invitation, in the transaction of its event.

    Args:
        connection: Its transaction holds the lock under which `require_free` looked, or another
            look of its own.
        wish: What it says.
        token: The secret of its link; None where the link is made later.
        now: When it begins.
    """
    cursor = await connection.execute(
        "INSERT INTO invitation (token_hash, organisation_id, role, user_name, display_name,"
        " import_id, invited_by, created_at, expires_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
        [
            token.hash if token else None,
            wish.organisation_id,
            wish.role,
            wish.user,
            wish.name,
            wish.import_id,
            wish.host_id,
            now,
            now + INVITATION_LIFETIME,
        ],
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def purge_invitations(connection: AsyncConnection[TupleRow], *, now: datetime) -> None:
    """Forget the invitations that have long been over."""
    await connection.execute(
        "DELETE FROM invitation WHERE expires_at < %s", [now - KEPT_AFTER_EXPIRY]
    )


def invitation_event(wish: Wish, invitation_id: int, *, now: datetime) -> Event:
    """Return what the audit trail says of an invitation; not whom, who has no account yet."""
    return Event(
        at=now,
        action=Action.INVITATION,
        outcome=Outcome.DONE,
        account_id=wish.host_id,
        subject=f"invitation {invitation_id}",
        detail={"role": wish.role, "organisation": wish.organisation_id},
    )


async def invite_from_outside(
    pool: Pool,
    trail: AuditTrail,
    *,
    role: Role,
    organisation: str,
    user: str,
    clock: Clock,
    entropy: Entropy,
) -> Invited:
    """Invite somebody without being signed in: for whoever has the portal's database.

    Args:
        pool: The portal's database.
        trail: Where it leaves an event.
        role: What the account will be for.
        organisation: The name of the hospital or region, which is made where it is new.
        user: The name with which they will sign in; empty where they choose it.
        clock: Tells when the invitation begins.
        entropy: Where its secret comes from.

    Raises:
        InvalidNameError: The organisation cannot be called that.
        InvalidUserError: Nobody can sign in with that name.
        RefusedError: The name is taken, or the organisation closed.
    """
    now, token = clock.now(), InvitationToken.draw(entropy)
    async with pool.connection() as connection:
        wish = Wish(
            organisation_id=await _organisation(connection, parse_name(organisation), now),
            role=role,
            user=parse_user(user) if user else "",
        )
        await require_free(connection, wish.user, now=now)
        invitation_id = await add_invitation(connection, wish, token=token, now=now)
        await trail.append(connection, invitation_event(wish, invitation_id, now=now))
    return Invited(invitation_id, token)


async def _organisation(connection: AsyncConnection[TupleRow], name: str, now: datetime) -> int:
    if not name:
        raise RefusedError(Refusal.ORGANISATION_UNKNOWN)
    await connection.execute(
        "INSERT INTO organisation (name, created_at, active_from) VALUES (%s, %s, %s)"
        " ON CONFLICT (authority_id, name) DO NOTHING",
        # Yesterday has come everywhere, whatever the time zone.
        [name, now, (now - timedelta(days=1)).date()],
    )
    cursor = await connection.execute(
        "SELECT id FROM organisation WHERE authority_id = 1 AND name = %s AND closed_at IS NULL",
        [name],
    )
    if (row := await cursor.fetchone()) is None:
        raise RefusedError(Refusal.CLOSED)
    return int(row[0])


async def require_free(connection: AsyncConnection[TupleRow], user: str, *, now: datetime) -> None:
    """Make sure that nobody has a user name, or was invited under it; none is always free.

    Raises:
        RefusedError: Somebody has, or was.
    """
    cursor = await connection.execute(
        "SELECT FROM operator_account WHERE user_name = %s UNION ALL"
        " SELECT FROM invitation WHERE user_name = %s AND accepted_at IS NULL"
        " AND revoked_at IS NULL AND expires_at > %s",
        [user, user, now],
    )
    if user and await cursor.fetchone() is not None:
        raise RefusedError(Refusal.USER_TAKEN)
