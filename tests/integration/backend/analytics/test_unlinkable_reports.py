"""Whoever holds the analytics database cannot tell which token or salt a report came with."""

from datetime import UTC, datetime, time
from functools import partial
from typing import Final

import pytest

from immuni.api import italy
from immuni.backend.analytics.accepting import Acceptance
from immuni.backend.analytics.days import shuffle_operational
from immuni.backend.analytics.store import token_hash
from immuni.clock import ManualClock
from immuni.database import Pool
from immuni.deployment.databases import AnalyticsDatabase
from immuni.entropy import SeededEntropy
from tests.integration.backend.analytics.reports import (
    DAY,
    authorise,
    from_android,
    from_ios,
    token,
)
from tests.linking import Link, Person, Row, links, of_people, read_table

pytestmark = pytest.mark.anyio

PEOPLE: Final = 99


def in_random_order(purpose: str) -> list[int]:
    """Return everybody, shuffled; the same each time."""
    entropy = SeededEntropy(purpose)
    return sorted(range(PEOPLE), key=lambda _: entropy.token(8))


PROVINCES: Final = sorted(italy().codes)[:PEOPLE]
NUMBERS: Final = in_random_order("numbers")
"""Of each person what the token or the salt is made of."""
REPORTS: Final = "analytics.operational_info"


async def report_of_everybody(pool: Pool, database: AnalyticsDatabase, *, ios: bool) -> None:
    """Have a phone of each province report, three at a time."""
    authorise(database, range(PEOPLE) if ios else ())
    acceptance = Acceptance(pool, ManualClock(datetime.combine(DAY, time(12), UTC)))
    make = from_ios if ios else from_android
    people = in_random_order("people")
    for first in range(0, PEOPLE, 3):
        group = [
            make(NUMBERS[each], province=PROVINCES[each]) for each in people[first : first + 3]
        ]
        assert all(await acceptance.accept(group))


def who(table: str, row: Row) -> Person | None:
    if table == REPORTS:
        return PROVINCES.index(row["province"])
    if table == "analytics.salt":
        return NUMBERS.index(int.from_bytes(row["salt"], "big"))
    return [token_hash(token(each)) for each in NUMBERS].index(row["token_hash"])


def found(database: AnalyticsDatabase, table: str) -> list[Link]:
    """Search for whatever tells which row of a table belongs to which report."""
    reports, claims = (
        of_people(read_table(database.owner, each), partial(who, each)) for each in (REPORTS, table)
    )
    assert len(reports) == len(claims) == PEOPLE
    return links(reports, claims)


@pytest.mark.parametrize(("table", "ios"), [("analytics.token", True), ("analytics.salt", False)])
async def test_nothing_that_is_kept_joins_a_report_to_what_vouched_for_it(
    pool: Pool, analytics_database: AnalyticsDatabase, table: str, *, ios: bool
) -> None:
    await report_of_everybody(pool, analytics_database, ios=ios)
    assert found(analytics_database, table), "before the shuffle they share their transactions"

    await shuffle_operational(pool)

    assert found(analytics_database, table) == []
