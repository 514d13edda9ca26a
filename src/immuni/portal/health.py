"""``/livez`` and ``/readyz``: whether the process is up, and whether its database answers."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from immuni.portal.routing import page
from immuni.portal.store import PortalStore


class HealthEndpoints:
    """For supervisors and load balancers."""

    def __init__(self, store: PortalStore) -> None:
        """Keep what readiness asks."""
        self._store = store

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [page("/livez", self.live), page("/readyz", self.ready)]

    async def live(self, _request: Request) -> Response:
        """Say that the process is up."""
        return JSONResponse({"status": "live"})

    async def ready(self, _request: Request) -> Response:
        """Say that the database answers; where it does not, the failure page is a 503."""
        await self._store.ping()
        return JSONResponse({"status": "ready"})
