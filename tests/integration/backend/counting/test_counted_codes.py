"""What counts, and what does not, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import psycopg
import pytest

from immuni.database import open_pool
from immuni.deployment.databases import ServicesDatabase
from immuni.entropy import SeededEntropy
from immuni.otp import generate_otp
from tests.intake import NOW, Intake, open_intake
from tests.publishing import keys_of_days

ENTROPY: Final = SeededEntropy("counted codes")
OTP: Final = generate_otp(ENTROPY)
UNKNOWN: Final = generate_otp(ENTROPY)
KEYS: Final = keys_of_days(NOW.date() - timedelta(days=1), days=2, seed="mine")
OTHER_KEYS: Final = keys_of_days(NOW.date() - timedelta(days=1), days=2, seed="theirs")
DUMMY: Final = {"Immuni-Dummy-Data": "1"}
TODAY: Final = NOW.date().isoformat()

pytestmark = pytest.mark.anyio


@pytest.fixture
async def intake(services_database: ServicesDatabase, tmp_path: Path) -> AsyncIterator[Intake]:
    async with open_intake(services_database, tmp_path) as opened:
        yield opened


async def counted(intake: Intake) -> dict[str, int]:
    """Flush with the OTP Service's login, and return the counters by day and name."""
    async with open_pool(intake.database.otp, max_size=1) as pool:
        await intake.counters.flush(pool)
    rows = intake.query("SELECT day || ' ' || name, count FROM ingestion.daily_counter")
    return dict(rows)


async def test_a_code_counts_when_it_is_newly_authorised(intake: Intake) -> None:
    for request_id in ("a", "a", "b"):
        await intake.authorise(OTP, request_id=request_id)
    await asyncio.gather(*(intake.authorise(UNKNOWN, request_id=str(n)) for n in range(8)))

    assert await counted(intake) == {f"{TODAY} authorised": 2}

    intake.clock.advance(timedelta(days=1))
    await intake.authorise(OTP, request_id="a")

    assert (await counted(intake))["2020-06-21 authorised"] == 1


async def test_a_code_counts_when_it_is_checked_for_the_first_time(intake: Intake) -> None:
    await intake.authorise(OTP)
    await asyncio.gather(*(intake.check(OTP) for _ in range(8)))
    await intake.check(OTP)

    assert await counted(intake) == {f"{TODAY} authorised": 1, f"{TODAY} checked": 1}


async def test_a_check_that_finds_no_code_does_not_count(intake: Intake) -> None:
    await intake.authorise(OTP)
    await intake.check(UNKNOWN)
    intake.clock.advance(timedelta(seconds=150))
    await intake.check(OTP)

    assert await counted(intake) == {f"{TODAY} authorised": 1}


async def test_an_upload_counts_by_the_time_since_its_code_was_authorised(intake: Intake) -> None:
    for seconds in (0, 45, 149, 599, 20):
        code = generate_otp(ENTROPY)
        await intake.authorise(code)
        await intake.check(code)
        intake.clock.advance(timedelta(seconds=seconds))
        assert (await intake.upload(code, KEYS)).status_code == 204

    assert await counted(intake) == {
        f"{TODAY} authorised": 5,
        f"{TODAY} checked": 5,
        f"{TODAY} delay:<30s": 2,
        f"{TODAY} delay:30-60s": 1,
        f"{TODAY} delay:120-150s": 1,
        f"{TODAY} delay:>150s": 1,
    }


async def test_an_upload_counts_once_however_often_it_is_sent(intake: Intake) -> None:
    await intake.authorise(OTP)
    await asyncio.gather(*(intake.upload(OTP, KEYS) for _ in range(8)))
    intake.clock.advance(timedelta(seconds=100))
    assert (await intake.upload(OTP, KEYS)).status_code == 204
    assert (await intake.upload(OTP, OTHER_KEYS)).status_code == 401
    assert (await intake.upload(UNKNOWN, KEYS)).status_code == 401

    assert await counted(intake) == {f"{TODAY} authorised": 1, f"{TODAY} delay:<30s": 1}


async def test_an_upload_that_is_not_kept_does_not_count(intake: Intake) -> None:
    await intake.authorise(OTP)
    with psycopg.connect(intake.database.owner) as connection:
        connection.execute("ALTER TABLE ingestion.outbox ADD CONSTRAINT broken CHECK (false)")

    assert (await intake.upload(OTP, KEYS)).status_code == 500

    assert await counted(intake) == {f"{TODAY} authorised": 1}


async def test_dummies_never_count(intake: Intake) -> None:
    await intake.authorise(OTP)
    for otp in (OTP, UNKNOWN):
        assert (await intake.check(otp, **DUMMY)).status_code == 204
        assert (await intake.upload_dummy(otp, KEYS)).status_code == 204

    assert await counted(intake) == {f"{TODAY} authorised": 1}
    assert intake.query("SELECT count(*) FROM ingestion.upload") == [(0,)]


async def test_no_counter_shares_a_transaction_with_a_code_or_an_upload(intake: Intake) -> None:
    await intake.authorise(OTP)
    await intake.check(OTP)
    await intake.upload(OTP, KEYS)
    assert len(await counted(intake)) == 3

    shared = intake.query(
        """
        SELECT FROM ingestion.daily_counter AS counter, (
            SELECT xmin FROM ingestion.otp UNION ALL SELECT xmin FROM ingestion.upload
            UNION ALL SELECT xmin FROM ingestion.outbox
        ) AS other WHERE counter.xmin::text = other.xmin::text
        """
    )

    assert shared == []
