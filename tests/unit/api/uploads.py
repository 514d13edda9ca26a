"""Uploads as JSON values, to be spoilt by tests."""

import base64
from typing import Any

Json = dict[str, Any]


def key(number: int = 0, **changes: object) -> Json:
    """Return one key of an upload; keys of different numbers lie on different days."""
    data = base64.b64encode(bytes([number]) * 16).decode()
    return {
        "key_data": data,
        "rolling_start_number": 2_650_000 + 144 * number,
        "rolling_period": 144,
        **changes,
    }


def info(**changes: object) -> Json:
    """Return one exposure."""
    return {
        "date": "2020-06-19",
        "duration": 1800,
        "attenuation_value": 45,
        "attenuation_durations": [1200, 300, 0],
        "transmission_risk_level": 3,
        "total_risk_score": 25,
        **changes,
    }


def summary(**changes: object) -> Json:
    """Return the outcome of one detection."""
    return {
        "date": "2020-06-20",
        "matched_key_count": 1,
        "days_since_last_exposure": 1,
        "attenuation_durations": [1200, 300, 0],
        "maximum_risk_score": 25,
        "exposure_info": [info()],
        **changes,
    }


def upload(**changes: object) -> Json:
    """Return a whole upload."""
    return {
        "teks": [key(number) for number in range(14)],
        "province": "CH",
        "exposure_detection_summaries": [summary()],
        "padding": "abcXYZ09",
        **changes,
    }
