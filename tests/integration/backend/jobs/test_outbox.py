import asyncio
from dataclasses import replace
from functools import partial
from typing import Any, LiteralString

import psycopg
import pytest
from prometheus_client import CollectorRegistry

from immuni.backend.analytics.deliveries import Delivery, keep_epidemiological
from immuni.backend.epidemiological import EpidemiologicalInfo, OnsetClass, seal_epidemiological
from immuni.backend.ingestion.store import IngestionStore
from immuni.backend.jobs import Parts
from immuni.backend.outbox import OutboxMetrics
from immuni.backend.sealing import Sealed, SealingKey
from immuni.database import DatabaseUnreachableError, open_pool
from immuni.deployment.databases import AnalyticsDatabase, ServicesDatabase, relocate
from tests.publishing import NOW, OTP_KEYS

PROVINCES = ["AG", "BO", "CN", "FM", "RM"]

pytestmark = pytest.mark.anyio


@pytest.fixture
async def enclosed(services_database: ServicesDatabase, sealing_key: SealingKey) -> None:
    """Put five sealed rows into the outbox, the way ingestion does."""
    async with open_pool(services_database.ingestion, max_size=1) as pool:
        store = IngestionStore(pool, OTP_KEYS)
        for province in PROVINCES:
            info = EpidemiologicalInfo(
                province=province, onset=OnsetClass.DAYS_3_TO_5, summaries=()
            )
            async with store.transaction() as work:
                sealed = seal_epidemiological([info], sealing_key)
                await work.enclose(sealed, received_on=NOW.date())


def rows(url: str, statement: LiteralString) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def provinces_kept(database: AnalyticsDatabase) -> list[str]:
    kept = rows(database.owner, "SELECT province FROM analytics.epidemiological_info")
    return sorted(province for (province,) in kept)


@pytest.mark.usefixtures("enclosed")
async def test_every_row_arrives_once_and_its_id_is_forgotten(
    parts: Parts, services_database: ServicesDatabase, analytics_database: AnalyticsDatabase
) -> None:
    assert await parts.outbox.move() == 5
    assert await parts.outbox.move() == 0

    assert provinces_kept(analytics_database) == PROVINCES
    assert rows(services_database.owner, "SELECT * FROM ingestion.outbox") == []
    assert rows(analytics_database.owner, "SELECT * FROM analytics.received") == []


@pytest.mark.usefixtures("enclosed")
async def test_a_row_that_arrived_before_the_mover_was_killed_arrives_no_second_time(
    parts: Parts, services_database: ServicesDatabase, analytics_database: AnalyticsDatabase
) -> None:
    waiting = [
        Delivery(id_, Sealed(key_id, sealed), received_on)
        for id_, key_id, sealed, received_on in rows(
            services_database.owner,
            "SELECT id, key_id, sealed, received_on FROM ingestion.outbox LIMIT 3",
        )
    ]
    async with parts.open_analytics() as analytics:
        await keep_epidemiological(analytics, waiting, parts.outbox.opening_key)

    await parts.outbox.move()

    assert provinces_kept(analytics_database) == PROVINCES
    assert rows(analytics_database.owner, "SELECT * FROM analytics.received") == []


@pytest.mark.usefixtures("enclosed")
async def test_movers_at_once_move_every_row_once(
    parts: Parts, analytics_database: AnalyticsDatabase
) -> None:
    moved = await asyncio.gather(*(parts.outbox.move() for _ in range(4)))

    assert sum(moved) == 5
    assert provinces_kept(analytics_database) == PROVINCES


@pytest.mark.usefixtures("enclosed")
async def test_a_row_sealed_to_another_key_stays(
    parts: Parts, services_database: ServicesDatabase, analytics_database: AnalyticsDatabase
) -> None:
    with psycopg.connect(services_database.owner) as connection:
        connection.execute(
            "UPDATE ingestion.outbox SET key_id = 'older' WHERE id IN"
            " (SELECT id FROM ingestion.outbox LIMIT 2)"
        )

    assert await parts.outbox.move() == 3

    assert len(provinces_kept(analytics_database)) == 3
    assert rows(services_database.owner, "SELECT key_id FROM ingestion.outbox") == [("older",)] * 2


@pytest.mark.parametrize(("waiting", "told"), [(0, 0), (9, 0), (10, 10), (37, 30)])
async def test_what_a_run_leaves_is_told_in_tens(
    parts: Parts, services_database: ServicesDatabase, waiting: int, told: int
) -> None:
    registry = CollectorRegistry()
    outbox = replace(parts.outbox, metrics=OutboxMetrics(registry))
    with psycopg.connect(services_database.owner) as connection:
        connection.execute(
            "INSERT INTO ingestion.outbox (key_id, sealed, received_on) "
            "SELECT 'older', '', now() FROM generate_series(1, %s)",
            [waiting],
        )

    await outbox.move()

    assert registry.get_sample_value("immuni_outbox_waiting") == told


async def test_what_waits_is_told_while_the_analytics_database_is_away(
    parts: Parts, services_database: ServicesDatabase
) -> None:
    registry = CollectorRegistry()
    nowhere = relocate(services_database.jobs, dbname="nowhere")
    outbox = replace(
        parts.outbox,
        open_analytics=partial(open_pool, nowhere, max_size=1),
        metrics=OutboxMetrics(registry),
    )
    with psycopg.connect(services_database.owner) as connection:
        connection.execute(
            "INSERT INTO ingestion.outbox (key_id, sealed, received_on) "
            "SELECT 'k', '', now() FROM generate_series(1, 20)"
        )

    with pytest.raises(DatabaseUnreachableError):
        await outbox.move()

    assert registry.get_sample_value("immuni_outbox_waiting") == 20
