"""From single moments of nearness to windows, in which the v2 model tells exposures."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from immuni.crypto import CalibrationConfidence
from immuni.errors import ImmuniError
from immuni.keys import ENIntervalNumber, ReportType, day_of
from immuni.risk.contact import Contact, Sample
from immuni.risk.infectiousness import DiagnosisKeysDataMapping, Infectiousness
from immuni.risk.scans import LONGEST_SCAN_GAP, runs

LONGEST_WINDOW: Final = timedelta(seconds=1800)
"""What is heard of a key so long after a window began, begins another one."""
SECONDS_SINCE_UNKNOWN_SCAN: Final = 120
"""What a sighting counts for where nobody knows when the phone had listened before."""
MOST_SECONDS_SINCE_LAST_SCAN: Final = 300
_MINUTE: Final = timedelta(minutes=1)
_COUNTED: Final = frozenset(
    {
        ReportType.CONFIRMED_TEST,
        ReportType.CONFIRMED_CLINICAL_DIAGNOSIS,
        ReportType.SELF_REPORT,
    }
)


class InvalidExposureWindowError(ImmuniError, ValueError):
    """A window or one of its scans cannot have been heard; none was made."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ScanInstance:
    """What one scan of a few seconds heard of one key's phone.

    Attributes:
        typical_attenuation_db: Mean of all that was heard, in whole dB.
        minimum_attenuation_db: Of all that was heard.
        seconds_since_last_scan: Whole minutes, in seconds, since the phone had listened before; at
            most 300. What the scan counts for.

    Source:
        Google, `ScanInstance`; Apple, `ENScanInstance`.
    """

    typical_attenuation_db: int
    minimum_attenuation_db: int
    seconds_since_last_scan: int

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 <= self.minimum_attenuation_db <= self.typical_attenuation_db:
            raise InvalidExposureWindowError(
                "attenuations must not be negative, nor the typical below the minimum, got "
                f"{self.typical_attenuation_db} and {self.minimum_attenuation_db} dB"
            )
        if not 0 <= self.seconds_since_last_scan <= MOST_SECONDS_SINCE_LAST_SCAN:
            raise InvalidExposureWindowError(
                f"seconds_since_last_scan must be in 0..300, got {self.seconds_since_last_scan}"
            )


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ExposureWindow:
    """Half an hour at most, in which one key's phone was near.

    Attributes:
        day: UTC day on which it began, by the clock of the phone that was heard.
        report_type: How the diagnosis became known: one of the three that somebody can report.
        infectiousness: Of the key's owner on that day.
        calibration_confidence: How well the phone that was heard knows its transmit power.
        scan_instances: At least one, nearest first.

    Privacy:
        Names no key and no time finer than a day. Its scans are not in the order of time: where one
        window leaves off and another goes on, the two would show to be of one key.

    Source:
        Google, `ExposureWindow`; Apple, `ENExposureWindow`.
    """

    day: date
    report_type: ReportType
    infectiousness: Infectiousness
    calibration_confidence: CalibrationConfidence
    scan_instances: tuple[ScanInstance, ...]

    def __post_init__(self) -> None:
        """Check that there is something to tell."""
        if self.report_type not in _COUNTED:
            raise InvalidExposureWindowError(f"{self.report_type.name} keys make no windows")
        if not self.scan_instances:
            raise InvalidExposureWindowError("a window has at least one scan")


def find_windows(
    contacts: Iterable[Contact], mapping: DiagnosisKeysDataMapping
) -> tuple[ExposureWindow, ...]:
    """Return the windows of all contacts of one detection.

    Revoked and recursive keys make none.

    Args:
        contacts: One for each key that matched.
        mapping: What the keys' days and report types count as.

    Returns:
        In the order of what they tell.

    Privacy:
        A window stands where what it tells puts it. So the order says nothing that the windows do
        not say themselves, whichever key they are of; no shuffle says less.

    Source:
        Risk model v2, "windows".
    """
    return tuple(sorted(window for contact in contacts for window in _windows(contact, mapping)))


def _windows(contact: Contact, mapping: DiagnosisKeysDataMapping) -> Iterator[ExposureWindow]:
    report_type = mapping.report_type(contact.report_type)
    if report_type not in _COUNTED:
        return
    infectiousness = mapping.infectiousness(contact.days_since_onset_of_symptoms)
    heard = sorted(contact.samples, key=_by_time)
    for scans in _half_hours(runs(heard, LONGEST_SCAN_GAP)):
        yield ExposureWindow(
            day=day_of(scans[0][0].interval),
            report_type=report_type,
            infectiousness=infectiousness,
            calibration_confidence=_least_confidence(scans),
            scan_instances=tuple(sorted(_scan_instance(scan) for scan in scans)),
        )


def _by_time(sample: Sample) -> tuple[datetime, ENIntervalNumber]:
    return sample.at, sample.interval


def _half_hours(scans: Iterable[list[Sample]]) -> Iterator[list[list[Sample]]]:
    """Gather scans, which come by time, into windows by when they began.

    No scan is cut in two: each half would count for all the time since the scan before.
    """
    window: list[list[Sample]] = []
    for scan in scans:
        if window and scan[0].at - window[0][0].at >= LONGEST_WINDOW:
            yield window
            window = []
        window.append(scan)
    if window:
        yield window


def _least_confidence(scans: Iterable[Sequence[Sample]]) -> CalibrationConfidence:
    # It is one phone with one confidence. Where what was heard disagrees, somebody has forged some.
    return min(sample.calibration_confidence for scan in scans for sample in scan)


def _scan_instance(scan: Sequence[Sample]) -> ScanInstance:
    losses = [sample.attenuation_db for sample in scan]
    return ScanInstance(
        # Halves up, in whole numbers.
        typical_attenuation_db=(2 * sum(losses) + len(losses)) // (2 * len(losses)),
        minimum_attenuation_db=min(losses),
        seconds_since_last_scan=_seconds_since_last_scan(scan),
    )


def _seconds_since_last_scan(scan: Sequence[Sample]) -> int:
    """Return the time since the scan before: the nearest minute, halves up, at most five.

    All sightings of a scan should agree; where they do not, the longest time counts.
    """
    known = [sample.since_scan for sample in scan if sample.since_scan is not None]
    if not known:
        return SECONDS_SINCE_UNKNOWN_SCAN
    minutes = (max(known) + _MINUTE / 2) // _MINUTE
    return min(60 * minutes, MOST_SECONDS_SINCE_LAST_SCAN)
