"""Answers that do not fit into what a socket takes at once."""

import asyncio
import os
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.contract.serving import serving
from tests.contract.tls import make_certificate

pytestmark = pytest.mark.anyio

# More than the socket buffers of both ends.
CONTENT = os.urandom(8_000_000)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Run on the loop of production, whose transports write otherwise."""
    return "asyncio", {"use_uvloop": True}


async def _give(_request: Request) -> Response:
    return Response(CONTENT)


@pytest.mark.parametrize("with_tls", [False, True], ids=["plain", "tls"])
async def test_an_answer_of_megabytes_comes_whole(with_tls: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter
    certificate = make_certificate(tmp_path) if with_tls else None
    async with serving(Starlette(routes=[Route("/", _give)]), certificate=certificate) as client:
        scheme = "https" if with_tls else "http"
        url = client.base_url.copy_with(scheme=scheme)
        answers = await asyncio.gather(*(fetched(str(url)) for _ in range(3)))

    assert all(answer == CONTENT for answer in answers)


async def fetched(url: str) -> bytes:
    async with httpx.AsyncClient(verify=False, trust_env=False, timeout=60) as client:  # noqa: S501 - it signs itself
        first = await client.get(url)
        again = await client.get(url)
    assert first.content == again.content
    return first.content
