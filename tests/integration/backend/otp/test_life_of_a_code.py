"""From authorisation to the row's end: use, repetition, races, clock steps, new secrets."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from immuni.backend.otp_keys import OtpKeys
from immuni.deployment.databases import ServicesDatabase
from immuni.entropy import SeededEntropy
from immuni.otp import generate_otp
from tests.intake import NOW, Intake, open_intake

pytestmark = pytest.mark.anyio

ENTROPY = SeededEntropy("life of a code")
OTP = generate_otp(ENTROPY)
OLD, NEW = {"old": bytes(32)}, {"new": bytes(range(32))}
REPLACEMENT = (OLD, {**OLD, **NEW}, {**NEW, **OLD}, NEW)
"""The secrets of a process, step by step."""


@pytest.fixture
async def intake(services_database: ServicesDatabase, tmp_path: Path) -> AsyncIterator[Intake]:
    async with open_intake(services_database, tmp_path) as opened:
        yield opened


def lifetime(intake: Intake) -> timedelta:
    """Return how long the one code lives from its authorisation."""
    ((found,),) = intake.query("SELECT expires_at - authorised_at FROM ingestion.otp")
    assert isinstance(found, timedelta)
    return found


async def test_a_used_code_stays_until_it_would_have_expired(intake: Intake) -> None:
    await intake.authorise(OTP)
    await intake.upload(OTP, [])

    intake.clock.advance(timedelta(seconds=149))
    assert (await intake.upload(OTP, [])).status_code == 204, "the answer may have been lost"
    assert (await intake.check(OTP)).status_code == 401
    assert (await intake.authorise(OTP)).status_code == 409

    intake.clock.advance(timedelta(seconds=1))
    assert (await intake.upload(OTP, [])).status_code == 401
    assert (await intake.authorise(OTP)).status_code == 204


async def test_only_the_first_check_prolongs_and_only_once(intake: Intake) -> None:
    await intake.authorise(OTP)
    assert lifetime(intake) == timedelta(seconds=150)

    for _ in range(3):
        intake.clock.advance(timedelta(seconds=40))
        assert (await intake.check(OTP)).status_code == 204
        assert lifetime(intake) == timedelta(minutes=10)


async def test_a_dummy_check_prolongs_nothing(intake: Intake) -> None:
    await intake.authorise(OTP)

    assert (await intake.check(OTP, **{"Immuni-Dummy-Data": "1"})).status_code == 204

    assert lifetime(intake) == timedelta(seconds=150)


async def test_first_checks_at_the_same_time_all_succeed(intake: Intake) -> None:
    await intake.authorise(OTP)

    answers = await asyncio.gather(*(intake.check(OTP) for _ in range(8)))

    assert {answer.status_code for answer in answers} == {204}
    assert lifetime(intake) == timedelta(minutes=10)


async def test_checks_in_the_moment_of_the_upload_do_not_disturb_it(intake: Intake) -> None:
    codes = [generate_otp(ENTROPY) for _ in range(10)]
    for code in codes:
        await intake.authorise(code)
        check, upload, again = await asyncio.gather(
            intake.check(code), intake.upload(code, []), intake.check(code)
        )

        assert upload.status_code == 204
        assert {check.status_code, again.status_code} <= {204, 401}
        assert (await intake.check(code)).status_code == 401

    assert intake.query("SELECT count(*) FROM ingestion.outbox") == [(len(codes),)]


async def test_a_clock_that_is_set_forward_ends_codes(intake: Intake) -> None:
    await intake.authorise(OTP)
    intake.clock.advance(timedelta(days=1))

    assert (await intake.check(OTP)).status_code == 401
    assert (await intake.authorise(OTP)).status_code == 204


async def test_over_a_clock_that_is_set_back_a_code_lives_on_and_ends(intake: Intake) -> None:
    await intake.authorise(OTP)
    intake.clock.set(NOW - timedelta(minutes=5))

    assert (await intake.authorise(OTP)).status_code == 409
    assert (await intake.check(OTP)).status_code == 204
    assert lifetime(intake) == timedelta(minutes=10)
    intake.clock.set(NOW + timedelta(minutes=10))
    assert (await intake.upload(OTP, [])).status_code == 401


@pytest.mark.parametrize("step", range(len(REPLACEMENT)))
@pytest.mark.parametrize("ahead", ["neither", "otp", "upload"])
async def test_a_secret_is_replaced_while_codes_are_alive(
    services_database: ServicesDatabase, tmp_path: Path, step: int, ahead: str
) -> None:
    """In each step one service may be a step ahead of the other, process by process."""
    now, following = REPLACEMENT[step], REPLACEMENT[min(step + 1, len(REPLACEMENT) - 1)]
    keys = OtpKeys(following if ahead == "otp" else now)
    upload_keys = OtpKeys(following if ahead == "upload" else now)
    async with open_intake(
        services_database, tmp_path, keys=keys, upload_keys=upload_keys
    ) as intake:
        statuses = [
            (await intake.authorise(OTP, request_id="a")).status_code,
            (await intake.check(OTP)).status_code,
            (await intake.upload(OTP, [])).status_code,
            (await intake.upload(OTP, [])).status_code,
            (await intake.authorise(OTP, request_id="a")).status_code,
        ]

    # Only the last step has to wait: with it, codes under the old secret are found no more.
    assert statuses == [204] * 5


async def test_a_code_outlives_every_step_of_the_replacement(
    services_database: ServicesDatabase, tmp_path: Path
) -> None:
    found = []
    for number, (before, after) in enumerate(pairwise(REPLACEMENT)):
        code = generate_otp(ENTROPY)
        for name in (f"{number}a", f"{number}b"):
            (tmp_path / name).mkdir()
        async with open_intake(
            services_database, tmp_path / f"{number}a", keys=OtpKeys(before)
        ) as intake:
            await intake.authorise(code, request_id="a")
        async with open_intake(
            services_database, tmp_path / f"{number}b", keys=OtpKeys(after)
        ) as intake:
            again = await intake.authorise(code)
            used = await intake.upload(code, [])
            found.append((again.status_code, used.status_code))

    assert found == [(409, 204), (409, 204), (409, 204)]


async def test_a_secret_that_comes_in_front_at_once_makes_codes_that_are_not_found(
    services_database: ServicesDatabase, tmp_path: Path
) -> None:
    async with open_intake(
        services_database,
        tmp_path,
        keys=OtpKeys({**NEW, **OLD}),
        upload_keys=OtpKeys(OLD),
    ) as intake:
        await intake.authorise(OTP)

        assert (await intake.check(OTP)).status_code == 401
