"""Connections to the OTP Service, each of which carries one request after the other.

A client for whatever a web may hold spends more of the processor on a request than all else that
an authorisation takes the portal. What is asked here is always the same, and of the answer nothing
counts but its status: httptools parses it, everything else is in the hands of the event loop.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, cast
from urllib.parse import urlsplit

import httptools

_MAX_CONNECTIONS: Final = 8
_MAX_ANSWER_BYTES: Final = 64 * 1024
_IDLE_SECONDS: Final = 4
"""The service closes what was idle for five; what it is about to close is not used."""


class OtpConnections:
    """Sends requests to one service over TLS, over a few connections that are kept."""

    def __init__(self, base_url: str, *, tls: ssl.SSLContext, timeout: timedelta) -> None:
        """Open nothing yet.

        Args:
            base_url: ``https://host:port`` of the service.
            tls: With what each new connection is made.
            timeout: How long one answer may take, waiting for a connection included.

        Raises:
            ValueError: `base_url` is not such a URL.
        """
        url = urlsplit(base_url)
        if url.scheme != "https" or not url.hostname:
            raise ValueError(f"the OTP Service needs an https:// URL, got {base_url!r}")
        self._host, self._port, self._name = url.hostname, url.port or 443, url.netloc
        self._path = url.path.rstrip("/")
        self._tls = tls
        self._timeout = timeout.total_seconds()
        self._turns = asyncio.Semaphore(_MAX_CONNECTIONS)
        self._idle: deque[_Connection] = deque()

    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str], *, fresh: bool = False
    ) -> int:
        """Send a request, and return the status of its answer.

        Args:
            path: Where to.
            body: What is sent.
            headers: Names and values, without line breaks.
            fresh: Whether to trust no connection that is open already.

        Raises:
            OSError: There was no answer, or none in time; the request may have arrived.
        """
        request = self._request(path, body, headers)
        async with asyncio.timeout(self._timeout), self._turns:
            if fresh:
                await self.close()
            connection = self._kept() or await self._connect()
            status = await connection.ask(request)
            if connection.is_reusable:
                self._idle.append(connection)
            return status

    async def close(self) -> None:
        """Close the connections that are idle."""
        while self._idle:
            self._idle.pop().abort()

    def _kept(self) -> "_Connection | None":
        """Return a connection that is open; the one used last, so that others may end."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_reusable and connection.idle_seconds < _IDLE_SECONDS:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> "_Connection":
        _, connection = await asyncio.get_running_loop().create_connection(
            _Connection, self._host, self._port, ssl=self._tls
        )
        return connection

    def _request(self, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        lines = [
            f"POST {self._path}{path} HTTP/1.1",
            f"Host: {self._name}",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body


class _Connection(asyncio.Protocol):
    """One connection: asks, waits for the answer, may ask again."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[int] | None = None
        self._answer_bytes = 0
        self._used_at = self._loop.time()
        self.is_reusable = True

    @property
    def idle_seconds(self) -> float:
        """For how long nothing was asked."""
        return self._loop.time() - self._used_at

    async def ask(self, request: bytes) -> int:
        """Send a request and return the status of the answer; what fails is over.

        Raises:
            OSError: The connection ended, or what came is no answer.
        """
        if self._transport is None or not self.is_reusable:
            raise ConnectionError("the connection is over")
        self._answer, self._answer_bytes = self._loop.create_future(), 0
        try:
            self._transport.write(request)
            return await self._answer
        except BaseException:
            # Whoever does not wait any longer leaves an answer on its way to nobody.
            self.abort()
            raise
        finally:
            self._answer, self._used_at = None, self._loop.time()

    def abort(self) -> None:
        """End the connection at once."""
        self.is_reusable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._answer_bytes += len(data)
        if self._answer is None or self._answer_bytes > _MAX_ANSWER_BYTES:
            self._fail(ConnectionError("more came than was asked for"))
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionError(f"what came is no answer: {type(error).__name__}"))

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        self.is_reusable = self.is_reusable and self._parser.should_keep_alive()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_reusable = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(f"the connection ended: {error}"))

    def _fail(self, error: ConnectionError) -> None:
        self.abort()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
