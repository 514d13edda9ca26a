"""An application on a real port, and a client that speaks to it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.types import ASGIApp

from immuni.web import OneWriteHttpProtocol
from tests.plain_http import TRUSTS_NOBODY


@asynccontextmanager
async def serving(
    app: ASGIApp, *, certificate: tuple[Path, Path] | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve `app` on a free port for as long as the block runs.

    Args:
        app: The application.
        certificate: Files of a certificate and its key; with them the server speaks TLS.
    """
    config = uvicorn.Config(
        app,
        http=OneWriteHttpProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ssl_certfile=certificate[0] if certificate else None,
        ssl_keyfile=certificate[1] if certificate else None,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with httpx.AsyncClient(
                base_url=url, verify=TRUSTS_NOBODY, trust_env=False
            ) as client:
                while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                    await asyncio.sleep(0)
                yield client
        finally:
            server.should_exit = True
            await task


async def become_ready(client: httpx.AsyncClient) -> None:
    """Wait until everything that the application needs answers."""
    async with asyncio.timeout(30):
        while (await client.get("/readyz")).is_error:  # noqa: ASYNC110 - it is asked over HTTP
            await asyncio.sleep(0)


async def exchange(client: httpx.AsyncClient, request: bytes) -> bytes:
    """Send bytes that no HTTP client would send, and return everything that comes back."""
    host, port = client.base_url.host, client.base_url.port
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(request)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer
