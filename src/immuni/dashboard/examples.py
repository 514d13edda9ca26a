"""Answers as the document shows them."""

from datetime import date
from typing import Final

from immuni.dashboard.answers import (
    BandAnswer,
    CellAnswer,
    DayAnswer,
    EarlyWarningAnswer,
    EstimateAnswer,
    EstimatesAnswer,
    FiguresAnswer,
    FindingAnswer,
    ForecastAnswer,
    MonthsAnswer,
    ReleaseAnswer,
    ReleasesAnswer,
)
from immuni.dashboard.early_warning import Verdict
from immuni.dashboard.estimates import CONFIDENCE, estimate
from immuni.dashboard.figures import Breakdown, Span, Subject

_RELEASE: Final = ReleaseAnswer(
    subject=Subject.ACTIVE,
    span=Span.MONTH,
    breakdown=Breakdown.PLACE,
    since=date(2020, 10, 1),
)
_REPORTS: Final = 20_816
_ESTIMATE: Final = estimate(_REPORTS, 0.1)

MONTHS: Final = MonthsAnswer(months=["2020-11", "2020-10"])
RELEASES: Final = ReleasesAnswer(releases=[_RELEASE])
FIGURES: Final = FiguresAnswer(
    release=_RELEASE,
    cells=[
        CellAnswer(cell=("TO", "active"), count=_REPORTS),
        CellAnswer(cell=("TO", "impaired"), count=None),
    ],
)
ESTIMATES: Final = EstimatesAnswer(
    release=_RELEASE,
    confidence=CONFIDENCE,
    estimates=[
        EstimateAnswer(
            cell=("TO", "active"),
            reports=_REPORTS,
            phones=_ESTIMATE.phones,
            low=_ESTIMATE.low,
            high=_ESTIMATE.high,
        )
    ],
)
FORECAST: Final = ForecastAnswer(
    confidence=CONFIDENCE,
    days=[
        DayAnswer(
            day=date(2020, 11, 1),
            onsets=BandAnswer(low=93, expected=168.3, high=264),
            calls=BandAnswer(low=53, expected=99.1, high=157),
        )
    ],
)
EARLY_WARNING: Final = EarlyWarningAnswer(
    findings=[
        FindingAnswer(place="AO", verdict=Verdict.RISE, rise=1.83),
        FindingAnswer(place="IS", verdict=Verdict.NOT_KNOWN, rise=None),
    ]
)
