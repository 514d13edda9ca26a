"""Reports of Android phones, from a request to the database, as a deployment puts it together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final, cast

import httpx
import msgspec
import pytest
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from immuni.api import GoogleOperationalInfo, Salt, attestation_nonce, encode, examples
from immuni.clock import ManualClock
from immuni.deployment.configured import Configured
from immuni.deployment.databases import AnalyticsDatabase
from immuni.deployment.wiring import Wiring
from immuni.deployment.wiring.analytics import servers
from immuni.entropy import SeededEntropy, SystemEntropy
from immuni.settings import SettingsError, Source
from immuni.testing.google import AndroidApp, PlayIntegrityIssuer, SafetyNetIssuer
from tests.contract.serving import become_ready, serving
from tests.integration.backend.analytics.reports import count

NOW: Final = datetime(2020, 6, 20, 12, tzinfo=UTC)
APP: Final = AndroidApp("it.example.app", bytes(range(32)))
SAFETYNET: Final = SafetyNetIssuer.make(NOW)
PLAY_INTEGRITY: Final = PlayIntegrityIssuer.make(SystemEntropy())
HEADERS: Final = {"immuni-dummy-data": "0", "content-type": "application/json"}
PATH: Final = "/v1/analytics/google/operational-info"

Issuer = SafetyNetIssuer | PlayIntegrityIssuer

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def trusted(tmp_path: Path) -> dict[str, str]:
    """Return what makes the service believe both issuers."""
    roots = tmp_path / "roots.pem"
    roots.write_bytes(SAFETYNET.root_pem())
    return {
        "android_attestation": "both",
        "android_package_name": APP.package_name,
        "android_certificate_digests": APP.certificate_digest.hex(),
        "safetynet_trust_roots": str(roots),
        "play_integrity_keys": PLAY_INTEGRITY.keys_setting(),
    }


def wiring(database: AnalyticsDatabase, clock: ManualClock, settings: dict[str, str]) -> Wiring:
    texts = settings | {
        "analytics_database_url": database.analytics,
        "response_floor": "10ms",
        "response_mean": "1ms",
    }
    return Wiring.of(
        Configured.read(Source(texts, dict.fromkeys(texts, "the test"))),
        clock=clock,
        entropy=SeededEntropy("attestation"),
        registry=CollectorRegistry(),
    )


@asynccontextmanager
async def phones(parts: Wiring) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the role on a real port."""
    async with (
        servers(parts) as [server],
        serving(cast("ASGIApp", server.config.app)) as client,
    ):
        await become_ready(client)
        yield client


def report(number: int, issuer: Issuer) -> GoogleOperationalInfo:
    """Return a genuine report with a salt of its own."""
    unattested = msgspec.structs.replace(
        examples.GOOGLE_INFO, salt=Salt(number.to_bytes(16, "big")), signed_attestation=""
    )
    nonce = attestation_nonce(unattested, unattested.salt)
    return msgspec.structs.replace(unattested, signed_attestation=issuer.issue(nonce, APP, NOW))


async def send(client: httpx.AsyncClient, info: GoogleOperationalInfo) -> httpx.Response:
    return await client.post(PATH, content=encode(info), headers=HEADERS)


async def test_what_a_genuine_phone_reports_is_kept_once_and_nothing_else(
    analytics_database: AnalyticsDatabase, clock: ManualClock, trusted: dict[str, str]
) -> None:
    parts = wiring(analytics_database, clock, trusted)
    genuine = [report(0, SAFETYNET), report(1, PLAY_INTEGRITY)]
    changed = msgspec.structs.replace(report(2, PLAY_INTEGRITY), exposure_notification=0)
    forged = report(3, SafetyNetIssuer.make(NOW))
    async with phones(parts) as client:
        # The genuine ones come ten times, all at once.
        answers = await asyncio.gather(
            *(send(client, each) for each in [*genuine * 10, changed, forged])
        )

    lines = [dict(answer.headers.multi_items()) | {"date": ""} for answer in answers]
    assert {answer.status_code for answer in answers} == {HTTPStatus.NO_CONTENT}
    assert all(each == lines[0] for each in lines)
    assert count(analytics_database, "operational_info") == len(genuine)
    assert counted(parts) == {"genuine": 20, "nonce": 1, "certificate": 1}


async def test_an_attestation_is_not_believed_once_more_when_its_time_is_over(
    analytics_database: AnalyticsDatabase, clock: ManualClock, trusted: dict[str, str]
) -> None:
    parts = wiring(analytics_database, clock, trusted)
    async with phones(parts) as client:
        await send(client, report(0, PLAY_INTEGRITY))
        clock.advance(timedelta(minutes=10))
        await send(client, report(0, PLAY_INTEGRITY))
        clock.advance(timedelta(seconds=1))
        await send(client, report(1, PLAY_INTEGRITY))

    assert count(analytics_database, "operational_info") == 1
    assert counted(parts) == {"genuine": 2, "time": 1}


async def test_where_nothing_is_set_no_report_is_kept(
    analytics_database: AnalyticsDatabase, clock: ManualClock
) -> None:
    parts = wiring(analytics_database, clock, {})
    async with phones(parts) as client:
        answers = [await send(client, report(0, each)) for each in (SAFETYNET, PLAY_INTEGRITY)]

    assert {answer.status_code for answer in answers} == {HTTPStatus.NO_CONTENT}
    assert count(analytics_database, "operational_info") == 0
    assert counted(parts) == {"kind": 2}


async def test_the_role_does_not_start_with_half_of_what_it_needs(
    analytics_database: AnalyticsDatabase, clock: ManualClock, trusted: dict[str, str]
) -> None:
    parts = wiring(analytics_database, clock, trusted | {"play_integrity_keys": ""})

    with pytest.raises(SettingsError, match="play_integrity_keys: not set"):
        async with servers(parts):
            pass


def counted(parts: Wiring) -> dict[str, float]:
    """Return how many attestations had which result."""
    return {
        sample.labels["result"]: sample.value
        for metric in parts.registry.collect()
        for sample in metric.samples
        if sample.name == "immuni_android_attestations_total" and sample.value
    }
