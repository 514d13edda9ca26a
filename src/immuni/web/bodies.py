"""Reading a body: never more than the limit, never for longer than the time-out."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from immuni.web.errors import BodyTimeoutError, BodyTooLargeError
from immuni.web.messages import Headers

WHOLE_BODY_KEY: Final = "immuni.whole_body"
"""Where in the scope the server says that a request's body has arrived already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimits:
    """How much of a body is read, and for how long."""

    max_body_size: int = 256 * 1024
    body_timeout: timedelta = timedelta(seconds=30)


async def read_body(
    scope: Scope, headers: Headers, receive: Receive, limits: BodyLimits, *, keep: bool = True
) -> bytes:
    """Read a request's body to its end.

    Args:
        scope: What the server says of the request.
        headers: The request's headers; an announced length over the limit is refused unread.
        receive: Where the body comes from.
        limits: What is bearable.
        keep: False drops the bytes as they come, and returns none.

    Raises:
        BodyTooLargeError: There is more than the limit; the rest was not read.
        BodyTimeoutError: It did not end in time.
        ClientDisconnect: The client went away.
    """
    announced = headers.one("content-length")
    if announced is not None and announced.isdecimal() and int(announced) > limits.max_body_size:
        raise BodyTooLargeError("body too large")
    if WHOLE_BODY_KEY in scope:  # A time-out for nothing costs more than everything else here.
        return await _read(receive, limits.max_body_size, keep=keep)
    try:
        async with asyncio.timeout(limits.body_timeout.total_seconds()):
            return await _read(receive, limits.max_body_size, keep=keep)
    except TimeoutError:
        raise BodyTimeoutError("body too slow") from None


async def _read(receive: Receive, max_body_size: int, *, keep: bool) -> bytes:
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size > max_body_size:
            raise BodyTooLargeError("body too large")
        if keep:
            parts.append(part)
        more = message.get("more_body", False)
        # Else a slow phone would have what was dropped held until its next bytes come.
        del message, part
    return b"".join(parts)
