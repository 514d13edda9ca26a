import hashlib
import re
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from immuni.web.static_files import SHARED_FOLDER, StaticFiles

pytestmark = pytest.mark.anyio


@pytest.fixture
def files(tmp_path: Path) -> StaticFiles:
    (tmp_path / "own.css").write_text("a {}")
    (tmp_path / "secret.txt").write_text("no page asks for this")
    return StaticFiles(tmp_path)


def visiting(files: StaticFiles) -> httpx.AsyncClient:
    app = Starlette(routes=[files.route()])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pages")


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("own.css", "text/css; charset=utf-8"),
        ("tokens.css", "text/css; charset=utf-8"),
        ("htmx.min.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("fonts/nunito.woff2", "font/woff2"),
    ],
)
async def test_own_and_shared_files_carry_their_type(
    files: StaticFiles, name: str, content_type: str
) -> None:
    async with visiting(files) as browser:
        answer = await browser.get(f"/static/{name}")

    assert (answer.status_code, answer.headers["content-type"]) == (HTTPStatus.OK, content_type)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "fonts",
        "fonts/",
        "README.md",
        "fonts/nunito-OFL.txt",
        "secret.txt",
        "nothing.css",
        "%2e%2e/languages.py",
        "fonts/%2e%2e/own.css",
    ],
)
async def test_nothing_else_is_served(files: StaticFiles, name: str) -> None:
    async with visiting(files) as browser:
        answer = await browser.get(httpx.URL("http://pages", raw_path=f"/static/{name}".encode()))

    assert answer.status_code == HTTPStatus.NOT_FOUND


async def test_only_what_carries_the_mark_of_its_contents_is_kept_for_ever(
    files: StaticFiles,
) -> None:
    marked = files.marked_path("own.css")
    async with visiting(files) as browser:
        caching = [
            (await browser.get(path)).headers["cache-control"]
            for path in (marked, "/static/own.css", "/static/own.css?old")
        ]

    assert marked.partition("?")[2] == hashlib.sha256(b"a {}").hexdigest()[:12]
    assert caching == [
        "public, max-age=31536000, immutable",
        "public, no-cache",
        "public, no-cache",
    ]


async def test_what_did_not_change_is_not_sent_again(files: StaticFiles) -> None:
    async with visiting(files) as browser:
        whole = await browser.get("/static/own.css")
        again = await browser.get(
            "/static/own.css", headers={"If-None-Match": whole.headers["etag"]}
        )

    assert (again.status_code, again.content) == (HTTPStatus.NOT_MODIFIED, b"")


def test_files_of_others_are_those_that_the_readme_names() -> None:
    rows = re.findall(
        r"^\| `([^`]+)` \|.*\| ([0-9a-f]{64}) \|$",
        (SHARED_FOLDER / "README.md").read_text(),
        flags=re.MULTILINE,
    )

    assert len(rows) == 3
    for name, digest in rows:
        assert hashlib.sha256((SHARED_FOLDER / name).read_bytes()).hexdigest() == digest


async def test_what_is_text_is_packed_for_those_who_can_read_it(files: StaticFiles) -> None:
    path = "/static/base.css"
    async with visiting(files) as visitor:
        plain = await visitor.get(path, headers={"Accept-Encoding": "identity"})
        packed = await visitor.get(path, headers={"Accept-Encoding": "br, gzip"})
        refused = await visitor.get(path, headers={"Accept-Encoding": "gzip;q=0"})
        font = await visitor.get("/static/fonts/nunito.woff2")

    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) // 2
    assert packed.content == plain.content == refused.content
    assert packed.headers["etag"] != plain.headers["etag"] == refused.headers["etag"]
    assert packed.headers["vary"] == "accept-encoding"
    assert "content-encoding" not in font.headers
