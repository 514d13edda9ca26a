"""Who may look at the pages: a browser that had the link, and nobody else."""

from typing import Final

import pytest
from playwright.async_api import expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from immuni.app.pages.entrance import COOKIE, link_to
from immuni.app.phone import Phone
from tests.chromium import chromium
from tests.integration.app.browser import SECRET, browsing
from tests.integration.app.serving import listening
from tests.integration.app.world import World

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

CLOSED: Final = "Immuni is closed here"


@pytest.fixture
async def phone(world: World) -> Phone:
    return await world.add_ready("alice")


async def test_nobody_without_the_cookie_sees_or_changes_anything(phone: Phone) -> None:
    shown: list[dict[str, str]] = [
        {},
        *({"cookie": f"{COOKIE}={value}"} for value in ("", "0" * 64, SECRET.text)),
    ]
    async with browsing(phone, let_in=False) as browser:
        answers = [
            await browser.get(path, **headers)
            for path in ("/", "/state", "/advice", "/history", "/settings", "/upload", "/nothing")
            for headers in shown
        ]
        changes = [
            await browser.post(path, None, **headers)
            for path in ("/service/off", "/onboarding/welcome", "/state/hidden")
            for headers in shown
        ]

    for answer in (*answers, *changes):
        assert answer.status_code == 403
        assert CLOSED in answer.text
    assert phone.status().active
    assert phone.flow is None


async def test_the_secret_is_exchanged_for_a_cookie_that_other_sites_cannot_use(
    phone: Phone,
) -> None:
    async with browsing(phone, let_in=False) as browser:
        entered = await browser.post("/open", {"secret": SECRET.text, "to": "/advice"})
        again = await browser.get("/settings")

    (step,) = entered.history
    cookie = step.headers["set-cookie"].lower()
    assert (step.status_code, step.headers["location"]) == (303, "/advice")
    assert {"httponly", "path=/", "samesite=strict"} <= set(cookie.split("; "))
    assert "domain" not in cookie
    assert SECRET.text.lower() not in cookie
    assert [entered.status_code, again.status_code] == [200, 200]


async def test_another_secret_and_another_site_open_nothing(phone: Phone) -> None:
    async with browsing(phone, let_in=False) as browser:
        answers = [
            await browser.post("/open", {"secret": secret})
            for secret in ("", "wrong", SECRET.text[:-1], SECRET.cookie)
        ] + [
            await browser.post("/open", {"secret": SECRET.text}, origin=origin)
            for origin in ("http://evil.example", "null", "")
        ]

    for answer in answers:
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


async def test_a_link_leads_to_our_own_pages_only(phone: Phone) -> None:
    foreign = ("//evil.example", "https://evil.example", "/\\evil.example", "/a?b", "/a//b", "")
    async with browsing(phone, let_in=False) as browser:
        for to in foreign:
            entered = await browser.post("/open", {"secret": SECRET.text, "to": to})
            assert entered.history[0].headers["location"] == "/"


async def test_a_browser_that_follows_the_link_is_in_and_keeps_the_secret_nowhere_in_sight(
    phone: Phone,
) -> None:
    async with browsing(phone, let_in=False) as served, chromium() as browser:
        context = await browser.new_context(locale="en-GB")
        page = await context.new_page()
        told: list[str] = []
        page.on("request", lambda request: told.append(str(request.headers) + request.url))

        closed = await page.goto(served.origin)
        await expect(page.get_by_role("heading", level=1)).to_have_text(CLOSED)
        await page.goto(link_to(served.origin, SECRET, page="/advice"))
        await page.wait_for_url(f"{served.origin}/advice")
        await page.goto(f"{served.origin}/settings")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
        seen_by_scripts = await page.evaluate("document.cookie")
        (cookie,) = await context.cookies()

    assert closed is not None
    assert closed.status == 403
    assert seen_by_scripts == ""
    assert (cookie.get("httpOnly"), cookie.get("sameSite")) == (True, "Strict")
    assert not [each for each in told if SECRET.text in each.partition("#")[0]]


async def test_another_site_in_the_same_browser_is_not_let_in(phone: Phone) -> None:
    async with browsing(phone, let_in=False) as served, chromium() as browser:
        page = await (await browser.new_context(locale="en-GB")).new_page()
        await page.goto(link_to(served.origin, SECRET, page="/settings"))
        await page.wait_for_url(f"{served.origin}/settings")
        async with listening(lambda _port: _other_site(served.origin)) as port:
            await page.goto(f"http://elsewhere.localhost:{port}/")
            await page.get_by_role("link").click()
            await expect(page.get_by_role("heading", level=1)).to_have_text(CLOSED)
            await page.goto(f"http://elsewhere.localhost:{port}/")
            async with page.expect_response(f"{served.origin}/service/off") as posted:
                await page.get_by_role("button").click()

    assert (await posted.value).status == 403
    assert phone.status().active


def _other_site(victim: str) -> Starlette:
    text = (
        f'<a href="{victim}/settings">Look</a>'
        f'<form method="post" action="{victim}/service/off"><button>Win</button></form>'
    )

    async def page(_request: Request) -> HTMLResponse:
        return HTMLResponse(text)

    return Starlette(routes=[Route("/", page)])


async def test_without_scripts_the_code_of_the_link_is_typed(phone: Phone) -> None:
    async with browsing(phone, let_in=False) as served, chromium() as browser:
        context = await browser.new_context(locale="en-GB", java_script_enabled=False)
        page = await context.new_page()

        await page.goto(link_to(served.origin, SECRET))
        await page.get_by_label("Code of the link").fill(SECRET.text)
        await page.get_by_role("button", name="Open").click()

        await expect(page.get_by_role("heading", level=1)).to_have_text("No warning for you")
