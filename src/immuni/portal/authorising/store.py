"""What the audit trail says of an operator's own work, in SQL."""

from datetime import datetime

from immuni.database import Pool
from immuni.portal.audit.events import Action, Outcome


class AuthorisationStore:
    """Authorisations as the trail tells of them; the codes are nowhere."""

    def __init__(self, pool: Pool) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool

    async def last_authorisation(self, account_id: int) -> datetime | None:
        """Return when an account last had a code authorised."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT max(at) FROM audit_event"
                " WHERE account_id = %s AND action = %s AND outcome = %s",
                [account_id, Action.AUTHORISATION, Outcome.AUTHORISED],
            )
            row = await cursor.fetchone()
        at: datetime | None = row[0] if row else None
        return at
