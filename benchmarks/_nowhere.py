"""The server of `intake.py` that keeps nothing: what a request costs without the database.

    .venv/bin/python benchmarks/_nowhere.py bare|whole PORT FOLDER

`bare` is a Starlette route that parses the body; `whole` is the *upload* role's application on a
pool that leads nowhere. A line is printed when it answers; the folder has `analytics.pem`.
"""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, cast

import uvicorn
import uvloop
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from immuni.api import Upload, italy
from immuni.api.messages import parse_request
from immuni.backend.contract import HttpSettings, contract, create_app
from immuni.backend.counting import DailyCounters
from immuni.backend.infectiousness import DEFAULT_INFECTIOUSNESS
from immuni.backend.ingestion.http import ingestion_service
from immuni.backend.ingestion.limiter import WrongCodeMetrics
from immuni.backend.ingestion.settings import IngestionSettings
from immuni.backend.otp_keys import OtpKeys
from immuni.backend.sealing import SealingKey
from immuni.backend.shaping import Shaping, ShapingMetrics, ShapingSettings
from immuni.clock import SystemClock
from immuni.database import Pool
from immuni.deployment.collecting import collect_rarely
from immuni.deployment.roles import LOOPBACK
from immuni.entropy import SystemEntropy
from immuni.telemetry import configure_logs
from immuni.web import Application, OneWriteHttpProtocol

KEYS: Final = OtpKeys({"bench": bytes(range(32))})
NOW: Final = SystemClock().now()
SWIFT: Final = ShapingSettings(
    response_floor=timedelta(milliseconds=10), response_mean=timedelta(milliseconds=1)
)


async def serve(kind: str, port: int, folder: Path) -> None:
    """Serve the upload role's endpoints with a store that keeps nothing, or bare parsing."""
    app: ASGIApp = bare_app() if kind == "bare" else whole_app(folder)
    config = uvicorn.Config(
        app, host=LOOPBACK, port=port, loop="uvloop", http=OneWriteHttpProtocol,
        log_config=None, access_log=False, server_header=False, proxy_headers=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await task


def bare_app() -> Starlette:
    """Return what Starlette and msgspec take for the same body, and nothing else."""

    async def upload(request: Request) -> Response:
        parse_request(Upload, await request.body())
        return Response(status_code=204)

    return Starlette(routes=[Route("/v1/ingestion/upload", upload, methods=["POST"])])


def whole_app(folder: Path) -> Application:
    """Return the upload role's application, on a pool that leads nowhere."""
    registry, clock, entropy = CollectorRegistry(), SystemClock(), SystemEntropy()
    settings = HttpSettings()
    service = ingestion_service(
        pool=cast("Pool", NowherePool()),
        keys=KEYS,
        settings=IngestionSettings(),
        infectiousness=DEFAULT_INFECTIOUSNESS,
        territory=italy(),
        sealing_key=SealingKey.read(folder / "analytics.pem", key_id="analytics"),
        shaping=Shaping(
            settings=SWIFT,
            contract=contract(settings),
            entropy=entropy,
            metrics=ShapingMetrics(registry),
        ),
        counters=DailyCounters(),
        metrics=WrongCodeMetrics(registry),
        clock=clock,
        entropy=entropy,
    )
    configure_logs(level="error")
    collect_rarely()
    return create_app([service], settings=settings, registry=registry)


class NowherePool:
    """Takes every statement, and answers each as if it had asked for a code that is alive."""

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["NowherePool"]:
        """Lend itself."""
        yield self

    @asynccontextmanager
    async def pipeline(self) -> AsyncIterator[None]:
        """Wait for nothing."""
        yield

    transaction = pipeline

    async def execute(
        self, _statement: str, values: Sequence[object] = (), **_options: object
    ) -> "Codes":
        """Find every code that is asked for."""
        return Codes(cast("Sequence[bytes]", values[0]) if values else ())


@dataclass(frozen=True, slots=True)
class Codes:
    """The rows of codes that are alive, and were not used yet."""

    hashes: Sequence[bytes]

    async def fetchall(self) -> list[tuple[object, ...]]:
        """Return them."""
        onset, id_ = NOW.date() - timedelta(days=3), uuid.UUID(int=0)
        return [(each, id_, KEYS.current_id, None, onset, None, NOW) for each in self.hashes]


if __name__ == "__main__":
    kind_, port_, folder_ = sys.argv[1:]
    uvloop.run(serve(kind_, int(port_), Path(folder_)))
