"""A portal, and who publishes settings for phones behind it; administrators before it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import psycopg
from prometheus_client import CollectorRegistry

from immuni.api import Platform
from immuni.backend.configuration.authoring import authoring_service
from immuni.backend.configuration.rules import SettingEntry, resolve
from immuni.backend.configuration.store import load_newest
from immuni.backend.contract import HttpSettings, create_app
from immuni.clock import SystemClock
from immuni.database import open_pool
from immuni.deployment.certificates import InternalCertificates, ensure_certificates
from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from immuni.portal.accounts.roles import Role
from immuni.web import MutualTls
from tests.integration.portal.serving import free_socket, listening
from tests.integration.portal.wire import Wire, wire_to
from tests.integration.portal.world import Visitor, World, hidden, living_world

_TICK = re.compile(r'name="(danger-\d+)" value="([^"]*)"')


@dataclass(frozen=True, kw_only=True)
class SettingsWorld:
    """Everything that a test may look at or turn."""

    world: World
    wire: Wire
    services: ServicesDatabase

    async def administrator(self, user: str) -> Visitor:
        """Return a browser in which an administrator is signed in."""
        await self.world.add_account(user, role=Role.ADMINISTRATOR)
        return await self.world.operator(user)

    async def told(self, platform: Platform = Platform.IOS, build: int = 1) -> dict[str, Any]:
        """Return what phones are told, from the services' own database."""
        return resolve(await self.entries(), platform=platform, build=build)

    async def entries(self) -> tuple[SettingEntry, ...]:
        """Return the set in force."""
        async with await psycopg.AsyncConnection.connect(self.services.owner) as owner:
            return (await load_newest(owner)).entries

    async def versions(self) -> list[tuple[Any, ...]]:
        """Return version, author and approver of what was published."""
        async with await psycopg.AsyncConnection.connect(self.services.owner) as owner:
            cursor = await owner.execute(
                "SELECT number, author, approver FROM configuration.version ORDER BY number"
            )
            return await cursor.fetchall()

    async def states(self) -> list[str]:
        """Return the states of all proposals."""
        rows = await self.world.rows("SELECT state FROM settings_proposal ORDER BY id")
        return [str(state) for (state,) in rows]

    async def events(self) -> list[tuple[object, ...]]:
        """Return what the trail tells of settings: action, outcome, subject."""
        return await self.world.rows(
            "SELECT action, outcome, subject FROM audit_event"
            " WHERE action LIKE 'settings%' AND action <> 'settings_draft' ORDER BY id"
        )


@asynccontextmanager
async def settings_world(
    portal: PortalDatabase, services: ServicesDatabase, certificates: Path
) -> AsyncIterator[SettingsWorld]:
    """Start the portal and the role behind its pages, over mutual TLS."""
    files = ensure_certificates(certificates, clock=SystemClock())
    async with (
        _serving(services, files) as port,
        wire_to(port) as wire,
        living_world(
            portal, services, certificates, settings_url=f"https://127.0.0.1:{wire.port}"
        ) as world,
    ):
        yield SettingsWorld(world=world, wire=wire, services=services)


@asynccontextmanager
async def _serving(services: ServicesDatabase, files: InternalCertificates) -> AsyncIterator[int]:
    tls = MutualTls(files.trusted, files.server.certificate, files.server.key)
    async with open_pool(services.settings_author, max_size=2) as pool:
        app = create_app(
            [authoring_service(pool=pool)],
            settings=HttpSettings(),
            registry=CollectorRegistry(),
        )
        with free_socket() as listener:
            port = listener.getsockname()[1]
            async with listening(app, listener, clock=SystemClock(), mutual_tls=tls):
                yield port


def ticks(page: str) -> dict[str, str]:
    """Return the dangers of a page, all ticked."""
    return {name: unescape(value) for name, value in _TICK.findall(page)}


async def change(visitor: Visitor, name: str, value: str = "", **fields: str) -> httpx.Response:
    """Take a change of a setting into the draft."""
    path = f"/settings/change/{name}"
    page = (await visitor.get(path)).text
    form = {"ios": "on", "from_build": "1", "act": "value", "value": value, **fields}
    return await visitor.post(path, {"csrf": hidden(page, "csrf"), **form})


async def propose(visitor: Visitor, *, reason: str = "a trial", **fields: str) -> httpx.Response:
    """Propose the draft with all its dangers."""
    page = (await visitor.get("/settings/draft")).text
    form = {"csrf": hidden(page, "csrf"), "reason": reason, **ticks(page)}
    if 'name="based_on"' in page:
        form["based_on"] = hidden(page, "based_on")
    return await visitor.post("/settings/draft", form | fields)


async def act(visitor: Visitor, number: int, what: str, **fields: str) -> httpx.Response:
    """Do something with a proposal, with all dangers ticked."""
    place = f"/settings/proposals/{number}"
    page = (await visitor.get(place)).text
    form = {"csrf": hidden(page, "csrf"), **ticks(page), **fields}
    return await visitor.post(f"{place}/{what}", form)
