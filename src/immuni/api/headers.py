"""Names of the API's headers, and what may stand in them."""

import string
from datetime import UTC, datetime
from typing import Final

from immuni.api.errors import MalformedRequestError

AUTHORIZATION: Final = "Authorization"
DUMMY_DATA: Final = "Immuni-Dummy-Data"
CLIENT_CLOCK: Final = "Immuni-Client-Clock"
PADDING: Final = "Immuni-Padding"
"""Fills answers up to one size."""
REQUEST_ID: Final = "Immuni-Request-Id"
"""Tells a repeated authorisation from a second one; sent by the health information system."""
SETTINGS_SIGNATURE: Final = "Immuni-Signature"
SETTINGS_VERSION: Final = "Immuni-Settings-Version"
SETTINGS_ISSUED_AT: Final = "Immuni-Issued-At"

JSON_CONTENT_TYPE: Final = "application/json; charset=utf-8"
"""Exactly what every JSON answer says, and what our own phones send."""
ZIP_CONTENT_TYPE: Final = "application/zip"

_LOWER_HEX: Final = frozenset("0123456789abcdef")
_MAX_CLOCK_DIGITS: Final = 11
_MAX_REQUEST_ID_LENGTH: Final = 64
_REQUEST_ID_CHARACTERS: Final = frozenset(string.ascii_letters + string.digits + "-")


def is_json(content_type: str) -> bool:
    """Tell whether a Content-Type means JSON in UTF-8.

    Case and optional white space are as free as RFC 9110 leaves them; a parameter other than
    ``charset=utf-8`` is refused, because nobody who speaks this API sends one.
    """
    media_type, *parameters = (part.strip(" \t").lower() for part in content_type.split(";"))
    meaningful = [parameter for parameter in parameters if parameter]
    return media_type == "application/json" and (
        not meaningful or meaningful in (["charset=utf-8"], ['charset="utf-8"'])
    )


def parse_bearer(value: str | None, *, digits: int) -> str:
    """Return the token of an Authorization header.

    Args:
        value: The header's value, None when it is missing.
        digits: How many lower-case hexadecimal digits the token has.

    Raises:
        MalformedRequestError: It is missing or malformed. Clients take a 401 for a wrong OTP, so
            this is a 400.
    """
    scheme, _, token = (value or "").strip(" \t").partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or len(token) != digits or not _LOWER_HEX.issuperset(token):
        raise MalformedRequestError("header Authorization malformed")
    return token


def parse_dummy_flag(value: str | None) -> bool:
    """Tell whether a request says of itself that it is a dummy.

    Raises:
        MalformedRequestError: The header is missing or neither ``0`` nor ``1``.
    """
    if value not in ("0", "1"):
        raise MalformedRequestError("header Immuni Dummy Data malformed")
    return value == "1"


def parse_client_clock(value: str | None) -> datetime:
    """Return the phone's idea of the time, from its whole seconds since the Unix epoch.

    Raises:
        MalformedRequestError: The header is missing or not a plain number of seconds.
    """
    text = value or ""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_CLOCK_DIGITS):
        raise MalformedRequestError("header Immuni Client Clock malformed")
    return datetime.fromtimestamp(int(text), UTC)


def parse_request_id(value: str | None) -> str | None:
    """Return the id under which an authorisation may be repeated, None when there is none.

    Raises:
        MalformedRequestError: It is not 1..64 letters, digits and hyphens.
    """
    if value is None:
        return None
    if not (1 <= len(value) <= _MAX_REQUEST_ID_LENGTH and _REQUEST_ID_CHARACTERS.issuperset(value)):
        raise MalformedRequestError("header Immuni Request Id malformed")
    return value
