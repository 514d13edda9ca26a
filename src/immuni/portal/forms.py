"""Forms as browsers send them, read with limits."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from immuni.errors import ImmuniError
from immuni.portal.sessions import Session
from immuni.web import BodyLimits, Headers, read_body

_LIMITS: Final = BodyLimits(max_body_size=16 * 1024, body_timeout=timedelta(seconds=10))
_MAX_FIELDS: Final = 20
_CONTENT_TYPE: Final = "application/x-www-form-urlencoded"


class MalformedFormError(ImmuniError, ValueError):
    """The body is no form of ours; nothing was done."""


class ForeignFormError(ImmuniError, PermissionError):
    """A form was not made for the session that sends it; nothing was done."""


async def read_form(request: Request) -> Mapping[str, str]:
    """Return the fields of a form.

    Raises:
        MalformedFormError: It is not an URL-encoded form in UTF-8 with each name once.
        ShellError: The body is too long, or too slow.
    """
    headers = Headers(request.scope["headers"])
    media_type = (headers.one("content-type") or "").partition(";")[0].strip().lower()
    if media_type != _CONTENT_TYPE:
        raise MalformedFormError(f"want a body of type {_CONTENT_TYPE}")
    body = await read_body(request.scope, headers, request.receive, _LIMITS)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError as error:
        raise MalformedFormError("the body is not a form") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise MalformedFormError("a field is there twice")
    return form


async def read_own_form(request: Request, session: Session) -> Mapping[str, str]:
    """Return the fields of a form that a page of this session holds.

    Raises:
        MalformedFormError: As for `read_form`.
        ShellError: As for `read_form`.
        ForeignFormError: It was not made for this session; nothing was done.
    """
    form = await read_form(request)
    if not session.wrote(form.get("csrf", "")):
        raise ForeignFormError("the form was not made for this session")
    return form
