"""Conditional and range requests, as RFC 9110 has them."""

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.web import Call, Content, Headers, RangeError, Reply, entity_tag, serve

BODY = bytes(range(100))
CONTENT = Content(body=BODY, etag=entity_tag(b"\x12"), headers={"x": "y"})


def ask(headers: dict[str, str], *, is_head: bool = False) -> Reply:
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    return serve(Call(None, Headers(lines), is_head=is_head), CONTENT, ranges=True)


@pytest.mark.parametrize("tags", ['"12"', 'W/"12"', '"a", "12"', "*", ' "12" '])
def test_what_the_client_has_is_not_sent_again(tags: str) -> None:
    reply = ask({"if-none-match": tags})

    assert reply.status is HTTPStatus.NOT_MODIFIED
    assert reply.body == b""
    assert reply.headers == {"etag": '"12"', "x": "y"}


@pytest.mark.parametrize("tags", ['"1"', "12", "", '"a12"', "nonsense"])
def test_what_the_client_has_not_is_sent(tags: str) -> None:
    assert ask({"if-none-match": tags}).body == BODY


@given(st.integers(0, 99), st.integers(0, 200))
def test_a_range_is_cut_at_the_end(first: int, length: int) -> None:
    reply = ask({"range": f"bytes={first}-{first + length}"})

    assert reply.status is HTTPStatus.PARTIAL_CONTENT
    assert reply.body == BODY[first : first + length + 1]
    last = min(99, first + length)
    assert reply.headers["content-range"] == f"bytes {first}-{last}/100"


@pytest.mark.parametrize(
    ("wanted", "part"),
    [("bytes=90-", BODY[90:]), ("bytes=-10", BODY[90:]), ("bytes=-1000", BODY)],
)
def test_a_range_may_be_open_on_one_side(wanted: str, part: bytes) -> None:
    reply = ask({"range": wanted})

    assert reply.status is HTTPStatus.PARTIAL_CONTENT
    assert reply.body == part


@pytest.mark.parametrize(
    "wanted", ["bytes=-", "bytes=5-4", "bytes=0-1,5-6", "items=0-1", "bytes=a-b", "bytes=--1", ""]
)
def test_what_is_no_single_range_is_answered_whole(wanted: str) -> None:
    reply = ask({"range": wanted})

    assert reply.status is HTTPStatus.OK
    assert reply.body == BODY
    assert reply.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_behind_the_end_is_refused_with_the_length(wanted: str) -> None:
    with pytest.raises(RangeError) as refusal:
        ask({"range": wanted})

    assert refusal.value.size_bytes == 100


def test_a_range_of_another_version_is_answered_whole() -> None:
    assert ask({"range": "bytes=0-1", "if-range": '"12"'}).body == BODY[:2]
    assert ask({"range": "bytes=0-1", "if-range": '"13"'}).body == BODY
    assert ask({"range": "bytes=0-1", "if-range": 'W/"12"'}).body == BODY


def test_head_knows_no_ranges() -> None:
    assert ask({"range": "bytes=0-1"}, is_head=True).status is HTTPStatus.OK


def test_a_condition_comes_before_a_range() -> None:
    reply = ask({"range": "bytes=0-1", "if-none-match": '"12"'})

    assert reply.status is HTTPStatus.NOT_MODIFIED
