"""Looking for people, in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.database import Pool
from immuni.portal.accounts.account import Account
from immuni.portal.accounts.roles import Role
from immuni.portal.audit.events import Action, Outcome
from immuni.portal.people.rules import NobodyError, Person, sees

PAGE_SIZE: Final = 50

_COLUMNS: Final = """
    SELECT account.id, account.user_name, account.display_name, account.role, organisation.id,
        organisation.name, account.created_at, account.deactivated_at,
        organisation.closed_at IS NOT NULL
"""
_FROM: Final = """
    FROM operator_account AS account
    JOIN organisation ON organisation.id = account.organisation_id
"""
_SEEN: Final = """
    WHERE (%(organisation)s::bigint IS NULL OR organisation.id = %(organisation)s)
      AND (%(role)s = '' OR account.role = %(role)s)
      AND (%(state)s = '' OR (account.deactivated_at IS NULL) = (%(state)s = 'active'))
      AND (%(text)s = '' OR account.user_name ILIKE %(text)s OR account.display_name ILIKE %(text)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a list is narrowed to.

    Attributes:
        text: A part of the user name, or of what they are called.
        role: One role; empty for all.
        state: ``active``, ``deactivated`` or empty.
        organisation_id: One organisation; None for all that the reader may see.
        page: Which fifty; 1 is the first.
    """

    text: str = ""
    role: str = ""
    state: str = ""
    organisation_id: int | None = None
    page: int = 1


class PeopleStore:
    """Accounts as those see them who look after them."""

    def __init__(self, pool: Pool) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool

    async def people(self, reader: Account, search: Search) -> tuple[list[Person], int]:
        """Return one page of those whom an account may see, by name, and how many there are."""
        own = None if reader.role.whole_authority else reader.organisation_id
        values = {
            "organisation": own or search.organisation_id,
            "role": search.role,
            "state": search.state,
            "text": f"%{_literal(search.text)}%" if search.text else "",
            "limit": PAGE_SIZE,
            "offset": (search.page - 1) * PAGE_SIZE,
        }
        async with self._pool.connection() as connection:
            counted = await connection.execute(f"SELECT count(*) {_FROM} {_SEEN}", values)
            row = await counted.fetchone()
            cursor = await connection.execute(
                f"{_COLUMNS} {_FROM} {_SEEN}"
                " ORDER BY lower(coalesce(nullif(account.display_name, ''), account.user_name)),"
                " account.id LIMIT %(limit)s OFFSET %(offset)s",
                values,
            )
            return [person_of(each) async for each in cursor], row[0] if row else 0

    async def person(self, reader: Account, person_id: int) -> Person:
        """Return somebody whom an account may see.

        Raises:
            NobodyError: There is nobody, or nobody whom it may see.
        """
        async with self._pool.connection() as connection:
            return await find_person(connection, reader, person_id)

    async def last_sign_in(self, person_id: int) -> datetime | None:
        """Return when somebody last came in, as far back as the audit trail reaches."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT at FROM audit_event WHERE account_id = %s AND action = %s AND outcome = %s"
                " ORDER BY at DESC LIMIT 1",
                [person_id, Action.SIGN_IN, Outcome.DONE],
            )
            row = await cursor.fetchone()
        at: datetime | None = row[0] if row else None
        return at

    async def organisations(self, reader: Account) -> list[tuple[int, str]]:
        """Return id and name of the open organisations into which an account may bring people."""
        own = None if reader.role.whole_authority else reader.organisation_id
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT id, name FROM organisation WHERE closed_at IS NULL"
                " AND (%(own)s::bigint IS NULL OR id = %(own)s) ORDER BY lower(name)",
                {"own": own},
            )
            return [(row[0], row[1]) async for row in cursor]


async def find_person(
    connection: AsyncConnection[TupleRow], reader: Account, person_id: int
) -> Person:
    """Return somebody whom an account may see.

    Raises:
        NobodyError: There is nobody, or nobody whom it may see.
    """
    cursor = await connection.execute(f"{_COLUMNS} {_FROM} WHERE account.id = %s", [person_id])
    row = await cursor.fetchone()
    if row is None or not sees(reader, (person := person_of(row)).organisation_id):
        raise NobodyError("there is nobody to be seen")
    return person


async def people_of_users(
    connection: AsyncConnection[TupleRow], users: Sequence[str]
) -> dict[str, Person]:
    """Return whoever has one of these user names, wherever they are, by user name."""
    cursor = await connection.execute(
        f"{_COLUMNS} {_FROM} WHERE account.user_name = ANY(%s)", [list(users)]
    )
    return {(person := person_of(row)).user: person async for row in cursor}


def person_of(row: TupleRow) -> Person:
    """Return the person of whom a row tells."""
    id_, user, name, role, organisation_id, organisation, created_at, deactivated_at, closed = row
    return Person(
        id=id_,
        user=user,
        name=name,
        role=Role(role),
        organisation_id=organisation_id,
        organisation=organisation,
        created_at=created_at,
        deactivated_at=deactivated_at,
        closed=closed,
    )


def _literal(text: str) -> str:
    """Return `text` so that LIKE finds it as it stands."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
