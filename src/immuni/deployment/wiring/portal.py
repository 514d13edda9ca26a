"""The *portal* role: the HIS, which reaches the internal services over mutual TLS."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from immuni.database import Pool, open_pool
from immuni.deployment.certificate_metrics import CertificateMetrics
from immuni.deployment.certificates import InternalCertificates
from immuni.deployment.roles import Role
from immuni.deployment.serving import Server
from immuni.deployment.wiring import Wiring
from immuni.portal.application import Neighbours, create_portal
from immuni.portal.audit.head_file import public_key_files, read_signer, read_verifiers
from immuni.portal.audit.keeping import AuditMetrics, TrailKeeper
from immuni.portal.audit.settings import AuditSettings
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.authorising.otp_service import OtpServiceClient
from immuni.portal.configuring.service import SettingsService
from immuni.portal.factors.store import FactorStore
from immuni.portal.limits.settings import LimitSettings
from immuni.portal.oidc.conversation import Conversations
from immuni.portal.oidc.providers import OpenIdSettings, read_providers
from immuni.portal.settings import PortalSettings
from immuni.portal.signing_in.purging import Purging
from immuni.portal.signing_in.store import SessionStore
from immuni.web import MutualTls


@asynccontextmanager
async def servers(wiring: Wiring) -> AsyncIterator[list[Server]]:
    """Yield the server of the portal; it is not started yet."""
    settings = wiring.configured.of(PortalSettings)
    openid = wiring.configured.of(OpenIdSettings)
    providers = read_providers(openid.portal_openid_providers)
    files = InternalCertificates(wiring.deployment.layout.certificates)
    told = CertificateMetrics(wiring.registry).watch("client")
    tls = MutualTls(files.trusted, files.client.certificate, files.client.key, told)
    otp_client = OtpServiceClient.over_mutual_tls(
        wiring.deployment.url_of(Role.OTP), tls=tls, timeout=settings.portal_otp_timeout
    )
    settings_service = SettingsService.over_mutual_tls(
        wiring.deployment.url_of(Role.SETTINGS), tls=tls
    )
    conversations = Conversations(
        providers, clock=wiring.clock, timeout=openid.portal_openid_timeout
    )
    try:
        async with open_pool(wiring.databases.portal_database_url, name="portal") as pool:
            portal = create_portal(
                pool=pool,
                audit_keys=wiring.audit_keys(),
                neighbours=Neighbours(
                    otp=otp_client, settings=settings_service, providers=conversations
                ),
                clock=wiring.clock,
                entropy=wiring.entropy,
                settings=settings,
                limits=wiring.configured.of(LimitSettings),
                public_url=wiring.deployment.url_of(Role.PORTAL),
                registry=wiring.registry,
            )
            trail = AuditTrail(pool, wiring.audit_keys())
            purging = Purging(
                SessionStore(pool, trail),
                FactorStore(pool, trail),
                clock=wiring.clock,
                settings=settings,
            )
            async with _trail_keeper(wiring, pool).running(), purging.running():
                yield [wiring.server(Role.PORTAL, portal)]
    finally:
        await conversations.close()
        await otp_client.close()
        await settings_service.close()


def _trail_keeper(wiring: Wiring, pool: Pool) -> TrailKeeper:
    layout = wiring.deployment.layout
    return TrailKeeper(
        pool=pool,
        keys=wiring.audit_keys(),
        signer=read_signer(layout.keys),
        verifiers=read_verifiers(public_key_files(layout.keys)),
        heads=layout.audit_heads,
        retention=wiring.configured.of(AuditSettings).audit_retention,
        clock=wiring.clock,
        metrics=AuditMetrics(wiring.registry),
    )
