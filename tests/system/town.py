"""Servers, jobs and phones in one process, on one clock that stands still until it is moved."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final, Self

import httpx
from prometheus_client import CollectorRegistry

from immuni.backend.jobs import Figures, Parts, run_job
from immuni.ble import VirtualAir
from immuni.clock import SystemClock
from immuni.database import open_pool
from immuni.deployment.certificates import ensure_certificates
from immuni.deployment.configured import Configured
from immuni.deployment.databases import Databases
from immuni.deployment.google import attestation_settings, ensure_play_integrity_keys
from immuni.deployment.layout import Layout
from immuni.deployment.ports import free_block
from immuni.deployment.provision import (
    ensure_audit_head_key,
    ensure_audit_keys,
    ensure_keys,
    ensure_otp_keys,
    portal_settings,
    settings_of_system,
)
from immuni.deployment.roles import Ports, Role
from immuni.deployment.serving import Server
from immuni.deployment.virtual_phones import PhoneClock, PhoneMaker
from immuni.deployment.wiring import Wiring
from immuni.deployment.wiring.jobs import job_parts, job_table
from immuni.entropy import SystemEntropy
from immuni.export import Export, read_unverified_export
from immuni.portal.accounts.registration import create_account
from immuni.portal.accounts.roles import Role as AccountRole
from immuni.portal.audit.trail import AuditTrail
from immuni.settings import Source
from immuni.world.operator import Operator

SERVERS: Final = (Role.GET, Role.UPLOAD, Role.ANALYTICS, Role.OTP, Role.PORTAL)
_TOLD_WITHIN_SECONDS: Final = 20
_USER: Final = "operator"
_PASSWORD: Final = "a password of a test"


@dataclass(frozen=True, slots=True)
class Town:
    """Everything that the story needs.

    Attributes:
        clock: Everybody's clock: phones, servers, jobs.
        air: Where the phones stand.
        phones: Makes phones.
        wiring: The servers' parts.
        parts: What the jobs work with.
    """

    clock: PhoneClock
    air: VirtualAir
    phones: PhoneMaker
    wiring: Wiring
    parts: Parts

    @classmethod
    @asynccontextmanager
    async def open(
        cls, folder: Path, databases: Databases, clock: PhoneClock
    ) -> AsyncIterator[Self]:
        """Start the servers for as long as the context lasts."""
        wiring = _wiring(folder, databases, clock)
        async with AsyncExitStack() as stack:
            for role in SERVERS:
                await stack.enter_async_context(_serving(role, wiring))
            await _employ_operator(wiring)
            parts = await stack.enter_async_context(job_parts(wiring))
            air = VirtualAir()
            maker = PhoneMaker(
                layout=wiring.deployment.layout,
                get_url=wiring.deployment.url_of(Role.GET),
                upload_url=wiring.deployment.url_of(Role.UPLOAD),
                analytics_url=wiring.deployment.url_of(Role.ANALYTICS),
                air=air,
                clock=clock,
                entropy=wiring.entropy,
            )
            yield cls(clock, air, maker, wiring, parts)

    async def run(self, job: str) -> Figures:
        """Run a job now."""
        return await run_job(job, job_table(self.wiring.configured), self.parts)

    async def publish(self) -> Export:
        """Publish, and return the new chunk as soon as anybody can download it."""
        before = await self._newest()
        await self.run("publish")
        async with asyncio.timeout(_TOLD_WITHIN_SECONDS):
            while (newest := await self._newest()) == before:
                pass  # The notice is on its way; each question gives it time to arrive.
        return read_unverified_export((await self.ask(f"/v1/keys/{newest}")).content)

    @asynccontextmanager
    async def operator(self) -> AsyncIterator[Operator]:
        """Have an operator sign in to the portal."""
        operator = Operator.at(self.wiring.deployment.url_of(Role.PORTAL))
        try:
            await operator.sign_in(_USER, _PASSWORD)
            yield operator
        finally:
            await operator.leave()

    async def ask(self, path: str) -> httpx.Response:
        """Ask the *get* host, as anybody can."""
        url = self.wiring.deployment.url_of(Role.GET)
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            return await client.get(path)

    async def _newest(self) -> int:
        answer = await self.ask("/v1/keys/index")
        newest: int = answer.json().get("newest", 0)
        return newest


def _wiring(folder: Path, databases: Databases, clock: PhoneClock) -> Wiring:
    layout, entropy = Layout(folder), SystemEntropy()
    ports = Ports(free_block(entropy.below(40_000)))
    layout.prepare()
    layout.secrets.mkdir()
    ensure_keys(layout, clock=clock)
    ensure_play_integrity_keys(layout, entropy)
    # TLS looks at the machine's clock, whatever the town's says.
    ensure_certificates(layout.certificates, clock=SystemClock())
    values = settings_of_system(layout, ports, databases, ensure_otp_keys(layout, entropy))
    ensure_audit_head_key(layout)
    values["audit_keys"] = ensure_audit_keys(layout, entropy).render()
    values |= attestation_settings(layout) | portal_settings(layout, entropy)
    texts = {name: str(value) for name, value in values.items()}
    configured = Configured.read(Source(texts, dict.fromkeys(texts, "the test")))
    return Wiring.of(configured, clock=clock, entropy=entropy, registry=CollectorRegistry())


@asynccontextmanager
async def _serving(role: Role, wiring: Wiring) -> AsyncIterator[None]:
    module = import_module(f"immuni.deployment.wiring.{role}")
    # Each role is a process of its own elsewhere, and counts for itself.
    alone = Wiring.of(
        wiring.configured,
        clock=wiring.clock,
        entropy=wiring.entropy,
        registry=CollectorRegistry(),
    )
    async with module.servers(alone) as servers:
        tasks = [await _start(server) for server in servers]
        try:
            yield
        finally:
            for server in servers:
                server.stop()
            await asyncio.gather(*tasks)


async def _start(server: Server) -> "asyncio.Task[None]":
    ready = asyncio.Event()

    async def tell() -> None:
        ready.set()

    server.on_ready = tell
    task = asyncio.create_task(server.serve())
    await ready.wait()
    return task


async def _employ_operator(wiring: Wiring) -> None:
    async with open_pool(wiring.databases.portal_database_url, max_size=1) as pool:
        await create_account(
            pool,
            AuditTrail(pool, wiring.audit_keys()),
            user=_USER,
            password=_PASSWORD,
            organisation="Ospedale di prova",
            role=AccountRole.OPERATOR,
            clock=wiring.clock,
            entropy=wiring.entropy,
        )
