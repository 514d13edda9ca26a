"""Looking at lists of people that were imported, in SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from immuni.database import Pool
from immuni.portal.accounts.account import Account
from immuni.portal.people.import_verdicts import Verdict
from immuni.portal.people.rules import NobodyError

ROWS_SHOWN: Final = 100
_SELECT: Final = "SELECT id, made_at, applied_at, finished_at, links_shown_at FROM people_import"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """One row of a list, with what it does or did.

    Attributes:
        verdict: A `Verdict` or a `Refusal`.
        done: Whether it was applied.
    """

    line: int
    user: str
    name: str
    role: str
    organisation: str
    verdict: str
    done: bool
    invitation_id: int | None

    @property
    def refused(self) -> bool:
        """Whether it does nothing because something is wrong."""
        return self.verdict not in {*Verdict}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportState:
    """How far a list has come.

    Attributes:
        counts: From each verdict to how many rows have it.
        done: How many rows were applied.
    """

    id: int
    made_at: datetime
    applied_at: datetime | None
    finished_at: datetime | None
    links_shown_at: datetime | None
    counts: Mapping[str, int]
    done: int

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(self.counts.values())

    @property
    def to_do(self) -> int:
        """How many rows change something."""
        return sum(self.counts.get(each, 0) for each in (Verdict.NEW, Verdict.CHANGE))


class ImportStore:
    """Lists as those see them who made them."""

    def __init__(self, pool: Pool) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool

    async def imports(self, reader: Account) -> list[ImportState]:
        """Return the newest lists of an account."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"{_SELECT} WHERE made_by = %s ORDER BY id DESC LIMIT 20", [reader.id]
            )
            found = [row[0] async for row in cursor]
        return [await self.state(reader, import_id) for import_id in found]

    async def state(self, reader: Account, import_id: int) -> ImportState:
        """Return how far a list of an account has come.

        Raises:
            NobodyError: There is none, or it is somebody else's.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"{_SELECT} WHERE id = %s AND made_by = %s", [import_id, reader.id]
            )
            if (row := await cursor.fetchone()) is None:
                raise NobodyError("there is no such list")
            counted = await connection.execute(
                "SELECT verdict, count(*), count(done_at) FROM people_import_row"
                " WHERE import_id = %s GROUP BY verdict",
                [import_id],
            )
            counts = await counted.fetchall()
        id_, made_at, applied_at, finished_at, links_shown_at = row
        return ImportState(
            id=id_,
            made_at=made_at,
            applied_at=applied_at,
            finished_at=finished_at,
            links_shown_at=links_shown_at,
            counts={verdict: count for verdict, count, _ in counts},
            done=sum(done for _, _, done in counts),
        )

    async def rows(
        self, import_id: int, *, verdict: str = "", page: int = 1, size: int | None = ROWS_SHOWN
    ) -> list[ImportRow]:
        """Return rows of a list in their order.

        Args:
            import_id: Which list; whoever asks was let see it.
            verdict: Only those with this one; empty for all.
            page: Which part of them; 1 is the first.
            size: How many are a part; None for all.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT line, user_name, display_name, role, organisation, verdict,"
                " done_at IS NOT NULL, invitation_id FROM people_import_row WHERE import_id = %s"
                " AND (%s = '' OR verdict = %s) ORDER BY line LIMIT %s OFFSET %s",
                [import_id, verdict, verdict, size, (page - 1) * (size or 0)],
            )
            return [
                ImportRow(
                    line=line,
                    user=user,
                    name=name,
                    role=role,
                    organisation=organisation,
                    verdict=found,
                    done=done,
                    invitation_id=invitation_id,
                )
                async for line, user, name, role, organisation, found, done, invitation_id in cursor
            ]
