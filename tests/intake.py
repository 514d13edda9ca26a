"""The OTP and the ingestion service over real HTTP, on one database and one clock."""

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, LiteralString

import httpx
import psycopg
from prometheus_client import CollectorRegistry

from immuni.api.provinces import italy
from immuni.backend.contract import HttpSettings, contract
from immuni.backend.counting import DailyCounters
from immuni.backend.infectiousness import DEFAULT_INFECTIOUSNESS
from immuni.backend.ingestion.http import ingestion_service
from immuni.backend.ingestion.limiter import WrongCodeMetrics
from immuni.backend.ingestion.settings import IngestionSettings
from immuni.backend.otp.http import otp_service
from immuni.backend.otp.settings import OtpSettings
from immuni.backend.otp_keys import OtpKeys
from immuni.backend.sealing import OpeningKey, SealingKey, create_sealing_key
from immuni.backend.shaping import Shaping, ShapingMetrics, ShapingSettings
from immuni.clock import ManualClock
from immuni.database import open_pool
from immuni.deployment.databases import ServicesDatabase
from immuni.entropy import SeededEntropy
from immuni.keys import TemporaryExposureKey
from immuni.otp import Otp, otp_hash
from immuni.web import (
    NO_PROXIES,
    Application,
    Forwarded,
    HttpMetrics,
    Service,
    TrustedProxies,
    build_app,
)
from tests.contract.serving import serving

NOW: Final = datetime(2020, 6, 20, 12, tzinfo=UTC)
ONSET: Final = date(2020, 6, 16)
OTP_KEYS: Final = OtpKeys({"test": bytes(range(32))})
_KEY_ID: Final = "analytics-test"
_SWIFT: Final = ShapingSettings(
    response_floor=timedelta(milliseconds=10), response_mean=timedelta(milliseconds=1)
)


@dataclass
class Intake:
    """Both services, and what is needed to talk to them."""

    otp_service: httpx.AsyncClient
    upload_host: httpx.AsyncClient
    database: ServicesDatabase
    clock: ManualClock
    counters: DailyCounters
    opening_key: OpeningKey = field(repr=False)

    async def authorise(
        self, otp: Otp, *, request_id: str | None = None, **dates: str | None
    ) -> httpx.Response:
        """Authorise a code the way the health information system does."""
        return await self.otp_service.post(
            "/v1/otp",
            json={"otp": otp, **(dates or {"symptoms_started_on": ONSET.isoformat()})},
            headers={"Immuni-Request-Id": request_id} if request_id else {},
        )

    async def check(self, otp: Otp, **headers: str) -> httpx.Response:
        """Check a code the way a phone does."""
        return await self.upload_host.post(
            "/v1/ingestion/check-otp", json={"padding": "x"}, headers=_headers(otp) | headers
        )

    async def upload(
        self, otp: Otp, teks: Sequence[TemporaryExposureKey], /, **members: object
    ) -> httpx.Response:
        """Upload keys the way a phone does, with the members of the body as they are given."""
        return await self._upload(_headers(otp), teks, members)

    async def upload_dummy(self, otp: Otp, teks: Sequence[TemporaryExposureKey]) -> httpx.Response:
        """Send the same as a dummy."""
        return await self._upload(_headers(otp) | {"Immuni-Dummy-Data": "1"}, teks, {})

    async def _upload(
        self,
        headers: Mapping[str, str],
        teks: Sequence[TemporaryExposureKey],
        members: Mapping[str, object],
    ) -> httpx.Response:
        clock = {"Immuni-Client-Clock": str(int(self.clock.now().timestamp()))}
        return await self.upload_host.post(
            "/v1/ingestion/upload",
            json={"teks": [_tek(tek) for tek in teks], "province": "RM", "padding": "x", **members},
            headers={**headers, **clock},
        )

    def query(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        """Look behind the services' backs."""
        with psycopg.connect(self.database.owner) as connection:
            return connection.execute(statement).fetchall()


@asynccontextmanager
async def open_intake(
    database: ServicesDatabase,
    folder: Path,
    *,
    settings: IngestionSettings | None = None,
    keys: OtpKeys = OTP_KEYS,
    upload_keys: OtpKeys | None = None,
    statement_timeout: timedelta = timedelta(seconds=10),
    proxies: TrustedProxies = NO_PROXIES,
    registry: CollectorRegistry | None = None,
) -> AsyncIterator[Intake]:
    """Serve both on free ports, each with its own role."""
    clock, counters = ManualClock(NOW), DailyCounters()
    private, public = folder / "analytics.pem", folder / "analytics-public.pem"
    create_sealing_key(private, public)
    async with (
        open_pool(database.otp, max_size=4) as otp_pool,
        open_pool(database.ingestion, max_size=4, statement_timeout=statement_timeout) as pool,
    ):
        otp = otp_service(
            pool=otp_pool,
            keys=keys,
            settings=OtpSettings(),
            counters=counters,
            clock=clock,
            gate=lambda _source: None,
        )
        ingestion = ingestion_service(
            pool=pool,
            keys=upload_keys or keys,
            settings=settings or IngestionSettings(),
            infectiousness=DEFAULT_INFECTIOUSNESS,
            territory=italy(),
            sealing_key=SealingKey.read(public, key_id=_KEY_ID),
            shaping=_shaping(),
            counters=counters,
            metrics=WrongCodeMetrics(registry or CollectorRegistry()),
            clock=clock,
            entropy=SeededEntropy("intake"),
        )
        opening_key = OpeningKey.read(private, key_id=_KEY_ID)
        upload_app = Forwarded(_app(ingestion), proxies)
        async with serving(_app(otp)) as otp_client, serving(upload_app) as upload_client:
            yield Intake(otp_client, upload_client, database, clock, counters, opening_key)


def _app(service: Service) -> Application:
    metrics = HttpMetrics(CollectorRegistry())
    return build_app([service], contract(HttpSettings()), metrics=metrics)


def _shaping() -> Shaping:
    return Shaping(
        settings=_SWIFT,
        contract=contract(HttpSettings()),
        entropy=SeededEntropy("shaping"),
        metrics=ShapingMetrics(CollectorRegistry()),
    )


def _headers(otp: Otp) -> dict[str, str]:
    return {"Authorization": f"Bearer {otp_hash(otp)}", "Immuni-Dummy-Data": "0"}


def _tek(tek: TemporaryExposureKey) -> dict[str, str | int]:
    return {
        "key_data": base64.b64encode(tek.key_data).decode("ascii"),
        "rolling_start_number": tek.rolling_start_number,
        "rolling_period": tek.rolling_period,
    }
