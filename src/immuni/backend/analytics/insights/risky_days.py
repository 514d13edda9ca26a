"""On which day notified phones were last at risk, by place, period by period."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from immuni.backend.analytics.insights.counts import MonthCounts, NotifiedKey, total_by
from immuni.backend.analytics.insights.deciding import decide
from immuni.backend.analytics.insights.figures import (
    Breakdown,
    Ledger,
    Span,
    Subject,
    TableName,
)
from immuni.backend.analytics.insights.nationals import NOTIFIED
from immuni.backend.analytics.insights.periods import days_between, first_of_period
from immuni.backend.analytics.insights.tables import Cell, Dimension, Table
from immuni.backend.analytics.insights.trees import ALL, Tree

EARLIER: Final = "earlier"
"""The node of days that lie too far back, and of those that nobody told."""
LOOKING_BACK: Final = timedelta(days=14)
"""Before the period: phones warn of nothing older."""
_REST: Final = "rest"
"""All parts of a place, or all days, together of which nothing is shown."""
_Figures = dict[Cell, int | None]


def decide_risky_days(
    ledger: Ledger, counts: MonthCounts, places: Tree, *, k_anonymity: int
) -> None:
    """Enter the table of the period that ends with the last of the days.

    What is shown of each place for the whole period is taken for known, and so is what is shown of
    the days of the place above. Places, and days, of which nothing is shown are put together.
    """
    last = counts.days[-1]
    since = first_of_period(last)
    by_place = ledger.tables[TableName(Subject.NOTIFIED, Span.PERIOD, Breakdown.PLACE, since)]
    days = [EARLIER, *(day.isoformat() for day in days_between(since - LOOKING_BACK, last))]
    leaves = _leaves(counts.notified, since, days)
    figures: _Figures = {(node, ALL): by_place.get((node, NOTIFIED), 0) for node in places.nodes}
    figures.update(_of_all(leaves, days, figures, k_anonymity))
    for place, parts in places.parts.items():
        figures.update(_of_parts(leaves, places, place, parts, days, figures, k_anonymity))
    ledger.enter(
        TableName(Subject.NOTIFIED, Span.PERIOD, Breakdown.RISKY_DAY, since),
        {cell: count for cell, count in figures.items() if ALL in cell[1:] or count != 0},
    )


def _of_all(
    leaves: Mapping[Cell, int], days: Collection[str], figures: _Figures, k_anonymity: int
) -> _Figures:
    """Decide the days of the whole country."""
    if figures[ALL, ALL] is None:
        return {(ALL, day): None for day in days}
    table = Table(
        [Dimension.flat(days, total=ALL)],
        total_by(((day,), count) for (_, day), count in leaves.items()),
    )
    new = [(day,) for day in days]
    decided = decide(table, new=new, before={}, known=[(ALL,)], k_anonymity=k_anonymity)
    return {(ALL, day): decided[day,] for day in days}


def _of_parts(
    leaves: Mapping[Cell, int],
    places: Tree,
    place: str,
    parts: Sequence[str],
    days: Collection[str],
    figures: _Figures,
    k_anonymity: int,
) -> _Figures:
    """Decide the days of the parts of a place."""
    if len(parts) == 1:
        return {(parts[0], day): figures[place, day] for day in days}
    part_home = {each: _REST if figures[each, ALL] is None else each for each in parts}
    day_home = {each: _REST if figures[place, each] is None else each for each in days}
    hidden: _Figures = {(part, day): None for part in part_home for day in day_home}
    if figures[place, ALL] is None:
        return hidden
    table = Table(
        [
            Dimension.flat(dict.fromkeys(part_home.values()), total=place),
            Dimension.flat(dict.fromkeys(day_home.values()), total=ALL),
        ],
        total_by(
            ((part_home[part], day_home[day]), count)
            for (province, day), count in leaves.items()
            if (part := places.part_of(place, province)) is not None
        ),
    )
    rows, columns = table.dimensions
    decided = decide(
        table,
        new=[(part, day) for part in rows.paths for day in columns.paths],
        before={},
        known=[*((part, ALL) for part in rows.nodes), *((place, day) for day in columns.nodes)],
        k_anonymity=k_anonymity,
    )
    return hidden | {cell: count for cell, count in decided.items() if _REST not in cell}


def _leaves(
    notified: Mapping[NotifiedKey, int], since: date, days: Collection[str]
) -> dict[Cell, int]:
    def node(day: date | None) -> str:
        return EARLIER if day is None or day.isoformat() not in days else day.isoformat()

    return total_by(
        ((key.province, node(key.last_risky_on)), count)
        for key, count in notified.items()
        if key.day >= since
    )
