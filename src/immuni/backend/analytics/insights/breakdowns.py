"""Figures of a month, told apart by one thing: place, platform, build and what came with uploads.

Tables of one subject share nothing but the figures of the whole country. Each is decided as if
these were known to everybody, and so none says anything about another: whatever one table leaves
open goes together with whatever another leaves open.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from immuni.backend.analytics.insights.counts import (
    UNKNOWN_BUILD,
    UPLOADED,
    MonthCounts,
    ReportKey,
    UploadKey,
    total_by,
)
from immuni.backend.analytics.insights.deciding import decide
from immuni.backend.analytics.insights.figures import (
    Breakdown,
    Figures,
    Ledger,
    Span,
    Subject,
    TableName,
)
from immuni.backend.analytics.insights.nationals import (
    ACTIVE_KINDS,
    NOTIFIED_KINDS,
    UPLOADED_KINDS,
    national_figures,
)
from immuni.backend.analytics.insights.tables import Cell, Dimension, Table
from immuni.backend.analytics.insights.trees import ALL, Tree

PLATFORMS: Final = ("android", "ios")
ONSETS: Final = ("0-2", "3-5", "6-9", "10+", "none")
EXPOSURES: Final = ("warned", "matched", "nothing")
DELAYS: Final = ("<30s", "30-60s", "60-90s", "90-120s", "120-150s", ">150s")
_DELAY: Final = "delay:"


@dataclass(frozen=True, slots=True)
class _Month:
    """One table of a month: its name, by what it is told apart, its kinds and its counts."""

    subject: Subject
    breakdown: Breakdown
    tree: Tree
    kinds: Dimension
    leaves: Mapping[Cell, int]

    def decide(self, ledger: Ledger, month: date, *, k_anonymity: int) -> None:
        """Enter the table."""
        national = national_figures(ledger, self.subject, Span.MONTH, month)
        # Of some uploads it is not known how long they took: their sum is the table's own.
        totals = self._table(ALL, self.tree.parts[ALL], self.kinds).counts
        figures: dict[Cell, int | None] = {
            (ALL, kind): None if national[(kind,)] is None else totals[ALL, kind]
            for kind in self.kinds.nodes
        }
        for node, parts in self.tree.parts.items():
            figures.update(self._parts(node, parts, figures, k_anonymity))
        ledger.enter(
            TableName(self.subject, Span.MONTH, self.breakdown, month),
            {cell: count for cell, count in figures.items() if cell[0] == ALL or count != 0},
        )

    def _parts(
        self, node: str, parts: Sequence[str], figures: Figures, k_anonymity: int
    ) -> Figures:
        """Decide the parts of a node: only kinds that are shown of it."""
        if len(parts) == 1:
            return {(parts[0], kind): figures[node, kind] for kind in self.kinds.nodes}
        hidden: dict[Cell, int | None] = {
            (part, kind): None for part in parts for kind in self.kinds.nodes
        }
        kinds = _shown(self.kinds, {kind: figures[node, kind] for kind in self.kinds.nodes})
        if kinds is None:
            return hidden
        decided = decide(
            self._table(node, parts, kinds),
            new=[(part, kind) for part in parts for kind in kinds.nodes],
            before={},
            known=[(node, kind) for kind in kinds.nodes],
            k_anonymity=k_anonymity,
        )
        return {**hidden, **decided}

    def _table(self, node: str, parts: Sequence[str], kinds: Dimension) -> Table:
        return Table(
            [Dimension.flat(parts, total=node), kinds],
            total_by(
                ((part, _home(kind, kinds)), count)
                for (leaf, kind), count in self.leaves.items()
                if (part := self.tree.part_of(node, leaf)) is not None
            ),
        )


def decide_breakdowns(
    ledger: Ledger, counts: MonthCounts, places: Tree, *, k_anonymity: int
) -> None:
    """Enter the tables of the month that ends with the last of the days."""
    month = counts.days[-1].replace(day=1)
    for table in [*_of_reports(counts, places), *_of_uploads(counts)]:
        table.decide(ledger, month, k_anonymity=k_anonymity)


def _shown(kinds: Dimension, figures: Mapping[str, int | None]) -> Dimension | None:
    """Return kinds of which a node is shown, or their total alone; None for nothing."""
    if all(figures[kind] is not None for kind in kinds.nodes):
        return kinds
    total = kinds.nodes[-1]
    return None if figures[total] is None else Dimension({total: (total,)})


def _home(kind: str, kinds: Dimension) -> str:
    """Return the kind as which one is counted."""
    return kind if kind in kinds.paths else kinds.nodes[-1]


def _of_reports(counts: MonthCounts, places: Tree) -> Iterable[_Month]:
    """Yield the tables of reports; builds lie below their platforms, which they may give away."""
    builds = _builds(counts)
    for subject, kinds in ((Subject.ACTIVE, ACTIVE_KINDS), (Subject.NOTIFIED, NOTIFIED_KINDS)):
        reports = [each for each in counts.reports.items() if each[0].kind in kinds.paths]
        by_build: dict[Cell, int] = total_by(
            ((build_node(key), key.kind), count) for key, count in reports
        )
        yield _Month(subject, Breakdown.BUILD, builds, kinds, by_build)
        # By place the others are shown period by period, together with their month.
        if subject is Subject.ACTIVE:
            by_place: dict[Cell, int] = total_by(
                ((key.province, key.kind), count) for key, count in reports
            )
            yield _Month(subject, Breakdown.PLACE, places, kinds, by_place)


def build_node(key: ReportKey) -> str:
    """Return the node of a report's build: platforms number theirs as they like."""
    return f"{key.platform} {key.build}"


def _builds(counts: MonthCounts) -> Tree:
    paths = {build_node(key): (build_node(key), key.platform, ALL) for key in counts.reports}
    for platform in PLATFORMS:
        unknown = f"{platform} {UNKNOWN_BUILD}"
        paths.setdefault(unknown, (unknown, platform, ALL))
    return Tree(dict(sorted(paths.items())))


def _of_uploads(counts: MonthCounts) -> Iterable[_Month]:
    def told_apart(breakdown: Breakdown, nodes: Sequence[str]) -> _Month:
        leaves: dict[Cell, int] = total_by(
            ((_told(key, breakdown), UPLOADED), count) for key, count in counts.uploads.items()
        )
        return _Month(Subject.CODES, breakdown, Tree.flat(nodes), UPLOADED_KINDS, leaves)

    yield told_apart(Breakdown.ONSET, ONSETS)
    yield told_apart(Breakdown.EXPOSURE, EXPOSURES)
    delays: dict[Cell, int] = total_by(
        ((name.removeprefix(_DELAY), UPLOADED), count)
        for (_, name), count in counts.codes.items()
        if name.startswith(_DELAY)
    )
    yield _Month(Subject.CODES, Breakdown.DELAY, Tree.flat(DELAYS), UPLOADED_KINDS, delays)


def _told(key: UploadKey, breakdown: Breakdown) -> str:
    return key.onset if breakdown is Breakdown.ONSET else key.exposure
