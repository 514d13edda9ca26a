"""Operational Info, and what vouched for it, in the analytics database.

No table has a sequence, an id or a time finer than a day.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass, field
from datetime import date
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.backend.analytics.days import open_day
from immuni.backend.analytics.rules import OperationalRecord, first_of_month, month_before
from immuni.backend.connections import transaction
from immuni.database import Pool

# Rows are locked, and written, in the order of their keys: no two groups wait for each other.
_LOCK_TOKENS: Final = """
    SELECT token_hash, month, with_exposure_first, with_exposure_next,
           without_exposure_first, without_exposure_next
    FROM analytics.token WHERE token_hash = ANY(%b) AND month = ANY(%s)
    ORDER BY token_hash FOR UPDATE
"""
_USE_TOKENS: Final = """
    UPDATE analytics.token SET
        with_exposure_first = used.with_first, with_exposure_next = used.with_next,
        without_exposure_first = used.without_first, without_exposure_next = used.without_next
    FROM unnest(%b::bytea[], %s::boolean[], %s::boolean[], %s::boolean[], %s::boolean[])
        AS used (token_hash, with_first, with_next, without_first, without_next)
    WHERE token.token_hash = used.token_hash
"""
_USE_SALTS: Final = """
    INSERT INTO analytics.salt (salt, received_on)
    SELECT salt, %s FROM unnest(%b::bytea[]) AS used (salt) ORDER BY salt
    ON CONFLICT DO NOTHING RETURNING salt
"""
_KEEP: Final = """
    INSERT INTO analytics.operational_info
        (received_on, platform, province, exposure_permission, bluetooth_active,
         notification_permission, exposure_notification, last_risky_exposure_on, build)
    SELECT * FROM unnest(
        %s::date[], %s::text[], %s::text[], %s::boolean[], %s::boolean[],
        %s::boolean[], %s::boolean[], %s::date[], %s::integer[]
    ) ORDER BY gen_random_uuid()
"""


@dataclass(frozen=True, slots=True)
class TokenClaim:
    """An analytics token that is to vouch for a report.

    Attributes:
        analytics_token: As the phone sent it; only its hash is stored.
        with_exposure: The kind of the report; in each month a token vouches for one of each.
    """

    analytics_token: str = field(repr=False)
    with_exposure: bool

    @property
    def token_hash(self) -> bytes:
        """The token as it is stored."""
        return token_hash(self.analytics_token)


def token_hash(analytics_token: str) -> bytes:
    """Return the 32 bytes under which a token is stored: SHA-256 of its digits."""
    return hashlib.sha256(analytics_token.encode("ascii")).digest()


@dataclass(slots=True)
class _Token:
    """A row that is locked, as the reports of the group use it one after the other."""

    month: date
    used: dict[tuple[bool, bool], bool]
    """For each kind (with exposure?) and month (the next?) whether it has vouched already."""
    is_changed: bool = False

    def vouch(self, *, with_exposure: bool, month: date) -> bool:
        """Vouch for a report, where it has not done so for one of this kind in this month."""
        place = (with_exposure, self.month != month)
        if self.used[place]:
            return False
        self.used[place] = self.is_changed = True
        return True


class ReportWork:
    """One transaction of a group of reports: everything in it happens, or nothing."""

    def __init__(self, connection: AsyncConnection[TupleRow]) -> None:
        """Work in the transaction that is open on `connection`."""
        self._connection = connection

    async def open_day(self, day: date) -> None:
        """Make sure that reports of a day have their place."""
        await open_day(self._connection, day)

    async def claim_tokens(self, claims: Sequence[TokenClaim], *, today: date) -> list[bool]:
        """Have tokens vouch for reports, one after the other.

        A token vouches in the month of its authorisation and in the next, in each for one report
        with exposure and for one without. A second transaction that claims one of the tokens waits
        here for the end of the first.

        Returns:
            For each claim whether its token vouches.
        """
        if not claims:
            return []
        month = first_of_month(today)
        hashes = [claim.token_hash for claim in claims]
        tokens = await self._lock(hashes, month)
        outcomes = [
            hash_ in tokens and tokens[hash_].vouch(with_exposure=claim.with_exposure, month=month)
            for hash_, claim in zip(hashes, claims, strict=True)
        ]
        await self._write({each: token for each, token in tokens.items() if token.is_changed})
        return outcomes

    async def claim_salts(self, salts: Sequence[bytes], *, today: date) -> list[bool]:
        """Have attestations vouch for reports, each known by its salt, once.

        A second transaction that claims one of the salts waits here for the end of the first.

        Returns:
            For each salt whether it is new; of two alike the first is.
        """
        if not salts:
            return []
        values = [today, list(set(salts))]
        cursor = await self._connection.execute(_USE_SALTS, values, prepare=False)
        new = {bytes(row[0]) for row in await cursor.fetchall()}
        outcomes = []
        for salt in salts:
            outcomes.append(salt in new)
            new.discard(salt)
        return outcomes

    async def keep(self, records: Iterable[OperationalRecord]) -> None:
        """Keep reports, in an order of their own."""
        columns = [list(each) for each in zip(*map(astuple, records), strict=True)]
        if columns:
            await self._connection.execute(_KEEP, columns, prepare=False)

    async def _lock(self, hashes: Sequence[bytes], month: date) -> dict[bytes, _Token]:
        values = [hashes, [month, month_before(month)]]
        cursor = await self._connection.execute(_LOCK_TOKENS, values, prepare=False)
        return {
            bytes(row[0]): _Token(
                row[1],
                {
                    (True, False): row[2],
                    (True, True): row[3],
                    (False, False): row[4],
                    (False, True): row[5],
                },
            )
            async for row in cursor
        }

    async def _write(self, tokens: dict[bytes, _Token]) -> None:
        if tokens:
            flags = zip(*(token.used.values() for token in tokens.values()), strict=True)
            values = [list(tokens), *map(list, flags)]
            await self._connection.execute(_USE_TOKENS, values, prepare=False)


@asynccontextmanager
async def report_transaction(pool: Pool) -> AsyncIterator[ReportWork]:
    """Open the transaction of a group of reports; it commits at the end, or not at all.

    Raises:
        UnavailableError: The database does not answer.
    """
    async with transaction(pool) as connection:
        yield ReportWork(connection)
