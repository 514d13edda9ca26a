"""What a browser does with the App's pages, without drawing them."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC
from functools import partial

import httpx
from starlette.applications import Starlette

from immuni.app.pages.application import create_pages
from immuni.app.pages.entrance import COOKIE
from immuni.app.phone import Phone
from immuni.app.secret import InstallationSecret
from tests.integration.app.serving import listening
from tests.plain_http import TRUSTS_NOBODY

PATIENCE_SECONDS = 60
NAME = "phone-a.world.localhost"
SECRET = InstallationSecret(bytes(range(32)))


class Browser:
    """Follows redirects and sends the headers that a browser sends."""

    def __init__(self, client: httpx.AsyncClient, origin: str) -> None:
        self.client = client
        self.origin = origin

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=_named(headers))

    async def post(
        self, path: str, form: Mapping[str, str] | None = None, **headers: str
    ) -> httpx.Response:
        sent = {"origin": self.origin, **_named(headers)}
        answer = await self.client.post(path, data=form or {}, headers=sent)
        # On a busy machine the App itself shows that it waits, and browsers ask again.
        async with asyncio.timeout(PATIENCE_SECONDS):
            while answer.url.path == "/upload/waiting":
                answer = await self.get("/upload/waiting")
        return answer


@asynccontextmanager
async def browsing(
    phone: Phone, *, framed_by: str | None = None, let_in: bool = True
) -> AsyncIterator[Browser]:
    """Serve a phone's pages on a free port and open a browser on them.

    Args:
        phone: Whose pages.
        framed_by: Who may show them in a frame.
        let_in: Whether the browser had the link before.
    """
    async with (
        listening(partial(pages_of, phone, framed_by)) as port,
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"host": f"{NAME}:{port}"},
            cookies={COOKIE: SECRET.cookie} if let_in else {},
            follow_redirects=True,
            verify=TRUSTS_NOBODY,
            trust_env=False,
        ) as client,
    ):
        yield Browser(client, _origin(port))


def _origin(port: int) -> str:
    return f"http://{NAME}:{port}"


def pages_of(phone: Phone, framed_by: str | None, port: int) -> Starlette:
    return create_pages(
        phone, public_url=_origin(port), secret=SECRET, zone=UTC, framed_by=framed_by
    )


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def heading(page: str) -> str:
    """Return what a page is headed with."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
    assert found is not None
    return found[1].strip()
