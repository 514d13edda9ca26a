"""The score of one window, and what gives it how much."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from immuni.keys import ReportType
from immuni.risk.daily_configuration import DailySummariesConfiguration
from immuni.risk.days import days_since
from immuni.risk.infectiousness import Infectiousness
from immuni.risk.windows import ExposureWindow, ScanInstance


class Closeness(StrEnum):
    """The four ranges of attenuation, by the platforms' names."""

    IMMEDIATE = "immediate"
    NEAR = "near"
    MEDIUM = "medium"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeInRange:
    """How long a window's phone was in one range of attenuation, and what that weighs.

    Attributes:
        closeness: The range.
        above_db: Its lower limit, which does not belong to it; None where it has none.
        at_most_db: Its upper limit, which does; None where it has none.
        seconds: Time in it.
        weight: 0..2.5.
    """

    closeness: Closeness
    above_db: int | None
    at_most_db: int | None
    seconds: int
    weight: float

    @property
    def weighted_seconds(self) -> Fraction:
        """Seconds times weight, exact."""
        return self.seconds * _exact(self.weight)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowExplanation:
    """How a window comes by its score, and whether it counts.

    Attributes:
        day: UTC day of the window.
        times: In each range of attenuation, nearest first.
        report_type: Of the window.
        report_type_weight: 0..2.5.
        infectiousness: Of the window.
        infectiousness_weight: 0..2.5.
        minimum_window_score: A window that scores less does not count.
        days_since_exposure: Whole UTC days.
        days_since_exposure_threshold: A window longer ago does not count; 0 sets no limit.

    Privacy:
        Names no key, and no time finer than a day.
    """

    day: date
    times: tuple[TimeInRange, ...]
    report_type: ReportType
    report_type_weight: float
    infectiousness: Infectiousness
    infectiousness_weight: float
    minimum_window_score: float
    days_since_exposure: int
    days_since_exposure_threshold: int

    @property
    def weighted_duration_seconds(self) -> Fraction:
        """The times, each with its weight, added up; exact."""
        return sum((time.weighted_seconds for time in self.times), Fraction())

    @property
    def score(self) -> Fraction:
        """Weighted duration times the weights of report type and infectiousness; exact."""
        return (
            self.weighted_duration_seconds
            * _exact(self.report_type_weight)
            * _exact(self.infectiousness_weight)
        )

    @property
    def is_too_long_ago(self) -> bool:
        """Whether the window lies before the days that are summed up."""
        return 0 < self.days_since_exposure_threshold < self.days_since_exposure

    @property
    def counts(self) -> bool:
        """Whether the window is part of its day's summary: what scores nothing never is."""
        enough = 0 < self.score >= _exact(self.minimum_window_score)
        return enough and not self.is_too_long_ago


def explain_window(
    window: ExposureWindow, configuration: DailySummariesConfiguration, *, today: date
) -> WindowExplanation:
    """Return how a window comes by its score: this is what scores it, so it is never wrong.

    Args:
        window: What was heard.
        configuration: The parameters of the model.
        today: UTC day of the detection.

    Source:
        Risk model v2, "daily summary".
    """
    return WindowExplanation(
        day=window.day,
        times=_times(window.scan_instances, configuration),
        report_type=window.report_type,
        report_type_weight=configuration.report_type_weights.get(window.report_type, 0),
        infectiousness=window.infectiousness,
        infectiousness_weight=configuration.infectiousness_weights.get(window.infectiousness, 0),
        minimum_window_score=configuration.minimum_window_score,
        days_since_exposure=days_since(window.day, today),
        days_since_exposure_threshold=configuration.days_since_exposure_threshold,
    )


def _times(
    scans: tuple[ScanInstance, ...], configuration: DailySummariesConfiguration
) -> tuple[TimeInRange, ...]:
    limits = pairwise((None, *configuration.attenuation_thresholds_db, None))
    return tuple(
        TimeInRange(
            closeness=closeness,
            above_db=above,
            at_most_db=at_most,
            seconds=sum(
                scan.seconds_since_last_scan
                for scan in scans
                if _lies_in(scan.typical_attenuation_db, above, at_most)
            ),
            weight=weight,
        )
        for closeness, (above, at_most), weight in zip(
            Closeness, limits, configuration.attenuation_weights, strict=True
        )
    )


def _lies_in(attenuation_db: int, above: int | None, at_most: int | None) -> bool:
    return (above is None or attenuation_db > above) and (
        at_most is None or attenuation_db <= at_most
    )


def _exact(weight: float) -> Fraction:
    """Return the number as it was written: 0.1 is a tenth, not what a float makes of it.

    So a score that reaches its minimum reaches it, and no sum depends on the order of its parts.
    """
    return Fraction(str(weight))
