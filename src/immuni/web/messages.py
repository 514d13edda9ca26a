"""A call that was read, and the reply to it: what an endpoint's handler sees of HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Final, Generic, TypeVar

from starlette.types import Message, Send

from immuni.web.errors import HeaderError

B_co = TypeVar("B_co", covariant=True)

NO_STORE: Final = "no-store"
JSON: Final = "application/json; charset=utf-8"


@cache
def _as_sent(name: str) -> bytes:
    """Return a header's name as the server hands it on; there are only so many."""
    return name.lower().encode("ascii")


class Headers:
    """A request's header lines; names in any case."""

    __slots__ = ("_lines", "_values")

    def __init__(self, lines: Sequence[tuple[bytes, bytes]]) -> None:
        """Read header lines as the server hands them on, names in lower case."""
        self._lines = lines
        self._values = dict(lines)

    def one(self, name: str) -> str | None:
        """Return the value of a header, None when it is missing.

        Raises:
            HeaderError: It stands more than once, or is not ASCII.
        """
        wanted = _as_sent(name)
        value = self._values.get(wanted)
        if value is None:
            return None
        if len(self._values) < len(self._lines) and self._count(wanted) > 1:
            raise HeaderError(f"header {name.replace('-', ' ')} repeated")
        try:
            return value.decode("ascii")
        except UnicodeDecodeError:
            raise HeaderError(f"header {name.replace('-', ' ')} malformed") from None

    def joined(self, name: str) -> str:
        """Return the values of a header that is a list, empty when it is missing."""
        wanted = _as_sent(name)
        return ", ".join(
            value.decode("latin-1") for header, value in self._lines if header == wanted
        )

    def _count(self, wanted: bytes) -> int:
        return sum(name == wanted for name, _ in self._lines)


@dataclass(frozen=True, slots=True)
class Call(Generic[B_co]):
    """One request, as far as the shell vouches for it.

    Attributes:
        body: The parsed body; None where the endpoint reads none.
        headers: Header lines, as they came.
        query: The arguments that the endpoint names, each valid.
        path: The path's parameters, each valid.
        source: Address that it came from, for limits only: never logged, stored or repeated.
        is_head: Whether only the headers of the reply will be sent.
    """

    body: B_co = field(repr=False)
    headers: Headers = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict, repr=False)
    source: str = field(default="", repr=False)
    is_head: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back.

    Attributes:
        status: HTTP status.
        body: Bytes of the body; empty where the status has none.
        content_type: Its type.
        headers: Further header lines.
    """

    status: HTTPStatus = HTTPStatus.OK
    body: bytes = field(default=b"", repr=False)
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    def messages(self, *, cache_control: str) -> tuple[Message, Message]:
        """Return the two ASGI messages that send it."""
        lines = {"cache-control": cache_control, "x-content-type-options": "nosniff"}
        if self.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            lines["content-length"] = str(len(self.body))
        if self.body:
            lines["content-type"] = self.content_type
        lines.update(self.headers)
        raw = [(_as_sent(name), value.encode("ascii")) for name, value in lines.items()]
        return (
            {"type": "http.response.start", "status": int(self.status), "headers": raw},
            {"type": "http.response.body", "body": self.body},
        )


async def send_reply(reply: Reply, send: Send, *, cache_control: str = NO_STORE) -> None:
    """Send `reply` whole."""
    for message in reply.messages(cache_control=cache_control):
        await send(message)
