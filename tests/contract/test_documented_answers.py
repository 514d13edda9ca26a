"""The documents' examples: what they say is sent, is taken; what they say is answered, could be."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from immuni.api import ChunkIndex, ErrorBody, encode, parse_answer, settings_faults
from immuni.api.examples import CHUNK_INDEX, OTP, OTP_BEARER, SETTINGS
from immuni.backend.analytics.rules import NoAttestation
from immuni.backend.chunks import FolderChunkStore
from immuni.deployment.databases import AnalyticsDatabase, ServicesDatabase
from immuni.otp import otp_hash, parse_otp
from tests.contract.documented import DOCUMENTS, differences, document
from tests.contract.test_analytics import analytics
from tests.contract.test_generated_requests import (
    configuration,
    on_the_get_host,
    put_chunks,
    reporting,
)
from tests.contract.test_settings_authors import settings_authors
from tests.intake import open_intake
from tests.integration.dashboard.serving import dashboard_of

SERVICES = sorted(path.stem for path in DOCUMENTS.glob("*.json"))


def operations(service: str) -> Iterator[tuple[str, str, Any]]:
    """Yield path, method and description of everything that a service does."""
    for path, methods in document(service)["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


async def faults_of_examples(client: httpx.AsyncClient, service: str) -> list[str]:
    """Send what a document gives as examples; return what was not taken, or answered otherwise."""
    found = []
    for path, method, operation in operations(service):
        given: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
        for each in operation.get("parameters", ()):
            given[each["in"]][each["name"]] = str(each["example"])
        sent = operation.get("requestBody", {}).get("content", {}).get("application/json")
        answer = await client.request(
            method,
            path.format(**given["path"]),
            params=given["query"],
            headers=given["header"],
            json=sent["example"] if sent else None,
        )
        found += [f"{path}: {fault}" for fault in differences(service, answer)]
        if not answer.is_success:
            found.append(f"{path}: {answer.status_code} {answer.text}")
    return found


@pytest.mark.anyio
async def test_codes_and_uploads_are_taken_as_the_documents_give_them(
    services_database: ServicesDatabase, tmp_path: Path
) -> None:
    async with open_intake(services_database, tmp_path) as intake:
        assert await faults_of_examples(intake.otp_service, "otp") == []
        assert await faults_of_examples(intake.upload_host, "ingestion") == []
    assert f"Bearer {otp_hash(parse_otp(OTP))}" == OTP_BEARER


@pytest.mark.anyio
async def test_settings_index_and_chunk_are_asked_for_as_the_documents_give_it(
    services_database: ServicesDatabase, tmp_path: Path
) -> None:
    store = FolderChunkStore.open(tmp_path / "chunks")
    await put_chunks(services_database, store, [87])
    async with on_the_get_host(configuration(services_database, tmp_path)) as client:
        assert await faults_of_examples(client, "configuration") == []
    async with settings_authors(services_database) as client:
        assert await faults_of_examples(client, "settings") == []
    async with on_the_get_host(reporting(services_database, store)) as client:
        assert await faults_of_examples(client, "reporting") == []


@pytest.mark.anyio
async def test_reports_are_taken_as_the_documents_give_them(
    analytics_database: AnalyticsDatabase,
) -> None:
    async with analytics(analytics_database, NoAttestation()) as client:
        assert await faults_of_examples(client, "analytics") == []


@pytest.mark.anyio
async def test_figures_are_asked_for_as_the_document_gives_it(
    analytics_database: AnalyticsDatabase,
) -> None:
    with psycopg.connect(analytics_database.owner) as owner:
        owner.execute(
            "INSERT INTO analytics.release VALUES ('active', 'month', 'place', '2020-10-01')"
        )
    async with dashboard_of(analytics_database) as client:
        assert await faults_of_examples(client, "dashboard") == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_answer_has_its_headers_and_every_json_an_example(service: str) -> None:
    for _, _, operation in operations(service):
        for status, response in operation["responses"].items():
            assert response["headers"].keys() >= {"Date", "Cache-Control"}
            for refusal in refusals(response):
                read = parse_answer(ErrorBody, json.dumps(refusal["value"]).encode())
                assert str(read.error_code) in response["description"]
            content = response.get("content", {}).get("application/json", {})
            assert content.keys() & {"example", "examples"} or not content, status


def refusals(response: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """Return the examples of an answer that refuses."""
    content = response.get("content", {}).get("application/json", {})
    return list(content.get("examples", {}).values())


@pytest.mark.parametrize("service", SERVICES)
def test_examples_of_headers_have_the_form_that_is_described(service: str) -> None:
    for path, _, operation in operations(service):
        lines = [
            line
            for response in operation["responses"].values()
            for line in response["headers"].values()
            if "$ref" not in line
        ]
        for line in [*lines, *document(service)["components"]["headers"].values()]:
            assert re.search(line["schema"]["pattern"], line["example"]), (path, line)


def test_examples_of_answers_are_what_phones_can_read() -> None:
    assert settings_faults(SETTINGS) == []
    assert parse_answer(ChunkIndex, encode(CHUNK_INDEX)) == CHUNK_INDEX
