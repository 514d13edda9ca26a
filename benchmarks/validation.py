"""Reading an upload strictly, against marshmallow schemas of the same rules in the same run.

The original backend validated with marshmallow. Times depend on the machine, the ratio hardly
does. Run it with

    .venv/bin/python benchmarks/validation.py [--uploads N] [--json]
"""

import argparse
import base64
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, validates_schema
from marshmallow.fields import Date, Integer, List, Nested, String
from marshmallow.validate import Length, Range, Regexp

from immuni.api import Upload
from immuni.api.messages import parse_request

TODAY = date(2020, 6, 20)


@dataclass(frozen=True, slots=True)
class Figures:
    """What reading one upload takes."""

    body_bytes: int
    ours_us: float
    marshmallow_us: float
    ratio: float


class Strict(Schema):
    """Refuses members that it does not know."""

    class Meta:
        """Options of marshmallow."""

        unknown = RAISE


def is_canonical(text: str) -> None:
    """Refuse base64 of anything but 16 bytes, and a second spelling of them."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValidationError("not strict base64") from error
    if len(data) != 16 or base64.b64encode(data).decode() != text:
        raise ValidationError("not strict base64")


class TekSchema(Strict):
    """One TEK."""

    key_data = String(required=True, validate=is_canonical)
    rolling_start_number = Integer(required=True, strict=True, validate=Range(0, 2**31 - 1))
    rolling_period = Integer(load_default=144, strict=True, validate=Range(1, 144))


class InfoSchema(Strict):
    """One Exposure."""

    date = Date(required=True)
    duration = Integer(required=True, strict=True, validate=Range(0, 1800))
    attenuation_value = Integer(required=True, strict=True, validate=Range(0, 255))
    attenuation_durations = List(
        Integer(strict=True, validate=Range(0, 1800)), required=True, validate=Length(3, 4)
    )
    transmission_risk_level = Integer(required=True, strict=True, validate=Range(0, 8))
    total_risk_score = Integer(required=True, strict=True, validate=Range(0, 4096))


class SummarySchema(Strict):
    """The outcome of one detection."""

    date = Date(required=True)
    matched_key_count = Integer(required=True, strict=True, validate=Range(0, 2**31 - 1))
    days_since_last_exposure = Integer(required=True, strict=True, validate=Range(0, 14))
    attenuation_durations = List(
        Integer(strict=True, validate=Range(0, 1800)), required=True, validate=Length(3, 4)
    )
    maximum_risk_score = Integer(required=True, strict=True, validate=Range(0, 4096))
    exposure_info = List(Nested(InfoSchema), load_default=list)


class UploadSchema(Strict):
    """An upload."""

    teks = List(Nested(TekSchema), required=True, validate=Length(0, 30))
    province = String(required=True, validate=Regexp(r"^[A-Z]{2}\Z"))
    exposure_detection_summaries = List(
        Nested(SummarySchema), load_default=list, validate=Length(0, 84)
    )
    padding = String(load_default="", validate=[Length(0, 150_000), Regexp(r"^[A-Za-z0-9]*\Z")])

    @validates_schema
    def keys_fit_together(self, data: dict[str, Any], **_options: object) -> None:
        """Refuse keys that no phone can have had at the same time."""
        spans = sorted((tek["rolling_start_number"], tek["rolling_period"]) for tek in data["teks"])
        if len({tek["key_data"] for tek in data["teks"]}) != len(spans):
            raise ValidationError("teks not distinct")
        for (start, period), (following, _) in pairwise(spans):
            if start < following < start + period:
                raise ValidationError("teks overlap")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=2000)
    parser.add_argument("--json", action="store_true", help="print one object")
    arguments = parser.parse_args()
    body, schema = an_upload(), UploadSchema()
    ours = seconds_of(lambda: parse_request(Upload, body), arguments.uploads)
    theirs = seconds_of(lambda: schema.load(json.loads(body)), arguments.uploads // 10)
    figures = Figures(len(body), ours * 1e6, theirs * 1e6, theirs / ours)
    print(json.dumps(asdict(figures)) if arguments.json else line(figures))


def an_upload() -> bytes:
    """Return a body of some 8 kB: 14 keys, and 14 summaries with four infos each in all."""
    info = {
        "date": str(TODAY - timedelta(days=2)),
        "duration": 900,
        "attenuation_value": 55,
        "attenuation_durations": [300, 600, 0],
        "transmission_risk_level": 8,
        "total_risk_score": 25,
    }
    summary = {
        "date": str(TODAY - timedelta(days=1)),
        "matched_key_count": 2,
        "days_since_last_exposure": 1,
        "attenuation_durations": [300, 600, 0],
        "maximum_risk_score": 25,
        "exposure_info": [info, info],
    }
    teks = [
        {
            "key_data": base64.b64encode(os.urandom(16)).decode(),
            "rolling_start_number": 2_655_000 + 144 * day,
            "rolling_period": 144,
        }
        for day in range(14)
    ]
    content = {"teks": teks, "province": "RM", "exposure_detection_summaries": [summary] * 14}
    return json.dumps(content | {"padding": "0" * 300}).encode()


def seconds_of(work: Callable[[], object], times: int) -> float:
    """Return what one piece of work takes."""
    work()
    begun = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - begun) / times


def line(figures: Figures) -> str:
    """Return the figures for people."""
    return (
        f"an upload of {figures.body_bytes:,} bytes: ours {figures.ours_us:,.0f} µs, "
        f"marshmallow {figures.marshmallow_us:,.0f} µs, × {figures.ratio:.0f}"
    )


if __name__ == "__main__":
    main()
