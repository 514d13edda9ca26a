"""Somebody reckons with all tables of a month at once, exactly, and finds no small count."""

from collections.abc import Iterator
from datetime import date
from itertools import product

import pytest

from immuni.api import ProvinceCode
from immuni.backend.analytics.insights.counts import MonthCounts, ReportKey
from immuni.backend.analytics.insights.figures import (
    Breakdown,
    Figures,
    Ledger,
    Span,
    Subject,
    TableName,
)
from immuni.backend.analytics.insights.periods import first_of_period
from tests.unit.backend.analytics.insights.linear_program import Polytope
from tests.unit.backend.analytics.insights.months import (
    JUNE,
    PROVINCES,
    RISKY_DAYS,
    K,
    closed,
    random_month,
    small_country,
)

# Two periods, and the end of the month: what was shown of days and periods meets their sums.
LAST_DAYS = (JUNE[19], JUNE[20], JUNE[27], JUNE[29])
JUNE_1 = JUNE[0]
PLACE_NODES = (*PROVINCES, "Piemonte", "Valle d'Aosta", "all")
BUILD_NODES = ("ios 1", "android 1", "android 2", "ios", "android", "all")
ABOVE = {
    **dict.fromkeys(("TO", "CN"), "Piemonte"),
    "AO": "Valle d'Aosta",
    **dict.fromkeys(("Piemonte", "Valle d'Aosta", "EX", "ios", "android"), "all"),
    "ios 1": "ios",
    **dict.fromkeys(("android 1", "android 2"), "android"),
    "all": "",
}
RISKY_NODES = ("2020-06-17", "earlier")


def in_span(name: TableName, day: date) -> bool:
    if name.span is Span.DAY:
        return day == name.since
    if name.span is Span.PERIOD:
        return first_of_period(day) == name.since
    return True


def in_place(node: str, province: str) -> bool:
    return node in ("all", province, small_country().region_of(ProvinceCode(province)))


def is_below(breakdown: Breakdown, cell: tuple[str, ...], key: ReportKey, risky: str) -> bool:
    if breakdown is Breakdown.NOTHING:
        return True
    if breakdown is Breakdown.BUILD:
        return cell[0] in ("all", key.platform, f"{key.platform} {key.build}")
    is_risky = breakdown is not Breakdown.RISKY_DAY or cell[1] in ("all", risky)
    return in_place(cell[0], key.province) and is_risky


def reports_below(name: TableName, cell: tuple[str, ...], key: ReportKey, risky: str) -> bool:
    """Tell whether a report is counted in a cell."""
    kind = cell[-1] if name.breakdown is not Breakdown.RISKY_DAY else "notified"
    of_kind = {"active": key.kind != "notified"}.get(kind, key.kind == kind)
    return in_span(name, key.day) and of_kind and is_below(name.breakdown, cell, key, risky)


def units_of(subject: Subject, days: tuple[date, ...]) -> list[tuple[ReportKey, str]]:
    """Return everything that reports of a subject can be told apart by."""
    is_notified = subject is Subject.NOTIFIED
    return [
        (ReportKey(day, province, platform, build, kind), risky)
        for day in days
        for province in PROVINCES
        for platform, build in (("ios", "1"), ("android", "1"), ("android", "2"))
        for kind in (("notified",) if is_notified else ("healthy", "impaired"))
        for risky in (RISKY_NODES if is_notified else ("",))
    ]


def attacked(ledger: Ledger, counts: MonthCounts, subject: Subject) -> Iterator[str]:
    """Reckon with all that is shown of a subject, and yield each small count that is narrowed."""
    units = units_of(subject, counts.days)
    tables = {name: t for name, t in ledger.tables.items() if name.subject is subject}
    cells: list[tuple[TableName, tuple[str, ...], set[int]]] = []
    for name in tables:
        for cell in all_cells(name):
            below = {
                place
                for place, (key, risky) in enumerate(units)
                if reports_below(name, cell, key, risky)
            }
            cells.append((name, cell, below))
    equations = [
        (below, count)
        for name, cell, below in cells
        if (count := tables[name].get(cell, 0)) is not None and below
    ]
    space = Polytope(len(units), equations)
    for name, cell, below in cells:
        if tables[name].get(cell, 0) is None and is_promised(name, cell, tables[name]):
            true = true_count(counts, name, cell)
            most, least = space.greatest(below), -space.greatest(below, -1)
            if 0 < true < K and (most < K or least > 0):
                yield f"{name} {cell}: {true} lies in {least}..{most}"
            if most == least and true:
                yield f"{name} {cell}: {true} is known"


def all_cells(name: TableName) -> list[tuple[str, ...]]:
    """Return every cell of a table; those that are missing from it are 0."""
    kinds = ("notified",) if name.subject is Subject.NOTIFIED else ("healthy", "impaired", "active")
    if name.breakdown is Breakdown.NOTHING:
        return [(kind,) for kind in (kinds if name.span is Span.MONTH else kinds[-1:])]
    nodes = BUILD_NODES if name.breakdown is Breakdown.BUILD else PLACE_NODES
    others = ("all", *RISKY_NODES) if name.breakdown is Breakdown.RISKY_DAY else kinds
    return list(product(nodes, others))


def is_promised(name: TableName, cell: tuple[str, ...], figures: Figures) -> bool:
    """Tell whether a cell lies beside one that is shown.

    Nothing is promised of what no table shows anything about, like days in a province: what is
    shown of all days, and of all provinces, narrows it already.
    """
    if name.breakdown is Breakdown.NOTHING:
        return True
    return any(
        figures.get(other, 0) is not None
        for other in all_cells(name)
        if ABOVE[other[0]] == ABOVE[cell[0]]
        and (name.breakdown is not Breakdown.RISKY_DAY or other[1] != "all")
    )


def true_count(counts: MonthCounts, name: TableName, cell: tuple[str, ...]) -> int:
    if name.breakdown is Breakdown.RISKY_DAY:
        return sum(
            count
            for key, count in counts.notified.items()
            if in_span(name, key.day)
            and in_place(cell[0], key.province)
            and cell[1] in ("all", RISKY_NODES[RISKY_DAYS.index(key.last_risky_on)])
        )
    return sum(count for key, count in counts.reports.items() if reports_below(name, cell, key, ""))


@pytest.mark.parametrize("subject", [Subject.NOTIFIED, Subject.ACTIVE], ids=str)
@pytest.mark.parametrize("most", [8, 40], ids=["sparse", "denser"])
@pytest.mark.parametrize("seed", range(4))
def test_all_tables_of_a_month_together_give_no_small_count_away(
    subject: Subject, most: int, seed: int
) -> None:
    counts = random_month(seed, LAST_DAYS, most=most)

    found = list(attacked(closed(counts), counts, subject))

    assert found == []


@pytest.mark.parametrize("subject", [Subject.NOTIFIED, Subject.ACTIVE], ids=str)
def test_the_attacker_succeeds_where_only_small_counts_are_withheld(subject: Subject) -> None:
    counts = random_month(1, LAST_DAYS, most=40)
    ledger = closed(counts)
    for name in ledger.tables:
        if name.subject is subject:
            truth = {cell: true_count(counts, name, cell) for cell in all_cells(name)}
            ledger.tables[name] = {
                cell: None if 0 < count < K else count for cell, count in truth.items()
            }

    assert list(attacked(ledger, counts, subject))
