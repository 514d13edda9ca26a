"""A portal, the OTP Service behind it, and the browsers before it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, LiteralString

import httpx
import psycopg
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from immuni.backend.contract import HttpSettings, create_app
from immuni.backend.counting import DailyCounters
from immuni.backend.otp.http import otp_service
from immuni.backend.otp.settings import OtpSettings
from immuni.backend.otp_keys import OtpKeys
from immuni.clock import Clock, ManualClock, SystemClock
from immuni.database import Pool, open_pool
from immuni.deployment.certificates import InternalCertificates, ensure_certificates
from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from immuni.entropy import Entropy, SeededEntropy
from immuni.otp import Otp, generate_otp
from immuni.portal.accounts.registration import create_account
from immuni.portal.accounts.roles import Role
from immuni.portal.application import Neighbours, create_portal
from immuni.portal.audit.keys import AuditKeys
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.authorising.otp_service import OtpServiceClient
from immuni.portal.configuring.service import SettingsService
from immuni.portal.factors.keys import FactorKeys
from immuni.portal.limits.settings import LimitSettings
from immuni.portal.oidc.conversation import Conversations
from immuni.portal.oidc.providers import Provider
from immuni.portal.settings import PortalSettings, SecondFactor
from immuni.portal.site import Site
from immuni.web import MutualTls, TrustedProxies
from tests.integration.portal.serving import free_socket, listening
from tests.integration.portal.wire import Wire, wire_to
from tests.plain_http import TRUSTS_NOBODY

START: Final = datetime(2020, 6, 20, 10, tzinfo=UTC)
"""A Saturday, noon in Rome."""
DEFAULT_LIMITS: Final = LimitSettings()
PASSWORD: Final = "correct horse battery"
AUDIT_KEYS: Final = AuditKeys({"audit-1": bytes(range(32))})
ORGANISATION: Final = "Ospedale Maggiore"
_HIDDEN: Final = r'name="{name}" value="([^"]*)"'


@dataclass
class Visitor:
    """A browser without JavaScript: it keeps cookies, fills in forms and follows nothing."""

    http: httpx.AsyncClient
    origin: str
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str = "/") -> httpx.Response:
        """Open a page."""
        return await self.http.get(path, headers=self.headers)

    async def post(self, path: str, form: Mapping[str, str]) -> httpx.Response:
        """Send a form as a page of the portal would."""
        headers = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin", **self.headers}
        return await self.http.post(path, data=form, headers=headers)

    async def sign_in(self, user: str = "anna", password: str = PASSWORD) -> httpx.Response:
        """Send the sign-in form."""
        return await self.post("/sign-in", {"user": user, "password": password})

    async def authorise(
        self, code: str, onset: str = "2020-06-18", **changes: str
    ) -> httpx.Response:
        """Open the form, fill it in and send it."""
        return await self.post("/authorise", await self.form(code=code, onset=onset, **changes))

    async def form(self, **fields: str) -> dict[str, str]:
        """Open the form and fill it in."""
        page = (await self.get()).text
        return {"csrf": hidden(page, "csrf"), "id": hidden(page, "id"), **fields}


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything that a test may look at or turn."""

    clock: ManualClock
    entropy: Entropy
    wire: Wire
    origin: str
    port: int
    pool: Pool
    databases: tuple[PortalDatabase, ServicesDatabase]
    registry: CollectorRegistry
    app: Starlette
    visitors: AsyncExitStack

    async def visitor(self, *, language: str = "en", source: str = "") -> Visitor:
        """Return a new browser, which a trusted proxy may say to be at `source`."""
        http = await self.visitors.enter_async_context(
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{self.port}", verify=TRUSTS_NOBODY, trust_env=False
            )
        )
        headers = {"Accept-Language": language} | ({"X-Forwarded-For": source} if source else {})
        return Visitor(http, self.origin, headers)

    async def operator(self, user: str = "anna") -> Visitor:
        """Return a browser in which somebody is signed in."""
        visitor = await self.visitor()
        assert (await visitor.sign_in(user)).status_code == 303
        return visitor

    async def add_account(self, user: str, *, role: Role = Role.OPERATOR) -> None:
        """Make an account in the organisation that all of them have."""
        await add_account(self.pool, user, clock=self.clock, entropy=self.entropy, role=role)

    @property
    def trail(self) -> AuditTrail:
        """Where the portal leaves its events."""
        return AuditTrail(self.pool, AUDIT_KEYS)

    def code(self) -> Otp:
        """Return a code as a phone makes it."""
        return generate_otp(self.entropy)

    async def rows(self, query: LiteralString, *values: object) -> list[tuple[object, ...]]:
        """Look into the portal's database behind its back."""
        return await _rows(self.databases[0].owner, query, *values)

    async def change(self, statement: LiteralString, *values: object) -> None:
        """Change the portal's database behind its back."""
        async with await psycopg.AsyncConnection.connect(self.databases[0].owner) as connection:
            await connection.execute(statement, values or None)

    async def authorised_codes(self) -> list[tuple[object, ...]]:
        """Look into the OTP Service's table: onset, test, time of authorisation."""
        query = (
            "SELECT onset_on, tested_on, authorised_at FROM ingestion.otp ORDER BY authorised_at"
        )
        return await _rows(self.databases[1].owner, query)


@asynccontextmanager
async def living_world(
    portal: PortalDatabase,
    services: ServicesDatabase,
    certificates: Path,
    *,
    public_url: str = "",
    limits: LimitSettings = DEFAULT_LIMITS,
    start: datetime = START,
    providers: Callable[[str], Awaitable[Sequence[Provider]]] | None = None,
    settings_url: str = "https://127.0.0.1:9",
    second_factor: SecondFactor = SecondFactor.OFFERED,
) -> AsyncIterator[World]:
    """Start both, on a clock that stands still.

    Args:
        portal: The portal's database.
        services: The services' database.
        certificates: Where the internal authority is.
        public_url: Where browsers reach the portal; else a name on the machine itself.
        limits: How many codes may be authorised.
        second_factor: Whether accounts have to have one.
        start: When it is.
        providers: Tells which OpenID providers there are, once it is known where the portal is.
        settings_url: Where settings for phones are published; else where nobody answers.
    """
    clock, entropy = ManualClock(start), SeededEntropy("portal")
    registry = CollectorRegistry()
    settings = PortalSettings(
        portal_second_factor=second_factor, portal_factor_keys=FactorKeys({"f1": bytes(32)})
    )
    # OpenSSL looks at the machine's clock.
    files = ensure_certificates(certificates, clock=SystemClock())
    async with AsyncExitStack() as stack:
        wire = await stack.enter_async_context(_wired_otp_service(services, files, clock))
        otp_client = client_of(wire, files)
        stack.push_async_callback(otp_client.close)
        settings_service = settings_service_at(settings_url, files)
        stack.push_async_callback(settings_service.close)
        pool = await stack.enter_async_context(open_pool(portal.portal))
        await add_account(pool, "Anna", clock=clock, entropy=entropy)
        listener = stack.enter_context(free_socket())
        port = listener.getsockname()[1]
        public_url = public_url or f"http://portal.localhost:{port}"
        conversations = Conversations(
            await providers(public_url) if providers else (),
            clock=clock,
            timeout=timedelta(seconds=5),
        )
        stack.push_async_callback(conversations.close)
        app = create_portal(
            pool=pool,
            audit_keys=AUDIT_KEYS,
            neighbours=Neighbours(
                otp=otp_client, settings=settings_service, providers=conversations
            ),
            clock=clock,
            entropy=entropy,
            settings=settings,
            limits=limits,
            public_url=public_url,
            registry=registry,
        )
        proxies = TrustedProxies.parse("127.0.0.1")
        await stack.enter_async_context(listening(app, listener, clock=clock, proxies=proxies))
        yield World(
            clock=clock,
            entropy=entropy,
            wire=wire,
            origin=Site.parse(public_url).origin,
            port=port,
            pool=pool,
            databases=(portal, services),
            registry=registry,
            app=app,
            visitors=await stack.enter_async_context(AsyncExitStack()),
        )


@asynccontextmanager
async def _wired_otp_service(
    services: ServicesDatabase, files: InternalCertificates, clock: Clock
) -> AsyncIterator[Wire]:
    tls = MutualTls(files.trusted, files.server.certificate, files.server.key)
    keys = OtpKeys({"k1": bytes(32)})
    async with open_pool(services.otp) as pool:
        service = otp_service(
            pool=pool,
            keys=keys,
            settings=OtpSettings(),
            counters=DailyCounters(),
            clock=clock,
            gate=lambda _source: None,
        )
        app = create_app([service], settings=HttpSettings(), registry=CollectorRegistry())
        with free_socket() as listener:
            port = listener.getsockname()[1]
            async with listening(app, listener, clock=clock, mutual_tls=tls), wire_to(port) as wire:
                yield wire


def client_of(wire: Wire, files: InternalCertificates) -> OtpServiceClient:
    """Return a client that reaches the OTP Service over `wire`."""
    return OtpServiceClient.over_mutual_tls(
        f"https://127.0.0.1:{wire.port}",
        tls=MutualTls(files.trusted, files.client.certificate, files.client.key),
        timeout=timedelta(seconds=10),
    )


def settings_service_at(url: str, files: InternalCertificates) -> SettingsService:
    """Return a client that reaches who publishes settings at an address."""
    tls = MutualTls(files.trusted, files.client.certificate, files.client.key)
    return SettingsService.over_mutual_tls(url, tls=tls)


async def add_account(
    pool: Pool,
    user: str,
    *,
    clock: Clock,
    entropy: Entropy,
    password: str = PASSWORD,
    role: Role = Role.OPERATOR,
) -> None:
    """Make an account with the password and the organisation that all of them have."""
    await create_account(
        pool,
        AuditTrail(pool, AUDIT_KEYS),
        user=user,
        password=password,
        organisation=ORGANISATION,
        role=role,
        clock=clock,
        entropy=entropy,
    )


def hidden(page: str, name: str) -> str:
    """Return the value of a hidden field."""
    match = re.search(_HIDDEN.format(name=name), page)
    assert match, f"the page has no field {name}"
    return match[1]


async def _rows(url: str, query: LiteralString, *values: object) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute(query, values or None)
        return await cursor.fetchall()
