"""Figures of the whole country: by day, by period and by month.

A day is shown when it is over, and stays shown. So each day is decided as if the figures of its
period and its month were shown already: where a small day would have to hide them later, it takes
the day after along instead.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from immuni.backend.analytics.insights.counts import UPLOADED, MonthCounts, total_by
from immuni.backend.analytics.insights.deciding import MONTH, decide
from immuni.backend.analytics.insights.figures import (
    Breakdown,
    Figures,
    Ledger,
    Span,
    Subject,
    TableName,
)
from immuni.backend.analytics.insights.periods import ends_month, ends_period, first_of_period
from immuni.backend.analytics.insights.tables import Cell, Dimension, Table

NOTIFIED: Final = "notified"
ACTIVE_KINDS: Final = Dimension.flat(["healthy", "impaired"], total="active")
NOTIFIED_KINDS: Final = Dimension({NOTIFIED: (NOTIFIED,)})
UPLOADED_KINDS: Final = Dimension({UPLOADED: (UPLOADED,)})
_CODE_KINDS: Final = Dimension(
    {
        "unchecked": ("unchecked", "authorised"),
        "unsent": ("unsent", "checked", "authorised"),
        UPLOADED: (UPLOADED, "checked", "authorised"),
    }
)


@dataclass(frozen=True, slots=True)
class _National:
    """How one subject is shown for the whole country.

    Attributes:
        subject: The subject.
        kinds: All kinds, which are shown by month.
        daily: The one that is shown by day and by period as well.
        leaves: Returns the counts by day and kind.
    """

    subject: Subject
    kinds: Dimension
    daily: str
    leaves: Callable[[MonthCounts], Mapping[tuple[date, str], int]]


def decide_nationals(ledger: Ledger, counts: MonthCounts, *, k_anonymity: int) -> None:
    """Enter what is shown of the last of the days, and of what ends with it."""
    for national in _NATIONALS:
        _decide(national, ledger, counts, k_anonymity)


def _decide(national: _National, ledger: Ledger, counts: MonthCounts, k_anonymity: int) -> None:
    day = counts.days[-1]
    leaves = national.leaves(counts)
    table = Table(
        [_days(counts.days), national.kinds],
        {(each.isoformat(), kind): count for (each, kind), count in leaves.items()},
    )
    before = _before(national, ledger, counts.days)

    def enter(
        span: Span, since: date, node: str, kinds: Collection[str], known: list[Cell]
    ) -> None:
        new = [(node, kind) for kind in kinds]
        decided = decide(table, new=new, before=before, known=known, k_anonymity=k_anonymity)
        before.update(decided)
        name = TableName(national.subject, span, Breakdown.NOTHING, since)
        ledger.enter(name, {(kind,): count for (_, kind), count in decided.items()})

    month, period = (MONTH, national.daily), (_period(day), national.daily)
    enter(Span.DAY, day, day.isoformat(), [national.daily], [period, month])
    if ends_period(day):
        enter(Span.PERIOD, first_of_period(day), _period(day), [national.daily], [month])
    if ends_month(day):
        enter(Span.MONTH, day.replace(day=1), MONTH, national.kinds.nodes, [])


def _before(national: _National, ledger: Ledger, days: Collection[date]) -> dict[Cell, int | None]:
    """Return what was decided of these days, and of their periods, as cells of the table."""
    before: dict[Cell, int | None] = {}
    periods = {first_of_period(day) for day in days}
    for span, within, node in (
        (Span.DAY, days, date.isoformat),
        (Span.PERIOD, periods, _period),
    ):
        for since, figures in ledger.of(national.subject, span, Breakdown.NOTHING, within).items():
            before.update({(node(since), *cell): count for cell, count in figures.items()})
    return before


def national_figures(ledger: Ledger, subject: Subject, span: Span, since: date) -> Figures:
    """Return what was decided for the whole country."""
    return ledger.tables[TableName(subject, span, Breakdown.NOTHING, since)]


def _days(days: Collection[date]) -> Dimension:
    return Dimension({day.isoformat(): (day.isoformat(), _period(day), MONTH) for day in days})


def _period(day: date) -> str:
    return f"from {first_of_period(day)}"


def _active(counts: MonthCounts) -> dict[tuple[date, str], int]:
    return total_by(
        ((key.day, key.kind), count)
        for key, count in counts.reports.items()
        if key.kind != NOTIFIED
    )


def _notified(counts: MonthCounts) -> dict[tuple[date, str], int]:
    return total_by(
        ((key.day, key.kind), count)
        for key, count in counts.reports.items()
        if key.kind == NOTIFIED
    )


def _codes(counts: MonthCounts) -> dict[tuple[date, str], int]:
    return {
        (day, kind): count for day in counts.days for kind, count in counts.codes_of(day).items()
    }


_NATIONALS: Final = (
    _National(Subject.ACTIVE, ACTIVE_KINDS, "active", _active),
    _National(Subject.NOTIFIED, NOTIFIED_KINDS, NOTIFIED, _notified),
    _National(Subject.CODES, _CODE_KINDS, UPLOADED, _codes),
)
