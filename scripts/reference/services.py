"""The services as tables of endpoints: described only, connected to nothing."""

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from prometheus_client import CollectorRegistry
from psycopg_pool import AsyncConnectionPool

from immuni.api import italy
from immuni.backend.analytics.http import analytics_service
from immuni.backend.analytics.rules import NoAttestation
from immuni.backend.chunks import BucketChunkStore
from immuni.backend.configuration.authoring import authoring_service
from immuni.backend.configuration.http import configuration_service
from immuni.backend.contract import HttpSettings
from immuni.backend.counting import DailyCounters
from immuni.backend.following import FollowingSettings
from immuni.backend.infectiousness import DEFAULT_INFECTIOUSNESS
from immuni.backend.ingestion.http import ingestion_service
from immuni.backend.ingestion.limiter import WrongCodeMetrics
from immuni.backend.ingestion.settings import IngestionSettings
from immuni.backend.otp.http import otp_service
from immuni.backend.otp.settings import OtpSettings
from immuni.backend.otp_keys import OtpKeys
from immuni.backend.reporting.http import ReportingSettings, reporting_service
from immuni.backend.retention import RetentionSettings
from immuni.backend.sealing import SealingKey
from immuni.backend.shaping import Shaping, ShapingMetrics, ShapingSettings
from immuni.backend.signing import LocalKeySigner
from immuni.backend.texts import texts_service
from immuni.clock import SystemClock
from immuni.dashboard.application import dashboard_contract, dashboard_service
from immuni.dashboard.early_warning import EarlyWarningSettings
from immuni.dashboard.figures import FigureStore
from immuni.dashboard.forecast import ForecastSettings
from immuni.dashboard.settings import DashboardSettings
from immuni.database import Pool
from immuni.entropy import SystemEntropy
from immuni.web import Contract, Service


def api_contract() -> Contract:
    """Return what the services have in common, and the dashboard's own refusal."""
    return dashboard_contract(HttpSettings())


def services() -> dict[str, Service]:
    """Return the services by name. Nothing of what they are made of is ever used."""
    every = (
        _configuration(),
        authoring_service(pool=_pool()),
        _otp(),
        _ingestion(),
        _reporting(),
        _analytics(),
        _dashboard(),
        texts_service(),
    )
    return {service.name: service for service in every}


def _configuration() -> Service:
    return configuration_service(
        database_url="",
        signer=lambda: LocalKeySigner("settings-1", "v1", generate_private_key(SECP256R1())),
        clock=SystemClock(),
        following=FollowingSettings(),
    )


def _otp() -> Service:
    return otp_service(
        pool=_pool(),
        keys=_otp_keys(),
        settings=OtpSettings(),
        counters=DailyCounters(),
        clock=SystemClock(),
        gate=lambda _source: None,
    )


def _ingestion() -> Service:
    return ingestion_service(
        pool=_pool(),
        keys=_otp_keys(),
        settings=IngestionSettings(),
        infectiousness=DEFAULT_INFECTIOUSNESS,
        territory=italy(),
        sealing_key=SealingKey("analytics-1", X25519PrivateKey.generate().public_key()),
        shaping=_shaping(),
        counters=DailyCounters(),
        metrics=WrongCodeMetrics(CollectorRegistry()),
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )


def _reporting() -> Service:
    return reporting_service(
        database_url="",
        # Nothing is asked of it: the service is only described.
        store=BucketChunkStore.open("s3://described", {}),
        clock=SystemClock(),
        settings=ReportingSettings(),
        retention=RetentionSettings(),
        following=FollowingSettings(),
    )


def _analytics() -> Service:
    return analytics_service(
        pool=_pool(),
        clock=SystemClock(),
        territory=italy(),
        attestation=NoAttestation(),
        shaping=_shaping(),
    )


def _dashboard() -> Service:
    settings = DashboardSettings(forecast=ForecastSettings(), early_warning=EarlyWarningSettings())
    return dashboard_service(FigureStore(_pool()), territory=italy(), settings=settings)


def _pool() -> Pool:
    return AsyncConnectionPool("", open=False)


def _otp_keys() -> OtpKeys:
    return OtpKeys({"otp-1": bytes(32)})


def _shaping() -> Shaping:
    return Shaping(
        settings=ShapingSettings(),
        contract=api_contract(),
        entropy=SystemEntropy(),
        metrics=ShapingMetrics(CollectorRegistry()),
    )
