import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from immuni.backend.epidemiological import OnsetClass, open_epidemiological
from immuni.backend.ingestion.settings import IngestionSettings
from immuni.backend.packed_keys import teks_of, unpack_keys
from immuni.backend.sealing import Sealed
from immuni.deployment.databases import ServicesDatabase
from immuni.entropy import SeededEntropy
from immuni.keys import TemporaryExposureKey, first_interval_of
from immuni.otp import generate_otp
from tests.intake import NOW, ONSET, Intake, open_intake
from tests.publishing import keys_of_days

OTP = generate_otp(SeededEntropy("uploading"))
UNKNOWN = generate_otp(SeededEntropy("unknown"))
KEYS = keys_of_days(NOW.date() - timedelta(days=1), days=5, seed="mine")
OTHER_KEYS = keys_of_days(NOW.date() - timedelta(days=1), days=5, seed="theirs")
SUMMARY = {
    "date": "2020-06-19",
    "matched_key_count": 2,
    "days_since_last_exposure": 1,
    "attenuation_durations": [300, 0, 0],
    "maximum_risk_score": 4,
    "exposure_info": [],
}

DUMMY = {"Immuni-Dummy-Data": "1"}

pytestmark = pytest.mark.anyio


@pytest.fixture
async def intake(services_database: ServicesDatabase, tmp_path: Path) -> AsyncIterator[Intake]:
    async with open_intake(services_database, tmp_path) as opened:
        yield opened


def stored_keys(intake: Intake) -> list[TemporaryExposureKey]:
    rows = intake.query("SELECT packed_keys FROM ingestion.upload")
    return [tek for (packed,) in rows for tek in teks_of(unpack_keys(packed))]


async def test_an_upload_keeps_keys_and_sealed_info_and_spends_the_code(intake: Intake) -> None:
    await intake.authorise(OTP)

    answer = await intake.upload(OTP, KEYS, exposure_detection_summaries=[SUMMARY])

    assert answer.status_code == 204
    assert sorted(tek.key_data for tek in stored_keys(intake)) == sorted(k.key_data for k in KEYS)
    assert intake.query("SELECT onset_on, tested_on, received_on FROM ingestion.upload") == [
        (ONSET, None, NOW.date())
    ]
    ((key_id, sealed),) = intake.query("SELECT key_id, sealed FROM ingestion.outbox")
    [info] = open_epidemiological(Sealed(key_id, sealed), intake.opening_key)
    assert (info.province, info.onset) == ("RM", OnsetClass.DAYS_3_TO_5)
    assert [each.matched_key_count for each in info.summaries] == [2]
    assert (await intake.check(OTP)).status_code == 401


async def test_keys_of_days_without_infectiousness_are_not_stored(intake: Intake) -> None:
    await intake.authorise(OTP)
    many = keys_of_days(NOW.date() - timedelta(days=1), days=12, seed="many")

    assert (await intake.upload(OTP, many)).status_code == 204

    starts = {tek.rolling_start_number for tek in stored_keys(intake)}
    assert min(starts) == first_interval_of(ONSET - timedelta(days=2))
    assert len(starts) == 6


async def test_an_upload_without_keys_leaves_info_alone(intake: Intake) -> None:
    await intake.authorise(OTP)

    assert (await intake.upload(OTP, [])).status_code == 204

    assert intake.query("SELECT count(*) FROM ingestion.upload") == [(0,)]
    assert intake.query("SELECT count(*) FROM ingestion.outbox") == [(1,)]


async def test_the_same_keys_again_are_answered_well_and_change_nothing(intake: Intake) -> None:
    await intake.authorise(OTP)
    await intake.upload(OTP, KEYS)
    before = (
        intake.query("SELECT * FROM ingestion.upload"),
        intake.query("SELECT * FROM ingestion.otp"),
    )

    assert (await intake.upload(OTP, list(reversed(KEYS)))).status_code == 204

    after = (
        intake.query("SELECT * FROM ingestion.upload"),
        intake.query("SELECT * FROM ingestion.otp"),
    )
    assert after == before
    assert intake.query("SELECT count(*) FROM ingestion.outbox") == [(1,)]


async def test_a_used_code_is_refused_for_other_keys(intake: Intake) -> None:
    await intake.authorise(OTP)
    await intake.upload(OTP, KEYS)

    for others in (OTHER_KEYS, KEYS[:-1], [*KEYS[:-1], OTHER_KEYS[-1]], []):
        answer = await intake.upload(OTP, others)
        assert (answer.status_code, answer.json()["error_code"]) == (401, 1101)
    assert len(stored_keys(intake)) == len(KEYS)


async def test_uploads_at_once_are_all_kept_and_told_once(intake: Intake) -> None:
    entropy = SeededEntropy("many")
    codes = [generate_otp(entropy) for _ in range(20)]
    people = [keys_of_days(NOW.date() - timedelta(days=1), days=3, seed=code) for code in codes]
    for code in codes:
        await intake.authorise(code)
    provinces = ["AG", "BO", "CN", "FM"] * 5

    answers = await asyncio.gather(
        *(
            intake.upload(code, keys, province=province)
            for code, keys, province in zip(codes, people, provinces, strict=True)
        )
    )

    assert {answer.status_code for answer in answers} == {204}
    kept = sorted(tek.key_data for tek in stored_keys(intake))
    assert kept == sorted(tek.key_data for keys in people for tek in keys)
    rows = intake.query("SELECT key_id, sealed FROM ingestion.outbox")
    told = [open_epidemiological(Sealed(*row), intake.opening_key) for row in rows]
    assert sorted(info.province for infos in told for info in infos) == sorted(provinces)


async def test_of_many_uploads_with_one_code_at_once_exactly_one_wins(intake: Intake) -> None:
    await intake.authorise(OTP)
    people = [keys_of_days(NOW.date() - timedelta(days=1), days=3, seed=str(n)) for n in range(8)]

    answers = await asyncio.gather(*(intake.upload(OTP, keys) for keys in people))

    assert sorted(answer.status_code for answer in answers) == [204] + [401] * 7
    winner = people[[answer.status_code for answer in answers].index(204)]
    assert sorted(t.key_data for t in stored_keys(intake)) == sorted(k.key_data for k in winner)
    assert intake.query("SELECT count(*) FROM ingestion.outbox") == [(1,)]


async def test_one_upload_sent_many_times_at_once_is_stored_once(intake: Intake) -> None:
    await intake.authorise(OTP)

    answers = await asyncio.gather(*(intake.upload(OTP, KEYS) for _ in range(8)))

    assert {answer.status_code for answer in answers} == {204}
    assert len(stored_keys(intake)) == len(KEYS)


@pytest.mark.parametrize(
    "members",
    [
        {"province": "XX"},
        {"teks": [{"key_data": "AAAA", "rolling_start_number": 1}]},
        {"teks": None},
        {"unknown": 1},
        {"padding": "ä"},
        {"exposure_detection_summaries": [{**SUMMARY, "date": "2020-01-01"}]},
    ],
    ids=lambda members: next(iter(members)),
)
async def test_a_rejected_body_leaves_the_code_unused(
    intake: Intake, members: dict[str, object]
) -> None:
    await intake.authorise(OTP)

    refused = await intake.upload(OTP, KEYS, **members)

    assert (refused.status_code, refused.json()["error_code"]) == (400, 1001)
    assert stored_keys(intake) == []
    assert (await intake.upload(OTP, KEYS)).status_code == 204


async def test_a_failure_while_keeping_leaves_the_code_unused(intake: Intake) -> None:
    await intake.authorise(OTP)
    with psycopg.connect(intake.database.owner) as connection:
        connection.execute("ALTER TABLE ingestion.outbox ADD CONSTRAINT broken CHECK (false)")

    assert (await intake.upload(OTP, KEYS)).status_code == 500

    assert stored_keys(intake) == []
    with psycopg.connect(intake.database.owner) as connection:
        connection.execute("ALTER TABLE ingestion.outbox DROP CONSTRAINT broken")
    assert (await intake.upload(OTP, KEYS)).status_code == 204


async def test_a_code_expires_unless_it_was_checked(intake: Intake) -> None:
    await intake.authorise(OTP)
    intake.clock.advance(timedelta(seconds=150))

    assert (await intake.check(OTP)).status_code == 401
    assert (await intake.upload(OTP, KEYS)).status_code == 401
    assert stored_keys(intake) == []


async def test_the_first_check_lets_a_code_live_ten_minutes_from_its_authorisation(
    intake: Intake,
) -> None:
    await intake.authorise(OTP)
    intake.clock.advance(timedelta(seconds=149))
    assert (await intake.check(OTP)).status_code == 204

    intake.clock.set(NOW + timedelta(minutes=10, seconds=-1))
    assert (await intake.check(OTP)).status_code == 204
    intake.clock.advance(timedelta(seconds=1))
    assert (await intake.check(OTP)).status_code == 401


async def test_a_source_with_many_wrong_codes_is_refused_dummies_included(
    services_database: ServicesDatabase, tmp_path: Path
) -> None:
    settings = IngestionSettings(otp_check_rate=3)
    async with open_intake(services_database, tmp_path, settings=settings) as intake:
        await intake.authorise(OTP)
        wrong = [await intake.check(UNKNOWN), await intake.upload(UNKNOWN, KEYS)]
        wrong.append(await intake.check(UNKNOWN))
        assert [answer.status_code for answer in wrong] == [401] * 3

        genuine = await intake.check(OTP)
        dummy = await intake.check(OTP, **DUMMY)
        assert (genuine.status_code, genuine.json()["error_code"]) == (429, 1002)
        assert (dummy.status_code, dummy.headers["Retry-After"]) == (429, "60")

        intake.clock.advance(timedelta(minutes=1))
        assert (await intake.check(OTP)).status_code == 204


async def test_an_outage_shows_on_dummies_as_well_and_ends_by_itself(
    services_database: ServicesDatabase, tmp_path: Path
) -> None:
    patience = timedelta(seconds=1)
    async with open_intake(services_database, tmp_path, statement_timeout=patience) as intake:
        await intake.authorise(OTP)
        assert (await intake.check(UNKNOWN, **DUMMY)).status_code == 204
        with psycopg.connect(services_database.owner) as connection:
            connection.execute("LOCK TABLE ingestion.otp IN ACCESS EXCLUSIVE MODE")
            genuine = await intake.upload(OTP, KEYS)
            dummy = await intake.check(UNKNOWN, **DUMMY)

        assert (genuine.status_code, genuine.json()["error_code"]) == (503, 1000)
        assert (dummy.status_code, dummy.headers["Retry-After"]) == (503, "5")
        intake.clock.advance(timedelta(seconds=5))
        assert (await intake.check(UNKNOWN, **DUMMY)).status_code == 204
        assert (await intake.upload(OTP, KEYS)).status_code == 204


async def test_a_dummy_is_answered_well_and_touches_nothing(intake: Intake) -> None:
    answer = await intake.check(UNKNOWN, **DUMMY)

    assert answer.status_code == 204


@pytest.mark.parametrize("missing", ["Authorization", "Immuni-Dummy-Data"])
async def test_a_missing_header_is_a_malformed_request(intake: Intake, missing: str) -> None:
    answer = await intake.check(OTP, **{missing: ""})

    assert (answer.status_code, answer.json()["error_code"]) == (400, 1001)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM ingestion.upload",
        "SELECT * FROM ingestion.outbox",
        "INSERT INTO ingestion.otp DEFAULT VALUES",
        "DELETE FROM ingestion.otp",
        "UPDATE ingestion.otp SET onset_on = NULL",
        "SELECT * FROM publishing.chunk",
        "SELECT * FROM publishing.key",
    ],
)
def test_the_services_role_cannot_read_what_it_wrote(
    services_database: ServicesDatabase, statement: str
) -> None:
    with (
        psycopg.connect(services_database.ingestion) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())
