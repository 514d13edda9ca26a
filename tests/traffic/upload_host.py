"""The *upload* role as a process of its own, behind TLS: run by the tests of traffic analysis.

It is put together by the deployment's own wiring, and runs on its loop; only the certificate is
added, which in production stands in the proxy.
"""

import json
import sys

import uvloop
from prometheus_client import CollectorRegistry

from immuni.clock import SystemClock
from immuni.deployment.configured import Configured
from immuni.deployment.wiring import Wiring, upload
from immuni.entropy import SystemEntropy
from immuni.settings import gather
from immuni.telemetry import configure_logs

READY = "ready"


async def serve(variables: dict[str, str], certificate: str, key: str) -> None:
    """Serve until the process is ended; print a line when it answers."""
    wiring = Wiring.of(
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
    uvloop.run(serve(json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]))
