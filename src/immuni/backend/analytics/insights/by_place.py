"""Figures by place of what is shown period by period, and the sums of its months."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from immuni.backend.analytics.insights.counts import MonthCounts, total_by
from immuni.backend.analytics.insights.deciding import MONTH, decide
from immuni.backend.analytics.insights.figures import (
    Breakdown,
    Ledger,
    Span,
    Subject,
    TableName,
)
from immuni.backend.analytics.insights.nationals import national_figures
from immuni.backend.analytics.insights.periods import ends_month, first_of_period
from immuni.backend.analytics.insights.tables import Cell, Dimension, Table
from immuni.backend.analytics.insights.trees import ALL, Tree

_HIDDEN: Final = "hidden"
"""All periods together in which the place itself is not shown."""
_Shown = dict[str, int | None]
"""What is shown of each place in one span; a place that is missing had nothing."""


@dataclass(frozen=True, slots=True)
class ByPlace:
    """A subject of which each period is shown by place.

    Attributes:
        subject: The subject.
        kind: The kind that is shown.
        leaves: The month's counts so far, by day and province.
    """

    subject: Subject
    kind: str
    leaves: Mapping[tuple[date, str], int]

    def decide(
        self, ledger: Ledger, counts: MonthCounts, places: Tree, *, k_anonymity: int
    ) -> None:
        """Enter the period that ends with the last of the days, and the month if it ends too."""
        last = counts.days[-1]
        ending, month = first_of_period(last), last.replace(day=1)
        periods = sorted({first_of_period(day) for day in counts.days})
        shown = {each: self._decided(ledger, each, places) for each in periods if each != ending}
        shown[ending] = {ALL: self._national(ledger, Span.PERIOD, ending)}
        of_month = {ALL: self._national(ledger, Span.MONTH, month)} if ends_month(last) else None
        for place, parts in places.parts.items():
            table = self._table(place, parts, shown, places)
            before = _before(parts, {each: shown[each] for each in periods if each != ending})
            known = [(node, place) for node in table.dimensions[0].nodes]
            for node, figures in ((ending.isoformat(), shown[ending]), (MONTH, of_month)):
                if figures is None:
                    continue
                if len(parts) == 1 or figures.get(place, 0) is None:
                    figures.update(dict.fromkeys(parts, figures.get(place, 0)))
                    continue
                new = [(node, part) for part in parts]
                decided = decide(
                    table, new=new, before=before, known=known, k_anonymity=k_anonymity
                )
                before.update(decided)
                figures.update({part: decided[node, part] for part in parts})
        self._enter(ledger, Span.PERIOD, ending, shown[ending])
        if of_month is not None:
            self._enter(ledger, Span.MONTH, month, of_month)

    def _table(
        self, place: str, parts: Collection[str], shown: Mapping[date, _Shown], places: Tree
    ) -> Table:
        """Return the counts by period and part; periods without the place stand together."""
        node = {
            each: _HIDDEN if figures.get(place, 0) is None else each.isoformat()
            for each, figures in shown.items()
        }
        return Table(
            [
                Dimension.flat(dict.fromkeys(node.values()), total=MONTH),
                Dimension.flat(parts, total=place),
            ],
            total_by(
                ((node[first_of_period(day)], part), count)
                for (day, province), count in self.leaves.items()
                if (part := places.part_of(place, province)) is not None
            ),
        )

    def _decided(self, ledger: Ledger, period: date, places: Tree) -> _Shown:
        """Return what was shown; nothing of a period whose last day was never counted."""
        name = TableName(self.subject, Span.PERIOD, Breakdown.PLACE, period)
        if name not in ledger.tables:
            return dict.fromkeys(places.nodes)
        return {node: count for (node, _), count in ledger.tables[name].items()}

    def _national(self, ledger: Ledger, span: Span, since: date) -> int | None:
        return national_figures(ledger, self.subject, span, since)[(self.kind,)]

    def _enter(self, ledger: Ledger, span: Span, since: date, shown: _Shown) -> None:
        name = TableName(self.subject, span, Breakdown.PLACE, since)
        ledger.enter(
            name,
            {
                (node, self.kind): count
                for node, count in shown.items()
                if node == ALL or count != 0
            },
        )


def _before(parts: Collection[str], earlier: Mapping[date, _Shown]) -> dict[Cell, int | None]:
    """Return what was shown of parts in earlier periods."""
    return {
        (period.isoformat(), part): figures.get(part, 0)
        for period, figures in earlier.items()
        for part in parts
    }
