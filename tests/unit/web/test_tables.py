"""The table of a service: its headers, its errors, its document."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from prometheus_client import CollectorRegistry

from immuni.api import CheckOtp, ChunkIndex
from immuni.backend.contract import HttpSettings, contract
from immuni.backend.errors import ChunkNotFoundError, OtpUnknownError, UnavailableError
from immuni.web import (
    Call,
    Endpoint,
    HeaderError,
    Headers,
    Method,
    OverloadedError,
    OverloadLimiter,
    OverloadMetrics,
    Parameter,
    Place,
    RangeError,
    Reply,
    Service,
    openapi_document,
)

CONTRACT = contract(HttpSettings())


async def _nothing(_call: Call[object]) -> Reply:
    return Reply(HTTPStatus.NO_CONTENT)


CHECK = Endpoint(
    method=Method.POST,
    path="/v1/check",
    summary="Check a phone's code",
    handler=_nothing,
    request=CheckOtp,
    replies={HTTPStatus.NO_CONTENT: None},
    errors=(OtpUnknownError,),
    parameters=(Parameter(name="Flag", place=Place.HEADER, description="It.", options=("0", "1")),),
)
FILE = Endpoint(
    method=Method.GET,
    path="/v1/files/{number}",
    summary="Download a file",
    handler=_nothing,
    replies={HTTPStatus.OK: "application/zip", HTTPStatus.MULTI_STATUS: ChunkIndex},
    errors=(ChunkNotFoundError,),
    parameters=(Parameter(name="number", place=Place.PATH, description="It.", low=1, high=9),),
)
SERVICE = Service(name="trial", title="Trial Service", endpoints=[CHECK, FILE])


def test_the_document_lists_what_an_endpoint_takes_and_answers() -> None:
    document = openapi_document([SERVICE], CONTRACT)
    check = document["paths"]["/v1/check"]["post"]
    file = document["paths"]["/v1/files/{number}"]["get"]

    assert document["openapi"].startswith("3.1.")
    assert check["operationId"] == "checkPhoneCode"
    assert check["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/CheckOtp"
    }
    assert check["responses"].keys() == {"204", "400", "401", "408", "413", "503"}
    assert "1101" in check["responses"]["401"]["description"]
    assert file["responses"].keys() == {"200", "207", "400", "404", "503"}
    assert file["responses"]["200"]["content"].keys() == {"application/zip"}
    assert file["parameters"][0]["schema"] == {"type": "integer", "minimum": 1, "maximum": 9}
    assert document["components"]["schemas"].keys() >= {"CheckOtp", "ChunkIndex", "ErrorBody"}


def test_a_header_that_may_stand_once_is_refused_when_it_stands_twice() -> None:
    headers = Headers([(b"a", b"1"), (b"b", b"1"), (b"b", b"2"), (b"c", b"\xff")])

    assert headers.one("A") == "1"
    assert headers.one("missing") is None
    assert headers.joined("B") == "1, 2"
    for name in ("b", "c"):
        with pytest.raises(HeaderError):
            headers.one(name)


def test_a_fault_of_ours_tells_nothing() -> None:
    reply = CONTRACT.refusal(KeyError("secret"))

    assert reply.status is HTTPStatus.INTERNAL_SERVER_ERROR
    assert reply.body == b'{"error_code":1000,"message":"Internal Server Error"}'


def test_a_dependency_that_is_down_is_told_with_a_wait() -> None:
    reply = CONTRACT.refusal(UnavailableError("no database", retry_after=timedelta(seconds=0)))

    assert reply.status is HTTPStatus.SERVICE_UNAVAILABLE
    assert reply.headers == {"retry-after": "1"}


def test_a_range_behind_the_end_is_told_with_the_length() -> None:
    reply = CONTRACT.refusal(RangeError("behind", size_bytes=7))

    assert reply.status is HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    assert reply.headers == {"content-range": "bytes */7"}


def test_the_limiter_counts_only_what_is_being_worked_on() -> None:
    limiter = OverloadLimiter(max_working=1)

    with limiter.working(), pytest.raises(OverloadedError):
        limiter.check()
    with limiter.working():
        pass
    limiter.check()


def test_what_the_limiter_refuses_is_counted_from_nought() -> None:
    registry = CollectorRegistry()
    limiter = OverloadLimiter(max_working=1, metrics=OverloadMetrics(registry))
    limiter.check()
    assert registry.get_sample_value("immuni_overload_refusals_total") == 0

    with limiter.working(), pytest.raises(OverloadedError):
        limiter.check()

    assert registry.get_sample_value("immuni_overload_refusals_total") == 1
