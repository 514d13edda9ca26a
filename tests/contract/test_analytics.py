"""Analytics over real HTTP and a real database: always the same answer, whatever is kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from prometheus_client import CollectorRegistry

from immuni.api import GoogleOperationalInfo, italy
from immuni.backend.analytics.devicecheck.settings import DeviceCheckSettings
from immuni.backend.analytics.devicecheck.tokens import Tokens
from immuni.backend.analytics.http import analytics_service
from immuni.backend.analytics.rules import Attestation, NoAttestation
from immuni.backend.analytics.store import token_hash
from immuni.backend.contract import HttpSettings, contract, create_app
from immuni.backend.shaping import Shaping, ShapingMetrics, ShapingSettings
from immuni.clock import ManualClock
from immuni.database import open_pool
from immuni.deployment.databases import AnalyticsDatabase
from immuni.entropy import SystemEntropy
from tests.contract.rows import Row, broken_rows
from tests.contract.serving import serving
from tests.door import Door

pytestmark = pytest.mark.anyio

NOON = datetime(2020, 6, 20, 12, tzinfo=UTC)
TOKEN = "ab" * 64
OTHER = "Bearer " + "cd" * 64
APPLE, GOOGLE = "/v1/analytics/apple/operational-info", "/v1/analytics/google/operational-info"
TOKEN_PATH = "/v1/analytics/apple/token"
INFO = {
    "province": "CH",
    "exposure_permission": 1,
    "bluetooth_active": 1,
    "notification_permission": 0,
    "exposure_notification": 1,
    "last_risky_exposure_on": "2020-06-09",
    "build": 7,
}
ANDROID = INFO | {"salt": "I2zF1+fgk4/uVHYe7DRt3A==", "signed_attestation": "a.b.c"}
GENUINE = {"immuni-dummy-data": "0", "authorization": f"Bearer {TOKEN}"}


class OneOfThem:
    """An attestation of the tests' own: vouches for one phone."""

    def vouches_for(self, info: GoogleOperationalInfo, *, now: datetime) -> bool:
        return info.signed_attestation == "a.b.c" and now == NOON


@asynccontextmanager
async def analytics(
    database: AnalyticsDatabase,
    attestation: Attestation,
    *,
    device_check: DeviceCheckSettings | None = None,
) -> AsyncIterator[httpx.AsyncClient]:
    registry = CollectorRegistry()
    shaping = Shaping(
        settings=ShapingSettings(
            response_floor=timedelta(milliseconds=20), response_mean=timedelta(milliseconds=1)
        ),
        contract=contract(HttpSettings()),
        entropy=SystemEntropy(),
        metrics=ShapingMetrics(registry),
    )
    async with open_pool(database.analytics) as pool:
        service = analytics_service(
            pool=pool,
            clock=ManualClock(NOON),
            territory=italy(),
            attestation=attestation,
            shaping=shaping,
            tokens=Tokens(
                pool=pool,
                settings=device_check or DeviceCheckSettings(),
                clock=ManualClock(NOON),
            ),
        )
        app = create_app([service], settings=HttpSettings(), registry=registry)
        async with serving(app) as client:
            yield client


async def kept(database: AnalyticsDatabase) -> list[Any]:
    async with await psycopg.AsyncConnection.connect(database.owner) as owner:
        cursor = await owner.execute(
            "SELECT received_on, platform, province, last_risky_exposure_on, build"
            " FROM analytics.operational_info ORDER BY platform"
        )
        return await cursor.fetchall()


async def authorise_token(database: AnalyticsDatabase) -> None:
    async with await psycopg.AsyncConnection.connect(database.owner) as owner:
        await owner.execute(
            "INSERT INTO analytics.token VALUES (%s, '2020-06-01')", [token_hash(TOKEN)]
        )


async def test_what_something_vouches_for_is_kept_and_nothing_else(
    analytics_database: AnalyticsDatabase,
) -> None:
    await authorise_token(analytics_database)
    async with analytics(analytics_database, OneOfThem()) as client:
        answers = [
            await client.post(APPLE, json=INFO, headers=GENUINE),
            await client.post(APPLE, json=INFO | {"province": "RM"}, headers=GENUINE),
            await client.post(APPLE, json=INFO, headers=GENUINE | {"authorization": OTHER}),
            await client.post(GOOGLE, json=ANDROID, headers=GENUINE),
            await client.post(GOOGLE, json=ANDROID | {"province": "RM"}, headers=GENUINE),
            await client.post(
                GOOGLE, json=ANDROID | {"signed_attestation": "forged"}, headers=GENUINE
            ),
            await client.post(APPLE, json=INFO, headers=GENUINE | {"immuni-dummy-data": "1"}),
        ]
        assert (await client.get("/readyz")).status_code == HTTPStatus.OK

    assert {answer.status_code for answer in answers} == {HTTPStatus.NO_CONTENT}
    lines = [dict(answer.headers.multi_items()) | {"date": ""} for answer in answers]
    assert all(each == lines[0] for each in lines)
    assert await kept(analytics_database) == [
        (date(2020, 6, 20), "android", "CH", date(2020, 6, 9), 7),
        (date(2020, 6, 20), "ios", "CH", date(2020, 6, 9), 7),
    ]


async def test_without_attestation_nothing_is_kept_and_nobody_can_tell(
    analytics_database: AnalyticsDatabase,
) -> None:
    async with analytics(analytics_database, NoAttestation()) as client:
        apple = await client.post(APPLE, json=INFO, headers=GENUINE)
        google = await client.post(GOOGLE, json=ANDROID, headers=GENUINE)
        token = await client.post(
            "/v1/analytics/apple/token", json={"analytics_token": TOKEN, "device_token": "AAAA"}
        )

    assert apple.status_code == google.status_code == HTTPStatus.NO_CONTENT
    assert token.status_code == HTTPStatus.ACCEPTED
    assert token.headers["cache-control"] == "no-store"
    assert await kept(analytics_database) == []


async def test_while_the_database_is_away_dummies_are_told_what_reports_are_told(
    analytics_database: AnalyticsDatabase, postgres_admin_url: str
) -> None:
    door = Door(postgres_admin_url, analytics_database.owner)
    async with analytics(analytics_database, OneOfThem()) as client:
        door.open(to_all=False)
        try:
            answers = [
                await client.post(GOOGLE, json=ANDROID, headers=GENUINE, timeout=60),
                await client.post(APPLE, json=INFO, headers=GENUINE | {"immuni-dummy-data": "1"}),
                await client.post(GOOGLE, json=ANDROID, headers=GENUINE, timeout=60),
            ]
        finally:
            door.open(to_all=True)

    assert {each.status_code for each in answers} == {HTTPStatus.SERVICE_UNAVAILABLE}
    assert len({each.content for each in answers}) == 1


async def test_a_token_is_created_once_it_is_authorised_and_accepted_until_then(
    analytics_database: AnalyticsDatabase,
) -> None:
    settings = DeviceCheckSettings(
        device_check_key_file=Path("not read"),
        device_check_key_id="KEY",
        device_check_team_id="TEAM",
        max_authorisations=1,
    )
    another = TOKENS | {"analytics_token": "cd" * 64}
    async with analytics(analytics_database, NoAttestation(), device_check=settings) as client:
        answers = [await client.post(TOKEN_PATH, json=body) for body in (TOKENS, TOKENS, another)]
        assert [answer.status_code for answer in answers] == [HTTPStatus.ACCEPTED] * 3
        assert await hashes(analytics_database) == [token_hash(TOKEN)]

        await authorise_token(analytics_database)
        created = await client.post(TOKEN_PATH, json=TOKENS)
        assert created.status_code == HTTPStatus.CREATED
        assert created.content == answers[0].content == b""
        assert created.headers["cache-control"] == "no-store"


async def hashes(database: AnalyticsDatabase) -> list[bytes]:
    async with await psycopg.AsyncConnection.connect(database.owner) as owner:
        cursor = await owner.execute("SELECT token_hash FROM analytics.authorisation")
        return [bytes(row[0]) for row in await cursor.fetchall()]


def sent(rule: str, path: str, body: object, status: int = 400, /, **headers: str | None) -> Row:
    """Return a rule about a request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    code = 1001 if status == HTTPStatus.BAD_REQUEST else None
    return Row(
        rule=f"{path.split('/')[3]}: {rule}",
        method="POST",
        path=path,
        headers=named,
        body=body,
        status=status,
        code=code,
    )


def of_both(rule: str, status: int = 400, /, **members: object) -> list[Row]:
    """Return a rule about members that both platforms send."""
    return [
        sent(rule, APPLE, INFO | members, status),
        sent(rule, GOOGLE, ANDROID | members, status, authorization=None),
    ]


TOKENS = {"analytics_token": TOKEN, "device_token": "AAAA"}
RULES = [
    *of_both("as defined", 204),
    *of_both("today at UTC+14", 204, last_risky_exposure_on="2020-06-21"),
    *of_both("padding", 204, padding="x" * 150_000),
    *of_both("build 20000", 204, build=20_000),
    *of_both("tomorrow at UTC+14", last_risky_exposure_on="2020-06-22"),
    *of_both("a day that is no day", last_risky_exposure_on="2020-02-30"),
    *of_both("a province that does not exist", province="XX"),
    *of_both("a flag that is true", bluetooth_active=True),
    *of_both("a flag in quotes", bluetooth_active="1"),
    *of_both("a flag with a fraction", bluetooth_active=1.0),
    *of_both("flag 2", exposure_permission=2),
    *of_both("build 0", build=0),
    *of_both("build 20001", build=20_001),
    *of_both("padding with a hyphen", padding="a-b"),
    *of_both("an unknown member", other=1),
    sent("salt from iOS", APPLE, INFO | {"salt": ANDROID["salt"]}),
    sent("no salt", GOOGLE, INFO, authorization=None),
    sent("a short salt", GOOGLE, ANDROID | {"salt": "AAAA"}),
    sent("a salt that is not canonical", GOOGLE, ANDROID | {"salt": "AAAAAAAAAAAAAAAAAAAAAB=="}),
    sent("a long attestation", GOOGLE, ANDROID | {"signed_attestation": "x" * 10_001}),
    sent("no bearer", APPLE, INFO, authorization=None),
    sent("a bearer of 127 digits", APPLE, INFO, authorization=f"Bearer {TOKEN[1:]}"),
    sent("a bearer in capitals", APPLE, INFO, authorization=f"Bearer {TOKEN.upper()}"),
    sent("the scheme in capitals", APPLE, INFO, 204, authorization=f"BEARER {TOKEN}"),
    sent("no word on dummies", APPLE, INFO, immuni_dummy_data=None),
    sent("no word on dummies", GOOGLE, ANDROID, immuni_dummy_data=None),
    sent("another type", GOOGLE, ANDROID, content_type="text/plain"),
    sent("a dummy", APPLE, b"xx", 204, immuni_dummy_data="1", authorization=None),
    sent("a dummy", GOOGLE, b"xx", 204, immuni_dummy_data="1", content_type=None),
    sent("a token", TOKEN_PATH, TOKENS, 202),
    sent("a token in capitals", TOKEN_PATH, TOKENS | {"analytics_token": TOKEN.upper()}),
    sent("a short token", TOKEN_PATH, TOKENS | {"analytics_token": TOKEN[1:]}),
    sent("no device token", TOKEN_PATH, {"analytics_token": TOKEN}),
    sent("an empty device token", TOKEN_PATH, TOKENS | {"device_token": ""}),
    sent("a device token not in base64", TOKEN_PATH, TOKENS | {"device_token": "AAA"}),
    sent("a long device token", TOKEN_PATH, TOKENS | {"device_token": "A" * 10_004}),
    sent("an unknown member of a token", TOKEN_PATH, TOKENS | {"other": 1}),
    Row(rule="GET", path=APPLE, status=405, code=1000),
    Row(rule="no metrics here", path="/metrics", status=404, code=1000),
]


async def test_reports_are_answered_as_defined_or_refused(
    analytics_database: AnalyticsDatabase,
) -> None:
    usual = GENUINE | {"content-type": "application/json"}
    async with analytics(analytics_database, NoAttestation()) as client:
        assert await broken_rows(client, RULES, usual=usual, service="analytics") == {}
    assert await kept(analytics_database) == []
