"""What the v2 model tells of each day: how near, how long, how infectious."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction

from immuni.keys import ReportType
from immuni.risk.daily_configuration import DailySummariesConfiguration
from immuni.risk.days import today_at
from immuni.risk.window_scores import WindowExplanation, explain_window
from immuni.risk.windows import ExposureWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureSummary:
    """What some windows of one day amount to.

    Attributes:
        maximum_score: Of all windows.
        score_sum: Of all windows; in seconds, where all weights are 1.
        weighted_duration_sum_seconds: Time near, weighted by attenuation only.
    """

    maximum_score: float
    score_sum: float
    weighted_duration_sum_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DailySummary:
    """What is told of one day.

    Attributes:
        day: In UTC.
        overall: Of all windows that count.
        by_report_type: Of those of one report type; types of which no window counts are left out.

    Privacy:
        Names no key and no time finer than a day.

    Source:
        Google, `DailySummary`; Apple, `ENExposureDaySummary`.
    """

    day: date
    overall: ExposureSummary
    by_report_type: Mapping[ReportType, ExposureSummary] = field(hash=False)


def summarise_days(
    windows: Iterable[ExposureWindow], configuration: DailySummariesConfiguration, *, now: datetime
) -> tuple[DailySummary, ...]:
    """Return the summary of each day on which a window counts, oldest first.

    Args:
        windows: Of all detections, in any order.
        configuration: The parameters of the model.
        now: The time of the detection, aware.

    Raises:
        ValueError: `now` is naive.

    Source:
        Risk model v2, "daily summary".
    """
    today = today_at(now)
    of_day: defaultdict[date, list[WindowExplanation]] = defaultdict(list)
    for window in windows:
        scored = explain_window(window, configuration, today=today)
        if scored.counts:
            of_day[scored.day].append(scored)
    return tuple(_daily_summary(day, of_day[day]) for day in sorted(of_day))


def _daily_summary(day: date, scored: Sequence[WindowExplanation]) -> DailySummary:
    types = sorted({window.report_type for window in scored})
    return DailySummary(
        day=day,
        overall=_summary(scored),
        by_report_type={
            each: _summary([window for window in scored if window.report_type is each])
            for each in types
        },
    )


def _summary(scored: Sequence[WindowExplanation]) -> ExposureSummary:
    scores = [window.score for window in scored]
    durations = (window.weighted_duration_seconds for window in scored)
    return ExposureSummary(
        maximum_score=float(max(scores)),
        score_sum=float(sum(scores, Fraction())),
        weighted_duration_sum_seconds=float(sum(durations, Fraction())),
    )
