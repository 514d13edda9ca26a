"""What share of phones reported: from the sampling rates of single days to that of a month.

Rates differ by day, platform and build. An estimate for a province that used its own mixture would
tell of it: how many of its reports came from which platform. So everybody's mixture is used, and
only as far as it is shown: a mean over all reports would tell of the builds and days that are
withheld. The *effective rate* is the weighted harmonic mean of the rates, by the reports that are
shown of each build and of each day: reports, divided by the phones that they stand for.

Source:
    Analytics, "What operators see".
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from immuni.backend.analytics.insights.breakdowns import PLATFORMS
from immuni.backend.analytics.insights.counting import RateFrom
from immuni.backend.analytics.insights.counts import UNKNOWN_BUILD
from immuni.backend.analytics.insights.figures import (
    Breakdown,
    Ledger,
    Span,
    Subject,
    TableName,
)
from immuni.backend.analytics.insights.trees import ALL

_KINDS: Final = {Subject.ACTIVE: "active", Subject.NOTIFIED: "notified"}
_Rates = Mapping[date, Sequence[RateFrom]]


@dataclass(frozen=True, slots=True)
class EffectiveRate:
    """A share of phones that reported.

    Attributes:
        subject: Of what.
        breakdown: ``nothing`` for all of them, ``build`` for a platform or a build.
        node: Of which.
        rate: The share; None where it is not known.
        spread: How much larger the variance of an estimate is than with this one rate in force
            all the time: 1 where it was.
    """

    subject: Subject
    breakdown: Breakdown
    node: str
    rate: float | None
    spread: float = 1


def effective_rates(ledger: Ledger, days: Collection[date], rates: _Rates) -> list[EffectiveRate]:
    """Return the rates of all reports and, once the month is over, of each platform and build.

    Args:
        ledger: What is shown of the month.
        days: Those of the month that were counted.
        rates: What was in force on each.
    """
    found = []
    for subject in _KINDS:
        by_day = _days(ledger, subject, days)
        by_build = _builds(ledger, subject, min(days).replace(day=1))
        groups = {(Breakdown.NOTHING, ALL): by_build or _newest(PLATFORMS)}
        for platform in PLATFORMS:
            theirs = {each: count for each, count in by_build.items() if each[0] == platform}
            groups[Breakdown.BUILD, platform] = theirs or _newest([platform])
        for platform, build in by_build:
            groups[Breakdown.BUILD, f"{platform} {build}"] = {(platform, build): 1}
        found += [
            EffectiveRate(subject, *group, *_effective(subject, builds, by_day, rates))
            for group, builds in groups.items()
        ]
    return found


def _effective(
    subject: Subject,
    builds: Mapping[tuple[str, str], int],
    days: Mapping[date, int],
    rates: _Rates,
) -> tuple[float | None, float]:
    """Return reports by phones, and the spread; None where nobody was to report, or nobody knows.

    Of N phones that draw against r, n = N·r report, and N is known with a variance of n/r² − n/r.
    """
    reports, phones, squares = 0, 0.0, 0.0
    for (platform, build), of_build in builds.items():
        for day, of_day in days.items():
            rate = _rate_of(platform, build, subject, rates.get(day, []))
            if rate == 0:
                return None, 1
            reports += of_build * of_day
            phones += of_build * of_day / rate
            squares += of_build * of_day / rate**2
    variance_of_one_rate = phones**2 / reports - phones
    # Where all reported there is none; what rounding leaves of it is nothing either.
    if variance_of_one_rate < 1e-9 * phones:
        return reports / phones, 1
    return reports / phones, max(1, (squares - phones) / variance_of_one_rate)


def _days(ledger: Ledger, subject: Subject, days: Collection[date]) -> dict[date, int]:
    """Return what is shown of each day; all days alike where that is nothing."""
    tables = ledger.of(subject, Span.DAY, Breakdown.NOTHING, days)
    shown = {day: count for day, table in tables.items() if (count := table[_KINDS[subject],])}
    return shown or dict.fromkeys(days, 1)


def _builds(ledger: Ledger, subject: Subject, month: date) -> dict[tuple[str, str], int]:
    """Return what is shown of each build, by its platform and number."""
    name = TableName(subject, Span.MONTH, Breakdown.BUILD, month)
    shown = {}
    for (node, kind), count in ledger.tables.get(name, {}).items():
        platform, _, build = node.partition(" ")
        if build and kind == _KINDS[subject] and count:
            shown[platform, build] = count
    return shown


def _newest(platforms: Collection[str]) -> dict[tuple[str, str], int]:
    """Return platforms of whose builds nothing is shown, all alike."""
    return {(platform, UNKNOWN_BUILD): 1 for platform in platforms}


def _rate_of(platform: str, build: str, subject: Subject, rates: Sequence[RateFrom]) -> float:
    """Return what phones of a build drew against; 0 where that is not known.

    A phone that did not tell its build is taken for one of the newest.
    """
    fitting = [
        each
        for each in rates
        if each.platform == platform
        and (build == UNKNOWN_BUILD or each.starting_build <= int(build))
    ]
    if not fitting:
        return 0
    newest = max(fitting, key=lambda each: each.starting_build)
    return newest.with_exposure if subject is Subject.NOTIFIED else newest.without_exposure
