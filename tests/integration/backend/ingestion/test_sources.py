"""Limits of wrong codes over real HTTP, for phones behind a proxy and for those who forge one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from immuni.backend.ingestion.settings import IngestionSettings
from immuni.deployment.databases import ServicesDatabase
from immuni.entropy import SeededEntropy
from immuni.otp import generate_otp
from immuni.web import TrustedProxies
from tests.intake import Intake, open_intake

OTP = generate_otp(SeededEntropy("sources"))
UNKNOWN = generate_otp(SeededEntropy("unknown"))
RATE = 3
PROXY, STRANGER = "127.0.0.1", "127.0.0.2"
"""Both are addresses of this machine; the services trust only the first."""
ONE, OTHER = "198.51.100.1", "198.51.100.2"

pytestmark = pytest.mark.anyio


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def intake(
    services_database: ServicesDatabase, tmp_path: Path, registry: CollectorRegistry
) -> AsyncIterator[Intake]:
    async with open_intake(
        services_database,
        tmp_path,
        settings=IngestionSettings(otp_check_rate=RATE),
        proxies=TrustedProxies.parse(PROXY),
        registry=registry,
    ) as opened:
        yield opened


@asynccontextmanager
async def reached_from(intake: Intake, address: str) -> AsyncIterator[Intake]:
    transport = httpx.AsyncHTTPTransport(local_address=address)
    url = intake.upload_host.base_url
    async with httpx.AsyncClient(base_url=url, transport=transport, trust_env=False) as client:
        yield replace(intake, upload_host=client)


async def statuses_of_guesses(intake: Intake, *forwarded_for: str) -> list[int]:
    return [
        (await intake.check(UNKNOWN, **{"X-Forwarded-For": line})).status_code
        for line in forwarded_for
    ]


async def test_two_phones_behind_one_proxy_have_limits_of_their_own(
    intake: Intake, registry: CollectorRegistry
) -> None:
    await intake.authorise(OTP)

    with capture_logs() as lines:
        guesses = await statuses_of_guesses(intake, *[ONE] * (RATE + 1))
    other = await intake.check(OTP, **{"X-Forwarded-For": OTHER})

    assert guesses == [401] * RATE + [429]
    assert other.status_code == 204
    # Refused guesses were not looked at, so they are no wrong codes.
    assert registry.get_sample_value("immuni_ingestion_wrong_codes_total") == RATE
    assert len(lines) == RATE + 1
    assert ONE not in str(lines)


async def test_what_a_phone_claims_to_be_forwarded_for_gains_it_no_guess(intake: Intake) -> None:
    # The proxy appends the phone's own address to whatever the phone had sent.
    inventions = (f"203.0.113.{number}, {ONE}" for number in range(RATE + 1))

    assert await statuses_of_guesses(intake, *inventions) == [401] * RATE + [429]


async def test_a_peer_that_is_no_proxy_cannot_forge_another_source(intake: Intake) -> None:
    await intake.authorise(OTP)
    async with reached_from(intake, STRANGER) as stranger:
        inventions = (f"198.51.100.{number}" for number in range(RATE + 1))
        assert await statuses_of_guesses(stranger, *inventions) == [401] * RATE + [429]

    # Nor did it use up the guesses of those whom it named.
    assert (await intake.check(OTP, **{"X-Forwarded-For": ONE})).status_code == 204
