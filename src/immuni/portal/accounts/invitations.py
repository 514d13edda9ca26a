"""Invitations: a link that makes one account, once, within a week."""

import base64
import binascii
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation
from psycopg.rows import TupleRow

from immuni.clock import Clock
from immuni.database import Pool
from immuni.entropy import Entropy
from immuni.errors import ImmuniError
from immuni.portal.accounts.account import Account, AccountExistsError, parse_name, parse_user
from immuni.portal.accounts.passwords import PasswordKeeper
from immuni.portal.accounts.roles import Role
from immuni.portal.accounts.store import SELECT_ACCOUNT, account_of
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.audit.trail import AuditTrail

INVITATION_LIFETIME: Final = timedelta(days=7)

_TOKEN_BYTES: Final = 32
_OPEN: Final = """
    FROM invitation
    JOIN organisation ON organisation.id = invitation.organisation_id
    LEFT JOIN operator_account AS host ON host.id = invitation.invited_by
    WHERE token_hash = %s AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > %s
      AND organisation.closed_at IS NULL
"""

Also = Callable[[AsyncConnection[TupleRow], int], Awaitable[None]]
"""What else happens in the transaction that makes an account, whose id it is given."""


class InvitationOverError(ImmuniError, PermissionError):
    """No such invitation counts: unknown, used, taken back, too old; nothing was done."""


@dataclass(frozen=True, slots=True)
class InvitationToken:
    """256 random bits that a link holds; the database knows their hash only."""

    secret: bytes = field(repr=False)

    @classmethod
    def draw(cls, entropy: Entropy) -> Self:
        """Make a new one."""
        return cls(entropy.token(_TOKEN_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one back; outer spaces do not count.

        Raises:
            InvitationOverError: It is none.
        """
        try:
            secret = base64.urlsafe_b64decode(f"{text.strip()}=")
        except (binascii.Error, ValueError):
            secret = b""
        if len(secret) != _TOKEN_BYTES:
            raise InvitationOverError("this is no invitation")
        return cls(secret)

    @property
    def text(self) -> str:
        """What a link holds."""
        return base64.urlsafe_b64encode(self.secret).decode("ascii").rstrip("=")

    @property
    def hash(self) -> bytes:
        """What the database holds; nobody can search 2^256 secrets for it."""
        return hashlib.sha256(self.secret).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An invitation that counts.

    Attributes:
        organisation: Into which hospital or region.
        role: What the account will be for.
        user: The name with which they will sign in; empty where they choose it.
        name: What they are called; empty where nobody said.
        invited_by: What the host is called; empty for whoever set the portal up.
    """

    id: int
    organisation: str
    role: Role
    user: str
    name: str
    invited_by: str


class Invitations:
    """What whoever holds a link can do with it."""

    def __init__(
        self, pool: Pool, trail: AuditTrail, *, passwords: PasswordKeeper, clock: Clock
    ) -> None:
        """Keep what making an account needs."""
        self._pool = pool
        self._trail = trail
        self._passwords = passwords
        self._clock = clock

    async def look(self, token: str) -> Invitation:
        """Return what a link invites into.

        Raises:
            InvitationOverError: It does not count, or does not any more.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT invitation.id, organisation.name, invitation.role, invitation.user_name,"
                " invitation.display_name,"
                f" coalesce(nullif(host.display_name, ''), host.user_name, '') {_OPEN}",
                [InvitationToken.parse(token).hash, self._clock.now()],
            )
            row = await cursor.fetchone()
        if row is None:
            raise InvitationOverError("this invitation does not count, or does not any more")
        id_, organisation, role, user, name, invited_by = row
        return Invitation(
            id=id_,
            organisation=organisation,
            role=Role(role),
            user=user,
            name=name,
            invited_by=invited_by,
        )

    async def accept(
        self,
        token: str,
        *,
        user: str = "",
        name: str = "",
        password: str | None = None,
        also: Also | None = None,
    ) -> Account:
        """Make the account to which a link invites; the link is used up.

        Of several acceptances at the same instant one wins. Whoever calls lets the account in.

        Args:
            token: As the link holds it.
            user: The name with which they will sign in; where the invitation says one, that counts.
            name: What they are called; where the invitation says it, that counts.
            password: 12 to 128 characters; None for an account without, which must be given
                another way in by `also`.
            also: Happens in the same transaction; what it raises leaves the link as it was.

        Raises:
            InvitationOverError: It does not count, or does not any more.
            InvalidUserError: The name is not allowed; the link stays good, here and below.
            InvalidNameError: What they are called is not allowed.
            WeakPasswordError: The password is not allowed.
            AccountExistsError: Somebody has that name.
            PasswordsBusyError: Too many passwords are being looked at.
        """
        invitation = await self.look(token)
        joining = _Joining(
            user=parse_user(invitation.user or user),
            name=parse_name(invitation.name or name),
            password_hash=await self._hash(password, invitation, user, name),
        )
        async with self._pool.connection() as connection:
            account_id = await self._make(connection, InvitationToken.parse(token).hash, joining)
            if also is not None:
                await also(connection, account_id)
            cursor = await connection.execute(f"{SELECT_ACCOUNT} AND account.id = %s", [account_id])
            account = account_of(await cursor.fetchone())
            if account is None:
                raise InvitationOverError("the organisation was closed at this moment")
            await self._trail.append(
                connection, _created(account_id, invitation.id, now=self._clock.now())
            )
        return account

    async def _hash(
        self, password: str | None, invitation: Invitation, user: str, name: str
    ) -> str | None:
        if password is None:
            return None
        context = [invitation.user or user, invitation.name or name, invitation.organisation]
        return await self._passwords.hash(password, context=context)

    async def _make(
        self, connection: AsyncConnection[TupleRow], token_hash: bytes, joining: "_Joining"
    ) -> int:
        now = self._clock.now()
        # Whoever comes second waits here for the first, and then finds no open invitation.
        cursor = await connection.execute(
            "SELECT invitation.id, invitation.organisation_id, invitation.role"
            f" {_OPEN} FOR UPDATE OF invitation",
            [token_hash, now],
        )
        if (row := await cursor.fetchone()) is None:
            raise InvitationOverError("this invitation does not count any more")
        await connection.execute(
            "UPDATE invitation SET accepted_at = %s WHERE id = %s", [now, row[0]]
        )
        try:
            cursor = await connection.execute(
                "INSERT INTO operator_account (organisation_id, user_name, display_name,"
                " password_hash, role, created_at) VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
                [row[1], joining.user, joining.name, joining.password_hash, row[2], now],
            )
        except UniqueViolation:
            # The name alone is the fault: a database's message quotes more than it.
            raise AccountExistsError("somebody has that user name already") from None
        made = await cursor.fetchone()
        if made is None:
            raise InvitationOverError("the account was not made")
        account_id: int = made[0]
        return account_id


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joining:
    """What the account will be."""

    user: str
    name: str
    password_hash: str | None = field(repr=False)


def _created(account_id: int, invitation_id: int, *, now: datetime) -> Event:
    return Event(
        at=now,
        action=Action.ACCOUNT_CREATION,
        outcome=Outcome.DONE,
        account_id=account_id,
        subject=f"account {account_id}",
        detail={"invitation": invitation_id},
    )
