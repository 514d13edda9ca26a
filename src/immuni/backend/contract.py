"""What the five services have in common: the API's types and errors, bound to the HTTP shell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from prometheus_client import CollectorRegistry

from immuni.api import (
    ErrorBody,
    ErrorCode,
    encode,
    error_message,
    json_schemas,
    parse_request,
)
from immuni.api.headers import is_json
from immuni.api.limits import MAX_BODY_SIZE
from immuni.backend.errors import ANSWERS
from immuni.settings import duration, flag, integer, setting
from immuni.web import (
    Application,
    BodyLimits,
    Contract,
    HttpMetrics,
    OverloadLimiter,
    Service,
    build_app,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """What bounds every request to every service, and what they say of themselves."""

    max_body_size: int = setting(
        integer(120_000, 16 * MAX_BODY_SIZE),
        default=MAX_BODY_SIZE,
        meaning="Bytes of a request's body; a longer one is refused before it is read whole.",
    )
    body_timeout: timedelta = setting(
        duration("1s", "10m"),
        default=timedelta(seconds=30),
        meaning="How long a body may take to arrive.",
    )
    max_working_requests: int = setting(
        integer(1, 100_000),
        default=512,
        meaning="Requests that one process works on at once; the next is told to come again.",
    )
    expose_docs: bool = setting(
        flag(),
        default=False,
        meaning="Whether each service answers /openapi.json with its own description.",
    )


def contract(settings: HttpSettings) -> Contract:
    """Return the contract of the API, with the limits of this deployment."""
    return Contract(
        parse=parse_request,
        encode=encode,
        error_body=_error_body,
        error_type=ErrorBody,
        schemas=json_schemas,
        answers=ANSWERS,
        general_code=ErrorCode.GENERAL,
        is_json=is_json,
        limits=BodyLimits(max_body_size=settings.max_body_size, body_timeout=settings.body_timeout),
    )


def _error_body(code: int, message: str) -> bytes:
    return encode(ErrorBody(error_code=code, message=error_message(message)))


def create_app(
    services: Sequence[Service],
    *,
    settings: HttpSettings,
    registry: CollectorRegistry,
    limiter: OverloadLimiter | None = None,
) -> Application:
    """Build the application that answers for `services` on one host.

    Args:
        services: One or more of the five; their paths differ.
        settings: What bounds every request, and whether ``/openapi.json`` is answered.
        registry: Where requests are counted; one application each.
        limiter: Shared with the shaping layer where there is one; one of its own where None.
    """
    return build_app(
        services,
        contract(settings),
        metrics=HttpMetrics(registry),
        limiter=limiter or OverloadLimiter(max_working=settings.max_working_requests),
        expose_docs=settings.expose_docs,
    )
