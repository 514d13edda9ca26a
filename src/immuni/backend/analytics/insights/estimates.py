"""How many phones were active, healthy and notified in a month, from the reports of a sample.

A phone that has something to report draws against the sampling rate, at most once a month for each
kind of report: of N phones that drew, the number that reported is binomial, and its rate is known.

*Notified* are the phones that warned their user, once each, however often they did. *Active* are
those that reported without exposure: each phone looks at one random span of 24 hours of the month,
and reports when a detection without exposure falls into it. So phones that are off half the time
count half, those whose first days lie after their span not at all: it is the mean number of phones
that are active within 24 hours. *Healthy* are those of the active ones that have all permissions.
Reports with exposure do not count there: they would count a phone twice.

Source:
    Analytics, "What operators see"; Operational Info, "When a phone sends".
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, hypot, sqrt
from statistics import NormalDist
from typing import Final, Self, TypeVar

CONFIDENCE: Final = 0.95
"""How often an interval is to hold the true number of phones; it does so a little more often."""

_Z: Final = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)

Group = TypeVar("Group", bound=Hashable)


@dataclass(frozen=True, slots=True)
class SamplingRates:
    """The sampling rates that were in force on a day; 0 where phones were to send nothing."""

    with_exposure: float
    without_exposure: float

    def __post_init__(self) -> None:
        if not (0 <= self.with_exposure <= 1 and 0 <= self.without_exposure <= 1):
            raise ValueError("a sampling rate lies between 0 and 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCount:
    """How many reports of one sort came on a day.

    Attributes:
        received_on: The day, in UTC.
        with_exposure: Whether the phones had warned their user.
        is_healthy: Whether they had all permissions, and Bluetooth on.
        reports: Their number.
    """

    received_on: date
    with_exposure: bool
    is_healthy: bool
    reports: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number of phones, and between which numbers it lies with confidence `CONFIDENCE`."""

    phones: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class MonthlyEstimates:
    """What is known of the phones of a group; None where nothing is."""

    active: Estimate | None
    healthy: Estimate | None
    notified: Estimate | None


def monthly_estimates(
    counts: Iterable[tuple[Group, ReportCount]],
    *,
    days: Collection[date],
    rates: Mapping[date, SamplingRates],
) -> dict[Group, MonthlyEstimates]:
    """Return the estimates for each group of which there are reports, or a count of 0.

    Args:
        counts: Groups, of whatever people like to tell apart, with their counts.
        days: Those that the estimates are about: of one calendar month, for a phone that reports
            in each of two months would count twice.
        rates: What was in force on these days.

    Raises:
        ValueError: A report is not of these days, or these are not of one month.
    """
    if len({(day.year, day.month) for day in days}) > 1:
        raise ValueError("the days are of several months")
    groups: dict[Group, list[ReportCount]] = {}
    for group, count in counts:
        groups.setdefault(group, []).append(count)
    with_rates = {day: rates[day].with_exposure for day in days if day in rates}
    without_rates = {day: rates[day].without_exposure for day in days if day in rates}
    return {
        group: MonthlyEstimates(
            active=estimate(_by_day(each, days, with_exposure=False), without_rates),
            healthy=estimate(
                _by_day((one for one in each if one.is_healthy), days, with_exposure=False),
                without_rates,
            ),
            notified=estimate(_by_day(each, days, with_exposure=True), with_rates),
        )
        for group, each in groups.items()
    }


def estimate(reports: Mapping[date, int], rates: Mapping[date, float]) -> Estimate | None:
    """Estimate how many phones drew, from how many reported.

    Args:
        reports: For each day, days without reports included, the number of reports.
        rates: The sampling rate of each day.

    Returns:
        The estimate; None where on some day nobody reports or the rate is not known: how many
        phones drew then, nothing tells.

    Source:
        Wilson's score interval, solved for the number of trials instead of the probability, with
        Yates' correction for whole numbers. Days of different rates are put together by MOVER: Zou
        and Donner, "Construction of confidence limits about effect measures: a general approach",
        Statistics in Medicine 27 (2008).
    """
    if not reports or not all(rates.get(day, 0) for day in reports):
        return None
    by_rate: Counter[float] = Counter()
    for day, count in reports.items():
        by_rate[rates[day]] += count
    strata = [_Stratum.of(count, rate) for rate, count in by_rate.items()]
    phones = sum(each.phones for each in strata)
    low = phones - hypot(*(each.phones - each.low for each in strata))
    high = phones + hypot(*(each.high - each.phones for each in strata))
    return Estimate(round(phones), max(sum(reports.values()), floor(low)), ceil(high))


@dataclass(frozen=True, slots=True)
class _Stratum:
    """Estimate and limits for the days of one rate."""

    phones: float
    low: float
    high: float

    @classmethod
    def of(cls, reports: int, rate: float) -> Self:
        """Return them: (reports − N·rate)² = z²·N·rate·(1 − rate), solved for N."""
        if rate == 1:
            return cls(reports, reports, reports)
        spread = _Z**2 * (1 - rate)

        def limit(seen: float, sign: int) -> float:
            return (2 * seen + spread + sign * sqrt(spread * (4 * seen + spread))) / (2 * rate)

        return cls(reports / rate, limit(max(0, reports - 0.5), -1), limit(reports + 0.5, 1))


def _by_day(
    counts: Iterable[ReportCount], days: Collection[date], *, with_exposure: bool
) -> dict[date, int]:
    """Return the reports of one kind, day by day, 0 included."""
    reports = dict.fromkeys(days, 0)
    for count in counts:
        if count.received_on not in reports:
            raise ValueError(f"a report of {count.received_on} is not of these days")
        if count.with_exposure == with_exposure:
            reports[count.received_on] += count.reports
    return reports
