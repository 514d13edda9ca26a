"""Error codes and the body that every refusal carries."""

from enum import IntEnum
from typing import Annotated, Final

import msgspec

from immuni.api.limits import MAX_ERROR_MESSAGE_LENGTH
from immuni.errors import ImmuniError

_MESSAGE_PATTERN: Final = rf"^[A-Za-z0-9 .]{{1,{MAX_ERROR_MESSAGE_LENGTH}}}$(?!\n)"


class ErrorCode(IntEnum):
    """What a refusal says to a program.

    Source:
        HTTP API, table of errors.
    """

    GENERAL = 1000
    """The framework's own refusals (404, 405, 413 …) and faults of ours."""
    MALFORMED_REQUEST = 1001
    TOO_MANY_REQUESTS = 1002
    OTP_UNAUTHORISED = 1101
    CHUNK_NOT_FOUND = 1300
    NO_CHUNKS = 1301
    OTP_ALREADY_AUTHORISED = 1400
    SETTINGS_STALE = 1500
    SETTINGS_VERSION_UNKNOWN = 1501
    REQUEST_ID_TAKEN = 1502


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON object in every answer of 400 and above.

    Attributes:
        error_code: One of `ErrorCode`; readers take a number that they do not know as `GENERAL`.
        message: What is wrong and where, for people; never repeats what was sent.
    """

    error_code: int
    message: Annotated[str, msgspec.Meta(pattern=_MESSAGE_PATTERN)]


class MalformedRequestError(ImmuniError, ValueError):
    """A request is not as the API defines it; nothing of it was acted upon.

    The message fits `ErrorBody`: at most 64 letters, digits, spaces and full stops.
    """


def error_message(text: str) -> str:
    """Make `text` fit for an error body: only letters, digits, spaces and full stops, shortened.

    Args:
        text: Words of ours. Replacing characters does not make it safe to pass what was sent.
    """
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " .") else " " for c in text)
    return plain[:MAX_ERROR_MESSAGE_LENGTH]
