"""The smaller requests, the answers, headers and dates."""

import base64
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.api import (
    AnalyticsToken,
    AppleOperationalInfo,
    ChunkIndex,
    ErrorBody,
    GoogleOperationalInfo,
    MalformedAnswerError,
    MalformedRequestError,
    OtpAuthorisation,
    earliest_today,
    error_message,
    is_recent,
    italy,
    json_schemas,
    latest_today,
    parse_answer,
    parse_request,
)
from immuni.api.headers import (
    is_json,
    parse_bearer,
    parse_client_clock,
    parse_dummy_flag,
    parse_request_id,
)
from immuni.api.limits import MAX_DATE_AGE
from immuni.api.provinces import UnknownProvinceError

OPERATIONAL = {
    "province": "CH",
    "exposure_permission": 1,
    "bluetooth_active": 1,
    "notification_permission": 0,
    "exposure_notification": 1,
    "last_risky_exposure_on": "2020-06-09",
}
GOOGLE = OPERATIONAL | {"salt": "I2zF1+fgk4/uVHYe7DRt3A==", "signed_attestation": "a.b.c"}
NOON = datetime(2020, 6, 20, 12, tzinfo=UTC)


def accepts(kind: type[msgspec.Struct], value: object) -> bool:
    try:
        parse_request(kind, msgspec.json.encode(value))
    except MalformedRequestError:
        return False
    return True


@pytest.mark.parametrize(
    ("value", "is_allowed"),
    [
        ({"otp": "9K2RAY8UUQ", "symptoms_started_on": "2020-06-09"}, True),
        ({"otp": "9K2RAY8UUQ", "symptoms_started_on": None, "tested_on": "2020-06-09"}, True),
        ({"otp": "9K2RAY8UUQ", "tested_on": "2020-06-09"}, True),
        ({"otp": "9K2RAY8UUQ", "symptoms_started_on": None}, False),
        ({"otp": "9K2RAY8UUQ"}, False),
        ({"otp": "9K2RAY8UU", "symptoms_started_on": "2020-06-09"}, False),
        ({"otp": "9k2ray8uuq", "symptoms_started_on": "2020-06-09"}, False),
        ({"otp": "9K2RAY8UUQ\n", "symptoms_started_on": "2020-06-09"}, False),
        ({"otp": "9K2RAY8UU0", "symptoms_started_on": "2020-06-09"}, False),
        ({"otp": "9K2RAY8UUQ", "symptoms_started_on": "2021-02-29"}, False),
    ],
)
def test_an_authorisation_needs_a_code_and_an_onset_or_a_test(
    value: dict[str, object], *, is_allowed: bool
) -> None:
    assert accepts(OtpAuthorisation, value) is is_allowed


@pytest.mark.parametrize(
    ("changes", "is_allowed"),
    [
        ({}, True),
        ({"build": 20_000}, True),
        ({"build": 20_001}, False),
        ({"padding": "abc"}, True),
        ({"bluetooth_active": 2}, False),
        ({"bluetooth_active": True}, False),
        ({"bluetooth_active": "1"}, False),
        ({"last_risky_exposure_on": None}, False),
        ({"salt": "I2zF1+fgk4/uVHYe7DRt3A=="}, False),
    ],
)
def test_operational_info_has_integers_for_flags(
    changes: dict[str, object], *, is_allowed: bool
) -> None:
    assert accepts(AppleOperationalInfo, OPERATIONAL | changes) is is_allowed


@pytest.mark.parametrize(
    ("changes", "is_allowed"),
    [
        ({}, True),
        ({"salt": "AAAA"}, False),
        ({"signed_attestation": "x" * 10_000}, True),
        ({"signed_attestation": "x" * 10_001}, False),
    ],
)
def test_android_adds_salt_and_attestation(changes: dict[str, object], *, is_allowed: bool) -> None:
    assert accepts(GoogleOperationalInfo, GOOGLE | changes) is is_allowed


@pytest.mark.parametrize(
    ("token", "device", "is_allowed"),
    [
        ("ab" * 64, base64.b64encode(b"x" * 7500).decode(), True),
        ("ab" * 64, base64.b64encode(b"x" * 7501).decode(), False),
        ("ab" * 64, "", False),
        ("AB" * 64, "AAAA", False),
        ("ab" * 63, "AAAA", False),
    ],
)
def test_an_analytics_token_is_128_digits(token: str, device: str, *, is_allowed: bool) -> None:
    value = {"analytics_token": token, "device_token": device}

    assert accepts(AnalyticsToken, value) is is_allowed


def test_readers_ignore_members_of_answers_that_they_do_not_know() -> None:
    index = parse_answer(ChunkIndex, b'{"oldest":1,"newest":2,"later":[{"a":1}]}')

    assert index == ChunkIndex(oldest=1, newest=2)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"oldest":2,"newest":1}', b'{"oldest":0,"newest":1}', b'{"a":' * 9999]
)
def test_an_answer_that_is_not_as_defined_is_discarded(body: bytes) -> None:
    with pytest.raises(MalformedAnswerError):
        parse_answer(ChunkIndex, body)


@given(st.text(min_size=1))
def test_an_error_message_is_always_fit_for_its_body(text: str) -> None:
    body = msgspec.json.encode(ErrorBody(error_code=1000, message=error_message(text)))

    assert parse_answer(ErrorBody, body).error_code == 1000


@pytest.mark.parametrize(
    ("value", "token"),
    [
        (f"Bearer {'a1' * 32}", "a1" * 32),
        (f"bEARER {'a1' * 32}", "a1" * 32),
        (f"Bearer {'A1' * 32}", None),
        (f"Bearer {'a1' * 31}", None),
        (f"Bearer {'a1' * 32}0", None),
        (f"Basic {'a1' * 32}", None),
        ("a1" * 32, None),
        ("", None),
        (None, None),
    ],
)
def test_a_bearer_is_a_scheme_and_so_many_digits(value: str | None, token: str | None) -> None:
    if token is not None:
        assert parse_bearer(value, digits=64) == token
        return
    with pytest.raises(MalformedRequestError):
        parse_bearer(value, digits=64)


@pytest.mark.parametrize("value", [None, "", "2", "true", "01", " 1"])
def test_a_dummy_says_so_in_one_way(value: str | None) -> None:
    with pytest.raises(MalformedRequestError):
        parse_dummy_flag(value)

    assert parse_dummy_flag("1")
    assert not parse_dummy_flag("0")


@pytest.mark.parametrize("value", [None, "", "-1", "1.5", "1e9", "٣", "1" * 12])
def test_a_clock_tells_whole_seconds(value: str | None) -> None:
    with pytest.raises(MalformedRequestError):
        parse_client_clock(value)

    assert parse_client_clock("1592654400") == NOON
    assert parse_client_clock("9" * 11) > NOON


@pytest.mark.parametrize("value", ["", "a b", "x" * 65, "ä"])
def test_a_request_id_is_short_and_plain(value: str) -> None:
    with pytest.raises(MalformedRequestError):
        parse_request_id(value)

    assert parse_request_id(None) is None
    assert parse_request_id("7d4a-1") == "7d4a-1"


@pytest.mark.parametrize(
    ("value", "is_ours"),
    [
        ("application/json", True),
        ("APPLICATION/JSON\t;  Charset=UTF-8 ", True),
        ("application/json;", True),
        ("application/json; charset=utf-8; charset=utf-8", False),
        ("application/json; charset=utf-16", False),
        ("text/json", False),
        ("", False),
    ],
)
def test_a_content_type_is_read_as_the_standard_leaves_it(value: str, *, is_ours: bool) -> None:
    assert is_json(value) is is_ours


def test_today_is_the_day_in_any_time_zone_on_earth() -> None:
    late, early = datetime(2020, 6, 20, 10, tzinfo=UTC), datetime(2020, 6, 20, 9, 59, tzinfo=UTC)

    assert latest_today(late) == date(2020, 6, 21)
    assert latest_today(early) == date(2020, 6, 20)
    assert earliest_today(datetime(2020, 6, 20, 11, 59, tzinfo=UTC)) == date(2020, 6, 19)
    assert earliest_today(NOON) == date(2020, 6, 20)


def test_a_day_is_recent_up_to_its_window_and_never_in_the_future() -> None:
    oldest = earliest_today(NOON) - MAX_DATE_AGE

    assert is_recent(oldest, now=NOON, window=MAX_DATE_AGE)
    assert not is_recent(oldest - timedelta(days=1), now=NOON, window=MAX_DATE_AGE)
    assert is_recent(latest_today(NOON), now=NOON, window=MAX_DATE_AGE)
    assert not is_recent(latest_today(NOON) + timedelta(days=1), now=NOON, window=MAX_DATE_AGE)
    with pytest.raises(ValueError, match="aware"):
        latest_today(datetime(2020, 6, 20, 12))  # noqa: DTZ001 - naive on purpose


def test_the_packaged_territory_is_italy_and_abroad() -> None:
    territory = italy()

    assert len(territory.codes) == 108
    assert len(territory.regions) == 20
    assert territory.parse("EX") == territory.abroad
    assert territory.region_of(territory.parse("CH")) == "Abruzzo"
    assert territory.region_of(territory.abroad) is None
    with pytest.raises(UnknownProvinceError):
        territory.parse("XX")


def test_patterns_of_the_schemas_are_javascripts_too() -> None:
    _, components = json_schemas(
        [OtpAuthorisation, AnalyticsToken, GoogleOperationalInfo, ErrorBody],
        ref_template="#/components/schemas/{name}",
    )
    patterns = [
        member["pattern"]
        for schema in components.values()
        for member in schema["properties"].values()
        if "pattern" in member
    ]

    assert len(patterns) >= 6
    for pattern in patterns:
        assert pattern.startswith("^")
        assert pattern.endswith(r"$(?!\n)")
        assert r"\Z" not in pattern
