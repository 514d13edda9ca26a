from collections.abc import Iterable

import pytest
from starlette.requests import Request
from starlette.types import Message

from immuni.portal.forms import MalformedFormError, read_form
from immuni.web import BodyTooLargeError

FORM_TYPE = "application/x-www-form-urlencoded"


def request(body: bytes, content_type: str = FORM_TYPE, *, parts: int = 1) -> Request:
    size = max(1, -(-len(body) // parts))
    pieces: Iterable[bytes] = [body[start : start + size] for start in range(0, len(body), size)]
    waiting = [*pieces, b""]

    async def receive() -> Message:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    scope = {"type": "http", "headers": [(b"content-type", content_type.encode())]}
    return Request(scope, receive)


@pytest.mark.anyio
async def test_a_form_is_read_whatever_pieces_it_comes_in() -> None:
    form = await read_form(request(b"code=9K2+RAY8+UUQ&onset=&x=%C3%A8", parts=3))

    assert form == {"code": "9K2 RAY8 UUQ", "onset": "", "x": "è"}


@pytest.mark.anyio
async def test_an_empty_form_has_no_fields() -> None:
    assert await read_form(request(b"")) == {}


@pytest.mark.anyio
@pytest.mark.parametrize(
    "body", [b"a=1&a=2", b"a", b"a=%FF", b"a=\xc3\xa8", b"&".join(b"a%d=1" % n for n in range(21))]
)
async def test_a_body_that_is_no_form_of_ours_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedFormError):
        await read_form(request(body))


@pytest.mark.anyio
@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json"])
async def test_only_forms_are_read(content_type: str) -> None:
    with pytest.raises(MalformedFormError):
        await read_form(request(b"a=1", content_type))


@pytest.mark.anyio
async def test_a_body_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(BodyTooLargeError):
        await read_form(request(b"a=" + b"x" * 20_000, parts=100))
