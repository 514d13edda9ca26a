"""From tables of endpoints to one Starlette application."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from immuni.errors import ImmuniError
from immuni.web.bodies import read_body
from immuni.web.endpoints import Contract, Endpoint, Method, Service, endpoints_of
from immuni.web.errors import ContentTypeError, PathError
from immuni.web.health import health_endpoints
from immuni.web.messages import NO_STORE, Call, Headers, Reply, send_reply
from immuni.web.observing import ENDPOINT_KEY, HttpMetrics, Observer, log_fault
from immuni.web.openapi import document_endpoint
from immuni.web.overload import OverloadLimiter
from immuni.web.parameters import Place, check_path, parse_query
from immuni.web.sources import source_of


def build_app(
    services: Sequence[Service],
    contract: Contract,
    *,
    metrics: HttpMetrics,
    limiter: OverloadLimiter | None = None,
    expose_docs: bool = False,
) -> Starlette:
    """Build the application that answers for `services`.

    Args:
        services: Their paths must differ.
        contract: What their API has in common.
        metrics: Counts the requests.
        limiter: Bounds the requests that are worked on; one of its own where None.
        expose_docs: Whether ``/openapi.json`` is answered.
    """
    limiter = limiter or OverloadLimiter()
    table = endpoints_of(services)
    if expose_docs:
        table.append(document_endpoint(services, contract))
    routes = [_route(endpoint, contract, limiter) for endpoint in table]
    # An overloaded process is alive: whoever watches over it must not stop it for that.
    unlimited = OverloadLimiter()
    routes += [_route(each, contract, unlimited) for each in health_endpoints(services)]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for service in services:
                await stack.enter_async_context(service.running())
            yield

    async def refuse(_request: Request, error: Exception) -> Response:
        return _framework_refusal(error, contract)

    app = Starlette(
        routes=routes,
        middleware=[Middleware(Observer, metrics=metrics)],
        exception_handlers={HTTPException: refuse, Exception: refuse},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _route(endpoint: Endpoint[Any], contract: Contract, limiter: OverloadLimiter) -> Route:
    app: ASGIApp = _EndpointApp(endpoint, contract, limiter)
    if endpoint.layer is not None:
        app = endpoint.layer(app)
    return Route(endpoint.path, _Labelled(app, endpoint.path), methods=[endpoint.method])


class _Labelled:
    """Leaves the endpoint's path in the scope, for the log."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ENDPOINT_KEY] = self._path
        await self._app(scope, receive, send)


class _EndpointApp:
    """Reads a request by the rules of its endpoint, has it answered, and tells every error."""

    def __init__(
        self, endpoint: Endpoint[Any], contract: Contract, limiter: OverloadLimiter
    ) -> None:
        self._endpoint = endpoint
        self._contract = contract
        self._limiter = limiter
        self._query = [each for each in endpoint.parameters if each.place is Place.QUERY]
        self._path = [each for each in endpoint.parameters if each.place is Place.PATH]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            reply = await self._reply(scope, receive)
        except ClientDisconnect:
            return  # Nobody is left to be answered.
        except ImmuniError as error:
            reply = self._contract.refusal(error)
            if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                log_fault(error, endpoint=self._endpoint.path)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets our body
            reply = self._contract.refusal(error)
            log_fault(error, endpoint=self._endpoint.path)
        is_error = reply.status >= HTTPStatus.BAD_REQUEST
        cache_control = NO_STORE if is_error else self._endpoint.cache_control
        await send_reply(reply, send, cache_control=cache_control)

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        headers = Headers(scope["headers"])
        if scope["raw_path"] != scope["path"].encode("ascii", "replace"):
            raise PathError("path must not be percent encoded")
        query = parse_query(scope["query_string"], self._query)
        path = scope.get("path_params", {})
        check_path(path, self._path)
        body = await self._body(headers, receive)
        with self._limiter.working():
            call = Call(
                self._parsed(body),
                headers,
                query=query,
                path=path,
                source=source_of(scope),
                is_head=scope["method"] == "HEAD",
            )
            return await self._endpoint.handler(call)

    def _parsed(self, body: bytes | None) -> Any:  # noqa: ANN401 - the endpoint knows its type
        if body is None or self._endpoint.request is None:
            return None
        return self._contract.parse(self._endpoint.request, body)

    async def _body(self, headers: Headers, receive: Receive) -> bytes | None:
        if self._endpoint.request is None or self._endpoint.method is not Method.POST:
            return None
        if not self._contract.is_json(headers.one("content-type") or ""):
            raise ContentTypeError("content type must be application json")
        return await read_body(headers, receive, self._contract.limits)


def _framework_refusal(error: Exception, contract: Contract) -> Response:
    """Tell what Starlette refuses by itself (404, 405) the way everything else is told."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict((error.headers if isinstance(error, HTTPException) else None) or {})
    body = contract.error_body(contract.general_code, HTTPStatus(status).phrase)
    start, _ = Reply(HTTPStatus(status), body, headers=headers).messages(cache_control=NO_STORE)
    response = Response(body, status_code=status)
    response.raw_headers = list(start["headers"])
    return response
