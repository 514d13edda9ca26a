"""The *otp* role: the OTP Service, over mutual TLS only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from immuni.backend.counting import DailyCounters
from immuni.backend.otp.http import otp_service
from immuni.backend.otp.settings import OtpSettings
from immuni.database import open_pool
from immuni.deployment.certificate_metrics import CertificateMetrics
from immuni.deployment.certificates import InternalCertificates
from immuni.deployment.roles import Role
from immuni.deployment.serving import Server
from immuni.deployment.wiring import Wiring
from immuni.web import MutualTls


@asynccontextmanager
async def servers(wiring: Wiring) -> AsyncIterator[list[Server]]:
    """Yield the server of authorisations; it is not started yet."""
    url = wiring.databases.otp_database_url
    end, counters = wiring.service_end(url), DailyCounters()
    async with (
        open_pool(url, name="otp") as pool,
        end.followed(),
        counters.flushed_to(pool, is_over=end.is_over),
    ):
        service = otp_service(
            pool=pool,
            keys=wiring.otp_keys(),
            settings=wiring.configured.of(OtpSettings),
            counters=counters,
            clock=wiring.clock,
            gate=end.check,
        )
        files = InternalCertificates(wiring.deployment.layout.certificates)
        told = CertificateMetrics(wiring.registry).watch("server")
        tls = MutualTls(files.trusted, files.server.certificate, files.server.key, told)
        yield [wiring.server(Role.OTP, wiring.app_of(service), mutual_tls=tls)]
