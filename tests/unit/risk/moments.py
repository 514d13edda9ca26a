"""Moments of nearness, for tests of the risk model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from immuni.crypto import CalibrationConfidence
from immuni.keys import ENIntervalNumber, ReportType, interval_at

START = datetime(2020, 6, 17, 12, tzinfo=UTC)
NOON = interval_at(START)


@dataclass(frozen=True)
class Moment:
    """How near a phone was at one moment."""

    at: datetime
    attenuation_db: int
    rssi_dbm: int
    interval: ENIntervalNumber
    calibration_confidence: CalibrationConfidence = CalibrationConfidence.LOWEST
    since_scan: timedelta | None = None


@dataclass(frozen=True)
class Met:
    """What was heard of one phone."""

    samples: Sequence[Moment]
    transmission_risk_level: int = 4
    report_type: ReportType = ReportType.CONFIRMED_TEST
    days_since_onset_of_symptoms: int | None = 0


def moment(
    seconds: float, attenuation_db: int = 54, *, rssi_dbm: int | None = None, identifier: int = 0
) -> Moment:
    """Return what is heard `seconds` after noon of the identifier with that number."""
    return Moment(
        START + timedelta(seconds=seconds),
        attenuation_db,
        -10 - attenuation_db if rssi_dbm is None else rssi_dbm,
        ENIntervalNumber(NOON + identifier),
    )


def meeting(minutes: int, attenuation_db: int = 54, *, from_second: int = 0) -> list[Moment]:
    """Return what is heard in a meeting: a scan every five minutes, an identifier every ten."""
    return [
        moment(second, attenuation_db, identifier=second // 600)
        for second in range(from_second, from_second + 60 * minutes, 300)
    ]
