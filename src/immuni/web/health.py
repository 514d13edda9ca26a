"""``/livez`` and ``/readyz``: whether the process is up, and whether what it needs answers."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from immuni.web.endpoints import Endpoint, Method, Service
from immuni.web.errors import RetryLaterError
from immuni.web.messages import Call, Reply
from immuni.web.observing import log_fault

_LIVE = b'{"status":"live"}'
_READY = b'{"status":"ready"}'


class NotReadyError(RetryLaterError):
    """A database or store that a service needs does not answer."""


def health_endpoints(services: Sequence[Service]) -> list[Endpoint[Any]]:
    """Return the two endpoints that watch over `services`."""

    async def live(_call: Call[None]) -> Reply:
        return Reply(body=_LIVE)

    async def ready(_call: Call[None]) -> Reply:
        for service in services:
            try:
                await service.is_ready()
            except Exception as error:
                log_fault(error, endpoint="/readyz")
                raise NotReadyError(f"{service.name} is not ready") from error
        return Reply(body=_READY)

    return [
        Endpoint(
            method=Method.GET,
            path="/livez",
            summary="Tell that the process is up",
            handler=live,
            replies={HTTPStatus.OK: None},
        ),
        Endpoint(
            method=Method.GET,
            path="/readyz",
            summary="Tell whether database and store answer",
            handler=ready,
            replies={HTTPStatus.OK: None},
            errors=(NotReadyError,),
        ),
    ]
