from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from immuni.backend.infectiousness import Diagnosis
from immuni.backend.jobs import Parts
from immuni.backend.purging import Purged, purge
from immuni.clock import ManualClock
from immuni.deployment.databases import AnalyticsDatabase
from immuni.keys import TemporaryExposureKey, first_interval_of
from tests.publishing import NOW, Press, keep_upload, keys_of_days

TODAY = NOW.date()
ILL = Diagnosis(TODAY - timedelta(days=4), None)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)

pytestmark = pytest.mark.anyio


async def purge_at(parts: Parts, now: datetime) -> Purged:
    return await purge(
        parts.pool, parts.open_analytics, parts.chunks, settings=parts.retention, now=now
    )


async def test_a_code_goes_when_it_has_expired(parts: Parts, press: Press) -> None:
    with psycopg.connect(press.database.owner) as connection:
        connection.execute(
            """
            INSERT INTO ingestion.otp
                (key_id, keyed_hash, onset_on, authorised_at, expires_at)
            SELECT 'k', decode(repeat('00', 32), 'hex'), '2020-06-16', %(now)s,
                   %(now)s + interval '1 second' * seconds
            FROM generate_series(1, 2500) AS seconds
            """,
            {"now": NOW},
        )

    assert (await purge_at(parts, NOW + 2400 * SECOND)).otps == 2400
    assert press.query("SELECT count(*) FROM ingestion.otp") == [(100,)]


async def test_an_upload_goes_when_its_youngest_key_is_of_no_use(
    parts: Parts, press: Press
) -> None:
    await keep_upload(press.database, keys_of_days(TODAY, days=5, seed="a"), ILL)
    tomorrow = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC) + timedelta(days=1)

    assert (await purge_at(parts, tomorrow + timedelta(days=14) - SECOND)).uploads == 0
    assert (await purge_at(parts, tomorrow + timedelta(days=14))).uploads == 1


async def test_a_chunk_goes_with_its_keys_and_its_file_one_cache_lifetime_late(
    parts: Parts, press: Press, clock: ManualClock
) -> None:
    for back in (1, 2):
        tek = TemporaryExposureKey(bytes([back] * 16), first_interval_of(TODAY - back * DAY))
        await keep_upload(press.database, [tek], ILL)
        await parts.publisher.publish()
        clock.advance(timedelta(hours=4))
    window_end = NOW.replace(second=0)
    last = window_end + timedelta(days=14, minutes=30)

    assert (await purge_at(parts, last - SECOND)).chunks == 0
    assert (await purge_at(parts, last)).chunks == 1

    exports = await press.published()
    assert list(exports) == [2]
    assert press.query("SELECT count(*) FROM publishing.key") == [(1,)]


async def test_many_expired_rows_go_in_one_run(parts: Parts, press: Press) -> None:
    with psycopg.connect(press.database.owner) as connection:
        connection.execute(
            """
            INSERT INTO ingestion.upload (packed_keys, onset_on, received_on, last_end)
            SELECT decode(repeat('00', 22), 'hex'), %(day)s, %(day)s, 0
            FROM generate_series(1, 2100)
            """,
            {"day": TODAY},
        )

    assert (await purge_at(parts, NOW + timedelta(days=30))).uploads == 2100


async def test_analytics_go_after_their_own_retention(
    parts: Parts, analytics_database: AnalyticsDatabase
) -> None:
    with psycopg.connect(analytics_database.owner) as connection:
        for day in (date(2020, 6, 1), date(2020, 6, 2)):
            connection.execute("SELECT analytics.open_day(%s)", [day])
            connection.execute(
                "INSERT INTO analytics.epidemiological_info VALUES (%s, 'RM', 'none', '[]')", [day]
            )

    purged = await purge_at(parts, datetime(2020, 7, 2, tzinfo=UTC))

    assert purged.analytics == 1


async def test_counters_of_codes_go_with_the_analytics_of_their_day(
    parts: Parts, press: Press
) -> None:
    with psycopg.connect(press.database.owner) as connection:
        for day in (date(2020, 6, 1), date(2020, 6, 2)):
            for name in ("authorised", "checked"):
                connection.execute(
                    "INSERT INTO ingestion.daily_counter VALUES (%s, %s, 1)", [day, name]
                )

    assert (await purge_at(parts, datetime(2020, 7, 2, tzinfo=UTC) - SECOND)).counters == 0
    assert (await purge_at(parts, datetime(2020, 7, 2, tzinfo=UTC))).counters == 2


async def test_the_outbox_keeps_nothing_for_ever(parts: Parts, press: Press) -> None:
    with psycopg.connect(press.database.owner) as connection:
        connection.execute(
            "INSERT INTO ingestion.outbox (key_id, sealed, received_on) VALUES ('k', '', %s)",
            [TODAY],
        )

    assert (await purge_at(parts, NOW + timedelta(days=13))).outbox == 0
    assert (await purge_at(parts, NOW + timedelta(days=14))).outbox == 1
