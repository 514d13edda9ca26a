"""Notified phones by last risky day, and what is to be expected of the days ahead."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from immuni.backend.analytics.insights.periods import days_of_period
from immuni.backend.analytics.insights.risky_days import LOOKING_BACK
from immuni.dashboard.figures import ALL, Breakdown, Figures, FigureTable, Span, Subject
from immuni.dashboard.forecast import (
    Band,
    DayAhead,
    ForecastSettings,
    NotifiedPeriod,
    forecast,
)
from immuni.dashboard.months import Month
from immuni.dashboard.plots.bands import BandPlot, Point, band_plot
from immuni.dashboard.plots.bars import BarPlot, Column, bar_plot
from immuni.dashboard.sections import Listing
from immuni.dashboard.words import exactly, on, shown

EARLIER: Final = "earlier"
_SHOWN_DAYS: Final = 35
_MONDAY: Final = 0


@dataclass(frozen=True, slots=True)
class Expected:
    """What is to be expected of each day ahead."""

    headline: str
    plot: BandPlot


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is said of risky days and of the days ahead.

    Attributes:
        headline: The sentence above.
        risky: Reports by last risky day.
        risky_listing: The same, to be read.
        onsets: First symptoms to be expected; None where there is no forecast.
        calls: Calls to be expected.
        listing: The forecast, to be read.
    """

    headline: str
    risky: BarPlot | None
    risky_listing: Listing | None
    onsets: Expected | None
    calls: Expected | None
    listing: Listing | None


def outlook(figures: Figures, month: Month, settings: ForecastSettings) -> Outlook:
    """Put it together, as known at the end of the last period of a month."""
    tables = _tables(figures, month)
    if not tables:
        return Outlook(
            "When notified phones met the risk is not known yet.", None, None, None, None, None
        )
    periods = [_period(figures, table) for table in tables]
    first_day = _day_after(periods)
    ahead = forecast(periods, first_day=first_day, settings=settings)
    headline, risky, listing = _risky(periods, first_day)
    return Outlook(
        headline,
        risky,
        listing,
        onsets=_expected(ahead, lambda day: day.onsets, "people to fall ill"),
        calls=_expected(ahead, lambda day: day.calls, "calls"),
        listing=_listing(ahead),
    )


def days_ahead(
    figures: Figures, month: Month, settings: ForecastSettings
) -> tuple[DayAhead, ...] | None:
    """Return the forecast that could be made when a month was over, or now if it runs."""
    periods = [_period(figures, table) for table in _tables(figures, month)]
    if not periods:
        return None
    return forecast(periods, first_day=_day_after(periods), settings=settings)


def _day_after(periods: Sequence[NotifiedPeriod]) -> date:
    return max(each.last_day for each in periods) + timedelta(days=1)


def _tables(figures: Figures, month: Month) -> list[FigureTable]:
    return [
        table
        for key, table in figures.tables.items()
        if (key.subject, key.span, key.breakdown)
        == (Subject.NOTIFIED, Span.PERIOD, Breakdown.RISKY_DAY)
        and key.since < month.next.first
    ]


def _period(figures: Figures, table: FigureTable) -> NotifiedPeriod:
    since = table.key.since
    days = days_of_period(since)
    total = table.count(ALL, ALL)
    # Where the total is withheld, no other cell of the period is there: none of them is known.
    first = since - LOOKING_BACK
    reports: dict[date, int | None] = {}
    if total is None:
        span = range((days[-1] - first).days + 1)
        reports = dict.fromkeys(first + timedelta(ahead) for ahead in span)
    reports |= {
        date.fromisoformat(cell[1]): count
        for cell, count in table.counts.items()
        if cell[0] == ALL and cell[1] not in (ALL, EARLIER)
    }
    return NotifiedPeriod(
        last_day=days[-1],
        reports=reports,
        earlier=table.count(ALL, EARLIER),
        total=total,
        sampling_rate=figures.rate(table, ALL),
    )


def _risky(periods: Sequence[NotifiedPeriod], first_day: date) -> tuple[str, BarPlot, Listing]:
    counts: Counter[date] = Counter()
    withheld: set[date] = set()
    for period in periods:
        for day, count in period.reports.items():
            counts[day] += count or 0
            if count is None:
                withheld.add(day)
    days = [first_day - timedelta(ago) for ago in range(_SHOWN_DAYS, 0, -1)]
    columns = [
        Column(
            _label(day),
            f"{on(day)}: {_said(counts[day], day in withheld)}",
            (counts[day], None) if day in withheld else (counts[day],),
        )
        for day in days
    ]
    worst = max(days, key=lambda day: counts[day])
    headline = "Of no day it is shown that phones met a risk."
    if counts[worst]:
        headline = f"More reports tell of a risk on {on(worst)} than on any other day."
    rows = tuple((on(day), _said(counts[day], day in withheld)) for day in days)
    listing = Listing("Reports with exposure, by last risky day", ("Day", "Reports"), rows)
    return headline, bar_plot(columns, say=exactly), listing


def _said(count: int, is_withheld: bool) -> str:  # noqa: FBT001 - told apart by the call
    if not is_withheld:
        return exactly(count)
    return f"{exactly(count)} and some that are withheld" if count else shown(None)


def _label(day: date) -> str:
    return f"{day.day} {day:%b}" if day.weekday() == _MONDAY else ""


def _expected(
    ahead: Sequence[DayAhead] | None, which: Callable[[DayAhead], Band], whom: str
) -> Expected | None:
    if ahead is None:
        return None
    bands = [which(day) for day in ahead]
    points = [
        Point(
            f"{day.day.day} {day.day:%b}" if place % 4 == 0 else "",
            f"{on(day.day)}: {_band(band)}",
            band.low,
            band.expected,
            band.high,
        )
        for place, (day, band) in enumerate(zip(ahead, bands, strict=True))
    ]
    most = max(bands, key=lambda band: band.expected or band.low)
    day = ahead[bands.index(most)].day
    return Expected(f"Expect {_band(most)} {whom} on {on(day)}.", band_plot(points, say=exactly))


def _band(band: Band) -> str:
    if band.expected is None or band.high is None:
        return f"at least {exactly(band.low)}"
    return f"about {exactly(band.expected)} ({exactly(band.low)} to {exactly(band.high)})"


def _listing(ahead: Sequence[DayAhead] | None) -> Listing | None:
    if ahead is None:
        return None
    return Listing(
        "What is to be expected, by day",
        ("Day", "First symptoms", "Calls"),
        tuple((on(day.day), _band(day.onsets), _band(day.calls)) for day in ahead),
    )
