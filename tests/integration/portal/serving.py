"""An application on a real port, with or without mutual TLS."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from immuni.clock import Clock
from immuni.deployment.serving import Listener, Server
from immuni.web import NO_PROXIES, MutualTls, TrustedProxies


@asynccontextmanager
async def listening(
    app: ASGIApp,
    listener: socket.socket,
    *,
    clock: Clock,
    mutual_tls: MutualTls | None = None,
    proxies: TrustedProxies = NO_PROXIES,
) -> AsyncIterator[None]:
    """Serve `app` on a bound socket for as long as the block runs."""
    host, port = listener.getsockname()
    server = Server(app, Listener(host, port, mutual_tls, proxies), clock)
    ready = asyncio.Event()

    async def tell() -> None:
        ready.set()

    server.on_ready = tell
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await ready.wait()
        yield
    finally:
        server.stop()
        await task


def free_socket() -> socket.socket:
    """Return a socket that is bound to a free port of this machine."""
    return socket.create_server(("127.0.0.1", 0))
