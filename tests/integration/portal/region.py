"""A portal with an OpenID provider that a test holds in its hands."""

import html
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx

from immuni.clock import ManualClock
from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from immuni.portal.oidc.providers import Provider
from tests.integration.portal.provider import (
    NAME,
    LyingProvider,
    lying_provider,
)
from tests.integration.portal.world import (
    START,
    Visitor,
    World,
    hidden,
    living_world,
)

SIGN_IN: Final = f"/sign-in/with/{NAME}"
OTHER: Final = "veneto"
CLOCK: Final = ManualClock(START)


@dataclass
class Region:
    """A portal with a provider that a test holds in its hands."""

    world: World
    provider: LyingProvider

    async def way(self, visitor: Visitor, path: str = SIGN_IN, **form: str) -> str:
        """Press the button, and return where the page leads."""
        return way_on((await visitor.post(path, form)).text)

    async def arrive(self, visitor: Visitor, query: str, path: str = SIGN_IN) -> httpx.Response:
        """Come back from the provider as a browser does: page by page."""
        page = await visitor.get(f"{path}/back?{query}")
        return await visitor.get(way_on(page.text))

    async def sign_in(self, visitor: Visitor, **answer: str) -> httpx.Response:
        """Go all the way."""
        way = await self.way(visitor)
        return await self.arrive(visitor, self.provider.answer(way, **answer))

    async def link(self, visitor: Visitor) -> httpx.Response:
        """Link the account that is signed in."""
        page = (await visitor.get("/account/providers")).text
        way = await self.way(visitor, f"/account/providers/{NAME}/link", csrf=hidden(page, "csrf"))
        return await self.arrive(visitor, self.provider.answer(way))

    async def refusals(self) -> Sequence[tuple[object, ...]]:
        """Return what the audit trail tells of those who did not get in."""
        return await self.world.rows(
            "SELECT action, outcome, account_id, detail->>'reason' FROM audit_event"
            " WHERE detail ? 'reason' ORDER BY id"
        )


def way_on(page: str) -> str:
    """Return where a page leads by itself, which is where its button leads."""
    match = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]+)">', page)
    assert match, page
    assert f'<a class="button" href="{match[1]}">' in page
    return html.unescape(match[1])


@asynccontextmanager
async def living_region(
    portal: PortalDatabase,
    services: ServicesDatabase,
    certificates: Path,
    *,
    public_url: str = "",
    max_age: timedelta | None = None,
    second_factor_amr: frozenset[str] = frozenset(),
) -> AsyncIterator[Region]:
    async with lying_provider() as provider:
        provider.now = int(START.timestamp())

        async def providers(_origin: str) -> Sequence[Provider]:
            return [
                provider.as_provider(max_age=max_age, second_factor_amr=second_factor_amr),
                provider.as_provider(name=OTHER, path="/veneto"),
            ]

        async with living_world(
            portal, services, certificates, public_url=public_url, providers=providers
        ) as world:
            yield Region(world, provider)


async def linked(region: Region) -> None:
    """Link anna."""
    answer = await region.link(await region.world.operator())
    assert answer.headers["location"] == "/account/providers"


async def is_inside(visitor: Visitor) -> bool:
    return (await visitor.get()).status_code == HTTPStatus.OK
