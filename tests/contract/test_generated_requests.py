"""Requests that schemathesis makes up from the OpenAPI documents, sent to the running services.

It is run as people run it. By hand, against a system that runs elsewhere::

    SCHEMATHESIS_HOOKS=tests.contract.valid_data \
        schemathesis --config-file=tests/contract/schemathesis.toml \
        run docs/reference/openapi/configuration.json --url=http://127.0.0.1:8000 --checks=all
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx
import psycopg
import pytest
from prometheus_client import CollectorRegistry

from immuni.backend.analytics.rules import NoAttestation
from immuni.backend.chunks import ChunkName, FolderChunkStore
from immuni.backend.configuration.http import configuration_service
from immuni.backend.contract import HttpSettings, contract, create_app
from immuni.backend.following import FollowingSettings
from immuni.backend.ingestion.settings import IngestionSettings
from immuni.backend.reporting.http import ReportingSettings, reporting_service
from immuni.backend.retention import RetentionSettings
from immuni.backend.signing import LocalKeySigner, create_signing_key
from immuni.backend.texts import texts_service
from immuni.clock import ManualClock
from immuni.deployment.databases import AnalyticsDatabase, ServicesDatabase
from immuni.web import Call, Endpoint, Method, Parameter, Place, Reply, Service, openapi_document
from tests.contract.serving import become_ready, serving
from tests.contract.test_analytics import analytics
from tests.contract.test_settings_authors import settings_authors
from tests.contract.valid_data import OTP_URL
from tests.intake import NOW, open_intake

pytestmark = pytest.mark.anyio

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = ROOT / "docs" / "reference" / "openapi"
CONFIGURATION: Final = Path(__file__).with_name("schemathesis.toml")
VALID: Final = 20
"""At least so many requests of an endpoint must have been taken as valid."""
CHUNKS: Final = range(1, 4)


@dataclass(frozen=True, slots=True)
class Run:
    """What schemathesis found: its exit code, and what it said."""

    exit_code: int
    said: str


async def generated(
    document: Path,
    client: httpx.AsyncClient,
    folder: Path,
    *,
    otp_host: httpx.AsyncClient | None = None,
) -> Run:
    """Have schemathesis try a service by its document; with the same requests each time.

    Args:
        document: The service's document.
        client: Speaks to the service.
        folder: Where it may write what it likes.
        otp_host: Speaks to the service that authorises codes, where codes are needed.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", f"--config-file={CONFIGURATION}"),
        *("run", document, f"--url={client.base_url}", "--checks=all", "--no-color"),
        cwd=folder,
        env=os.environ
        | {
            "SCHEMATHESIS_HOOKS": "tests.contract.valid_data",
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
            OTP_URL: str((otp_host or client).base_url).rstrip("/"),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return Run(process.returncode, said.decode())


def check_nothing_found(run: Run) -> None:
    assert run.exit_code == 0, run.said
    assert "No issues found" in run.said, run.said


async def put_chunks(
    database: ServicesDatabase, store: FolderChunkStore, indices: Iterable[int] = CHUNKS
) -> None:
    """Publish a few chunks."""
    async with await psycopg.AsyncConnection.connect(database.owner) as owner:
        for index in indices:
            name = ChunkName.of(index, b"chunk")
            await store.write(name, b"chunk")
            await owner.execute(
                "INSERT INTO publishing.chunk"
                " (index, digest, size_bytes, key_count, window_start, window_end)"
                " VALUES (%s, %s, 5, 1, %s, %s)",
                (index, name.digest, NOW - timedelta(hours=4), NOW),
            )


@asynccontextmanager
async def on_the_get_host(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """Serve a service that follows the database, once it has caught up."""
    app = create_app([service], settings=HttpSettings(), registry=CollectorRegistry())
    async with serving(app) as client:
        await become_ready(client)
        yield client


def configuration(database: ServicesDatabase, folder: Path) -> Service:
    """Return the service, with a signing key in `folder`."""
    create_signing_key(folder / "settings.pem")
    signer = LocalKeySigner.read(folder / "settings.pem", key_id="settings-1")
    return configuration_service(
        database_url=database.configuration,
        signer=lambda: signer,
        clock=ManualClock(NOW),
        following=FollowingSettings(),
    )


def reporting(database: ServicesDatabase, store: FolderChunkStore) -> Service:
    """Return the service, with the chunks of `store`."""
    return reporting_service(
        database_url=database.reporting,
        store=store,
        clock=ManualClock(NOW),
        settings=ReportingSettings(),
        retention=RetentionSettings(),
        following=FollowingSettings(),
    )


async def test_configuration_keeps_to_its_document(
    services_database: ServicesDatabase, tmp_path: Path
) -> None:
    async with on_the_get_host(configuration(services_database, tmp_path)) as client:
        check_nothing_found(await generated(DOCUMENTS / "configuration.json", client, tmp_path))


async def test_settings_authors_keep_to_their_document(
    services_database: ServicesDatabase, tmp_path: Path
) -> None:
    async with settings_authors(services_database) as client:
        check_nothing_found(await generated(DOCUMENTS / "settings.json", client, tmp_path))

        answer = await client.get("/v1/configuration/in-force")
    assert answer.json()["version"] >= VALID, "what was generated as valid was not"


async def test_reporting_keeps_to_its_document(
    services_database: ServicesDatabase, tmp_path: Path
) -> None:
    store = FolderChunkStore.open(tmp_path / "chunks")
    await put_chunks(services_database, store)
    async with on_the_get_host(reporting(services_database, store)) as client:
        check_nothing_found(await generated(DOCUMENTS / "reporting.json", client, tmp_path))


async def test_otp_keeps_to_its_document(
    services_database: ServicesDatabase, tmp_path: Path
) -> None:
    async with open_intake(services_database, tmp_path) as intake:
        check_nothing_found(await generated(DOCUMENTS / "otp.json", intake.otp_service, tmp_path))

        ((authorised,),) = intake.query("SELECT count(*) FROM ingestion.otp")
    assert authorised >= VALID, "what was generated as valid was not"


async def test_ingestion_keeps_to_its_document(
    services_database: ServicesDatabase, tmp_path: Path
) -> None:
    patient = IngestionSettings(otp_check_rate=100_000)
    async with open_intake(services_database, tmp_path, settings=patient) as intake:
        document = DOCUMENTS / "ingestion.json"
        run = await generated(document, intake.upload_host, tmp_path, otp_host=intake.otp_service)

        check_nothing_found(run)
        ((uploads,),) = intake.query("SELECT count(*) FROM ingestion.outbox")
    assert uploads >= VALID, "what was generated as valid was not"
    assert "dropped by `filter_failure`" in run.said, "exemptions without need"


async def test_analytics_keeps_to_its_document(
    analytics_database: AnalyticsDatabase, tmp_path: Path
) -> None:
    async with analytics(analytics_database, NoAttestation()) as client:
        check_nothing_found(await generated(DOCUMENTS / "analytics.json", client, tmp_path))


async def test_texts_keep_to_their_document(tmp_path: Path) -> None:
    async with on_the_get_host(texts_service()) as client:
        check_nothing_found(await generated(DOCUMENTS / "texts.json", client, tmp_path))


async def _fall(_call: Call[None]) -> Reply:
    raise RuntimeError


async def _answer_otherwise(_call: Call[None]) -> Reply:
    return Reply(HTTPStatus.ACCEPTED)


async def _answer_another_body(_call: Call[None]) -> Reply:
    return Reply(HTTPStatus.OK, b"{}", content_type="text/plain")


PLANTED: Final = {
    "Server error": _fall,
    "Undocumented status code": _answer_otherwise,
    "Undocumented Content-Type": _answer_another_body,
}


def planted(number: int, fault: str) -> Endpoint[None]:
    """Return an endpoint with a fault."""
    return Endpoint(
        method=Method.GET,
        path=f"/v1/planted-{number}",
        summary=f"Break rule {number}",
        handler=PLANTED[fault],
        replies={HTTPStatus.OK: "application/zip"},
        parameters=[Parameter(name="n", place=Place.QUERY, description="It.", low=1, high=9)],
    )


async def test_planted_faults_are_found(tmp_path: Path) -> None:
    endpoints = [planted(number, fault) for number, fault in enumerate(PLANTED)]
    service = Service(name="planted", title="Planted", endpoints=endpoints)
    document = tmp_path / "planted.json"
    document.write_text(json.dumps(openapi_document([service], contract(HttpSettings()))))
    async with on_the_get_host(service) as client:
        run = await generated(document, client, tmp_path)

    assert run.exit_code == 1
    assert [fault for fault in PLANTED if f"{fault}: " not in run.said] == [], run.said
