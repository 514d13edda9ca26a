"""The *upload* role as a process of its own, behind TLS: run by the tests of traffic analysis.

It is put together by the deployment's own wiring, and runs on its loop; only the certificate is
added, which in production stands in the proxy, and for a control a fault.
"""

import asyncio
import json
import sys

import uvloop
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from immuni.api.headers import DUMMY_DATA
from immuni.clock import SystemClock
from immuni.deployment.configured import Configured
from immuni.deployment.roles import Role
from immuni.deployment.serving import Server
from immuni.deployment.wiring import Wiring, upload
from immuni.entropy import SystemEntropy
from immuni.settings import gather
from immuni.telemetry import configure_logs
from immuni.web import MutualTls

READY = "ready"
LATE = "late"
LATE_SECONDS = 0.005


class LateWiring(Wiring):
    """Puts a server together that does wrong: genuine answers are kept back for a while."""

    def server(self, role: Role, app: ASGIApp, *, mutual_tls: MutualTls | None = None) -> Server:
        """Return the server, with the fault behind everything that makes answers alike."""
        return super().server(role, _late_if_genuine(app), mutual_tls=mutual_tls)


def _late_if_genuine(app: ASGIApp) -> ASGIApp:
    genuine = (DUMMY_DATA.lower().encode("ascii"), b"0")

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_late(message: Message) -> None:
            if message["type"] == "http.response.start":
                await asyncio.sleep(LATE_SECONDS)
            await send(message)

        is_genuine = scope["type"] == "http" and genuine in scope["headers"]
        await app(scope, receive, send_late if is_genuine else send)

    return late


async def serve(variables: dict[str, str], certificate: str, key: str, *, late: bool) -> None:
    """Serve until the process is ended; print a line when it answers."""
    wiring = (LateWiring if late else Wiring).of(
        Configured.read(gather(variables, None)),
        clock=SystemClock(),
        entropy=SystemEntropy(),
        registry=CollectorRegistry(),
    )
    async with upload.servers(wiring) as (server,):
        server.config.ssl_certfile, server.config.ssl_keyfile = certificate, key

        async def tell() -> None:
            sys.stdout.write(f"{READY}\n")
            sys.stdout.flush()

        server.on_ready = tell
        await server.serve()


if __name__ == "__main__":
    configure_logs(level="error")
    settings, *files = sys.argv[1:4]
    uvloop.run(serve(json.loads(settings), *files, late=LATE in sys.argv[4:]))
