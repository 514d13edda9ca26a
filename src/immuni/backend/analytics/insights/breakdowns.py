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
from immuni.backend.analytics.insights.places import ALL
from immuni.backend.analytics.insights.tables import Cell, Dimension, Table

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
    nodes: Dimension
    kinds: Dimension
    leaves: Mapping[Cell, int]

    def decide(self, ledger: Ledger, month: date, *, k_anonymity: int) -> None:
        """Enter the table: only kinds that are shown of the whole country, and what protects."""
        national = national_figures(ledger, self.subject, Span.MONTH, month)
        kinds = _shown(self.kinds, national)
        figures: Figures = {
            (node, kind): None for node in self.nodes.nodes for kind in self.kinds.nodes
        }
        if kinds is not None:
            leaves: dict[Cell, int] = total_by(
                ((node, _home(kind, kinds)), count) for (node, kind), count in self.leaves.items()
            )
            table = Table([self.nodes, kinds], leaves)
            new = [(node, kind) for node in self.nodes.nodes if node != ALL for kind in kinds.nodes]
            known = [(ALL, kind) for kind in kinds.nodes]
            decided = decide(table, new=new, before={}, known=known, k_anonymity=k_anonymity)
            hidden = {cell: None for cell in figures if cell[1] not in kinds.nodes}
            figures = {
                **hidden,
                **{cell: count for cell, count in decided.items() if count != 0},
                **{(ALL, kind): table.counts[ALL, kind] for kind in kinds.nodes},
            }
        ledger.enter(TableName(self.subject, Span.MONTH, self.breakdown, month), figures)


def decide_breakdowns(
    ledger: Ledger, counts: MonthCounts, places: Dimension, *, k_anonymity: int
) -> None:
    """Enter the tables of the month that ends with the last of the days."""
    month = counts.days[-1].replace(day=1)
    for table in [*_of_reports(counts, places), *_of_uploads(counts)]:
        table.decide(ledger, month, k_anonymity=k_anonymity)


def _shown(kinds: Dimension, national: Figures) -> Dimension | None:
    """Return kinds of which the whole country is shown, or their total alone; None for nothing."""
    if all(national[(kind,)] is not None for kind in kinds.nodes):
        return kinds
    total = kinds.nodes[-1]
    return None if national[(total,)] is None else Dimension({total: (total,)})


def _home(kind: str, kinds: Dimension) -> str:
    """Return the kind as which one is counted."""
    return kind if kind in kinds.paths else kinds.nodes[-1]


def _of_reports(counts: MonthCounts, places: Dimension) -> Iterable[_Month]:
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


def _builds(counts: MonthCounts) -> Dimension:
    paths = {build_node(key): (build_node(key), key.platform, ALL) for key in counts.reports}
    for platform in PLATFORMS:
        unknown = f"{platform} {UNKNOWN_BUILD}"
        paths.setdefault(unknown, (unknown, platform, ALL))
    return Dimension(dict(sorted(paths.items())))


def _of_uploads(counts: MonthCounts) -> Iterable[_Month]:
    def told_apart(breakdown: Breakdown, nodes: Sequence[str]) -> _Month:
        leaves: dict[Cell, int] = total_by(
            ((_told(key, breakdown), UPLOADED), count) for key, count in counts.uploads.items()
        )
        dimension = Dimension.flat(nodes, total=ALL)
        return _Month(Subject.CODES, breakdown, dimension, UPLOADED_KINDS, leaves)

    yield told_apart(Breakdown.ONSET, ONSETS)
    yield told_apart(Breakdown.EXPOSURE, EXPOSURES)
    delays: dict[Cell, int] = total_by(
        ((name.removeprefix(_DELAY), UPLOADED), count)
        for (_, name), count in counts.codes.items()
        if name.startswith(_DELAY)
    )
    dimension = Dimension.flat(DELAYS, total=ALL)
    yield _Month(Subject.CODES, Breakdown.DELAY, dimension, UPLOADED_KINDS, delays)


def _told(key: UploadKey, breakdown: Breakdown) -> str:
    return key.onset if breakdown is Breakdown.ONSET else key.exposure
