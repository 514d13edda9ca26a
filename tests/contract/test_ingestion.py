"""Exposure Ingestion over real HTTP and a real database: a table of its rules."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.api import MalformedRequestError, Upload, parse_request
from immuni.backend.ingestion.settings import IngestionSettings
from immuni.deployment.databases import ServicesDatabase
from immuni.otp import generate_otp, otp_hash
from tests.contract.documented import differences
from tests.contract.ingestion_rows import (
    CHECK,
    CLOCK,
    DUMMIES,
    ENTROPY,
    HEADERS,
    INTERVAL,
    REFUSED,
    SPELT_OTHERWISE,
    TAKEN,
    UPLOAD,
    WRONG,
    both,
    tek,
    upload,
)
from tests.contract.rows import Row, ask, broken, broken_rows, faults, names_are_unique
from tests.contract.serving import exchange
from tests.intake import Intake, open_intake


@pytest.fixture
async def intake(services_database: ServicesDatabase, tmp_path: Path) -> AsyncIterator[Intake]:
    patient = IngestionSettings(otp_check_rate=1000)
    async with open_intake(services_database, tmp_path, settings=patient) as opened:
        yield opened


def usual(otp_digest: str) -> dict[str, str]:
    """Return the headers of a good request."""
    return {
        "Authorization": f"Bearer {otp_digest}",
        "Content-Type": "application/json; charset=utf-8",
        "Immuni-Dummy-Data": "0",
        "Immuni-Client-Clock": str(CLOCK),
    }


def kept(intake: Intake) -> int:
    """Return how many uploads were taken so far."""
    ((count,),) = intake.query("SELECT count(*) FROM ingestion.outbox")
    return int(count)


@pytest.mark.anyio
async def test_what_the_rules_allow_is_taken_and_uses_the_code_up(intake: Intake) -> None:
    found = {}
    for rule, body in TAKEN.items():
        otp = generate_otp(ENTROPY)
        await intake.authorise(otp)
        before = kept(intake)
        row = Row(rule=rule, method="POST", path=UPLOAD, body=body, status=204)
        answer = await ask(intake.upload_host, row, usual=usual(otp_hash(otp)))
        found[rule] = faults(row, answer) + differences("ingestion", answer)
        if kept(intake) != before + 1 or (await intake.check(otp)).status_code != 401:
            found[rule].append("code not used up")

    assert broken(found) == {}


@pytest.mark.anyio
async def test_what_the_rules_forbid_is_refused_and_uses_nothing_up(intake: Intake) -> None:
    otp = generate_otp(ENTROPY)
    await intake.authorise(otp)
    rows = [
        Row(rule=rule, method="POST", path=UPLOAD, body=body, code=1001)
        for rule, body in REFUSED.items()
    ]

    assert (
        await broken_rows(intake.upload_host, rows, usual=usual(otp_hash(otp)), service="ingestion")
        == {}
    )
    assert kept(intake) == 0
    assert intake.query("SELECT count(*) FROM ingestion.upload") == [(0,)]
    assert (await intake.check(otp)).status_code == 204


@pytest.mark.anyio
async def test_headers_paths_and_methods_are_as_defined(intake: Intake) -> None:
    otp = generate_otp(ENTROPY)
    await intake.authorise(otp)

    assert (
        await broken_rows(
            intake.upload_host, HEADERS, usual=usual(otp_hash(otp)), service="ingestion"
        )
        == {}
    )
    assert kept(intake) == 0
    assert (await intake.check(otp)).status_code == 204


@pytest.mark.anyio
async def test_headers_may_be_spelt_as_the_standard_leaves_it(intake: Intake) -> None:
    found = {}
    assert names_are_unique(SPELT_OTHERWISE)
    for row in SPELT_OTHERWISE:
        otp = generate_otp(ENTROPY)
        await intake.authorise(otp)
        headers = {
            name: value.format(otp=otp_hash(otp)) if isinstance(value, str) else value
            for name, value in row.headers.items()
        }
        answer = await ask(
            intake.upload_host, replace(row, headers=headers), usual=usual(otp_hash(otp))
        )
        found[row.rule] = faults(row, answer) + differences("ingestion", answer)

    assert broken(found) == {}


@pytest.mark.anyio
async def test_a_dummy_is_answered_before_anything_in_it_is_looked_at(intake: Intake) -> None:
    otp = generate_otp(ENTROPY)
    await intake.authorise(otp)

    assert (
        await broken_rows(
            intake.upload_host, DUMMIES, usual=usual(otp_hash(otp)), service="ingestion"
        )
        == {}
    )
    assert kept(intake) == 0


@pytest.mark.anyio
async def test_a_code_that_grants_nothing_is_told_from_a_malformed_one(intake: Intake) -> None:
    rows = [replace(row, status=401, code=1101) for row in both("an unknown code")]

    assert (
        await broken_rows(intake.upload_host, rows, usual=usual(WRONG), service="ingestion") == {}
    )


@pytest.mark.anyio
async def test_the_clocks_skew_is_taken_off_before_keys_are_compared(intake: Intake) -> None:
    day = 86_400
    for skew in (day, -day):
        otp = generate_otp(ENTROPY)
        await intake.authorise(otp)
        start = INTERVAL + skew // 600 + 12
        clock = {"Immuni-Client-Clock": str(CLOCK + skew)}
        body = upload(teks=[tek(rolling_start_number=start)])
        late = upload(teks=[tek(rolling_start_number=start + 1)])

        rows = [
            Row(rule="late", method="POST", path=UPLOAD, body=late, headers=clock, code=1001),
            Row(rule="in time", method="POST", path=UPLOAD, body=body, headers=clock, status=204),
        ]
        assert (
            await broken_rows(
                intake.upload_host, rows, usual=usual(otp_hash(otp)), service="ingestion"
            )
            == {}
        )


@pytest.mark.anyio
@pytest.mark.parametrize("path", [CHECK, UPLOAD])
@pytest.mark.parametrize("dummy", ["0", "1"])
async def test_a_body_over_the_limit_is_refused_before_it_was_sent(
    intake: Intake, path: str, dummy: str
) -> None:
    # Nothing follows the head: an answer that came after the body would never come.
    answer = await exchange(
        intake.upload_host,
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Immuni-Dummy-Data: {dummy}\r\nContent-Length: {256 * 1024 + 1}\r\n"
        "Connection: close\r\n\r\n".encode(),
    )

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"cache-control: no-store" in head
    assert json.loads(body)["error_code"] == 1000


@pytest.mark.anyio
async def test_a_body_of_the_limit_is_read(intake: Intake) -> None:
    row = Row(rule="", method="POST", path=CHECK, body=b" " * (256 * 1024), code=1001)

    assert faults(row, await ask(intake.upload_host, row, usual=usual(WRONG))) == []


@pytest.mark.anyio
async def test_limits_per_source_say_when_to_come_again(
    services_database: ServicesDatabase, tmp_path: Path
) -> None:
    strict = IngestionSettings(otp_check_rate=1)
    async with open_intake(services_database, tmp_path, settings=strict) as opened:
        await opened.check(generate_otp(ENTROPY))
        row = Row(rule="", method="POST", path=CHECK, body={}, status=429, code=1002)

        assert faults(row, await ask(opened.upload_host, row, usual=usual(WRONG))) == []
        opened.clock.advance(timedelta(minutes=2))
        gone = replace(row, status=401, code=1101)
        assert faults(gone, await ask(opened.upload_host, gone, usual=usual(WRONG))) == []


@given(
    name=st.sampled_from(["teks", "province", "padding", "other", "exposure_detection_summaries"]),
    sent=st.text(min_size=6, max_size=30),
)
def test_a_message_never_repeats_what_was_sent(name: str, sent: str) -> None:
    marked = f"-zqj{sent}zqj"
    for body in (
        upload(**{name: marked}),
        upload(**{marked: 1}),
        upload(teks=[tek(**{marked: 1})]),
    ):
        with pytest.raises(MalformedRequestError) as refused:
            parse_request(Upload, json.dumps(body).encode())

        assert "zqj" not in str(refused.value)
