"""The portal's people, looked after by whoever runs the system."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry

from immuni.clock import SystemClock
from immuni.database import Pool, open_pool
from immuni.deployment.configured import read_configured
from immuni.deployment.roles import Role as Process
from immuni.deployment.wiring import Wiring
from immuni.entropy import SystemEntropy
from immuni.portal.accounts.roles import Role
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.people.inviting import invite_from_outside
from immuni.portal.people.managing import deactivate_from_outside
from immuni.portal.site import Site


@dataclass(frozen=True, slots=True)
class _Portal:
    wiring: Wiring
    pool: Pool
    trail: AuditTrail


async def invite(file: Path | None, *, role: Role, organisation: str, user: str) -> str:
    """Invite somebody and return the link, which nobody keeps.

    Args:
        file: The settings file of the system; None for the environment alone.
        role: What the account will be for.
        organisation: The name of the hospital or region, which is made where it is new.
        user: The name with which they will sign in; empty where they choose it.

    Raises:
        SettingsError: Some settings are wrong or missing.
        InvalidNameError: The organisation cannot be called that.
        InvalidUserError: Nobody can sign in with that name.
        RefusedError: The name is taken, or the organisation closed.
    """
    async with _portal(file) as portal:
        invited = await invite_from_outside(
            portal.pool,
            portal.trail,
            role=role,
            organisation=organisation,
            user=user,
            clock=portal.wiring.clock,
            entropy=portal.wiring.entropy,
        )
        site = Site.parse(portal.wiring.deployment.url_of(Process.PORTAL))
        return f"{site.origin}{site.link('/join')}#{invited.token.text}"


async def deactivate(file: Path | None, *, user: str) -> bool:
    """Let an account do nothing any more; tell whether an administrator is left.

    Raises:
        SettingsError: Some settings are wrong or missing.
        NobodyError: Nobody has that name; nothing was done.
    """
    async with _portal(file) as portal:
        return await deactivate_from_outside(
            portal.pool, portal.trail, user, now=portal.wiring.clock.now()
        )


@asynccontextmanager
async def _portal(file: Path | None) -> AsyncIterator[_Portal]:
    configured = read_configured(file)
    configured.require(["portal_database_url"])
    wiring = Wiring.of(
        configured,
        clock=SystemClock(),
        entropy=SystemEntropy(),
        registry=CollectorRegistry(),
    )
    url = wiring.databases.portal_database_url
    async with open_pool(url, max_size=1, name="portal command") as pool:
        yield _Portal(wiring, pool, AuditTrail(pool, wiring.audit_keys()))
