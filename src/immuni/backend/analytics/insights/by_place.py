"""Figures by place of what is shown period by period, and the sums of its months."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from immuni.backend.analytics.insights.counts import MonthCounts, total_by
from immuni.backend.analytics.insights.deciding import MONTH, decide
from immuni.backend.analytics.insights.figures import (
    Breakdown,
    Figures,
    Ledger,
    Span,
    Subject,
    TableName,
)
from immuni.backend.analytics.insights.nationals import national_figures
from immuni.backend.analytics.insights.periods import ends_month, first_of_period
from immuni.backend.analytics.insights.places import ALL
from immuni.backend.analytics.insights.tables import Cell, Dimension, Table

_HIDDEN: Final = "hidden"
"""All periods together of which not even the whole country is shown."""


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
        self, ledger: Ledger, counts: MonthCounts, places: Dimension, *, k_anonymity: int
    ) -> None:
        """Enter the period that ends with the last of the days, and the month if it ends too."""
        last = counts.days[-1]
        periods = sorted({first_of_period(day) for day in counts.days})
        ending = first_of_period(last)
        shown = [each for each in periods if self._national(ledger, Span.PERIOD, each)]
        before = self._before(ledger, [each for each in shown if each != ending])
        table = self._table(shown, periods, places)
        figures: Figures = {(node, self.kind): None for node in places.nodes}
        if ending in shown:
            new = [(ending.isoformat(), node) for node in places.nodes if node != ALL]
            known = [(each, ALL) for each in table.dimensions[0].nodes]
            decided = decide(table, new=new, before=before, known=known, k_anonymity=k_anonymity)
            before.update(decided)
            figures = self._with_national(decided, ledger, Span.PERIOD, ending)
        ledger.enter(TableName(self.subject, Span.PERIOD, Breakdown.PLACE, ending), figures)
        if ends_month(last):
            self._decide_month(ledger, table, before, last.replace(day=1), k_anonymity)

    def _decide_month(
        self,
        ledger: Ledger,
        table: Table,
        before: Figures,
        month: date,
        k_anonymity: int,
    ) -> None:
        nodes = table.dimensions[1].nodes
        figures: Figures = {(node, self.kind): None for node in nodes}
        if self._national(ledger, Span.MONTH, month):
            new = [(MONTH, node) for node in nodes if node != ALL]
            known = [(each, ALL) for each in table.dimensions[0].nodes]
            decided = decide(table, new=new, before=before, known=known, k_anonymity=k_anonymity)
            figures = self._with_national(decided, ledger, Span.MONTH, month)
        ledger.enter(TableName(self.subject, Span.MONTH, Breakdown.PLACE, month), figures)

    def _table(
        self, shown: Collection[date], periods: Collection[date], places: Dimension
    ) -> Table:
        """Return the counts by period and place; what is hidden stands together."""
        node = {each: each.isoformat() if each in shown else _HIDDEN for each in periods}
        return Table(
            [Dimension.flat(dict.fromkeys(node.values()), total=MONTH), places],
            total_by(
                ((node[first_of_period(day)], province), count)
                for (day, province), count in self.leaves.items()
            ),
        )

    def _before(self, ledger: Ledger, periods: Collection[date]) -> dict[Cell, int | None]:
        tables = ledger.of(self.subject, Span.PERIOD, Breakdown.PLACE, periods)
        return {
            (since.isoformat(), node): count
            for since, figures in tables.items()
            for (node, _), count in figures.items()
            if node != ALL
        }

    def _national(self, ledger: Ledger, span: Span, since: date) -> bool:
        """Tell whether something is shown of the whole country, be it 0."""
        return national_figures(ledger, self.subject, span, since)[(self.kind,)] is not None

    def _with_national(self, decided: Figures, ledger: Ledger, span: Span, since: date) -> Figures:
        national = national_figures(ledger, self.subject, span, since)[(self.kind,)]
        return {
            (ALL, self.kind): national,
            **{(node, self.kind): count for (_, node), count in decided.items() if count != 0},
        }
