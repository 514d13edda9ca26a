"""What every page of the portal works with."""

from dataclasses import dataclass

from immuni.clock import Clock
from immuni.database import Pool
from immuni.entropy import Entropy
from immuni.portal.accounts.passwords import PasswordKeeper
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.rendering import Pages
from immuni.portal.settings import PortalSettings
from immuni.portal.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Records, pages, clock and chance of one portal.

    Attributes:
        pool: The portal's database; each part keeps its own SQL in its ``store.py``.
        trail: Where everything that is done leaves an event.
        pages: The templates.
        site: Where browsers reach the portal.
        clock: Tells which day is today, and how old sessions are.
        entropy: Where the secrets of sessions come from.
        passwords: Hashes and compares them, so many at once and no more.
        settings: What can be changed.
    """

    pool: Pool
    trail: AuditTrail
    pages: Pages
    site: Site
    clock: Clock
    entropy: Entropy
    passwords: PasswordKeeper
    settings: PortalSettings
