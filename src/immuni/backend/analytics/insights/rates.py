"""What share of phones reported: from the sampling rates of single days to that of a month.

Rates differ by day, platform and build. An estimate for a province that used its own mixture would
tell of it: how many of its reports came from which platform. So everybody's mixture is used: the
*effective rate* of a month is its reports, divided by the phones that they stand for.

Source:
    Analytics, "What operators see".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from immuni.backend.analytics.insights.breakdowns import build_node
from immuni.backend.analytics.insights.counting import RateFrom
from immuni.backend.analytics.insights.counts import UNKNOWN_BUILD, MonthCounts, ReportKey
from immuni.backend.analytics.insights.figures import Breakdown, Subject
from immuni.backend.analytics.insights.nationals import NOTIFIED
from immuni.backend.analytics.insights.trees import ALL

_DIGITS: Final = 3
"""So many significant ones are shown: enough for an estimate, too few to compute counts from."""


@dataclass(frozen=True, slots=True)
class EffectiveRate:
    """A share of phones that reported; None where it is not known."""

    subject: Subject
    breakdown: Breakdown
    node: str
    rate: float | None


def effective_rates(
    counts: MonthCounts, rates: Mapping[date, Sequence[RateFrom]]
) -> list[EffectiveRate]:
    """Return the rates of all reports, of each platform and of each build."""
    groups: dict[tuple[Subject, Breakdown, str], list[tuple[int, float]]] = {}
    for key, count in counts.reports.items():
        subject = Subject.NOTIFIED if key.kind == NOTIFIED else Subject.ACTIVE
        weighed = count, _rate_of(key, subject, rates.get(key.day, []))
        for breakdown, node in (
            (Breakdown.NOTHING, ALL),
            (Breakdown.BUILD, key.platform),
            (Breakdown.BUILD, build_node(key)),
        ):
            groups.setdefault((subject, breakdown, node), []).append(weighed)
    return [EffectiveRate(*group, _effective(pairs)) for group, pairs in sorted(groups.items())]


def _effective(pairs: Iterable[tuple[int, float]]) -> float | None:
    """Return reports by phones; None where some came although nobody was to report."""
    reports, phones = 0, 0.0
    for count, rate in pairs:
        if rate == 0:
            return None
        reports += count
        phones += count / rate
    return float(f"{reports / phones:.{_DIGITS}g}")


def _rate_of(key: ReportKey, subject: Subject, rates: Iterable[RateFrom]) -> float:
    """Return what a report's phone drew against; 0 where that is not known.

    A phone that did not tell its build is taken for one of the newest.
    """
    fitting = [
        each
        for each in rates
        if each.platform == key.platform
        and (key.build == UNKNOWN_BUILD or each.starting_build <= int(key.build))
    ]
    if not fitting:
        return 0
    newest = max(fitting, key=lambda each: each.starting_build)
    return newest.with_exposure if subject is Subject.NOTIFIED else newest.without_exposure
