"""Forms as browsers send them, read with limits."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from immuni.errors import ImmuniError
from immuni.portal.signing_in.session import Session
from immuni.web import BodyLimits, Headers, read_body

_BODY_TIMEOUT: Final = timedelta(seconds=10)
_WITH_FILES: Final = "multipart/form-data"
_CONTENT_TYPE: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormLimits:
    """How much a form may hold.

    Attributes:
        max_body_size: In bytes, as it is sent.
        max_fields: How many fields.
        files: Whether a field may be a file; it comes as its text, bytes that are no UTF-8 as
            U+FFFD.
    """

    max_body_size: int = 16 * 1024
    max_fields: int = 20
    files: bool = False


FORM_LIMITS: Final = FormLimits()


class MalformedFormError(ImmuniError, ValueError):
    """The body is no form of ours; nothing was done."""


class ForeignFormError(ImmuniError, PermissionError):
    """A form was not made for the session that sends it; nothing was done."""


async def read_form(request: Request, limits: FormLimits = FORM_LIMITS) -> Mapping[str, str]:
    """Return the fields of a form.

    Raises:
        MalformedFormError: It is not an URL-encoded form in UTF-8 with each name once.
        ShellError: The body is too long, or too slow.
    """
    headers = Headers(request.scope["headers"])
    media_type = (headers.one("content-type") or "").partition(";")[0].strip().lower()
    with_files = limits.files and media_type == _WITH_FILES
    if media_type != _CONTENT_TYPE and not with_files:
        raise MalformedFormError(f"want a body of type {_CONTENT_TYPE}")
    allowed = BodyLimits(max_body_size=limits.max_body_size, body_timeout=_BODY_TIMEOUT)
    body = await read_body(request.scope, headers, request.receive, allowed)
    pairs = await _pairs_with_files(request, body, limits) if with_files else _pairs(body, limits)
    form = dict(pairs)
    if len(form) != len(pairs):
        raise MalformedFormError("a field is there twice")
    return form


def _pairs(body: bytes, limits: FormLimits) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=limits.max_fields,
        )
    except ValueError as error:
        raise MalformedFormError("the body is not a form") from error


async def _pairs_with_files(
    request: Request, body: bytes, limits: FormLimits
) -> list[tuple[str, str]]:
    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        request.headers,
        whole(),
        max_files=1,
        max_fields=limits.max_fields,
        max_part_size=limits.max_body_size,
    )
    # The body is in memory already, so a file is as well: nothing is written to the disk.
    parser.spool_max_size = limits.max_body_size + 1
    try:
        form = await parser.parse()
        try:
            return [(name, await _text_of(value)) for name, value in form.multi_items()]
        finally:
            await form.close()
    except (MultiPartException, KeyError, UnicodeError) as error:
        raise MalformedFormError("the body is not a form") from error


async def _text_of(value: str | UploadFile) -> str:
    if isinstance(value, str):
        return value
    return (await value.read()).decode(errors="replace")


async def read_own_form(
    request: Request, session: Session, limits: FormLimits = FORM_LIMITS
) -> Mapping[str, str]:
    """Return the fields of a form that a page of this session holds.

    Raises:
        MalformedFormError: As for `read_form`.
        ShellError: As for `read_form`.
        ForeignFormError: It was not made for this session; nothing was done.
    """
    form = await read_form(request, limits)
    if not session.wrote(form.get("csrf", "")):
        raise ForeignFormError("the form was not made for this session")
    return form
