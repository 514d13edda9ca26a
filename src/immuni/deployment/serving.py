"""Serving an ASGI application with uvicorn, the way every process of the system does it."""

import asyncio
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from immuni.clock import Clock
from immuni.web import NO_PROXIES, Dated, Forwarded, OneWriteHttpProtocol, TrustedProxies


@dataclass(frozen=True, slots=True)
class MutualTls:
    """The files of a server that only talks to clients of its own authority."""

    authority: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Listener:
    """Where one application answers.

    Attributes:
        host: Address that is bound.
        port: Port that is bound.
        mutual_tls: Who is let in; everybody, unencrypted, where None.
        proxies: Who may say where a request came from.
    """

    host: str
    port: int
    mutual_tls: MutualTls | None = None
    proxies: TrustedProxies = NO_PROXIES


class Server(uvicorn.Server):
    """A uvicorn server that tells when it answers and leaves signals to its process."""

    def __init__(self, app: ASGIApp, listener: Listener, clock: Clock) -> None:
        """Prepare to serve `app`, whose answers `clock` dates; nothing is bound yet."""
        app = Dated(Forwarded(app, listener.proxies), clock)
        super().__init__(_configuration(app, listener))
        self.on_ready: Callable[[], Awaitable[None]] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Bind, then tell whoever waits."""
        await super().startup(sockets)
        if self.on_ready is not None:
            await self.on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none: one process may run several servers, and stops them together."""
        yield

    def stop(self) -> None:
        """Finish what was begun, then end."""
        self.should_exit = True


def _configuration(app: ASGIApp, listener: Listener) -> uvicorn.Config:
    tls: dict[str, Any] = {}
    if listener.mutual_tls is not None:
        tls = {
            "ssl_certfile": str(listener.mutual_tls.certificate),
            "ssl_keyfile": str(listener.mutual_tls.key),
            "ssl_ca_certs": str(listener.mutual_tls.authority),
            "ssl_cert_reqs": ssl.CERT_REQUIRED,
        }
    return uvicorn.Config(
        app,
        host=listener.host,
        port=listener.port,
        loop="uvloop",
        http=OneWriteHttpProtocol,
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,  # Its lines hold addresses; the shell writes its own.
        proxy_headers=False,  # It takes whatever a proxy says for an address; `Forwarded` does not.
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=5,
        backlog=2048,
        **tls,
    )


def on_stop_signals(stop: Callable[[], object]) -> None:
    """Call `stop` at the first SIGTERM, Ctrl-C or hang-up, and ignore those that follow.

    A second signal would break the orderly stop that the first one began.
    """
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def once() -> None:
        for wanted in signals:
            loop.add_signal_handler(wanted, lambda: None)
        stop()

    for wanted in signals:
        loop.add_signal_handler(wanted, once)
