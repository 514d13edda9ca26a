"""The OpenAPI documents of the services, as they come from their tables."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from psycopg_pool import AsyncConnectionPool

from immuni.api import italy
from immuni.backend.analytics.http import analytics_service
from immuni.backend.analytics.rules import NoAttestation
from immuni.backend.chunks import FolderChunkStore
from immuni.backend.configuration.http import configuration_service
from immuni.backend.contract import HttpSettings, contract, create_app
from immuni.backend.following import FollowingSettings
from immuni.backend.reporting.http import ReportingSettings, reporting_service
from immuni.backend.retention import RetentionSettings
from immuni.backend.shaping import Shaping, ShapingMetrics, ShapingSettings
from immuni.backend.signing import LocalKeySigner, create_signing_key
from immuni.clock import ManualClock
from immuni.entropy import SystemEntropy
from immuni.web import Service, openapi_document
from tests.contract.serving import serving

CONTRACT = contract(HttpSettings())
CLOCK = ManualClock(datetime(2020, 6, 20, 12, tzinfo=UTC))


@pytest.fixture
def services(tmp_path: Path) -> list[Service]:
    """Return services that are only described: nothing connects before an application runs."""
    create_signing_key(tmp_path / "settings.pem")
    shaping = Shaping(
        settings=ShapingSettings(),
        contract=CONTRACT,
        entropy=SystemEntropy(),
        metrics=ShapingMetrics(CollectorRegistry()),
    )
    return [
        configuration_service(
            database_url="",
            signer=lambda: LocalKeySigner.read(tmp_path / "settings.pem", key_id="settings-1"),
            clock=CLOCK,
            following=FollowingSettings(),
        ),
        reporting_service(
            database_url="",
            store=FolderChunkStore.open(tmp_path),
            clock=CLOCK,
            settings=ReportingSettings(),
            retention=RetentionSettings(),
            following=FollowingSettings(),
        ),
        analytics_service(
            pool=AsyncConnectionPool("", open=False),
            clock=CLOCK,
            territory=italy(),
            attestation=NoAttestation(),
            shaping=shaping,
        ),
    ]


def references(value: object) -> set[str]:
    """Return every reference in a document."""
    match value:
        case dict():
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()))
        case list():
            return set().union(*map(references, value))
        case _:
            return set()


def test_every_path_of_the_api_is_described(services: list[Service]) -> None:
    document = openapi_document(services, CONTRACT)

    assert document["paths"].keys() == {
        "/v1/settings",
        "/v1/keys/index",
        "/v1/keys/{index}",
        "/v1/analytics/apple/token",
        "/v1/analytics/apple/operational-info",
        "/v1/analytics/google/operational-info",
    }


def test_a_document_is_whole_and_always_the_same(services: list[Service]) -> None:
    for service in services:
        document: dict[str, Any] = openapi_document([service], CONTRACT)
        defined = {
            f"#/components/{kind}/{name}"
            for kind, named in document["components"].items()
            for name in named
        }

        assert references(document) <= defined
        assert json.dumps(document) == json.dumps(openapi_document([service], CONTRACT))


@pytest.mark.anyio
async def test_the_document_is_served_where_it_is_exposed_and_nowhere_else() -> None:
    service = Service(name="trial", title="Trial", endpoints=[])
    for exposed, status in [(True, 200), (False, 404)]:
        app = create_app(
            [service],
            settings=HttpSettings(expose_docs=exposed),
            registry=CollectorRegistry(),
        )
        async with serving(app) as client:
            answer = await client.get("/openapi.json")

            assert answer.status_code == status
