import re

import pytest

from immuni.app.pages.guard import MAX_FORM_BYTES
from immuni.app.phone import Phone
from tests.integration.app.browser import NAME, browsing
from tests.integration.app.world import World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def phone(world: World) -> Phone:
    return await world.add_ready("alice")


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example", NAME, f"{NAME}:1"])
async def test_another_name_is_not_answered(phone: Phone, host: str) -> None:
    async with browsing(phone) as browser:
        answer = await browser.get("/", host=host)

    assert answer.status_code == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"https://{NAME}", ""])
async def test_a_form_of_another_site_changes_nothing(phone: Phone, origin: str) -> None:
    async with browsing(phone) as browser:
        answer = await browser.post("/service/off", origin=origin)

    assert answer.status_code == 403
    assert phone.status().active


async def test_another_site_can_lead_here_but_not_fetch_or_embed(phone: Phone) -> None:
    async with browsing(phone) as browser:
        link = await browser.get("/", sec_fetch_site="cross-site", sec_fetch_dest="document")
        frame = await browser.get("/", sec_fetch_site="cross-site", sec_fetch_dest="iframe")
        script = await browser.get("/upload", sec_fetch_site="same-site", sec_fetch_dest="empty")

    assert [link.status_code, frame.status_code, script.status_code] == [200, 403, 403]
    assert phone.flow is None


async def test_only_the_named_page_of_the_same_site_may_show_a_phone_in_a_frame(
    phone: Phone,
) -> None:
    async with browsing(phone, framed_by="http://world.localhost:8413") as browser:
        frame = await browser.get("/", sec_fetch_site="same-site", sec_fetch_dest="iframe")
        stranger = await browser.get("/", sec_fetch_site="cross-site", sec_fetch_dest="iframe")
        script = await browser.get("/", sec_fetch_site="same-site", sec_fetch_dest="empty")

    assert [frame.status_code, stranger.status_code, script.status_code] == [200, 403, 403]
    policy = frame.headers["content-security-policy"]
    assert "; frame-ancestors http://world.localhost:8413;" in policy
    assert "x-frame-options" not in frame.headers


async def test_a_form_that_is_too_long_is_not_read(phone: Phone) -> None:
    async with browsing(phone) as browser:
        answer = await browser.post("/settings/language", {"language": "x" * MAX_FORM_BYTES})

    assert answer.status_code == 413


async def test_every_answer_forbids_what_no_page_needs(phone: Phone) -> None:
    async with browsing(phone) as browser:
        answers = [
            await browser.get("/"),
            await browser.get("/nothing"),
            await browser.get("/static/app.css"),
            await browser.get("/", host="evil.example"),
        ]

    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"


async def test_pages_are_kept_nowhere_and_pictures_under_their_mark_alone(
    phone: Phone,
) -> None:
    async with browsing(phone) as browser:
        page = await browser.get("/")
        style = await browser.get("/static/tokens.css")
        library = await browser.get("/static/htmx.min.js")

        marked = re.findall(r'"(/static/[^"]+\?\w+)"', page.text)
        kept = [(await browser.get(path)).headers["cache-control"] for path in marked]
        stale = await browser.get("/static/tokens.css?of-before")

    assert page.headers["cache-control"] == "no-store"
    assert len(marked) >= 7
    assert all("immutable" in each for each in kept)
    assert "no-cache" in stale.headers["cache-control"]
    assert style.headers["cache-control"] == "no-cache"
    assert [style.status_code, library.status_code] == [200, 200]


async def test_a_screen_weighs_less_than_150_kilobytes(phone: Phone) -> None:
    parts = [
        "/",
        *(f"/static/{name}.css" for name in ("tokens", "base", "layout", "components", "screens")),
        "/static/htmx.min.js",
        "/static/fonts/nunito.woff2",
        "/static/icon.svg",
    ]
    async with browsing(phone) as browser:
        sizes = [len((await browser.get(part)).content) for part in parts]

    assert sum(sizes) < 150_000
