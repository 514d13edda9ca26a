"""Requests to the Analytics Service, dummies like genuine ones. Pure.

A report has one size by nature: flags are integers, provinces have two letters, a date is always
there; so it takes no padding.

Source:
    HTTP API, "Analytics"; Traffic analysis mitigation, "Equal sizes".
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from immuni.api import AnalyticsToken, AppleOperationalInfo, GoogleOperationalInfo, encode
from immuni.api.headers import AUTHORIZATION, DUMMY_DATA, JSON_CONTENT_TYPE

_AUTHORISATION_PATH: Final = "/v1/analytics/apple/token"
_APPLE_PATH: Final = "/v1/analytics/apple/operational-info"
_GOOGLE_PATH: Final = "/v1/analytics/google/operational-info"


def token_packet(token: AnalyticsToken, *, authority: str) -> bytes:
    """Return the request for the authorisation of a token."""
    return _packet(_AUTHORISATION_PATH, authority, (), token)


def apple_packet(
    info: AppleOperationalInfo, *, digits: str, authority: str, is_dummy: bool
) -> bytes:
    """Return a report of an iOS phone.

    Args:
        info: What it says.
        digits: The analytics token's; random ones in a dummy.
        authority: Host and port for the Host header.
        is_dummy: Whether the request says of itself that it means nothing.
    """
    lines = (f"{AUTHORIZATION}: Bearer {digits}", _dummy_line(is_dummy=is_dummy))
    return _packet(_APPLE_PATH, authority, lines, info)


def google_packet(info: GoogleOperationalInfo, *, authority: str, is_dummy: bool) -> bytes:
    """Return a report of an Android phone; see `apple_packet`."""
    return _packet(_GOOGLE_PATH, authority, (_dummy_line(is_dummy=is_dummy),), info)


def _dummy_line(*, is_dummy: bool) -> str:
    return f"{DUMMY_DATA}: {int(is_dummy)}"


def _packet(path: str, authority: str, lines: Sequence[str], content: msgspec.Struct) -> bytes:
    body = encode(content)
    head = (
        f"POST {path} HTTP/1.1",
        f"Host: {authority}",
        *lines,
        f"Content-Type: {JSON_CONTENT_TYPE}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*head, "")).encode("ascii") + body
