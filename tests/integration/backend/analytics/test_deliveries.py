"""Epidemiological Info in the analytics database, on the real PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from immuni.api import ExposureDetectionSummaryUpload
from immuni.backend.analytics.deliveries import (
    Delivery,
    forget_deliveries,
    forget_deliveries_except,
    keep_epidemiological,
)
from immuni.backend.epidemiological import (
    EpidemiologicalInfo,
    OnsetClass,
    seal_epidemiological,
)
from immuni.backend.sealing import OpeningKey, Sealed, SealingKey, create_sealing_key
from immuni.database import Pool, open_pool
from immuni.deployment.databases import AnalyticsDatabase

pytestmark = pytest.mark.anyio

DAY = date(2020, 6, 20)
INFO = EpidemiologicalInfo(
    province="CH",
    onset=OnsetClass.DAYS_3_TO_5,
    summaries=(
        ExposureDetectionSummaryUpload(
            date=DAY,
            matched_key_count=1,
            days_since_last_exposure=2,
            attenuation_durations=(300, 600, 0),
            maximum_risk_score=25,
        ),
    ),
)


@pytest.fixture
async def pool(analytics_database: AnalyticsDatabase) -> AsyncIterator[Pool]:
    async with open_pool(analytics_database.analytics) as opened:
        yield opened


@pytest.fixture
def sealing(tmp_path: Path) -> SealingKey:
    create_sealing_key(tmp_path / "private.pem", tmp_path / "public.pem")
    return SealingKey.read(tmp_path / "public.pem", key_id="analytics-1")


@pytest.fixture
def opening(tmp_path: Path, sealing: SealingKey) -> OpeningKey:
    return OpeningKey.read(tmp_path / "private.pem", key_id=sealing.key_id)


def delivery(sealing: SealingKey) -> Delivery:
    return Delivery(uuid4(), seal_epidemiological([INFO], sealing), DAY)


async def count(pool: Pool, table: str) -> int:
    async with pool.connection() as connection:
        cursor = await connection.execute(f"SELECT count(*) FROM analytics.{table}")  # noqa: S608
        row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def test_a_delivery_is_kept_once_however_often_it_is_brought(
    pool: Pool, sealing: SealingKey, opening: OpeningKey
) -> None:
    first, second = delivery(sealing), delivery(sealing)

    done = await keep_epidemiological(pool, [first], opening)
    again = await keep_epidemiological(pool, [first, second], opening)

    assert done == [first.id]
    assert set(again) == {first.id, second.id}
    assert await count(pool, "epidemiological_info") == 2


async def test_what_is_kept_is_what_was_sealed_and_no_id(
    pool: Pool, sealing: SealingKey, opening: OpeningKey
) -> None:
    done = await keep_epidemiological(pool, [delivery(sealing)], opening)
    await forget_deliveries(pool, done)

    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT * FROM analytics.epidemiological_info")
        rows = await cursor.fetchall()
        assert cursor.description is not None
        columns = [column.name for column in cursor.description]
    assert columns == ["received_on", "province", "onset", "summaries"]
    assert rows[0][:3] == (DAY, "CH", "3-5")
    assert rows[0][3][0]["attenuation_durations"] == [300, 600, 0]
    assert await count(pool, "received") == 0


async def test_a_delivery_for_another_key_stays_where_it_is(
    pool: Pool, sealing: SealingKey, opening: OpeningKey
) -> None:
    foreign = Delivery(uuid4(), Sealed("analytics-2", b"x"), DAY)
    with capture_logs() as events:
        done = await keep_epidemiological(pool, [foreign, delivery(sealing)], opening)

    assert foreign.id not in done
    assert len(done) == 1
    assert [event["event"] for event in events] == ["deliveries_unreadable"]


async def test_a_damaged_delivery_stays_and_does_not_hold_up_the_rest(
    pool: Pool, sealing: SealingKey, opening: OpeningKey
) -> None:
    damaged = Delivery(uuid4(), Sealed(sealing.key_id, b"damaged"), DAY)
    with capture_logs() as events:
        done = await keep_epidemiological(pool, [damaged, delivery(sealing)], opening)

    assert damaged.id not in done
    assert await count(pool, "epidemiological_info") == 1
    assert [event["event"] for event in events] == ["deliveries_unreadable"]


async def test_what_a_killed_mover_left_behind_is_forgotten(
    pool: Pool, sealing: SealingKey, opening: OpeningKey
) -> None:
    left, waiting = delivery(sealing), delivery(sealing)
    await keep_epidemiological(pool, [left, waiting], opening)

    await forget_deliveries_except(pool, [waiting.id])

    assert await count(pool, "received") == 1
    assert await keep_epidemiological(pool, [waiting], opening) == [waiting.id]
    assert await count(pool, "epidemiological_info") == 2


async def test_an_empty_batch_is_nothing(pool: Pool, opening: OpeningKey) -> None:
    assert await keep_epidemiological(pool, [], opening) == []
