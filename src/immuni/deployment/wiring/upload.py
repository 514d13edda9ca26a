"""The *upload* role: Exposure Ingestion."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from immuni.api.provinces import italy
from immuni.backend.counting import DailyCounters
from immuni.backend.infectiousness import InfectiousnessSettings
from immuni.backend.ingestion.http import ingestion_service
from immuni.backend.ingestion.limiter import WrongCodeMetrics
from immuni.backend.ingestion.settings import IngestionSettings
from immuni.backend.sealing import SealingKey
from immuni.database import open_pool
from immuni.deployment.roles import Role
from immuni.deployment.serving import Server
from immuni.deployment.wiring import ANALYTICS_KEY_ID, Wiring


@asynccontextmanager
async def servers(wiring: Wiring) -> AsyncIterator[list[Server]]:
    """Yield the server of checks and uploads; it is not started yet."""
    url = wiring.databases.ingestion_database_url
    end, counters = wiring.service_end(url), DailyCounters()
    async with (
        open_pool(url, name="ingestion") as pool,
        end.followed(),
        counters.flushed_to(pool, is_over=end.is_over),
    ):
        service = ingestion_service(
            pool=pool,
            keys=wiring.otp_keys(),
            settings=wiring.configured.of(IngestionSettings),
            infectiousness=wiring.configured.of(InfectiousnessSettings).infectiousness,
            territory=italy(),
            sealing_key=SealingKey.read(
                wiring.deployment.layout.analytics_public_key, key_id=ANALYTICS_KEY_ID
            ),
            shaping=wiring.shaping(end.check),
            counters=counters,
            metrics=WrongCodeMetrics(wiring.registry),
            clock=wiring.clock,
            entropy=wiring.entropy,
        )
        yield [wiring.server(Role.UPLOAD, wiring.app_of(service))]
