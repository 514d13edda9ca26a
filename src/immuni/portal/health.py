"""``/livez`` and ``/readyz``: whether the process is up, and whether its database answers."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from immuni.database import Pool
from immuni.portal.door import open_page


class HealthEndpoints:
    """For supervisors and load balancers."""

    def __init__(self, pool: Pool) -> None:
        """Keep what readiness asks."""
        self._pool = pool

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [open_page("/livez", self.live), open_page("/readyz", self.ready)]

    async def live(self, _request: Request) -> Response:
        """Say that the process is up."""
        return JSONResponse({"status": "live"})

    async def ready(self, _request: Request) -> Response:
        """Say that the database answers; where it does not, the failure page is a 503."""
        async with self._pool.connection() as connection:
            await connection.execute("SELECT 1")
        return JSONResponse({"status": "ready"})
