"""What the portal does for its trail by itself: heads each hour, purging, and telling of both."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from prometheus_client import CollectorRegistry

from immuni.clock import ManualClock, SystemClock
from immuni.database import Pool, open_pool
from immuni.deployment.databases import PortalDatabase
from immuni.portal.audit.chain import ChainBrokenError
from immuni.portal.audit.head_file import append_line, read_heads
from immuni.portal.audit.keeping import AuditMetrics, TrailKeeper
from immuni.portal.audit.statements import Verifiers
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.audit.verifying import Verification, verify_trail
from tests.integration.portal.test_audit_attacks import SIGNER, START
from tests.integration.portal.test_audit_chain import EVENT, KEYS

pytestmark = pytest.mark.anyio

VERIFIERS = Verifiers.of(SIGNER)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
async def pool(portal_database: PortalDatabase) -> AsyncIterator[Pool]:
    async with open_pool(portal_database.portal) as pool:
        yield pool


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def keeper(
    pool: Pool, clock: ManualClock, registry: CollectorRegistry, tmp_path: Path
) -> TrailKeeper:
    return TrailKeeper(
        pool=pool,
        keys=KEYS,
        signer=SIGNER,
        verifiers=VERIFIERS,
        heads=tmp_path / "audit" / "heads.jsonl",
        retention=timedelta(days=365),
        clock=clock,
        metrics=AuditMetrics(registry),
    )


async def append(keeper: TrailKeeper, count: int = 1) -> None:
    for _ in range(count):
        event = replace(EVENT, at=keeper.clock.now())
        await AuditTrail(keeper.pool, keeper.keys).record(event)


def numbers(keeper: TrailKeeper) -> list[tuple[int, int]]:
    heads = read_heads([keeper.heads], VERIFIERS).heads
    return [(head.number, head.end.last_id) for head in heads]


async def verify(keeper: TrailKeeper) -> Verification:
    return await verify_trail(
        keeper.pool,
        keys=keeper.keys,
        verifiers=VERIFIERS,
        heads=[keeper.heads],
        now=keeper.clock.now(),
    )


async def test_a_head_is_signed_each_hour_and_when_the_portal_stops(
    keeper: TrailKeeper, clock: ManualClock
) -> None:
    await append(keeper)
    assert await keeper.sign_head() is not None
    await append(keeper)
    clock.advance(HOUR - timedelta(seconds=1))
    assert await keeper.sign_head() is None
    clock.advance(timedelta(seconds=1))
    assert await keeper.sign_head() is not None
    clock.advance(HOUR)
    assert await keeper.sign_head() is not None
    assert await keeper.sign_head(at_once=True) is None
    await append(keeper)
    assert await keeper.sign_head(at_once=True) is not None

    assert numbers(keeper) == [(1, 1), (2, 2), (3, 2), (4, 3)]
    assert keeper.heads.stat().st_mode & 0o777 == 0o600
    assert (await verify(keeper)).findings == []


async def test_a_clock_that_jumps_stops_no_heads(keeper: TrailKeeper, clock: ManualClock) -> None:
    await append(keeper)
    clock.advance(timedelta(days=3000))
    await keeper.sign_head()
    clock.advance(-timedelta(days=3000))

    assert await keeper.sign_head() is not None
    assert await keeper.sign_head() is None


async def test_of_many_portals_one_signs(keeper: TrailKeeper) -> None:
    await append(keeper)

    heads = await asyncio.gather(*(keeper.sign_head() for _ in range(5)))

    assert [head.number for head in heads if head] == [1]
    assert numbers(keeper) == [(1, 1)]


async def test_a_crash_behind_the_line_signs_its_number_twice_and_a_torn_line_harms_no_other(
    keeper: TrailKeeper, portal_database: PortalDatabase, clock: ManualClock
) -> None:
    await append(keeper)
    await keeper.sign_head()
    async with await psycopg.AsyncConnection.connect(portal_database.owner) as owner:
        await owner.execute("UPDATE audit_head SET head_number = 0, head_at = NULL")
    await append(keeper)
    clock.advance(HOUR)
    await keeper.sign_head()
    assert numbers(keeper) == [(1, 1), (1, 2)]
    assert (await verify(keeper)).findings == []

    with keeper.heads.open("a") as file:
        file.write('{"kind": "hea')
    clock.advance(HOUR)
    await keeper.sign_head()
    assert numbers(keeper) == [(1, 1), (1, 2), (2, 2)]


async def test_no_head_vouches_for_a_chain_that_broke_since_the_last(
    keeper: TrailKeeper, portal_database: PortalDatabase, registry: CollectorRegistry
) -> None:
    await append(keeper)
    async with keeper.running():
        pass
    assert registry.get_sample_value("immuni_audit_head_seconds") == START.timestamp()
    assert registry.get_sample_value("immuni_audit_broken") == 0
    await append(keeper, 2)
    async with await psycopg.AsyncConnection.connect(portal_database.owner) as owner:
        await owner.execute("SET session_replication_role = replica")
        await owner.execute("UPDATE audit_event SET outcome = 'done' WHERE id = 2")

    async with keeper.running():
        pass

    assert numbers(keeper) == [(1, 1)]
    assert registry.get_sample_value("immuni_audit_broken") == 1


async def test_heads_go_on_when_disk_and_database_are_back(
    keeper: TrailKeeper, registry: CollectorRegistry
) -> None:
    await append(keeper)
    keeper.heads.parent.write_text("a file in the place of the folder")

    async with keeper.running():
        pass
    assert numbers(replace(keeper, heads=Path("/nowhere"))) == []
    assert registry.get_sample_value("immuni_audit_head_seconds") == 0

    keeper.heads.parent.unlink()
    async with keeper.running():
        pass
    assert numbers(keeper) == [(1, 1)]


async def test_heads_that_do_not_come_are_told_of(keeper: TrailKeeper, clock: ManualClock) -> None:
    await append(keeper)
    assert (await verify(keeper)).remarks == ["No head was ever signed: a cut end cannot be found."]
    await keeper.sign_head()
    clock.advance(4 * HOUR)
    assert "right where the portal has stood still" in (await verify(keeper)).remarks[0]
    await append(keeper)
    assert "though there were events" in (await verify(keeper)).remarks[0]


async def test_what_is_too_old_is_purged_with_a_signed_checkpoint_and_the_rest_verifies(
    keeper: TrailKeeper, clock: ManualClock, portal_database: PortalDatabase
) -> None:
    await append(keeper, 3)
    await keeper.sign_head()
    clock.advance(300 * DAY)
    await append(keeper, 2)
    await keeper.sign_head()
    clock.advance(65 * DAY)
    assert await keeper.purge() == 0
    clock.advance(2 * DAY)

    assert await keeper.purge() == 3
    assert await keeper.purge() == 0

    await keeper.sign_head()
    found = await verify(keeper)
    assert (found.findings, found.purged_to, found.whole_to, found.events) == ([], 3, 6, 3)
    clock.advance(310 * DAY)
    await keeper.sign_head()
    assert await keeper.purge() == 2
    assert (await verify(keeper)).purged_to == 5
    async with keeper.pool.connection() as connection:
        cursor = await connection.execute("SELECT action, detail FROM audit_event ORDER BY id")
        assert await cursor.fetchall() == [
            ("audit_purge", {"through": 3, "events": 3}),
            ("audit_purge", {"through": 5, "events": 2}),
        ]
    # Whoever deletes on beyond the checkpoint, or puts back an older one, is found.
    async with await psycopg.AsyncConnection.connect(portal_database.owner) as owner:
        await owner.execute("DELETE FROM audit_checkpoint WHERE last_id = 5")
    assert (await verify(keeper)).findings == ["events 4 to 5 are missing."]


async def test_nothing_is_purged_that_was_changed(
    keeper: TrailKeeper, clock: ManualClock, portal_database: PortalDatabase
) -> None:
    await append(keeper, 3)
    async with await psycopg.AsyncConnection.connect(portal_database.owner) as owner:
        await owner.execute("SET session_replication_role = replica")
        await owner.execute("UPDATE audit_event SET outcome = 'done' WHERE id = 2")
    clock.advance(400 * DAY)

    with pytest.raises(ChainBrokenError):
        await keeper.purge()

    assert (await verify(keeper)).findings == ["event 2 was changed, replaced, moved or inserted."]


async def test_the_database_keeps_what_is_young_whatever_the_portals_clock_says(
    keeper: TrailKeeper, clock: ManualClock
) -> None:
    clock.advance(SystemClock().now() - clock.now())
    await append(keeper, 2)
    clock.advance(4000 * DAY)

    with pytest.raises(psycopg.errors.RaiseException, match="kept for 180 days at least"):
        await keeper.purge()

    assert (await verify(keeper)).events == 2


async def test_the_portals_login_deletes_in_no_other_way(keeper: TrailKeeper) -> None:
    await append(keeper, 2)
    for statement in (
        "SET immuni.purging = 'yes'; DELETE FROM audit_event",
        "INSERT INTO audit_checkpoint VALUES (1, '')",
        "DELETE FROM audit_checkpoint",
        "SELECT purge_audit(1, sha256(''), '')",
        "UPDATE audit_event SET outcome = 'done'",
    ):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.RaiseException)):
            async with keeper.pool.connection() as connection:
                await connection.execute(statement)


def test_a_line_is_whole_on_the_disk_or_told_of(tmp_path: Path) -> None:
    file = tmp_path / "audit" / "heads.jsonl"
    for line in ("a", "b"):
        append_line(file, line)

    assert file.read_text() == "a\nb\n"
    with pytest.raises(OSError, match="No space left"):
        append_line(Path("/dev/full"), "a")
