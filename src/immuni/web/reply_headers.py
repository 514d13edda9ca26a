"""The header lines of answers, for the document: what stands in them, and on which statuses.

The shell, the shaping layer and the services send them; a test holds this table against what is
really sent.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

_NO_LENGTH: Final = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
_HTTP_DATE: Final = (
    "(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    " [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyHeader:
    """One header line of answers.

    Content-Type is none of them: OpenAPI tells it with the body.

    Attributes:
        name: As it is sent, in any case.
        description: What it means.
        pattern: What the whole value looks like.
        example: A value that `pattern` allows.
        statuses: The answers that have it; every answer where empty.
    """

    name: str
    description: str
    pattern: str
    example: str
    statuses: tuple[HTTPStatus, ...] = ()

    def stands_on(self, status: HTTPStatus) -> bool:
        """Tell whether answers of this status have it."""
        return not self.statuses or status in self.statuses

    def described(self) -> dict[str, Any]:
        """Return the OpenAPI object."""
        return {
            "description": self.description,
            "required": True,
            "schema": {"type": "string", "pattern": rf"^{self.pattern}$(?!\n)"},
            "example": self.example,
        }


DATE: Final = ReplyHeader(
    name="Date",
    description="The server's time when the answer left.",
    pattern=_HTTP_DATE,
    example="Sat, 20 Jun 2020 12:00:00 GMT",
)
NO_SNIFF: Final = ReplyHeader(
    name="X-Content-Type-Options",
    description="Content-Type means what it says.",
    pattern="nosniff",
    example="nosniff",
)
CONTENT_LENGTH: Final = ReplyHeader(
    name="Content-Length",
    description="Length of the body in bytes; of a HEAD, of the body that a GET would get.",
    pattern="[0-9]+",
    example="52",
)
RETRY_AFTER: Final = ReplyHeader(
    name="Retry-After",
    description="Seconds after which to come again.",
    pattern="[1-9][0-9]*",
    example="5",
    statuses=(HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE),
)
ETAG: Final = ReplyHeader(
    name="ETag",
    description="Strong tag of these bytes; send it as If-None-Match to get them only if changed.",
    pattern='"[0-9a-f]{64}"',
    example=f'"{"5d" * 32}"',
    statuses=(HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.NOT_MODIFIED),
)
ACCEPT_RANGES: Final = ReplyHeader(
    name="Accept-Ranges",
    description="A part may be asked for with Range.",
    pattern="bytes",
    example="bytes",
    statuses=(HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT),
)
CONTENT_RANGE: Final = ReplyHeader(
    name="Content-Range",
    description="First and last byte of the part, counted from 0, and length of the whole.",
    pattern="bytes [0-9]+-[0-9]+/[0-9]+",
    example="bytes 6-9/1000",
    statuses=(HTTPStatus.PARTIAL_CONTENT,),
)
WHOLE_LENGTH: Final = ReplyHeader(
    name="Content-Range",
    description="Length of the whole, behind which the range began.",
    pattern=r"bytes \*/[0-9]+",
    example="bytes */1000",
    statuses=(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,),
)


def reply_headers(
    status: HTTPStatus, *, cache_control: str, own: Sequence[ReplyHeader]
) -> list[ReplyHeader]:
    """Return the header lines of one answer.

    Args:
        status: Its status.
        cache_control: What it says of caching.
        own: The lines that its endpoint adds to those of every answer.
    """
    caching = ReplyHeader(
        name="Cache-Control",
        description="Who may keep the answer, and for how many seconds.",
        pattern=re.escape(cache_control).replace("\\ ", " ").replace("\\-", "-"),
        example=cache_control,
    )
    length = [] if status in _NO_LENGTH else [CONTENT_LENGTH]
    every = [DATE, caching, NO_SNIFF, *length, RETRY_AFTER, *own]
    return [each for each in every if each.stands_on(status)]
