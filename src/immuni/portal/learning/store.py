"""Who has seen the guide, as the audit trail tells."""

from immuni.database import Pool
from immuni.portal.audit.events import Action


class LearningStore:
    """What somebody has done before; whoever did nothing yet is new."""

    def __init__(self, pool: Pool) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool

    async def is_new(self, account_id: int) -> bool:
        """Tell whether an account has neither seen or passed over the guide nor authorised."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT EXISTS (SELECT FROM audit_event WHERE account_id = %s"
                " AND action = ANY(%s))",
                [account_id, [Action.GUIDE, Action.AUTHORISATION]],
            )
            row = await cursor.fetchone()
        return not (row and row[0])
