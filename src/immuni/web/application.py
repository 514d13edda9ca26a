"""From tables of endpoints to one application."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from immuni.web.answering import EndpointApp
from immuni.web.endpoints import Contract, Endpoint, Service, endpoints_of
from immuni.web.health import health_endpoints
from immuni.web.messages import Reply, send_reply
from immuni.web.observing import ENDPOINT_KEY, HttpMetrics, Observer, log_fault
from immuni.web.openapi import document_endpoint
from immuni.web.overload import OverloadLimiter
from immuni.web.routes import Routes


class Application:
    """Answers for services: finds the endpoint, tells every error, observes.

    Starlette's middlewares do the same for everybody's needs; for a phone's request they cost more
    than the reading of its body does.
    """

    def __init__(
        self,
        contract: Contract,
        *,
        metrics: HttpMetrics,
        running: Callable[[], AbstractAsyncContextManager[None]],
    ) -> None:
        """Answer nothing yet.

        Args:
            contract: Tells errors.
            metrics: Counts the requests.
            running: Accompanies the application from its start to its end.
        """
        self._contract = contract
        self._routes = Routes()
        self._observed = Observer(self._answer, metrics=metrics)
        self._lifespan = Router(lifespan=lambda _app: running()).lifespan

    def add(self, path: str, app: ASGIApp, *, method: str = "GET") -> None:
        """Let `app` answer under a path."""
        self._routes.add(path, app, method=method)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or run between start and end."""
        if scope["type"] == "http":
            await self._observed(scope, receive, send)
        else:
            await self._lifespan(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            route, scope["path_params"] = self._routes.find(scope["path"], scope["method"])
            scope[ENDPOINT_KEY] = route.path
            await route.app(scope, receive, send)
        except HTTPException as error:
            await send_reply(self._refusal(error), send)
        except Exception as error:  # noqa: BLE001 - nothing of it may reach the client, or the log
            log_fault(error, endpoint=scope.get(ENDPOINT_KEY, ""))
            await send_reply(self._contract.refusal(error), send)

    def _refusal(self, error: HTTPException) -> Reply:
        """Tell that there is no such path or method the way everything else is told."""
        status = HTTPStatus(error.status_code)
        body = self._contract.error_body(self._contract.general_code, status.phrase)
        return Reply(status, body, headers=error.headers or {})


def build_app(
    services: Sequence[Service],
    contract: Contract,
    *,
    metrics: HttpMetrics,
    limiter: OverloadLimiter | None = None,
    expose_docs: bool = False,
) -> Application:
    """Build the application that answers for `services`.

    Args:
        services: Their paths must differ.
        contract: What their API has in common.
        metrics: Counts the requests.
        limiter: Bounds the requests that are worked on; one of its own where None.
        expose_docs: Whether ``/openapi.json`` is answered.
    """

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for service in services:
                await stack.enter_async_context(service.running())
            yield

    app = Application(contract, metrics=metrics, running=running)
    limiter = limiter or OverloadLimiter()
    # An overloaded process is alive: whoever watches over it must not stop it for that.
    unlimited = OverloadLimiter()
    table = [(each, limiter) for each in endpoints_of(services)]
    table += [(each, unlimited) for each in health_endpoints(services)]
    if expose_docs:
        table.append((document_endpoint(services, contract), limiter))
    for endpoint, its_limiter in table:
        app.add(
            endpoint.path,
            _application_of(endpoint, contract, its_limiter),
            method=endpoint.method,
        )
    return app


def _application_of(
    endpoint: Endpoint[Any], contract: Contract, limiter: OverloadLimiter
) -> ASGIApp:
    app = EndpointApp(endpoint, contract, limiter)
    return app if endpoint.layer is None else endpoint.layer(app)
