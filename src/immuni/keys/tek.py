"""Temporary Exposure Keys and what they become once they are published."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from immuni.entropy import Entropy
from immuni.errors import ImmuniError
from immuni.keys.intervals import (
    MAX_INTERVAL,
    TEK_ROLLING_PERIOD,
    ENIntervalNumber,
    rolling_start_of,
)

KEY_LENGTH: Final = 16
MAX_TRANSMISSION_RISK_LEVEL: Final = 8
DAYS_SINCE_ONSET: Final = range(-(2**31), 2**31)
"""What the export file's field can hold; the risk model looks at fourteen days either way."""


class InvalidKeyError(ImmuniError, ValueError):
    """A key breaks a limit of the protocol; no key was made."""


class ReportType(IntEnum):
    """How a diagnosis became known. Values are those of the export file."""

    UNKNOWN = 0
    CONFIRMED_TEST = 1
    CONFIRMED_CLINICAL_DIAGNOSIS = 2
    SELF_REPORT = 3
    RECURSIVE = 4
    REVOKED = 5


@dataclass(frozen=True, slots=True)
class TemporaryExposureKey:
    """A device's secret for one rolling period.

    Attributes:
        key_data: 16 random bytes.
        rolling_start_number: First interval in which the key is valid.
        rolling_period: Number of intervals for which it is valid, 1..144.

    Privacy:
        Whoever holds it can recognise every identifier that its phone broadcast that day.
    """

    key_data: bytes = field(repr=False)
    rolling_start_number: ENIntervalNumber
    rolling_period: int = TEK_ROLLING_PERIOD

    def __post_init__(self) -> None:
        """Check the limits of the protocol."""
        if len(self.key_data) != KEY_LENGTH:
            raise InvalidKeyError(f"a TEK has {KEY_LENGTH} bytes, got {len(self.key_data)}")
        if not 1 <= self.rolling_period <= TEK_ROLLING_PERIOD:
            raise InvalidKeyError(f"rolling_period must be in 1..144, got {self.rolling_period}")
        if not 0 <= self.rolling_start_number <= MAX_INTERVAL - self.rolling_period:
            raise InvalidKeyError(
                f"rolling_start_number must fit 32 bits, got {self.rolling_start_number}"
            )

    @property
    def rolling_end_number(self) -> ENIntervalNumber:
        """The first interval in which the key is no longer valid."""
        return ENIntervalNumber(self.rolling_start_number + self.rolling_period)

    def covers(self, interval: ENIntervalNumber) -> bool:
        """Tell whether the key generates identifiers in `interval`."""
        return self.rolling_start_number <= interval < self.rolling_end_number


@dataclass(frozen=True, slots=True)
class DiagnosisKey:
    """A TEK whose owner tested positive, as it is published.

    Attributes:
        tek: The key itself.
        transmission_risk_level: Level of infectiousness on the key's day, 0..8.
        report_type: How the diagnosis became known.
        days_since_onset_of_symptoms: Key's day minus onset, in days, 32 bits signed; None where
            unknown.
    """

    tek: TemporaryExposureKey
    transmission_risk_level: int = 0
    report_type: ReportType = ReportType.UNKNOWN
    days_since_onset_of_symptoms: int | None = None

    def __post_init__(self) -> None:
        """Check the limits of the protocol."""
        if not 0 <= self.transmission_risk_level <= MAX_TRANSMISSION_RISK_LEVEL:
            raise InvalidKeyError(
                f"transmission_risk_level must be in 0..8, got {self.transmission_risk_level}"
            )
        onset = self.days_since_onset_of_symptoms
        if onset is not None and onset not in DAYS_SINCE_ONSET:
            raise InvalidKeyError(f"days_since_onset_of_symptoms must fit 32 bits, got {onset}")


def generate_tek(interval: ENIntervalNumber, entropy: Entropy) -> TemporaryExposureKey:
    """Make the key of the UTC day that contains `interval`.

    Source:
        Cryptography Specification v1.2, "Temporary Exposure Key".
    """
    return TemporaryExposureKey(entropy.token(KEY_LENGTH), rolling_start_of(interval))
