"""The protocol's values: intervals, Temporary Exposure Keys, diagnosis keys."""

from immuni.keys.columns import Columns
from immuni.keys.intervals import (
    INTERVAL,
    INTERVAL_SECONDS,
    MAX_INTERVAL,
    TEK_ROLLING_PERIOD,
    ENIntervalNumber,
    day_of,
    first_interval_of,
    interval_at,
    rolling_start_of,
    start_of,
)
from immuni.keys.packed import UNKNOWN_ONSET, PackedKeys
from immuni.keys.tek import (
    KEY_LENGTH,
    MAX_TRANSMISSION_RISK_LEVEL,
    DiagnosisKey,
    InvalidKeyError,
    ReportType,
    TemporaryExposureKey,
    generate_tek,
)

__all__ = [
    "INTERVAL",
    "INTERVAL_SECONDS",
    "KEY_LENGTH",
    "MAX_INTERVAL",
    "MAX_TRANSMISSION_RISK_LEVEL",
    "TEK_ROLLING_PERIOD",
    "UNKNOWN_ONSET",
    "Columns",
    "DiagnosisKey",
    "ENIntervalNumber",
    "InvalidKeyError",
    "PackedKeys",
    "ReportType",
    "TemporaryExposureKey",
    "day_of",
    "first_interval_of",
    "generate_tek",
    "interval_at",
    "rolling_start_of",
    "start_of",
]
