"""On which day notified phones were last at risk, by place, period by period."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from immuni.backend.analytics.insights.counts import MonthCounts, NotifiedKey, total_by
from immuni.backend.analytics.insights.deciding import decide
from immuni.backend.analytics.insights.figures import (
    Breakdown,
    Figures,
    Ledger,
    Span,
    Subject,
    TableName,
)
from immuni.backend.analytics.insights.nationals import NOTIFIED
from immuni.backend.analytics.insights.periods import days_between, first_of_period
from immuni.backend.analytics.insights.places import ALL, merged
from immuni.backend.analytics.insights.tables import Cell, Dimension, Table

EARLIER: Final = "earlier"
"""The node of days that lie too far back, and of those that nobody told."""
LOOKING_BACK: Final = timedelta(days=14)
"""Before the period: phones warn of nothing older."""


def decide_risky_days(
    ledger: Ledger, counts: MonthCounts, places: Dimension, *, k_anonymity: int
) -> None:
    """Enter the table of the period that ends with the last of the days.

    What is shown of each place for the whole period is taken for known; places of which nothing is
    shown are put together.
    """
    last = counts.days[-1]
    since = first_of_period(last)
    by_place = ledger.tables[TableName(Subject.NOTIFIED, Span.PERIOD, Breakdown.PLACE, since)]
    shown = {node for node in places.nodes if by_place.get((node, NOTIFIED), 0) is not None}
    hidden = [node for node in places.nodes if node not in shown]
    figures: Figures = {(ALL, ALL): None}
    if ALL in shown:
        days = [day.isoformat() for day in days_between(since - LOOKING_BACK, last)]
        dimension, home = merged(places, shown)
        risky_days = Dimension.flat([EARLIER, *days], total=ALL)
        table = Table([dimension, risky_days], _leaves(counts.notified, since, home, days))
        new = [(place, day) for place in dimension.nodes for day in risky_days.paths]
        known = [(place, ALL) for place in dimension.nodes]
        decided = decide(table, new=new, before={}, known=known, k_anonymity=k_anonymity)
        figures = {
            **{(place, day): None for place in hidden for day in risky_days.nodes},
            **{cell: count for cell, count in decided.items() if cell[0] in shown and count != 0},
            **{(place, ALL): table.counts[place, ALL] for place in shown},
        }
    ledger.enter(TableName(Subject.NOTIFIED, Span.PERIOD, Breakdown.RISKY_DAY, since), figures)


def _leaves(
    notified: Mapping[NotifiedKey, int], since: date, home: Mapping[str, str], days: list[str]
) -> dict[Cell, int]:
    def node(day: date | None) -> str:
        return EARLIER if day is None or day.isoformat() not in days else day.isoformat()

    return total_by(
        ((home[key.province], node(key.last_risky_on)), count)
        for key, count in notified.items()
        if key.day >= since
    )
