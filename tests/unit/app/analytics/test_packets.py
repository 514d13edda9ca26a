import pytest
from msgspec.structs import asdict

from immuni.api import (
    AnalyticsToken,
    AppleOperationalInfo,
    DeviceToken,
    GoogleOperationalInfo,
    Salt,
    parse_request,
)
from immuni.api.headers import is_json, parse_bearer, parse_dummy_flag
from immuni.app.analytics.contents import dummy_info
from immuni.app.analytics.packets import apple_packet, google_packet, token_packet
from immuni.entropy import SeededEntropy
from tests.unit.app.analytics.drawn import NOON

AUTHORITY = "analytics.example:443"
DIGITS = "3c" * 64
INFO = dummy_info(SeededEntropy("packets"), now=NOON, build=7)
ATTESTED = GoogleOperationalInfo(**asdict(INFO), salt=Salt(bytes(16)), signed_attestation="a.b.c")


def taken_apart(packet: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = packet.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert len(headers) == len(lines)
    assert int(headers["Content-Length"]) == len(body)
    assert headers["Host"] == AUTHORITY
    assert is_json(headers["Content-Type"])
    return first, headers, body


@pytest.mark.parametrize("is_dummy", [False, True])
def test_a_report_of_ios_is_what_the_service_reads(is_dummy: bool) -> None:  # noqa: FBT001 - a column
    packet = apple_packet(INFO, digits=DIGITS, authority=AUTHORITY, is_dummy=is_dummy)

    first, headers, body = taken_apart(packet)

    assert first == "POST /v1/analytics/apple/operational-info HTTP/1.1"
    assert parse_bearer(headers["Authorization"], digits=128) == DIGITS
    assert parse_dummy_flag(headers["Immuni-Dummy-Data"]) == is_dummy
    assert parse_request(AppleOperationalInfo, body) == INFO


@pytest.mark.parametrize("is_dummy", [False, True])
def test_a_report_of_android_is_what_the_service_reads(is_dummy: bool) -> None:  # noqa: FBT001 - a column
    first, headers, body = taken_apart(
        google_packet(ATTESTED, authority=AUTHORITY, is_dummy=is_dummy)
    )

    assert first == "POST /v1/analytics/google/operational-info HTTP/1.1"
    assert "Authorization" not in headers
    assert parse_dummy_flag(headers["Immuni-Dummy-Data"]) == is_dummy
    assert parse_request(GoogleOperationalInfo, body) == ATTESTED


def test_a_request_for_a_token_is_what_the_service_reads() -> None:
    token = AnalyticsToken(analytics_token=DIGITS, device_token=DeviceToken(b"a device"))

    first, headers, body = taken_apart(token_packet(token, authority=AUTHORITY))

    assert first == "POST /v1/analytics/apple/token HTTP/1.1"
    assert set(headers) == {"Host", "Content-Type", "Content-Length", "Connection"}
    assert parse_request(AnalyticsToken, body) == token
