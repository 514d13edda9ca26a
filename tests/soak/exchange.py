"""One request on a connection of its own, as phones make them."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from immuni.deployment.roles import LOOPBACK

_PATIENCE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: HTTP status.
        headers: By name, in lower case.
        body: What follows.
        seconds: From the moment when the request began to leave.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


async def exchange(port: int, packet: bytes, tls: ssl.SSLContext | None = None) -> Answer:
    """Send a request that closes its connection, and read the answer to its end.

    Raises:
        OSError: There was no answer.
        TimeoutError: Not in time.
    """
    async with asyncio.timeout(_PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection(LOOPBACK, port, ssl=tls)
        try:
            begun = time.perf_counter()
            writer.write(packet)
            answer = await reader.read()
            seconds = time.perf_counter() - begun
        finally:
            writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    if not status.startswith("HTTP/1.1 "):
        raise ConnectionError("no answer came")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return Answer(int(status[9:12]), headers, body, seconds)


def get(path: str, *, method: str = "GET", **headers: str) -> bytes:
    """Return a request without a body."""
    return _packet(method, path, headers, b"")


def post(path: str, body: bytes, **headers: str) -> bytes:
    """Return a request with a body; ``_`` in a header's name stands for a hyphen."""
    named = {"Content_Type": "application/json", "Content_Length": str(len(body)), **headers}
    return _packet("POST", path, named, body)


def _packet(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    named = {"Host": LOOPBACK, "Connection": "close", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in named.items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode("ascii") + body
