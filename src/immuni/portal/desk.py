"""What every page of the portal works with."""

from dataclasses import dataclass

from immuni.clock import Clock
from immuni.entropy import Entropy
from immuni.portal.rendering import Pages
from immuni.portal.settings import PortalSettings
from immuni.portal.site import Site
from immuni.portal.store import PortalStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Records, pages, clock and chance of one portal.

    Attributes:
        store: The tables.
        pages: The templates.
        site: Where browsers reach the portal.
        clock: Tells which day is today, and how old sessions are.
        entropy: Where the secrets of sessions come from.
        settings: What can be changed.
    """

    store: PortalStore
    pages: Pages
    site: Site
    clock: Clock
    entropy: Entropy
    settings: PortalSettings
