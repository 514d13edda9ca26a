"""What ingestion takes and refuses: the rows of its table.

Source:
    HTTP API, "Exposure Ingestion".
"""

import base64
import json
from dataclasses import replace
from typing import Any

from immuni.entropy import SeededEntropy
from immuni.otp import generate_otp, otp_hash
from tests.contract.rows import Row
from tests.intake import NOW

CHECK, UPLOAD = "/v1/ingestion/check-otp", "/v1/ingestion/upload"
CLOCK = int(NOW.timestamp())
INTERVAL = CLOCK // 600
DAYS_15 = 15 * 144
ENTROPY = SeededEntropy("contract of ingestion")
WRONG = otp_hash(generate_otp(ENTROPY))

Json = dict[str, Any]


def tek(number: int = 0, **members: object) -> Json:
    """Return a key of an interval of its own."""
    start = INTERVAL - 144 - 20 * number
    data = base64.b64encode(bytes([number + 1] * 16)).decode("ascii")
    return {"key_data": data, "rolling_start_number": start, "rolling_period": 20, **members}


def info(**members: object) -> Json:
    return {
        "date": "2020-06-19",
        "duration": 1800,
        "attenuation_value": 255,
        "attenuation_durations": [0, 300, 1800],
        "transmission_risk_level": 8,
        "total_risk_score": 4096,
        **members,
    }


def summary(**members: object) -> Json:
    return {
        "date": "2020-06-19",
        "matched_key_count": 1,
        "days_since_last_exposure": 14,
        "attenuation_durations": [0, 300, 1800],
        "maximum_risk_score": 4096,
        "exposure_info": [info()],
        **members,
    }


def upload(**members: object) -> Json:
    return {
        "teks": [tek()],
        "province": "RM",
        "exposure_detection_summaries": [summary()],
        "padding": "x",
        **members,
    }


def without(value: Json, name: str) -> Json:
    return {member: content for member, content in value.items() if member != name}


def summaries(*values: Json) -> Json:
    return upload(exposure_detection_summaries=list(values))


TAKEN: dict[str, object] = {
    "no keys": upload(teks=[]),
    "30 keys": upload(teks=[tek(n) for n in range(30)]),
    "no rolling period means 144": upload(teks=[without(tek(), "rolling_period")]),
    "rolling period 1": upload(teks=[tek(rolling_period=1)]),
    "three keys with one start": upload(
        teks=[tek(n, rolling_start_number=INTERVAL - 300) for n in range(3)]
    ),
    "a key that starts in 2 hours": upload(teks=[tek(rolling_start_number=INTERVAL + 12)]),
    "a key that ended 15 days ago": upload(
        teks=[tek(rolling_start_number=INTERVAL - DAYS_15 - 20)]
    ),
    "no summaries": without(upload(), "exposure_detection_summaries"),
    "84 summaries": summaries(*[summary(exposure_info=[])] * 84),
    "600 infos": summaries(*[summary(exposure_info=[info()] * 300)] * 2),
    "no infos": summaries(without(summary(), "exposure_info")),
    "four attenuation ranges": summaries(summary(attenuation_durations=[0, 0, 0, 1800])),
    "today at UTC+14": summaries(summary(date="2020-06-21")),
    "15 days before today at UTC-12": summaries(summary(date="2020-06-05")),
    "somebody who lives abroad": upload(province="EX"),
    "27 countries": upload(countries_of_interest=["DE"] * 27),
    "no padding": without(upload(), "padding"),
    "150000 characters of padding": upload(padding="x" * 150_000),
    "of duplicate members the last": b'{"province":"XX",' + json.dumps(upload()).encode()[1:],
    "white space around JSON": b" \r\n\t" + json.dumps(upload()).encode() + b"\n",
}

REFUSED: dict[str, object] = {
    "an empty body": b"",
    "half a body": json.dumps(upload()).encode()[:-1],
    "two bodies": json.dumps(upload()).encode() * 2,
    "a body that is a list": [upload()],
    "a body that is null": b"null",
    "a body in UTF-16": json.dumps(upload()).encode("utf-16"),
    "a body that is not UTF-8": json.dumps(upload(padding="xy")).encode().replace(b"xy", b"\xff"),
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(upload()).encode(),
    "nesting without end": b"[" * 100_000,
    "an unknown member": upload(other=1),
    "an unknown member of a key": upload(teks=[tek(other=1)]),
    "an unknown member of a summary": summaries(summary(other=1)),
    "an unknown member of an info": summaries(summary(exposure_info=[info(other=1)])),
    "a member in capitals": upload(Province="RM"),
    "no teks": without(upload(), "teks"),
    "teks null": upload(teks=None),
    "31 keys": upload(teks=[tek(n) for n in range(31)]),
    "a key twice": upload(teks=[tek(0), tek(1, key_data=tek(0)["key_data"])]),
    "keys that overlap": upload(teks=[tek(0), tek(1, rolling_period=21)]),
    "four keys with one start": upload(
        teks=[tek(n, rolling_start_number=INTERVAL - 300) for n in range(4)]
    ),
    "key data of 15 bytes": upload(teks=[tek(key_data="AAAAAAAAAAAAAAAAAAAA")]),
    "key data of 17 bytes": upload(teks=[tek(key_data="AAAAAAAAAAAAAAAAAAAAAAA=")]),
    "key data without padding": upload(teks=[tek(key_data="AAAAAAAAAAAAAAAAAAAAAA")]),
    "key data that is not canonical": upload(teks=[tek(key_data="AAAAAAAAAAAAAAAAAAAAAB==")]),
    "key data with white space": upload(teks=[tek(key_data="AAAAAAAAAAAAAAAAAAAAAA==\n")]),
    "key data in the URL alphabet": upload(teks=[tek(key_data="_-AAAAAAAAAAAAAAAAAAAA==")]),
    "a start in quotes": upload(teks=[tek(rolling_start_number=str(INTERVAL - 144))]),
    "a start with a fraction": upload(teks=[tek(rolling_start_number=INTERVAL - 144 + 0.9)]),
    "a start with an empty fraction": upload(teks=[tek(rolling_start_number=INTERVAL - 144.0)]),
    "a start that is true": upload(teks=[tek(rolling_start_number=True)]),
    "a start below 0": upload(teks=[tek(rolling_start_number=-1)]),
    "a start beyond every integer": upload(teks=[tek(rolling_start_number=10**30)]),
    "a start beyond every calendar": upload(teks=[tek(rolling_start_number=2**31 - 1)]),
    "a start with a leading zero": json.dumps(upload(teks=[tek(rolling_start_number=7)]))
    .encode()
    .replace(b": 7,", b": 07,"),
    "rolling period 0": upload(teks=[tek(rolling_period=0)]),
    "rolling period 145": upload(teks=[tek(rolling_period=145)]),
    "rolling period null": upload(teks=[tek(rolling_period=None)]),
    "a key that starts in more than 2 hours": upload(
        teks=[tek(rolling_start_number=INTERVAL + 13)]
    ),
    "a key that ended more than 15 days ago": upload(
        teks=[tek(rolling_start_number=INTERVAL - DAYS_15 - 21)]
    ),
    "no province": without(upload(), "province"),
    "a province that does not exist": upload(province="XX"),
    "a province in small letters": upload(province="rm"),
    "a province with a line end": upload(province="RM\n"),
    "85 summaries": summaries(*[summary(exposure_info=[])] * 85),
    "601 infos": summaries(
        summary(exposure_info=[info()] * 300), summary(exposure_info=[info()] * 301)
    ),
    "a day that is no day": summaries(summary(date="2020-06-31")),
    "a day with a time": summaries(summary(date="2020-06-19T00:00:00")),
    "a day without hyphens": summaries(summary(date="20200619")),
    "a day with white space": summaries(summary(date=" 2020-06-19")),
    "a day that is a number": summaries(summary(date=1592524800)),
    "tomorrow at UTC+14": summaries(summary(date="2020-06-22")),
    "16 days before today at UTC-12": summaries(summary(date="2020-06-04")),
    "an info of tomorrow": summaries(summary(exposure_info=[info(date="2020-06-22")])),
    "two attenuation ranges": summaries(summary(attenuation_durations=[0, 0])),
    "five attenuation ranges": summaries(summary(attenuation_durations=[0] * 5)),
    "an attenuation range of 1801 s": summaries(summary(attenuation_durations=[0, 0, 1801])),
    "matched key count -1": summaries(summary(matched_key_count=-1)),
    "last exposure 15 days ago": summaries(summary(days_since_last_exposure=15)),
    "maximum risk score 4097": summaries(summary(maximum_risk_score=4097)),
    "a duration of 1801 s": summaries(summary(exposure_info=[info(duration=1801)])),
    "attenuation 256": summaries(summary(exposure_info=[info(attenuation_value=256)])),
    "transmission risk level 9": summaries(
        summary(exposure_info=[info(transmission_risk_level=9)])
    ),
    "total risk score 4097": summaries(summary(exposure_info=[info(total_risk_score=4097)])),
    "28 countries": upload(countries_of_interest=["DE"] * 28),
    "a country in small letters": upload(countries_of_interest=["de"]),
    "150001 characters of padding": upload(padding="x" * 150_001),
    "padding with a hyphen": upload(padding="a-b"),
    "padding with a line end": upload(padding="ab\n"),
    "padding in another script": upload(padding="٣"),
    "padding null": upload(padding=None),
}


def both(rule: str, status: int = 400, /, **headers: str | tuple[str, ...] | None) -> list[Row]:
    """Return a rule about headers, for either endpoint."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    code = 1001 if status == 400 else None
    return [
        Row(
            rule=f"{path.rpartition('/')[2]}: {rule}",
            method="POST",
            path=path,
            headers=named,
            body=body,
            status=status,
            code=code,
        )
        for path, body in ((CHECK, {"padding": "x"}), (UPLOAD, upload(padding="y")))
    ]


HEADERS = [
    *both("no bearer", authorization=None),
    *both("another scheme", authorization=f"Basic {WRONG}"),
    *both("a bearer of 63 digits", authorization=f"Bearer {WRONG[:-1]}"),
    *both("a bearer of 65 digits", authorization=f"Bearer {WRONG}0"),
    *both("a bearer in capitals", authorization=f"Bearer {WRONG.upper()}"),
    *both("a bearer of other letters", authorization=f"Bearer {'g' * 64}"),
    *both("two bearers", authorization=(f"Bearer {WRONG}", f"Bearer {WRONG}")),
    *both("no word on dummies", immuni_dummy_data=None),
    *both("dummy 2", immuni_dummy_data="2"),
    *both("dummy true", immuni_dummy_data="true"),
    *both("dummy 01", immuni_dummy_data="01"),
    *both("dummy nothing", immuni_dummy_data=""),
    *both("dummy twice", immuni_dummy_data=("0", "0")),
    *both("no type", content_type=None),
    *both("another type", content_type="text/plain"),
    *both("another charset", content_type="application/json; charset=latin-1"),
    *both("another parameter", content_type="application/json; version=1"),
    *both("two types", content_type=("application/json", "application/json")),
    *[
        Row(
            rule=f"clock {clock}",
            method="POST",
            path=UPLOAD,
            body=upload(),
            code=1001,
            headers={"Immuni-Client-Clock": clock},
        )
        for clock in (
            "",
            "noon",
            "-1",
            "1.5",
            f"+{CLOCK}",
            "1" * 12,
            str(CLOCK + 86_401),
            str(CLOCK - 86_401),
            None,
        )
    ],
    Row(rule="a query", method="POST", path=f"{UPLOAD}?a=1", body=upload(), code=1001),
    Row(rule="an empty query argument", method="POST", path=f"{CHECK}?a", body={}, code=1001),
    Row(rule="a slash too many", method="POST", path=f"{CHECK}/", body={}, status=404, code=1000),
    Row(rule="GET", path=UPLOAD, status=405, code=1000, says={"allow": "POST"}),
    Row(rule="OPTIONS", method="OPTIONS", path=CHECK, status=405, code=1000),
    Row(rule="no metrics here", path="/metrics", status=404, code=1000),
    Row(rule="no document here", path="/openapi.json", status=404, code=1000),
    Row(rule="an unknown path", path="/v1/ingestion", status=404, code=1000),
    Row(rule="alive", path="/livez", status=200),
    Row(rule="ready", path="/readyz", status=200),
]

SPELT_OTHERWISE = [
    *both("scheme in small letters", 204, authorization="bearer {otp}"),
    *both("scheme in capitals", 204, authorization="BEARER {otp}"),
    *both("JSON", 204, content_type="application/json"),
    *both("type in capitals", 204, content_type="APPLICATION/JSON;CHARSET=UTF-8"),
    *both("charset in quotes", 204, content_type='application/json ; charset="utf-8"'),
]

DUMMIES = [
    replace(row, rule=f"{row.rule}, {what}", body=body)
    for row in both(
        "a dummy", 204, immuni_dummy_data="1", authorization=None, content_type="text/plain"
    )
    for what, body in (("padding alone", b"x" * 1000), ("empty", b""), ("half", b'{"teks":['))
]
