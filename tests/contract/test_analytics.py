"""Analytics over real HTTP and a real database: always the same answer, whatever is kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any

import httpx
import psycopg
import pytest
from prometheus_client import CollectorRegistry

from immuni.api import AppleOperationalInfo, GoogleOperationalInfo, italy
from immuni.backend.analytics.http import analytics_service
from immuni.backend.analytics.rules import Attestation, NoAttestation
from immuni.backend.contract import HttpSettings, contract, create_app
from immuni.backend.shaping import Shaping, ShapingMetrics, ShapingSettings
from immuni.clock import ManualClock
from immuni.database import open_pool
from immuni.deployment.databases import AnalyticsDatabase
from immuni.entropy import SystemEntropy
from tests.contract.serving import serving

pytestmark = pytest.mark.anyio

NOON = datetime(2020, 6, 20, 12, tzinfo=UTC)
TOKEN = "ab" * 64
APPLE, GOOGLE = "/v1/analytics/apple/operational-info", "/v1/analytics/google/operational-info"
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
    """An attestation of the tests' own: vouches for one token, and for one phone."""

    async def vouches_for_token(self, analytics_token: str, info: AppleOperationalInfo) -> bool:
        return analytics_token == TOKEN and info.province == "CH"

    async def vouches_for_phone(self, info: GoogleOperationalInfo) -> bool:
        return info.signed_attestation == "a.b.c"


@asynccontextmanager
async def analytics(
    database: AnalyticsDatabase, attestation: Attestation
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


async def test_what_somebody_vouches_for_is_kept_and_nothing_else(
    analytics_database: AnalyticsDatabase,
) -> None:
    async with analytics(analytics_database, OneOfThem()) as client:
        answers = [
            await client.post(APPLE, json=INFO, headers=GENUINE),
            await client.post(APPLE, json=INFO | {"province": "RM"}, headers=GENUINE),
            await client.post(GOOGLE, json=ANDROID, headers=GENUINE),
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


async def test_what_is_not_as_defined_is_refused(analytics_database: AnalyticsDatabase) -> None:
    without_bearer = {"immuni-dummy-data": "0"}
    cases = [
        (APPLE, INFO, without_bearer),
        (APPLE, INFO, GENUINE | {"authorization": f"Bearer {TOKEN[:-1]}"}),
        (APPLE, INFO, {"authorization": f"Bearer {TOKEN}"}),
        (APPLE, INFO | {"province": "XX"}, GENUINE),
        (APPLE, INFO | {"last_risky_exposure_on": "2020-06-22"}, GENUINE),
        (APPLE, INFO | {"bluetooth_active": True}, GENUINE),
        (APPLE, INFO | {"salt": "AAAA"}, GENUINE),
        (GOOGLE, INFO, without_bearer),
        (GOOGLE, ANDROID | {"salt": "AAAA"}, without_bearer),
        ("/v1/analytics/apple/token", {"analytics_token": TOKEN}, {}),
    ]
    async with analytics(analytics_database, NoAttestation()) as client:
        for path, body, headers in cases:
            answer = await client.post(path, json=body, headers=headers)

            assert answer.status_code == HTTPStatus.BAD_REQUEST
            assert answer.json()["error_code"] == 1001
