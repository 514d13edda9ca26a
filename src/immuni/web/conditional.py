"""Conditional and range requests.

Source:
    RFC 9110, sections 8.8.3 (ETag), 13 (conditional requests), 14 (ranges).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from immuni.web.errors import RangeError
from immuni.web.messages import JSON, Call, Headers, Reply

_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_TAG: Final = re.compile(r'(?:W/)?("[\x21\x23-\x7e]*")')


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A representation that can be asked for in part, or only if it changed.

    Attributes:
        body: All of it.
        etag: Strong entity tag, with its quotes: the same bytes always have the same.
        content_type: Its type.
        headers: Further headers, also of an answer that says "not modified".
    """

    body: bytes = field(repr=False)
    etag: str
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def entity_tag(digest: bytes) -> str:
    """Return the strong tag of a representation whose digest this is."""
    return f'"{digest.hex()}"'


def serve(call: Call[Any], content: Content, *, ranges: bool = False) -> Reply:
    """Answer a GET or HEAD for `content`: whole, in part, or not modified.

    Args:
        call: What was asked.
        content: What there is.
        ranges: Whether it may be asked for in part. Several ranges at once, and what is no range
            of bytes, are answered whole, as the standard leaves it to us.

    Raises:
        RangeError: The range begins behind the end.
    """
    headers = {"etag": content.etag, **content.headers}
    if _is_unchanged(call.headers, content.etag):
        return Reply(HTTPStatus.NOT_MODIFIED, headers=headers)
    if ranges:
        headers["accept-ranges"] = "bytes"
    part = _range(call, content) if ranges else None
    if part is None:
        return Reply(HTTPStatus.OK, content.body, content.content_type, headers)
    headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{len(content.body)}"
    body = content.body[part.start : part.stop]
    return Reply(HTTPStatus.PARTIAL_CONTENT, body, content.content_type, headers)


def _is_unchanged(headers: Headers, etag: str) -> bool:
    asked = headers.joined("if-none-match")
    # A weak comparison, as the standard wants it here.
    return asked.strip() == "*" or etag in _TAG.findall(asked)


def _range(call: Call[Any], content: Content) -> range | None:
    """Return the part that is wanted, None for the whole."""
    wanted = _RANGE.fullmatch((call.headers.one("range") or "").replace(" ", ""))
    if call.is_head or wanted is None or wanted[0] == "bytes=-":
        return None
    first, last = wanted[1], wanted[2]
    if first and last and int(first) > int(last):
        return None  # It is no range, wherever it begins.
    if_range = call.headers.one("if-range")
    if if_range is not None and if_range != content.etag:
        return None
    size = len(content.body)
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if start >= size:
        raise RangeError("range behind the end", size_bytes=size)
    return range(start, stop)
