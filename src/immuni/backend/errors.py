"""Refusals of the services, and the one table of how each is told.

Source:
    HTTP API, table of errors.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from psycopg import OperationalError

from immuni.api import ErrorCode, MalformedRequestError, UnknownProvinceError
from immuni.backend.chunks import ChunkStoreError
from immuni.backend.signing import SigningFailedError
from immuni.database import DatabaseError
from immuni.errors import ImmuniError
from immuni.web import (
    BodyTimeoutError,
    BodyTooLargeError,
    ErrorAnswer,
    OverloadedError,
    RangeError,
    RetryLaterError,
    ShellError,
)


class InvalidRequestError(ImmuniError, ValueError):
    """A well-formed request breaks a rule of its service; nothing was consumed or kept."""


class OtpUnknownError(ImmuniError, PermissionError):
    """An OTP grants nothing: never authorised, expired, or used for other keys."""


class OtpAlreadyAuthorisedError(ImmuniError, ValueError):
    """An OTP is authorised and alive; it stays as it was."""


class TooManyRequestsError(RetryLaterError):
    """A source has asked too often; nothing was looked at."""


class UnavailableError(RetryLaterError):
    """Something that the service depends on does not answer; nothing was done."""


class ChunkNotFoundError(ImmuniError, LookupError):
    """No chunk with this number can be downloaded, no longer or not yet."""


class SettingsStaleError(ImmuniError):
    """Another set of settings was published since; nothing was written."""


class SettingsVersionUnknownError(ImmuniError, LookupError):
    """No set of settings of that version was ever published."""


class RequestIdTakenError(ImmuniError, ValueError):
    """A request's id stands for something else that was done already; nothing was written."""


class NoChunksError(ImmuniError, LookupError):
    """Nothing was published yet, or all of it has expired."""


ANSWERS: Final[Mapping[type[Exception], ErrorAnswer]] = {
    MalformedRequestError: ErrorAnswer(
        status=HTTPStatus.BAD_REQUEST, code=ErrorCode.MALFORMED_REQUEST
    ),
    InvalidRequestError: ErrorAnswer(
        status=HTTPStatus.BAD_REQUEST, code=ErrorCode.MALFORMED_REQUEST
    ),
    UnknownProvinceError: ErrorAnswer(
        status=HTTPStatus.BAD_REQUEST, code=ErrorCode.MALFORMED_REQUEST
    ),
    ShellError: ErrorAnswer(status=HTTPStatus.BAD_REQUEST, code=ErrorCode.MALFORMED_REQUEST),
    BodyTooLargeError: ErrorAnswer(
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, code=ErrorCode.GENERAL
    ),
    BodyTimeoutError: ErrorAnswer(status=HTTPStatus.REQUEST_TIMEOUT, code=ErrorCode.GENERAL),
    RangeError: ErrorAnswer(
        status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, code=ErrorCode.GENERAL
    ),
    OtpUnknownError: ErrorAnswer(status=HTTPStatus.UNAUTHORIZED, code=ErrorCode.OTP_UNAUTHORISED),
    OtpAlreadyAuthorisedError: ErrorAnswer(
        status=HTTPStatus.CONFLICT, code=ErrorCode.OTP_ALREADY_AUTHORISED
    ),
    TooManyRequestsError: ErrorAnswer(
        status=HTTPStatus.TOO_MANY_REQUESTS, code=ErrorCode.TOO_MANY_REQUESTS
    ),
    RetryLaterError: ErrorAnswer(status=HTTPStatus.SERVICE_UNAVAILABLE, code=ErrorCode.GENERAL),
    OverloadedError: ErrorAnswer(status=HTTPStatus.SERVICE_UNAVAILABLE, code=ErrorCode.GENERAL),
    OperationalError: ErrorAnswer(status=HTTPStatus.SERVICE_UNAVAILABLE, code=ErrorCode.GENERAL),
    DatabaseError: ErrorAnswer(status=HTTPStatus.SERVICE_UNAVAILABLE, code=ErrorCode.GENERAL),
    SigningFailedError: ErrorAnswer(status=HTTPStatus.SERVICE_UNAVAILABLE, code=ErrorCode.GENERAL),
    ChunkStoreError: ErrorAnswer(status=HTTPStatus.SERVICE_UNAVAILABLE, code=ErrorCode.GENERAL),
    ChunkNotFoundError: ErrorAnswer(status=HTTPStatus.NOT_FOUND, code=ErrorCode.CHUNK_NOT_FOUND),
    NoChunksError: ErrorAnswer(status=HTTPStatus.NOT_FOUND, code=ErrorCode.NO_CHUNKS),
    SettingsStaleError: ErrorAnswer(status=HTTPStatus.CONFLICT, code=ErrorCode.SETTINGS_STALE),
    SettingsVersionUnknownError: ErrorAnswer(
        status=HTTPStatus.NOT_FOUND, code=ErrorCode.SETTINGS_VERSION_UNKNOWN
    ),
    RequestIdTakenError: ErrorAnswer(status=HTTPStatus.CONFLICT, code=ErrorCode.REQUEST_ID_TAKEN),
}
"""From the class of an error to its answer; the nearest ancestor counts, else it is a 500."""
