import re
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from tests.integration.portal.world import Visitor, World, hidden, living_world

pytestmark = pytest.mark.anyio


async def pages(world: World) -> list[httpx.Response]:
    """Return every kind of answer that the portal gives."""
    visitor = await world.visitor()
    answers = [
        await visitor.get("/sign-in"),
        await visitor.get("/"),
        await visitor.get("/nowhere"),
        await visitor.sign_in("anna", "a wrong password"),
        await visitor.sign_in(),
        await visitor.get("/"),
        await visitor.authorise("x"),
        await visitor.authorise(world.code()),
        await visitor.get("/authorised"),
        await visitor.http.post("/sign-in"),
    ]
    world.wire.cut()
    return [*answers, await visitor.authorise(world.code())]


async def test_every_answer_carries_the_headers_that_protect_it(world: World) -> None:
    for answer in await pages(world):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
        assert "form-action 'self'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers
        if answer.text:
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
        # Without TLS the header would be ignored, and it would be remembered for other ports.
        assert "strict-transport-security" not in answer.headers


async def test_no_page_holds_scripts_styles_or_addresses_of_others(world: World) -> None:
    for answer in await pages(world):
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", answer.text)
        assert re.findall(r"<script[^>]*>([^<]+)", answer.text) == []
        assert not re.search(r"(?:https?:)?//(?!www\.w3\.org)\w", answer.text)


async def test_the_files_of_a_page_may_be_cached_until_they_change(world: World) -> None:
    visitor = await world.visitor()
    page = (await visitor.get("/sign-in")).text
    links = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(links) >= 5

    for link in links:
        whole = await visitor.get(link)
        assert whole.status_code == HTTPStatus.OK
        marked = "?" in link
        assert ("immutable" in whole.headers["cache-control"]) is marked
        visitor.headers["If-None-Match"] = whole.headers["etag"]
        again = await visitor.get(link)
        assert (again.status_code, again.content) == (HTTPStatus.NOT_MODIFIED, b"")
        del visitor.headers["If-None-Match"]
    assert "immutable" not in (await visitor.get("/static/portal.js?old")).headers["cache-control"]


async def test_no_other_file_is_served(world: World) -> None:
    visitor = await world.visitor()

    for name in ("", "nothing.css", "../settings.py", "%2e%2e/settings.py", "fonts", "fonts/"):
        answer = await visitor.get(f"/static/{name}")
        assert answer.status_code == HTTPStatus.NOT_FOUND, name


async def test_forms_of_other_sites_do_nothing(world: World) -> None:
    operator = await world.operator()
    form = await operator.form(code=world.code(), onset="2020-06-18")
    foreign: list[dict[str, str]] = [
        {},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://portal.localhost"},
        {"Origin": world.origin, "Sec-Fetch-Site": "cross-site"},
        {"Origin": world.origin, "Sec-Fetch-Site": "same-site"},
    ]

    for headers in foreign:
        for path in ("/authorise", "/sign-out", "/sign-in"):
            answer = await operator.http.post(path, data=form, headers=headers)
            assert answer.status_code == HTTPStatus.FORBIDDEN, (path, headers)

    assert await world.authorised_codes() == []
    assert (await operator.get()).status_code == HTTPStatus.OK


async def test_a_form_without_the_sessions_token_does_nothing(world: World) -> None:
    operator, colleague = await world.operator(), await world.operator()
    theirs = hidden((await colleague.get()).text, "csrf")

    for token in ("", "x", theirs):
        form = await operator.form(code=world.code(), onset="2020-06-18") | {"csrf": token}
        for path in ("/authorise", "/sign-out"):
            answer = await operator.post(path, form)
            assert answer.status_code == HTTPStatus.FORBIDDEN
            assert "This form is out of date" in answer.text

    assert await world.authorised_codes() == []
    assert (await operator.get()).status_code == HTTPStatus.OK


async def test_bodies_that_no_form_sends_are_refused(world: World) -> None:
    visitor = await world.visitor()

    large = await visitor.post("/sign-in", {"user": "x" * 17_000})
    twice = await post_raw(visitor, b"user=a&user=b")

    assert large.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert twice.status_code == HTTPStatus.BAD_REQUEST


async def post_raw(visitor: Visitor, body: bytes) -> httpx.Response:
    headers = {"Origin": visitor.origin, "Content-Type": "application/x-www-form-urlencoded"}
    return await visitor.http.post("/sign-in", content=body, headers=headers)


async def test_other_methods_are_not_allowed(world: World) -> None:
    visitor = await world.visitor()

    for method in ("PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"):
        answer = await visitor.http.request(method, "/", headers={"Origin": world.origin})
        assert answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED, method


async def test_who_watches_over_the_process_learns_how_it_is(world: World) -> None:
    visitor = await world.visitor()

    assert (await visitor.get("/livez")).status_code == HTTPStatus.OK
    assert (await visitor.get("/readyz")).status_code == HTTPStatus.OK
    await world.pool.close()
    assert (await visitor.get("/livez")).status_code == HTTPStatus.OK
    assert (await visitor.get("/readyz")).status_code == HTTPStatus.SERVICE_UNAVAILABLE


async def test_without_its_database_the_portal_says_what_to_do(world: World) -> None:
    operator = await world.operator()
    await world.pool.close()

    answer = await operator.get()

    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "The portal cannot reach its own records" in answer.text
    assert answer.headers["retry-after"] == "5"


async def test_a_fault_of_ours_is_a_page_and_a_log_line_without_values(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    operator = await world.operator()
    await world.change("ALTER TABLE audit_event RENAME TO gone")

    answer = await operator.get()

    assert answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert "Something went wrong here" in answer.text
    assert "kind=UndefinedTable" in capsys.readouterr().out


async def test_the_portal_works_under_a_path(
    portal_database: PortalDatabase, services_database: ServicesDatabase, certificates: Path
) -> None:
    url = "https://health.example/his"
    async with living_world(
        portal_database, services_database, certificates, public_url=url
    ) as world:
        visitor = await world.visitor()
        page = (await visitor.get("/sign-in")).text
        answer = await visitor.sign_in()

    assert answer.headers["location"] == "/his/"
    links = re.findall(r'(?:href|src|action)="(/[^"]*)"', page)
    assert links
    assert all(link.startswith("/his/") for link in links)
