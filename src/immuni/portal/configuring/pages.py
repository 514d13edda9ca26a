"""All pages of the settings."""

from starlette.routing import Route

from immuni.portal.configuring.deciding import DecidingPages
from immuni.portal.configuring.drafting import DraftingPages
from immuni.portal.configuring.reading import ReadingPages
from immuni.portal.configuring.service import SettingsService
from immuni.portal.configuring.showing import Configuring
from immuni.portal.configuring.store import ProposalStore
from immuni.portal.desk import Desk
from immuni.portal.door import Door


def settings_routes(desk: Desk, *, door: Door, service: SettingsService) -> list[Route]:
    """Return the routes of looking at settings, drafting changes and deciding about them."""
    store = ProposalStore(desk.pool, desk.trail)
    parts = Configuring(desk=desk, door=door, service=service, store=store)
    return [
        *ReadingPages(parts).routes(),
        *DraftingPages(parts).routes(),
        *DecidingPages(parts).routes(),
    ]
