"""Routes of pages, each labelled for the log and the metrics."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni.web import ENDPOINT_KEY

Handler = Callable[[Request], Awaitable[Response]]


def page(path: str, handler: Handler, *, method: str = "GET") -> Route:
    """Return the route of a page; HEAD works wherever GET does."""

    async def labelled(request: Request) -> Response:
        request.scope[ENDPOINT_KEY] = path
        return await handler(request)

    return Route(path, labelled, methods=[method])
