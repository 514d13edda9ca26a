"""Serving an ASGI application with uvicorn, the way every process of the system does it."""

import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from immuni.clock import Clock
from immuni.web import (
    NO_PROXIES,
    Dated,
    Forwarded,
    MutualTls,
    OneWriteHttpProtocol,
    RenewingContext,
    TrustedProxies,
)


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
    tls = listener.mutual_tls
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
        ssl_context_factory=_context_of(tls) if tls else None,
    )


def _context_of(tls: MutualTls) -> Callable[[object, object], ssl.SSLContext]:
    return lambda _config, _default: RenewingContext(tls, ssl.Purpose.CLIENT_AUTH)
