"""The `Date` of every answer, by the server's own clock.

A phone takes its idea of the servers' time from it, so it must be the time by which the servers
decide; in tests that is a clock which stands still.
"""

from collections.abc import Awaitable
from email.utils import formatdate

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from immuni.clock import Clock


class Dated:
    """Adds the `Date` header to every answer of an application."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        """Date the answers of `app` by `clock`."""
        self._app = app
        self._clock = clock
        self._second = 0
        self._header = (b"date", b"")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and date its answer when it leaves."""

        def dating(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message["headers"] = [self._date(), *message.get("headers", ())]
            return send(message)

        await self._app(scope, receive, dating)

    def _date(self) -> tuple[bytes, bytes]:
        second = int(self._clock.now().timestamp())
        if second != self._second:
            # Written once a second, not once a request.
            self._header = (b"date", formatdate(second, usegmt=True).encode("ascii"))
            self._second = second
        return self._header
