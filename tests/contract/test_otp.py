"""``POST /v1/otp`` over real HTTP and a real database: a table of its rules.

That nobody without a client's certificate gets so far is shown where TLS is spoken.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from immuni.deployment.databases import ServicesDatabase
from immuni.entropy import SeededEntropy
from immuni.otp import ALPHABET, generate_otp
from tests.contract.rows import Row, broken_rows
from tests.intake import NOW, Intake, open_intake

pytestmark = pytest.mark.anyio

ENTROPY = SeededEntropy("contract of codes")
OTP = generate_otp(ENTROPY)
DAY = "2020-06-16"
MISTYPED = OTP[:-1] + next(letter for letter in ALPHABET if letter != OTP[-1])


def row(rule: str, body: object, status: int = 400, code: int | None = None) -> Row:
    """Return a rule about the body."""
    refused = 1001 if status == 400 else code
    return Row(rule=rule, method="POST", path="/v1/otp", body=body, status=status, code=refused)


def asked(**members: object) -> dict[str, object]:
    """Return a body with a living code."""
    return {"otp": OTP, "symptoms_started_on": DAY, **members}


REFUSED = [
    row("no body", b""),
    row("a list", [asked()]),
    row("no code", {"symptoms_started_on": DAY}),
    row("no date", {"otp": OTP}),
    row("both dates null", {"otp": OTP, "symptoms_started_on": None, "tested_on": None}),
    row("no symptoms and no test", asked(symptoms_started_on=None)),
    row("an unknown member", asked(other=1)),
    row("nine characters", asked(otp=OTP[:-1])),
    row("eleven characters", asked(otp=OTP + OTP[-1])),
    row("small letters", asked(otp=OTP.lower())),
    row("a letter that is not of the alphabet", asked(otp="B" + OTP[1:])),
    row("a code with a line end", asked(otp=OTP + "\n")),
    row("a code in groups", asked(otp=f"{OTP[:3]} {OTP[3:7]} {OTP[7:]}")),
    row("a wrong check digit", asked(otp=MISTYPED)),
    row("a code that is a number", asked(otp=1234567891)),
    row("a day that is no day", asked(symptoms_started_on="2020-02-30")),
    row("a day in another order", asked(symptoms_started_on="16-06-2020")),
    row("a day with a time", asked(symptoms_started_on="2020-06-16T00:00:00Z")),
    row("a test of tomorrow", asked(symptoms_started_on=None, tested_on="2020-06-22")),
    replace(row("another type", asked()), headers={"content-type": "text/json"}),
    replace(row("a malformed request id", asked()), headers={"immuni-request-id": "a b"}),
    replace(row("a query", asked()), path="/v1/otp?a=1"),
    Row(rule="GET", path="/v1/otp", status=405, code=1000),
    Row(rule="a slash too many", method="POST", path="/v1/otp/", status=404, code=1000),
    Row(rule="no metrics here", path="/metrics", status=404, code=1000),
]
USUAL = {"content-type": "application/json"}


@pytest.fixture
async def intake(services_database: ServicesDatabase, tmp_path: Path) -> AsyncIterator[Intake]:
    async with open_intake(services_database, tmp_path) as opened:
        yield opened


def alive(intake: Intake) -> int:
    """Return how many codes there are."""
    ((count,),) = intake.query("SELECT count(*) FROM ingestion.otp")
    return int(count)


async def test_what_the_rules_forbid_is_refused_and_nothing_is_authorised(intake: Intake) -> None:
    assert await broken_rows(intake.otp_service, REFUSED, usual=USUAL, service="otp") == {}
    assert alive(intake) == 0


async def test_what_the_rules_allow_is_authorised_once(intake: Intake) -> None:
    rows = [
        row("an onset", asked(), 204),
        row("the same code again", asked(), 409, 1400),
        row("the same code with another day", asked(symptoms_started_on="2020-06-01"), 409, 1400),
        row("a test", {"otp": generate_otp(ENTROPY), "tested_on": DAY}, 204),
        row("both", asked(otp=generate_otp(ENTROPY), tested_on=DAY), 204),
    ]

    assert await broken_rows(intake.otp_service, rows, usual=USUAL, service="otp") == {}
    assert alive(intake) == 3


@pytest.mark.parametrize(
    ("hour", "earliest", "latest"),
    [
        (9, date(2020, 6, 19), date(2020, 6, 20)),
        (10, date(2020, 6, 19), date(2020, 6, 21)),
        (12, date(2020, 6, 20), date(2020, 6, 21)),
    ],
    ids=["before midnight at UTC+14", "midnight at UTC+14", "midnight at UTC-12"],
)
async def test_a_day_may_be_today_anywhere_and_half_a_year_old(
    intake: Intake, hour: int, earliest: date, latest: date
) -> None:
    intake.clock.advance(datetime(2020, 6, 20, hour, tzinfo=UTC) - NOW)
    oldest = earliest - timedelta(days=180)
    day = timedelta(days=1)
    rows = [
        row(f"{name} {on}", {"otp": generate_otp(ENTROPY), name: on.isoformat()}, status)
        for name in ("symptoms_started_on", "tested_on")
        for on, status in ((oldest - day, 400), (oldest, 204), (latest, 204), (latest + day, 400))
    ]

    assert await broken_rows(intake.otp_service, rows, usual=USUAL, service="otp") == {}
