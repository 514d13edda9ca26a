"""One HTTP/1.1 request in one buffer, and its answer.

A library that sends the header block and the body apart shows both lengths in the TLS records, so
the requests whose size must say nothing go through this small writer.

Source:
    Traffic analysis mitigation, "Equal sizes".
"""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Self
from urllib.parse import urlsplit

import httptools

from immuni.errors import ImmuniError

MAX_ANSWER_BYTES: Final = 64 * 1024
_READ_BYTES: Final = 16 * 1024
_GOODBYE: Final = timedelta(seconds=2)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class ServerUnreachableError(ImmuniError, ConnectionError):
    """A server could not be reached, broke off, or answered something that is not HTTP.

    Whether it acted upon the request is not known.
    """


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a host of the API is.

    Attributes:
        host: Name or address.
        port: TCP port.
        tls: The trust roots and limits of TLS, None for plain HTTP on one machine.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str, *, tls: ssl.SSLContext) -> Self:
        """Read a base URL; `tls` is used where its scheme is https.

        Raises:
            ValueError: The scheme is neither http nor https, or there is no host.
        """
        parts = urlsplit(url)
        if parts.scheme not in _DEFAULT_PORTS or parts.hostname is None:
            raise ValueError("a base URL is http://host[:port] or https://host[:port]")
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
        return cls(parts.hostname, port, tls if parts.scheme == "https" else None)

    @property
    def authority(self) -> str:
        """What stands in the Host header."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status, headers (names in lower case) and body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


async def exchange(request: bytes, address: ServerAddress, *, within: timedelta) -> HttpAnswer:
    """Send `request` in one write over a connection of its own, and read the answer.

    Args:
        request: Request line, headers and body.
        address: Where to send it.
        within: Time for everything: connection, TLS, sending and reading.

    Raises:
        ServerUnreachableError: There was no connection, no trust, no time, or no HTTP in answer.
    """
    try:
        async with asyncio.timeout(within.total_seconds()):
            return await _exchange(request, address)
    except (OSError, TimeoutError, EOFError) as error:
        raise ServerUnreachableError(f"no answer: {type(error).__name__}") from error
    except httptools.HttpParserError as error:
        raise ServerUnreachableError("the answer is not HTTP") from error


async def _exchange(request: bytes, address: ServerAddress) -> HttpAnswer:
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=address.tls)
    try:
        writer.write(request)
        await writer.drain()
        return await _read_answer(reader)
    finally:
        writer.close()
        # The answer is complete; how the server says goodbye is of no consequence.
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_GOODBYE.total_seconds()):
                await writer.wait_closed()


async def _read_answer(reader: asyncio.StreamReader) -> HttpAnswer:
    answer = _AnswerReader()
    parser = httptools.HttpResponseParser(answer)
    received = 0
    while not answer.complete:
        data = await reader.read(_READ_BYTES)
        received += len(data)
        if not data or received > MAX_ANSWER_BYTES:
            raise EOFError("the answer is cut off or too long")
        parser.feed_data(data)
    return HttpAnswer(parser.get_status_code(), answer.headers, bytes(answer.body))


class _AnswerReader:
    """Collects what the parser finds; the method names are the parser's."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete = True
