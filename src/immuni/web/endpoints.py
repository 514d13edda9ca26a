"""The table of an HTTP service: its endpoints, from which routes and OpenAPI both come."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from starlette.types import ASGIApp, Scope

from immuni.errors import ImmuniError
from immuni.web.bodies import BodyLimits
from immuni.web.errors import RangeError, RetryLaterError
from immuni.web.messages import NO_STORE, Call, Headers, Reply
from immuni.web.parameters import Parameter
from immuni.web.reply_headers import ReplyHeader

B = TypeVar("B")

_WAIT_FOR_A_DEPENDENCY_SECONDS: Final = "5"

BodyReader: TypeAlias = Callable[[], Awaitable[bytes]]
"""Reads a request's body, when it is wanted."""


class Answering(Protocol):
    """An endpoint, as what is wrapped around it sees it."""

    async def answer(self, scope: Scope, headers: Headers, read: BodyReader) -> Reply:
        """Return what a request is answered with, be it an error."""
        ...


Layer: TypeAlias = Callable[[Answering], ASGIApp]
"""Makes an application of an endpoint that decides how its answers leave."""


class Method(StrEnum):
    """The methods of the API; HEAD works wherever GET does."""

    GET = "GET"
    POST = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Generic[B]):
    """One row of the table.

    Attributes:
        method: GET or POST.
        path: Path, with its parameters in braces.
        summary: What it does, in a few words.
        handler: Answers a call; raises one of `errors` to refuse it.
        request: Type of the JSON body; None reads no body.
        replies: For each status of success, the type of its body: a struct, a media type such as
            ``application/zip``, or None where there is no body.
        parameters: What may stand in query, path and headers.
        errors: What it refuses with, beside the shell's own; for the document.
        cache_control: Said on success of a GET; everything else is not to be stored.
        layer: Wraps the endpoint; None lets its answers leave as they are.
        says: Header lines of its answers, beside those of every answer; for the document.
        example: A request's body; for the document.
        reply_examples: For statuses of success the body of an answer; for the document.
    """

    method: Method
    path: str
    summary: str
    handler: Callable[[Call[B]], Awaitable[Reply]]
    replies: Mapping[HTTPStatus, type[Any] | str | None]
    request: type[B] | None = None
    parameters: Sequence[Parameter] = ()
    errors: Sequence[type[ImmuniError]] = ()
    cache_control: str = NO_STORE
    layer: Layer | None = None
    says: Sequence[ReplyHeader] = ()
    example: B | None = None
    reply_examples: Mapping[HTTPStatus, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAnswer:
    """How a kind of error is told: HTTP status and code in the body."""

    status: HTTPStatus
    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What all endpoints of an API share.

    Attributes:
        parse: Reads a body; raises an error that `answers` knows.
        encode: Writes the body of a request or an answer.
        error_body: Writes the body of a refusal from its code and message.
        error_type: The struct that `error_body` writes.
        schemas: Returns the JSON schemas of types and the components that they refer to.
        answers: From the class of an error to its answer; the nearest ancestor counts.
        general_code: Code of the framework's own refusals and of faults of ours.
        is_json: Tells whether a Content-Type is the one that bodies have.
        limits: How much of a body is read, and for how long.
    """

    parse: Callable[[type[Any], bytes], Any]
    encode: Callable[[Any], bytes]
    error_body: Callable[[int, str], bytes]
    error_type: type[Any]
    schemas: Callable[..., tuple[tuple[dict[str, Any], ...], dict[str, Any]]]
    answers: Mapping[type[Exception], ErrorAnswer]
    general_code: int
    is_json: Callable[[str], bool]
    limits: BodyLimits

    def answer_to(self, kind: type[BaseException]) -> ErrorAnswer:
        """Return how errors of this class are told; what nobody foresaw is our fault."""
        for ancestor in kind.__mro__:
            if ancestor in self.answers:
                return self.answers[ancestor]
        return ErrorAnswer(status=HTTPStatus.INTERNAL_SERVER_ERROR, code=self.general_code)

    def refusal(self, error: Exception) -> Reply:
        """Return the reply that tells `error`; one that nobody foresaw tells nothing."""
        answer = self.answer_to(type(error))
        known = isinstance(error, ImmuniError) and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
        message = str(error) if known else answer.status.phrase
        body = self.error_body(answer.code, message)
        return Reply(status=answer.status, body=body, headers=_headers_of(error, answer.status))


def _headers_of(error: Exception, status: HTTPStatus) -> dict[str, str]:
    if isinstance(error, RangeError):
        return {"content-range": f"bytes */{error.size_bytes}"}
    if isinstance(error, RetryLaterError):
        return {"retry-after": str(max(1, round(error.retry_after.total_seconds())))}
    # A dependency that is down raises errors of its own library, which know no wait.
    is_down = status is HTTPStatus.SERVICE_UNAVAILABLE
    return {"retry-after": _WAIT_FOR_A_DEPENDENCY_SECONDS} if is_down else {}


@asynccontextmanager
async def nothing_to_run() -> AsyncIterator[None]:
    """Accompany a service that does nothing between requests."""
    yield


async def always_ready() -> None:
    """Say that a service which depends on nothing is ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One of the services of an application.

    Attributes:
        name: Short name, for logs, metrics and the document.
        title: What people call it.
        endpoints: Its table.
        is_ready: Raises unless its database and store answer.
        running: Accompanies the application: what the service does between requests.
    """

    name: str
    title: str
    endpoints: Sequence[Endpoint[Any]]
    is_ready: Callable[[], Awaitable[None]] = always_ready
    running: Callable[[], AbstractAsyncContextManager[None]] = nothing_to_run


def endpoints_of(services: Iterable[Service]) -> list[Endpoint[Any]]:
    """Return the endpoints of several services."""
    return [endpoint for service in services for endpoint in service.endpoints]
