"""What an upload may say, rule by rule."""

import json
import re

import pytest

from immuni.api import MalformedRequestError, Tek, Upload, encode, parse_request
from immuni.keys import ENIntervalNumber, TemporaryExposureKey
from tests.unit.api.uploads import Json, info, key, summary, upload


def parse(value: object) -> Upload:
    return parse_request(Upload, json.dumps(value).encode())


def released(count: int) -> list[Json]:
    return [key(n, rolling_start_number=2_650_000, rolling_period=n + 10) for n in range(count)]


def without(value: Json, name: str) -> Json:
    return {member: content for member, content in value.items() if member != name}


ALLOWED = {
    "no keys": upload(teks=[]),
    "thirty keys": upload(teks=[key(n) for n in range(30)]),
    "no summaries": without(upload(), "exposure_detection_summaries"),
    "84 summaries": upload(exposure_detection_summaries=[summary()] * 84),
    "no infos": upload(exposure_detection_summaries=[without(summary(), "exposure_info")]),
    "600 infos": upload(exposure_detection_summaries=[summary(exposure_info=[info()] * 300)] * 2),
    "four ranges": upload(
        exposure_detection_summaries=[summary(attenuation_durations=[0, 300, 600, 1800])]
    ),
    "no padding": without(upload(), "padding"),
    "longest padding": upload(padding="x" * 150_000),
    "no period": upload(teks=[without(key(), "rolling_period")]),
    "gaps and starts off midnight": upload(
        teks=[key(0, rolling_start_number=7), key(1, rolling_start_number=500)]
    ),
    "three keys with one start": upload(teks=released(3)),
    "a released key and its day": upload(
        teks=[*released(2), key(9, rolling_start_number=2_650_144)]
    ),
    "countries": upload(countries_of_interest=["DE", "FR"]),
}

REFUSED = {
    "31 keys": upload(teks=[key(n) for n in range(31)]),
    "no member teks": without(upload(), "teks"),
    "no province": without(upload(), "province"),
    "unknown member": upload(other=1),
    "unknown member of a key": upload(teks=[key(other=1)]),
    "equal keys": upload(teks=[key(0), key(0, rolling_start_number=0)]),
    "overlapping keys": upload(teks=[key(0), key(1, rolling_start_number=2_650_143)]),
    "overlap over a released key": upload(
        teks=[*released(2), key(9, rolling_start_number=2_650_010)]
    ),
    "four keys with one start": upload(teks=released(4)),
    "key of 15 bytes": upload(teks=[key(key_data="AAAAAAAAAAAAAAAAAAAA")]),
    "key of 17 bytes": upload(teks=[key(key_data="AAAAAAAAAAAAAAAAAAAAAAA=")]),
    "key without padding": upload(teks=[key(key_data="AAAAAAAAAAAAAAAAAAAAAA")]),
    "key not canonical": upload(teks=[key(key_data="AAAAAAAAAAAAAAAAAAAAAB==")]),
    "key with white space": upload(teks=[key(key_data="AAAAAAAAAAAAAAAAAAAAAA== ")]),
    "key in URL alphabet": upload(teks=[key(key_data="_-AAAAAAAAAAAAAAAAAAAA==")]),
    "key not text": upload(teks=[key(key_data=5)]),
    "start negative": upload(teks=[key(rolling_start_number=-1)]),
    "start a string": upload(teks=[key(rolling_start_number="5")]),
    "start a fraction": upload(teks=[key(rolling_start_number=1.9)]),
    "start a whole fraction": upload(teks=[key(rolling_start_number=1.0)]),
    "start true": upload(teks=[key(rolling_start_number=True)]),
    "start enormous": upload(teks=[key(rolling_start_number=10**30)]),
    "start null": upload(teks=[key(rolling_start_number=None)]),
    "period 0": upload(teks=[key(rolling_period=0)]),
    "period 145": upload(teks=[key(rolling_period=145)]),
    "province in small letters": upload(province="ch"),
    "province with a newline": upload(province="CH\n"),
    "85 summaries": upload(exposure_detection_summaries=[summary()] * 85),
    "601 infos": upload(
        exposure_detection_summaries=[
            summary(exposure_info=[info()] * 300),
            summary(exposure_info=[info()] * 301),
        ]
    ),
    "two ranges": upload(exposure_detection_summaries=[summary(attenuation_durations=[1, 2])]),
    "five ranges": upload(exposure_detection_summaries=[summary(attenuation_durations=[0] * 5)]),
    "a duration too long": upload(
        exposure_detection_summaries=[summary(attenuation_durations=[0, 0, 1801])]
    ),
    "no real date": upload(exposure_detection_summaries=[summary(date="2020-06-31")]),
    "a date with a time": upload(
        exposure_detection_summaries=[summary(date="2020-06-20T00:00:00")]
    ),
    "a compact date": upload(exposure_detection_summaries=[summary(date="20200620")]),
    "days since 15": upload(exposure_detection_summaries=[summary(days_since_last_exposure=15)]),
    "score 4097": upload(exposure_detection_summaries=[summary(maximum_risk_score=4097)]),
    "level 9": upload(
        exposure_detection_summaries=[summary(exposure_info=[info(transmission_risk_level=9)])]
    ),
    "attenuation 256": upload(
        exposure_detection_summaries=[summary(exposure_info=[info(attenuation_value=256)])]
    ),
    "padding too long": upload(padding="x" * 150_001),
    "padding with a dash": upload(padding="a-b"),
    "padding with a newline": upload(padding="ab\n"),
    "padding with a digit of another script": upload(padding="٣"),
    "28 countries": upload(countries_of_interest=["DE"] * 28),
    "no object": [upload()],
    "null": None,
}


@pytest.mark.parametrize("value", ALLOWED.values(), ids=ALLOWED.keys())
def test_what_the_rules_allow_is_read_and_written_back(value: Json) -> None:
    parsed = parse(value)

    assert parse_request(Upload, encode(parsed)) == parsed


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED.keys())
def test_what_the_rules_forbid_is_refused_in_words_of_ours(value: object) -> None:
    with pytest.raises(MalformedRequestError) as refusal:
        parse(value)

    assert re.fullmatch(r"[A-Za-z0-9 .]{1,64}", str(refusal.value))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"teks":[],"province":"CH"} x',
        b'\xef\xbb\xbf{"teks":[],"province":"CH"}',
        b'{"teks":[],"province":"\xff\xfe"}',
        b"[" * 100_000,
        b'{"teks":' * 10_000,
        b'{"teks":[],"province":"CH","padding":NaN}',
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        parse_request(Upload, body)


def test_of_a_member_that_is_there_twice_the_last_counts() -> None:
    parsed = parse_request(Upload, b'{"teks":[],"province":"RM","province":"CH"}')

    assert parsed.province == "CH"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (without(upload(), "province"), "province missing"),
        (upload(teks=[key(rolling_period=0)]), "teks.rolling period out of range"),
        (upload(teks=[key(key_data="?")]), "teks.key data not strict base64"),
        (upload(padding="?"), "padding wrong form"),
        (upload(province="secret"), "province wrong form"),
        (upload(secret=1), "unknown member"),
        (upload(teks=[key(0), key(0)]), "teks not distinct"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_where(value: Json, message: str) -> None:
    with pytest.raises(MalformedRequestError, match=f"^{re.escape(message)}$"):
        parse(value)


def test_a_key_survives_the_way_over_the_wire() -> None:
    tek = TemporaryExposureKey(bytes(range(16)), ENIntervalNumber(2_650_000), 100)
    sent = Upload(teks=(Tek.of(tek),), province="CH")

    assert parse_request(Upload, encode(sent)).teks[0].key() == tek


def test_keys_and_uploads_do_not_show_themselves() -> None:
    parsed = parse(upload())
    data = parsed.teks[1].key_data

    shown = f"{parsed!r} {parsed} {parsed.teks[1]!r} {data!r} {data}"

    assert data.base64() not in shown
    assert "\\x01" not in shown
    assert "CH" not in shown


def test_an_upload_of_ours_holds_no_country_unless_it_is_asked_to() -> None:
    assert b"countries_of_interest" not in encode(Upload(teks=(), province="CH"))
