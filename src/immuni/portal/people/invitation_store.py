"""Open invitations: listed, made, taken back, given another link."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.rows import TupleRow

from immuni.database import Pool
from immuni.portal.accounts.account import Account
from immuni.portal.accounts.invitations import INVITATION_LIFETIME, InvitationToken
from immuni.portal.accounts.roles import Role
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.desk import Desk
from immuni.portal.people.inviting import (
    Invited,
    Wish,
    add_invitation,
    invitation_event,
    purge_invitations,
    require_free,
)
from immuni.portal.people.managing import Work, require_open, working
from immuni.portal.people.rules import Refusal, RefusedError, require_giving

_SELECT: Final = """
    SELECT invitation.id, invitation.user_name, invitation.display_name, invitation.role,
        invitation.organisation_id, organisation.name,
        coalesce(nullif(host.display_name, ''), host.user_name, ''), invitation.created_at,
        invitation.expires_at, invitation.token_hash IS NOT NULL
    FROM invitation
    JOIN organisation ON organisation.id = invitation.organisation_id
    LEFT JOIN operator_account AS host ON host.id = invitation.invited_by
"""
_LISTED: Final = 500
"""How many open invitations are shown at once; a list that is imported has its own page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInvitation:
    """An invitation as those see it who look after people.

    Attributes:
        host: What whoever invites is called; empty for whoever set the portal up.
        has_link: Whether a link was made for it.
    """

    id: int
    user: str
    name: str
    role: Role
    organisation_id: int
    organisation: str
    host: str
    created_at: datetime
    expires_at: datetime
    has_link: bool


class InvitationStore:
    """Looks at invitations."""

    def __init__(self, pool: Pool) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool

    async def open_invitations(self, reader: Account, *, now: datetime) -> list[OpenInvitation]:
        """Return those that wait, of whoever the reader looks after, the newest first."""
        own = None if reader.role.whole_authority else reader.organisation_id
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"{_SELECT} WHERE accepted_at IS NULL AND revoked_at IS NULL AND expires_at > %s"
                " AND organisation.closed_at IS NULL"
                " AND (%s::bigint IS NULL OR organisation.id = %s)"
                " ORDER BY invitation.id DESC LIMIT %s",
                [now, own, own, _LISTED],
            )
            return [_invitation_of(row) async for row in cursor]

    async def invitation(self, invitation_id: int) -> OpenInvitation:
        """Return one that was made just now."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"{_SELECT} WHERE invitation.id = %s", [invitation_id]
            )
            row = await cursor.fetchone()
        if row is None:
            raise RefusedError(Refusal.NOT_YOURS)
        return _invitation_of(row)


class Inviter:
    """Makes invitations and takes them back, by the rules."""

    def __init__(self, desk: Desk) -> None:
        """Keep what that needs."""
        self._desk = desk

    async def invite(self, actor: Account, wish: Wish) -> Invited:
        """Invite somebody.

        Raises:
            RefusedError: The rules forbid it, the organisation is closed or unknown, or the name
                is taken; nothing was done.
        """
        token = InvitationToken.draw(self._desk.entropy)
        async with working(self._desk, actor) as work:
            require_giving(work.actor, wish.role, wish.organisation_id)
            await require_open(work.connection, wish.organisation_id)
            await purge_invitations(work.connection, now=work.now)
            await require_free(work.connection, wish.user, now=work.now)
            id_ = await add_invitation(work.connection, wish, token=token, now=work.now)
            event = invitation_event(wish, id_, now=work.now)
            await self._desk.trail.append(work.connection, event)
        return Invited(id_, token)

    async def revoke(self, actor: Account, invitation_id: int) -> None:
        """Take an invitation back; its link does not count from this moment on.

        Raises:
            RefusedError: It is not the actor's to take back, or does not wait any more.
        """
        async with working(self._desk, actor) as work:
            await _require_waiting(work, invitation_id)
            await work.connection.execute(
                "UPDATE invitation SET revoked_at = %s WHERE id = %s", [work.now, invitation_id]
            )
            event = _event(work, invitation_id, Action.INVITATION_REVOCATION)
            await self._desk.trail.append(work.connection, event)

    async def renew(self, actor: Account, invitation_id: int) -> Invited:
        """Make another link for an invitation, and let it count for another week.

        Raises:
            RefusedError: It is not the actor's, or does not wait any more.
        """
        token = InvitationToken.draw(self._desk.entropy)
        async with working(self._desk, actor) as work:
            await _require_waiting(work, invitation_id)
            await work.connection.execute(
                "UPDATE invitation SET token_hash = %s, expires_at = %s WHERE id = %s",
                [token.hash, work.now + INVITATION_LIFETIME, invitation_id],
            )
            event = _event(work, invitation_id, Action.INVITATION_LINK)
            await self._desk.trail.append(work.connection, event)
        return Invited(invitation_id, token)


async def _require_waiting(work: Work, invitation_id: int) -> None:
    cursor = await work.connection.execute(
        f"{_SELECT} WHERE invitation.id = %s AND accepted_at IS NULL AND revoked_at IS NULL"
        " AND expires_at > %s FOR UPDATE OF invitation",
        [invitation_id, work.now],
    )
    if (row := await cursor.fetchone()) is None:
        raise RefusedError(Refusal.INVITATION_OVER)
    found = _invitation_of(row)
    require_giving(work.actor, found.role, found.organisation_id)


def _invitation_of(row: TupleRow) -> OpenInvitation:
    id_, user, name, role, organisation_id, organisation, host, created_at, expires_at, link = row
    return OpenInvitation(
        id=id_,
        user=user,
        name=name,
        role=Role(role),
        organisation_id=organisation_id,
        organisation=organisation,
        host=host,
        created_at=created_at,
        expires_at=expires_at,
        has_link=link,
    )


def _event(work: Work, invitation_id: int, action: Action) -> Event:
    return Event(
        at=work.now,
        action=action,
        outcome=Outcome.DONE,
        account_id=work.actor.id,
        subject=f"invitation {invitation_id}",
    )
