"""One's own recovery codes: made, shown once, and never again."""

from starlette.responses import Response
from starlette.routing import Route

from immuni.portal.accounts.roles import Permission
from immuni.portal.desk import Desk
from immuni.portal.door import Door, Visit
from immuni.portal.factors import recovery
from immuni.portal.factors.store import FactorStore


class RecoveryPages:
    """The page before they are made, and the one that shows them."""

    def __init__(self, desk: Desk, *, door: Door) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door
        self._store = FactorStore(desk.pool, desk.trail)

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, here, path = self._door.page, Permission.BE_HERE, "/account/recovery-codes"
        return [
            page(path, self.show, needs=here, fresh=True),
            page(path, self.make, needs=here, method="POST", fresh=True),
        ]

    async def show(self, visit: Visit) -> Response:
        """Say what they are for, and how many are left."""
        factors = await self._store.factors_of(visit.account.id)
        return self._page(visit, left=factors.recovery_codes)

    async def make(self, visit: Visit) -> Response:
        """Make ten, in the place of all that there were, and show them this once."""
        codes = recovery.draw_codes(self._desk.entropy)
        await self._store.replace_recovery_codes(
            visit.account.id,
            [recovery.hash_of(code) for code in codes],
            now=self._desk.clock.now(),
        )
        return self._page(visit, left=len(codes), codes=codes)

    def _page(self, visit: Visit, *, left: int, codes: list[str] | None = None) -> Response:
        return self._desk.pages.render(
            visit.request,
            "recovery_codes.html",
            session=visit.session,
            left=left,
            codes=codes or [],
        )
