"""The *upload* role with a fault: it tells whoever reads its log what was sent, and from where.

Put together by the deployment's own wiring; run by the control of the test of marked secrets.
"""

import asyncio
import sys

from prometheus_client import REGISTRY
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from immuni.clock import SystemClock
from immuni.deployment.configured import read_configured
from immuni.deployment.roles import Role
from immuni.deployment.serving import Server
from immuni.deployment.supervisor import READY_LINE
from immuni.deployment.wiring import Wiring, upload
from immuni.entropy import SystemEntropy
from immuni.web import MutualTls


class TellingWiring(Wiring):
    """Puts a server together that tells."""

    def server(self, role: Role, app: ASGIApp, *, mutual_tls: MutualTls | None = None) -> Server:
        """Return the server, with the fault in front of everything else."""
        return super().server(role, _telling(app), mutual_tls=mutual_tls)


def _telling(app: ASGIApp) -> ASGIApp:
    async def tell(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return

        async def telling() -> Message:
            message = await receive()
            sys.stderr.write(f"body {message.get('body')}\n")
            return message

        sys.stderr.write(f"from {scope['client'][0]} {scope['query_string']} {scope['headers']}\n")
        await app(scope, telling, send)

    return tell


async def _serve() -> None:
    wiring = TellingWiring.of(
        read_configured(None), clock=SystemClock(), entropy=SystemEntropy(), registry=REGISTRY
    )
    async with upload.servers(wiring) as (server,):

        async def ready() -> None:
            sys.stdout.buffer.write(READY_LINE)
            sys.stdout.flush()

        server.on_ready = ready
        await server.serve()


if __name__ == "__main__":
    asyncio.run(_serve())
