"""One endpoint: a request is read by its rules, handled, and every error is told."""

from http import HTTPStatus
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from immuni.errors import ImmuniError
from immuni.web.bodies import read_body
from immuni.web.endpoints import BodyReader, Contract, Endpoint, Method
from immuni.web.errors import ContentTypeError, PathError
from immuni.web.messages import NO_STORE, Call, Headers, Reply, send_reply
from immuni.web.observing import log_fault
from immuni.web.overload import OverloadLimiter
from immuni.web.parameters import Place, check_path, parse_query
from immuni.web.sources import source_of


class EndpointApp:
    """The application of an endpoint."""

    def __init__(
        self, endpoint: Endpoint[Any], contract: Contract, limiter: OverloadLimiter
    ) -> None:
        """Answer for `endpoint`, while `limiter` lets requests be worked on."""
        self._endpoint = endpoint
        self._contract = contract
        self._limiter = limiter
        self._query = [each for each in endpoint.parameters if each.place is Place.QUERY]
        self._path = [each for each in endpoint.parameters if each.place is Place.PATH]
        self._reads_body = endpoint.request is not None and endpoint.method is Method.POST

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as soon as it is handled."""
        headers = Headers(scope["headers"])

        async def read() -> bytes:
            return await read_body(scope, headers, receive, self._contract.limits)

        try:
            reply = await self.answer(scope, headers, read)
        except ClientDisconnect:
            return  # Nobody is left to be answered.
        is_error = reply.status >= HTTPStatus.BAD_REQUEST
        cache_control = NO_STORE if is_error else self._endpoint.cache_control
        await send_reply(reply, send, cache_control=cache_control)

    async def answer(self, scope: Scope, headers: Headers, read: BodyReader) -> Reply:
        """Return what a request is answered with, be it an error.

        Raises:
            ClientDisconnect: The client went away before its body had come.
        """
        try:
            return await self._handled(scope, headers, read)
        except ClientDisconnect:
            raise
        except ImmuniError as error:
            reply = self._contract.refusal(error)
            if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                log_fault(error, endpoint=self._endpoint.path)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets our body
            reply = self._contract.refusal(error)
            log_fault(error, endpoint=self._endpoint.path)
        return reply

    async def _handled(self, scope: Scope, headers: Headers, read: BodyReader) -> Reply:
        if scope["raw_path"] != scope["path"].encode("ascii", "replace"):
            raise PathError("path must not be percent encoded")
        query = parse_query(scope["query_string"], self._query)
        path = scope.get("path_params", {})
        check_path(path, self._path)
        body = await self._body(headers, read)
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

    async def _body(self, headers: Headers, read: BodyReader) -> bytes | None:
        if not self._reads_body:
            return None
        if not self._contract.is_json(headers.one("content-type") or ""):
            raise ContentTypeError("content type must be application json")
        return await read()
