"""Exposure Ingestion over real HTTP and a real database: a table of its rules."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.api import MalformedRequestError, Upload, parse_request
from immuni.backend.ingestion.settings import IngestionSettings
from immuni.deployment.databases import ServicesDatabase
from immuni.entropy import SeededEntropy
from immuni.otp import generate_otp, otp_hash
from tests.contract.rows import Row, ask, broken, broken_rows, faults, names_are_unique
from tests.contract.serving import exchange
from tests.intake import NOW, Intake, open_intake

CHECK, UPLOAD = "/v1/ingestion/check-otp", "/v1/ingestion/upload"
CLOCK = int(NOW.timestamp())
INTERVAL = CLOCK // 600
DAYS_15 = 15 * 144
ENTROPY = SeededEntropy("contract of ingestion")
WRONG = otp_hash(generate_otp(ENTROPY))

Json = dict[str, Any]


def tek(number: int = 0, **members: object) -> Json:
    """Return a key of an interval of its own."""
    start = INTERVAL - 144 - 20 * number
    data = base64.b64encode(bytes([number + 1] * 16)).decode("ascii")
    return {"key_data": data, "rolling_start_number": start, "rolling_period": 20, **members}


def info(**members: object) -> Json:
    return {
        "date": "2020-06-19",
        "duration": 1800,
        "attenuation_value": 255,
        "attenuation_durations": [0, 300, 1800],
        "transmission_risk_level": 8,
        "total_risk_score": 4096,
        **members,
    }


def summary(**members: object) -> Json:
    return {
        "date": "2020-06-19",
        "matched_key_count": 1,
        "days_since_last_exposure": 14,
        "attenuation_durations": [0, 300, 1800],
        "maximum_risk_score": 4096,
        "exposure_info": [info()],
        **members,
    }


def upload(**members: object) -> Json:
    return {
        "teks": [tek()],
        "province": "RM",
        "exposure_detection_summaries": [summary()],
        "padding": "x",
        **members,
    }


def without(value: Json, name: str) -> Json:
    return {member: content for member, content in value.items() if member != name}


def summaries(*values: Json) -> Json:
    return upload(exposure_detection_summaries=list(values))


TAKEN: dict[str, object] = {
    "no keys": upload(teks=[]),
    "30 keys": upload(teks=[tek(n) for n in range(30)]),
    "no rolling period means 144": upload(teks=[without(tek(), "rolling_period")]),
    "rolling period 1": upload(teks=[tek(rolling_period=1)]),
    "three keys with one start": upload(
        teks=[tek(n, rolling_start_number=INTERVAL - 300) for n in range(3)]
    ),
    "a key that starts in 2 hours": upload(teks=[tek(rolling_start_number=INTERVAL + 12)]),
    "a key that ended 15 days ago": upload(
        teks=[tek(rolling_start_number=INTERVAL - DAYS_15 - 20)]
    ),
    "no summaries": without(upload(), "exposure_detection_summaries"),
    "84 summaries": summaries(*[summary(exposure_info=[])] * 84),
    "600 infos": summaries(*[summary(exposure_info=[info()] * 300)] * 2),
    "no infos": summaries(without(summary(), "exposure_info")),
    "four attenuation ranges": summaries(summary(attenuation_durations=[0, 0, 0, 1800])),
    "today at UTC+14": summaries(summary(date="2020-06-21")),
    "15 days before today at UTC-12": summaries(summary(date="2020-06-05")),
    "somebody who lives abroad": upload(province="EX"),
    "27 countries": upload(countries_of_interest=["DE"] * 27),
    "no padding": without(upload(), "padding"),
    "150000 characters of padding": upload(padding="x" * 150_000),
    "of duplicate members the last": b'{"province":"XX",' + json.dumps(upload()).encode()[1:],
    "white space around JSON": b" \r\n\t" + json.dumps(upload()).encode() + b"\n",
}

REFUSED: dict[str, object] = {
    "an empty body": b"",
    "half a body": json.dumps(upload()).encode()[:-1],
    "two bodies": json.dumps(upload()).encode() * 2,
    "a body that is a list": [upload()],
    "a body that is null": b"null",
    "a body in UTF-16": json.dumps(upload()).encode("utf-16"),
    "a body that is not UTF-8": json.dumps(upload(padding="xy")).encode().replace(b"xy", b"\xff"),
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(upload()).encode(),
    "nesting without end": b"[" * 100_000,
    "an unknown member": upload(other=1),
    "an unknown member of a key": upload(teks=[tek(other=1)]),
    "an unknown member of a summary": summaries(summary(other=1)),
    "an unknown member of an info": summaries(summary(exposure_info=[info(other=1)])),
    "a member in capitals": upload(Province="RM"),
    "no teks": without(upload(), "teks"),
    "teks null": upload(teks=None),
    "31 keys": upload(teks=[tek(n) for n in range(31)]),
    "a key twice": upload(teks=[tek(0), tek(1, key_data=tek(0)["key_data"])]),
    "keys that overlap": upload(teks=[tek(0), tek(1, rolling_period=21)]),
    "four keys with one start": upload(
        teks=[tek(n, rolling_start_number=INTERVAL - 300) for n in range(4)]
    ),
    "key data of 15 bytes": upload(teks=[tek(key_data="AAAAAAAAAAAAAAAAAAAA")]),
    "key data of 17 bytes": upload(teks=[tek(key_data="AAAAAAAAAAAAAAAAAAAAAAA=")]),
    "key data without padding": upload(teks=[tek(key_data="AAAAAAAAAAAAAAAAAAAAAA")]),
    "key data that is not canonical": upload(teks=[tek(key_data="AAAAAAAAAAAAAAAAAAAAAB==")]),
    "key data with white space": upload(teks=[tek(key_data="AAAAAAAAAAAAAAAAAAAAAA==\n")]),
    "key data in the URL alphabet": upload(teks=[tek(key_data="_-AAAAAAAAAAAAAAAAAAAA==")]),
    "a start in quotes": upload(teks=[tek(rolling_start_number=str(INTERVAL - 144))]),
    "a start with a fraction": upload(teks=[tek(rolling_start_number=INTERVAL - 144 + 0.9)]),
    "a start with an empty fraction": upload(teks=[tek(rolling_start_number=INTERVAL - 144.0)]),
    "a start that is true": upload(teks=[tek(rolling_start_number=True)]),
    "a start below 0": upload(teks=[tek(rolling_start_number=-1)]),
    "a start beyond every integer": upload(teks=[tek(rolling_start_number=10**30)]),
    "a start beyond every calendar": upload(teks=[tek(rolling_start_number=2**31 - 1)]),
    "a start with a leading zero": json.dumps(upload(teks=[tek(rolling_start_number=7)]))
    .encode()
    .replace(b": 7,", b": 07,"),
    "rolling period 0": upload(teks=[tek(rolling_period=0)]),
    "rolling period 145": upload(teks=[tek(rolling_period=145)]),
    "rolling period null": upload(teks=[tek(rolling_period=None)]),
    "a key that starts in more than 2 hours": upload(
        teks=[tek(rolling_start_number=INTERVAL + 13)]
    ),
    "a key that ended more than 15 days ago": upload(
        teks=[tek(rolling_start_number=INTERVAL - DAYS_15 - 21)]
    ),
    "no province": without(upload(), "province"),
    "a province that does not exist": upload(province="XX"),
    "a province in small letters": upload(province="rm"),
    "a province with a line end": upload(province="RM\n"),
    "85 summaries": summaries(*[summary(exposure_info=[])] * 85),
    "601 infos": summaries(
        summary(exposure_info=[info()] * 300), summary(exposure_info=[info()] * 301)
    ),
    "a day that is no day": summaries(summary(date="2020-06-31")),
    "a day with a time": summaries(summary(date="2020-06-19T00:00:00")),
    "a day without hyphens": summaries(summary(date="20200619")),
    "a day with white space": summaries(summary(date=" 2020-06-19")),
    "a day that is a number": summaries(summary(date=1592524800)),
    "tomorrow at UTC+14": summaries(summary(date="2020-06-22")),
    "16 days before today at UTC-12": summaries(summary(date="2020-06-04")),
    "an info of tomorrow": summaries(summary(exposure_info=[info(date="2020-06-22")])),
    "two attenuation ranges": summaries(summary(attenuation_durations=[0, 0])),
    "five attenuation ranges": summaries(summary(attenuation_durations=[0] * 5)),
    "an attenuation range of 1801 s": summaries(summary(attenuation_durations=[0, 0, 1801])),
    "matched key count -1": summaries(summary(matched_key_count=-1)),
    "last exposure 15 days ago": summaries(summary(days_since_last_exposure=15)),
    "maximum risk score 4097": summaries(summary(maximum_risk_score=4097)),
    "a duration of 1801 s": summaries(summary(exposure_info=[info(duration=1801)])),
    "attenuation 256": summaries(summary(exposure_info=[info(attenuation_value=256)])),
    "transmission risk level 9": summaries(
        summary(exposure_info=[info(transmission_risk_level=9)])
    ),
    "total risk score 4097": summaries(summary(exposure_info=[info(total_risk_score=4097)])),
    "28 countries": upload(countries_of_interest=["DE"] * 28),
    "a country in small letters": upload(countries_of_interest=["de"]),
    "150001 characters of padding": upload(padding="x" * 150_001),
    "padding with a hyphen": upload(padding="a-b"),
    "padding with a line end": upload(padding="ab\n"),
    "padding in another script": upload(padding="٣"),
    "padding null": upload(padding=None),
}


def both(rule: str, status: int = 400, /, **headers: str | tuple[str, ...] | None) -> list[Row]:
    """Return a rule about headers, for either endpoint."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    code = 1001 if status == 400 else None
    return [
        Row(
            rule=f"{path.rpartition('/')[2]}: {rule}",
            method="POST",
            path=path,
            headers=named,
            body=body,
            status=status,
            code=code,
        )
        for path, body in ((CHECK, {"padding": "x"}), (UPLOAD, upload(padding="y")))
    ]


HEADERS = [
    *both("no bearer", authorization=None),
    *both("another scheme", authorization=f"Basic {WRONG}"),
    *both("a bearer of 63 digits", authorization=f"Bearer {WRONG[:-1]}"),
    *both("a bearer of 65 digits", authorization=f"Bearer {WRONG}0"),
    *both("a bearer in capitals", authorization=f"Bearer {WRONG.upper()}"),
    *both("a bearer of other letters", authorization=f"Bearer {'g' * 64}"),
    *both("two bearers", authorization=(f"Bearer {WRONG}", f"Bearer {WRONG}")),
    *both("no word on dummies", immuni_dummy_data=None),
    *both("dummy 2", immuni_dummy_data="2"),
    *both("dummy true", immuni_dummy_data="true"),
    *both("dummy 01", immuni_dummy_data="01"),
    *both("dummy nothing", immuni_dummy_data=""),
    *both("dummy twice", immuni_dummy_data=("0", "0")),
    *both("no type", content_type=None),
    *both("another type", content_type="text/plain"),
    *both("another charset", content_type="application/json; charset=latin-1"),
    *both("another parameter", content_type="application/json; version=1"),
    *both("two types", content_type=("application/json", "application/json")),
    *[
        Row(
            rule=f"clock {clock}",
            method="POST",
            path=UPLOAD,
            body=upload(),
            code=1001,
            headers={"Immuni-Client-Clock": clock},
        )
        for clock in (
            "",
            "noon",
            "-1",
            "1.5",
            f"+{CLOCK}",
            "1" * 12,
            str(CLOCK + 86_401),
            str(CLOCK - 86_401),
            None,
        )
    ],
    Row(rule="a query", method="POST", path=f"{UPLOAD}?a=1", body=upload(), code=1001),
    Row(rule="an empty query argument", method="POST", path=f"{CHECK}?a", body={}, code=1001),
    Row(rule="a slash too many", method="POST", path=f"{CHECK}/", body={}, status=404, code=1000),
    Row(rule="GET", path=UPLOAD, status=405, code=1000, says={"allow": "POST"}),
    Row(rule="OPTIONS", method="OPTIONS", path=CHECK, status=405, code=1000),
    Row(rule="no metrics here", path="/metrics", status=404, code=1000),
    Row(rule="no document here", path="/openapi.json", status=404, code=1000),
    Row(rule="an unknown path", path="/v1/ingestion", status=404, code=1000),
    Row(rule="alive", path="/livez", status=200),
    Row(rule="ready", path="/readyz", status=200),
]

SPELT_OTHERWISE = [
    *both("scheme in small letters", 204, authorization="bearer {otp}"),
    *both("scheme in capitals", 204, authorization="BEARER {otp}"),
    *both("JSON", 204, content_type="application/json"),
    *both("type in capitals", 204, content_type="APPLICATION/JSON;CHARSET=UTF-8"),
    *both("charset in quotes", 204, content_type='application/json ; charset="utf-8"'),
]

DUMMIES = [
    replace(row, rule=f"{row.rule}, {what}", body=body)
    for row in both(
        "a dummy", 204, immuni_dummy_data="1", authorization=None, content_type="text/plain"
    )
    for what, body in (("padding alone", b"x" * 1000), ("empty", b""), ("half", b'{"teks":['))
]


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
        found[rule] = faults(row, answer)
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

    assert await broken_rows(intake.upload_host, rows, usual=usual(otp_hash(otp))) == {}
    assert kept(intake) == 0
    assert intake.query("SELECT count(*) FROM ingestion.upload") == [(0,)]
    assert (await intake.check(otp)).status_code == 204


@pytest.mark.anyio
async def test_headers_paths_and_methods_are_as_defined(intake: Intake) -> None:
    otp = generate_otp(ENTROPY)
    await intake.authorise(otp)

    assert await broken_rows(intake.upload_host, HEADERS, usual=usual(otp_hash(otp))) == {}
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
        found[row.rule] = faults(row, answer)

    assert broken(found) == {}


@pytest.mark.anyio
async def test_a_dummy_is_answered_before_anything_in_it_is_looked_at(intake: Intake) -> None:
    otp = generate_otp(ENTROPY)
    await intake.authorise(otp)

    assert await broken_rows(intake.upload_host, DUMMIES, usual=usual(otp_hash(otp))) == {}
    assert kept(intake) == 0


@pytest.mark.anyio
async def test_a_code_that_grants_nothing_is_told_from_a_malformed_one(intake: Intake) -> None:
    rows = [replace(row, status=401, code=1101) for row in both("an unknown code")]

    assert await broken_rows(intake.upload_host, rows, usual=usual(WRONG)) == {}


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
        assert await broken_rows(intake.upload_host, rows, usual=usual(otp_hash(otp))) == {}


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
