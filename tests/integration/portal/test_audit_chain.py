"""Appending to the chained trail: many at once, failing, killed, after events without a chain."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import psycopg
import pytest

from immuni.database import Pool, open_pool
from immuni.deployment.databases import PortalDatabase
from immuni.portal.audit.chain import BEGINNING, ChainBrokenError, ChainEnd, extended
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.audit.keys import AuditKeys
from immuni.portal.audit.store import lock_end, stored_events
from immuni.portal.audit.trail import AuditKeyReplacedError, AuditTrail

pytestmark = pytest.mark.anyio

KEYS: Final = AuditKeys({"audit-1": bytes(range(32))})
EVENT: Final = Event(
    at=datetime(2020, 6, 20, 10, 0, 0, 123456, tzinfo=UTC),
    action=Action.SIGN_IN,
    outcome=Outcome.REFUSED,
    account_id=None,
)
DETAILS: Final[list[Mapping[str, str | int]]] = [
    {},
    {"é": 'quote " \\ \n', "aa": 1 << 80, "b": -1},
    {"🦠": "\u2028"},
]
APPENDER: Final = """
import asyncio, sys
from immuni.database import open_pool
from immuni.portal.audit.trail import AuditTrail
from tests.integration.portal.test_audit_chain import EVENT, KEYS

async def append(trail):
    while True:
        await trail.record(EVENT)
        print("appended", flush=True)

async def main():
    async with open_pool(sys.argv[1], max_size=4) as pool:
        shared = AuditTrail(pool, KEYS)
        trails = [shared, shared, shared, AuditTrail(pool, KEYS)]
        await asyncio.gather(*(append(trail) for trail in trails))

asyncio.run(main())
"""


@pytest.fixture
async def pool(portal_database: PortalDatabase) -> AsyncIterator[Pool]:
    async with open_pool(portal_database.portal) as pool:
        yield pool


async def whole_chain(pool: Pool, keys: AuditKeys = KEYS) -> ChainEnd:
    """Verify all events, and that the head is where they end."""
    end = BEGINNING
    async with pool.connection() as connection:
        head = await lock_end(connection)
        async for event in stored_events(connection, after=0):
            end = extended(end, event, keys)
    assert head == end
    return end


async def subjects(pool: Pool) -> list[str]:
    """Return what the events were done to, in their order."""
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT subject FROM audit_event ORDER BY id")
        return [subject async for (subject,) in cursor]


async def test_events_come_back_as_they_were_chained(pool: Pool) -> None:
    trail = AuditTrail(pool, KEYS)

    for detail in DETAILS:
        await trail.record(replace(EVENT, subject="Ørsted \t 'x'", detail=detail))

    assert (await whole_chain(pool)).events == 3


async def test_fifty_at_once_from_several_processes_leave_no_gap_and_one_chain(
    portal_database: PortalDatabase,
) -> None:
    async with AsyncExitStack() as stack:
        pools = [
            await stack.enter_async_context(open_pool(portal_database.portal)) for _ in range(2)
        ]
        await asyncio.gather(
            *(AuditTrail(pools[number % 2], KEYS).record(EVENT) for number in range(50))
        )

        assert (await whole_chain(pools[0])).last_id == 50


async def test_what_is_recorded_at_once_shares_transactions_and_one_chain(pool: Pool) -> None:
    trail = AuditTrail(pool, KEYS)

    await asyncio.gather(*(trail.record(EVENT) for _ in range(50)))

    assert (await whole_chain(pool)).last_id == 50
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT count(DISTINCT xmin::text) FROM audit_event")
        row = await cursor.fetchone()
    assert row is not None
    assert row[0] < 10


async def test_an_event_that_cannot_be_stored_takes_no_other_with_it(pool: Pool) -> None:
    trail = AuditTrail(pool, KEYS)
    broken = [replace(EVENT, subject="\0"), replace(EVENT, account_id=404)]
    events = [replace(EVENT, subject=f"event {number}") for number in range(4)]

    outcomes = await asyncio.gather(
        *(trail.record(each) for each in [*events[:2], *broken, *events[2:]]),
        return_exceptions=True,
    )

    assert [type(each) for each in outcomes] == [
        *[type(None)] * 2,
        psycopg.DataError,
        psycopg.errors.ForeignKeyViolation,
        *[type(None)] * 2,
    ]
    assert (await whole_chain(pool)).events == 4
    assert await subjects(pool) == [f"event {number}" for number in range(4)]


async def test_a_group_whose_end_nobody_knows_is_not_written_again(
    portal_database: PortalDatabase, pool: Pool
) -> None:
    async with await psycopg.AsyncConnection.connect(portal_database.owner) as owner:
        # The database goes away in the middle of the first attempt.
        await owner.execute(
            "CREATE FUNCTION go_away() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$"
            " BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$"
        )
        await owner.execute(
            "CREATE CONSTRAINT TRIGGER go_away AFTER INSERT ON audit_event"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id = 2)"
            " EXECUTE FUNCTION go_away()"
        )
    trail = AuditTrail(pool, KEYS)

    outcomes = await asyncio.gather(
        *(trail.record(EVENT) for _ in range(3)), return_exceptions=True
    )

    assert all(isinstance(each, psycopg.OperationalError) for each in outcomes)
    assert (await whole_chain(pool)).events == 0


async def test_a_transaction_that_fails_leaves_neither_event_nor_gap(pool: Pool) -> None:
    trail = AuditTrail(pool, KEYS)
    await trail.record(EVENT)

    async with pool.connection() as connection:
        await trail.append(connection, EVENT)
        await connection.rollback()
    await trail.record(EVENT)

    assert (await whole_chain(pool)).last_id == 2


async def test_a_process_killed_in_the_middle_leaves_a_whole_chain(
    portal_database: PortalDatabase, pool: Pool
) -> None:
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", APPENDER, portal_database.portal, stdout=PIPE
        )
        assert process.stdout is not None
        for _ in range(20):
            assert await process.stdout.readline() == b"appended\n"
        process.kill()
        await process.communicate()

    await AuditTrail(pool, KEYS).record(EVENT)
    assert (await whole_chain(pool)).events > 40


async def test_the_chain_goes_on_under_a_new_key_and_not_back(pool: Pool) -> None:
    both = AuditKeys({"audit-2": bytes(32), **KEYS.secrets})
    await AuditTrail(pool, KEYS).record(EVENT)
    await AuditTrail(pool, both).record(EVENT)

    with pytest.raises(AuditKeyReplacedError):
        await AuditTrail(pool, KEYS).record(EVENT)

    assert (await whole_chain(pool, both)).key_id == "audit-2"


async def test_events_from_before_the_chain_are_adopted(
    portal_database: PortalDatabase, pool: Pool
) -> None:
    async with await psycopg.AsyncConnection.connect(portal_database.owner) as owner:
        # As the migration finds it and leaves it.
        await owner.execute("ALTER TABLE audit_event DROP CONSTRAINT audit_event_chained")
        await owner.execute(
            "INSERT INTO audit_event (id, at, action, outcome)"
            " SELECT id, now(), 'sign_in', 'refused' FROM unnest('{1,2,5}'::int[]) AS id"
        )
        await owner.execute("UPDATE audit_head SET last_id = 5, mac = NULL, events = 3")

    await asyncio.gather(*(AuditTrail(pool, KEYS).record(EVENT) for _ in range(2)))

    end = await whole_chain(pool)
    assert (end.last_id, end.events) == (7, 5)
    async with await psycopg.AsyncConnection.connect(portal_database.owner) as owner:
        await owner.execute("ALTER TABLE audit_event DISABLE TRIGGER append_only")
        await owner.execute("DELETE FROM audit_event WHERE id = 2")
    with pytest.raises(ChainBrokenError, match="event 6, or one before it from before the chain"):
        await whole_chain(pool)


async def test_the_portal_appends_nothing_without_a_code(pool: Pool) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        async with pool.connection() as connection:
            await connection.execute(
                "INSERT INTO audit_event (id, at, action, outcome)"
                " VALUES (1, now(), 'sign_in', 'refused')"
            )
