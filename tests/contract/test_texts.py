"""Questions and answers, privacy notice and terms over real HTTP."""

from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx
import pytest
from prometheus_client import CollectorRegistry

from immuni.api import Questions, parse_answer
from immuni.backend.contract import HttpSettings, create_app
from immuni.backend.texts import texts_service
from immuni.texts import LANGUAGES, Document, questions, title
from tests.contract.rows import Row, broken_rows
from tests.contract.serving import serving

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app([texts_service()], settings=HttpSettings(), registry=CollectorRegistry())
    async with serving(app) as opened:
        yield opened


def malformed(path: str) -> Row:
    return Row(rule=path, path=f"/v1/texts/{path}", code=1001)


RULES = [
    Row(rule="questions", path="/v1/texts/faq/it", status=200),
    Row(rule="notice", path="/v1/texts/privacy/de", status=200),
    *map(malformed, ("faq/nl", "faq/IT", "privacy/xx", "imprint/it", "terms/it?page=1")),
]


async def test_the_rules_hold(client: httpx.AsyncClient) -> None:
    assert await broken_rows(client, RULES, service="texts") == {}


async def test_phones_read_the_questions_that_the_app_carries(client: httpx.AsyncClient) -> None:
    for language in LANGUAGES:
        answer = await client.get(f"/v1/texts/faq/{language}")

        assert parse_answer(Questions, answer.content).faqs == questions(language)
        assert answer.headers["cache-control"] == "public, max-age=86400"


async def test_a_page_is_whole_and_neither_loads_nor_runs_anything(
    client: httpx.AsyncClient,
) -> None:
    for document in Document:
        answer = await client.get(f"/v1/texts/{document}/it")

        assert f"<h1>{title(document, 'it')}</h1>" in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
        assert "src=" not in answer.text
        assert "<script" not in answer.text


async def test_an_unchanged_text_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/v1/texts/faq/en")
    again = await client.get("/v1/texts/faq/en", headers={"if-none-match": first.headers["etag"]})

    assert (again.status_code, again.content) == (HTTPStatus.NOT_MODIFIED, b"")
