import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from immuni.backend.otp_keys import OtpKeys
from immuni.deployment.databases import ServicesDatabase
from immuni.entropy import SeededEntropy
from immuni.otp import generate_otp, otp_hash
from tests.intake import ONSET, OTP_KEYS, Intake, open_intake

OTP = generate_otp(SeededEntropy("authorising"))
OTHER_DAY = (ONSET - timedelta(days=1)).isoformat()

pytestmark = pytest.mark.anyio


@pytest.fixture
async def intake(services_database: ServicesDatabase, tmp_path: Path) -> AsyncIterator[Intake]:
    async with open_intake(services_database, tmp_path) as opened:
        yield opened


async def test_an_authorised_code_is_found_by_the_phones_check(intake: Intake) -> None:
    assert (await intake.check(OTP)).status_code == 401
    assert (await intake.authorise(OTP)).status_code == 204
    assert (await intake.check(OTP)).status_code == 204


async def test_a_living_code_cannot_be_authorised_again(intake: Intake) -> None:
    await intake.authorise(OTP, request_id="a")

    answers = [
        await intake.authorise(OTP),
        await intake.authorise(OTP, request_id="b"),
        await intake.authorise(OTP, request_id="a", symptoms_started_on=OTHER_DAY),
    ]

    assert [answer.status_code for answer in answers] == [409] * 3
    assert answers[0].json()["error_code"] == 1400
    assert intake.query("SELECT count(*) FROM ingestion.otp") == [(1,)]


async def test_the_same_request_again_is_answered_alike_and_changes_nothing(
    intake: Intake,
) -> None:
    await intake.authorise(OTP, request_id="a")
    before = intake.query("SELECT * FROM ingestion.otp")
    intake.clock.advance(timedelta(seconds=100))

    assert (await intake.authorise(OTP, request_id="a")).status_code == 204
    assert intake.query("SELECT * FROM ingestion.otp") == before


async def test_an_expired_code_may_be_authorised_again(intake: Intake) -> None:
    await intake.authorise(OTP)
    intake.clock.advance(timedelta(seconds=149))
    assert (await intake.authorise(OTP)).status_code == 409

    intake.clock.advance(timedelta(seconds=1))

    assert (await intake.authorise(OTP)).status_code == 204
    assert (await intake.check(OTP)).status_code == 204


async def test_a_code_authorised_by_many_at_once_is_authorised_by_one(intake: Intake) -> None:
    answers = await asyncio.gather(*(intake.authorise(OTP, request_id=str(n)) for n in range(8)))

    assert sorted(answer.status_code for answer in answers) == [204] + [409] * 7
    assert intake.query("SELECT count(*) FROM ingestion.otp") == [(1,)]


async def test_codes_that_come_together_share_a_transaction_and_each_has_its_answer(
    intake: Intake,
) -> None:
    entropy = SeededEntropy("many")
    codes = [generate_otp(entropy) for _ in range(30)]
    await intake.authorise(OTP, request_id="a")

    answers = await asyncio.gather(
        intake.authorise(OTP, request_id="b"),
        intake.authorise(OTP, request_id="a"),
        *(intake.authorise(code, request_id=code) for code in codes),
        *(intake.authorise(code, request_id=code) for code in codes),
    )

    assert [answer.status_code for answer in answers] == [409, 204] + [204] * 60
    assert intake.query("SELECT count(*) FROM ingestion.otp") == [(31,)]
    [(transactions,)] = intake.query("SELECT count(DISTINCT xmin::text) FROM ingestion.otp")
    assert isinstance(transactions, int)
    assert transactions < 20


async def test_neither_the_code_nor_its_bare_hash_is_stored(intake: Intake) -> None:
    await intake.authorise(OTP, request_id="a")

    stored = repr(intake.query("SELECT o::text FROM ingestion.otp AS o"))

    assert OTP not in stored
    assert otp_hash(OTP) not in stored
    assert OTP_KEYS.keyed(otp_hash(OTP))[0].hex() in stored


async def test_a_code_outlives_the_change_of_the_secret(
    services_database: ServicesDatabase, tmp_path: Path
) -> None:
    changed = OtpKeys({"new": bytes(32), **OTP_KEYS.secrets})
    (tmp_path / "new").mkdir()
    async with open_intake(services_database, tmp_path) as before:
        await before.authorise(OTP, request_id="a")

    async with open_intake(services_database, tmp_path / "new", keys=changed) as after:
        assert (await after.authorise(OTP)).status_code == 409
        assert (await after.authorise(OTP, request_id="a")).status_code == 204
        assert (await after.upload(OTP, [])).status_code == 204
        assert (await after.upload(OTP, [])).status_code == 204


@pytest.mark.parametrize(
    ("dates", "accepted"),
    [
        ({"symptoms_started_on": ONSET.isoformat()}, True),
        ({"symptoms_started_on": None, "tested_on": ONSET.isoformat()}, True),
        ({"symptoms_started_on": None}, False),
        ({"symptoms_started_on": "2019-06-16"}, False),
        ({"symptoms_started_on": "2020-06-31"}, False),
    ],
)
async def test_one_of_the_two_dates_must_be_there_and_recent(
    intake: Intake, dates: dict[str, str | None], *, accepted: bool
) -> None:
    answer = await intake.authorise(OTP, **dates)

    assert answer.status_code == (204 if accepted else 400)
    assert accepted or answer.json()["error_code"] == 1001


async def test_a_malformed_request_id_is_refused(intake: Intake) -> None:
    assert (await intake.authorise(OTP, request_id="not an id")).status_code == 400


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT onset_on FROM ingestion.otp",
        "UPDATE ingestion.otp SET expires_at = now()",
        "DELETE FROM ingestion.otp",
        "SELECT * FROM ingestion.upload",
        "SELECT * FROM ingestion.outbox",
        "SELECT * FROM publishing.chunk",
    ],
)
def test_the_services_role_may_only_add_and_look_up(
    services_database: ServicesDatabase, statement: str
) -> None:
    with (
        psycopg.connect(services_database.otp) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())
