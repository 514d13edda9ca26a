"""Windows and parameters of the v2 model, for its tests."""

from datetime import date

from immuni.crypto import CalibrationConfidence
from immuni.keys import ReportType
from immuni.risk import (
    DailySummariesConfiguration,
    DiagnosisKeysDataMapping,
    ExposureWindow,
    Infectiousness,
    ScanInstance,
)
from tests.unit.risk.moments import START

DAY = START.date()
INFECTIOUS_DAYS = {
    -2: Infectiousness.STANDARD,
    -1: Infectiousness.HIGH,
    0: Infectiousness.HIGH,
    14: Infectiousness.STANDARD,
}
MAPPING = DiagnosisKeysDataMapping(
    days_since_onset_to_infectiousness=INFECTIOUS_DAYS,
    infectiousness_when_days_since_onset_missing=Infectiousness.STANDARD,
)
ONE = DailySummariesConfiguration(
    attenuation_thresholds_db=(50, 60, 70),
    attenuation_weights=(1, 1, 1, 1),
    report_type_weights=dict.fromkeys([ReportType(1), ReportType(2), ReportType(3)], 1),
    infectiousness_weights=dict.fromkeys(Infectiousness, 1),
)
"""Everything weighs one."""


def scan(
    typical_db: int = 55, seconds: int = 300, *, minimum_db: int | None = None
) -> ScanInstance:
    """Return what one scan heard."""
    return ScanInstance(
        typical_attenuation_db=typical_db,
        minimum_attenuation_db=typical_db if minimum_db is None else minimum_db,
        seconds_since_last_scan=seconds,
    )


def window(
    *scans: ScanInstance,
    day: date = DAY,
    report_type: ReportType = ReportType.CONFIRMED_TEST,
    infectiousness: Infectiousness = Infectiousness.HIGH,
) -> ExposureWindow:
    """Return a window of these scans, or of one."""
    return ExposureWindow(
        day=day,
        report_type=report_type,
        infectiousness=infectiousness,
        calibration_confidence=CalibrationConfidence.LOW,
        scan_instances=scans or (scan(),),
    )
