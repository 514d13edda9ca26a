"""How many phones are active and able to warn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from immuni.dashboard.estimates import Estimate
from immuni.dashboard.figures import ALL, Breakdown, Figures, FigureTable, Span, Subject
from immuni.dashboard.months import Month
from immuni.dashboard.plots.bars import BarPlot, Column, bar_plot
from immuni.dashboard.plots.rows import Row, interval_rows
from immuni.dashboard.sections import Listing
from immuni.dashboard.words import about, between, exactly, on, share, shown

ACTIVE: Final = "active"
HEALTHY: Final = "healthy"
_PLATFORMS: Final = {"ios": "iOS", "android": "Android"}
_FEW: Final = 5
_LABELLED: Final = (1, 8, 15, 22, 29)


@dataclass(frozen=True, slots=True)
class Activity:
    """What is said of active phones.

    Attributes:
        headline: The sentence above.
        detail: How sure it is.
        able: Which share of them could warn; empty where not known.
        daily: What the plot of days shows, in a sentence.
        plot: Reports by day, without exposure and with one.
        listing: The same, to be read.
        by_place: Estimates by region.
        by_platform: Estimates by platform.
        by_build: Estimates by build.
    """

    headline: str
    detail: str
    able: str
    daily: str
    plot: BarPlot
    listing: Listing
    by_place: Sequence[Row]
    by_platform: Sequence[Row]
    by_build: Sequence[Row]


def activity(figures: Figures, month: Month, regions: Sequence[str]) -> Activity:
    """Put it together.

    Args:
        figures: Those of the month.
        month: The month.
        regions: Names, in order.
    """
    totals = figures.of_month(month, Subject.ACTIVE)
    headline, detail = _headline(figures, month, totals)
    daily, plot, listing = _days(figures, month)
    builds = figures.of_month(month, Subject.ACTIVE, Breakdown.BUILD)
    return Activity(
        headline=headline,
        detail=detail,
        able=_able(totals, month),
        daily=daily,
        plot=plot,
        listing=listing,
        by_place=_rows(
            figures,
            figures.of_month(month, Subject.ACTIVE, Breakdown.PLACE),
            [(name, name) for name in regions],
        ),
        by_platform=_rows(figures, builds, list(_PLATFORMS.items())),
        by_build=_rows(figures, builds, _builds(builds)),
    )


def national(figures: Figures, month: Month, subject: Subject, kind: str) -> Estimate | None:
    """Return the estimate for the whole territory; None where there is none."""
    table = figures.of_month(month, subject)
    return None if table is None else figures.estimate(table, ALL, kind)


def _headline(figures: Figures, month: Month, totals: FigureTable | None) -> tuple[str, str]:
    if totals is None:
        return (
            f"{month.name} is not over: how many phones are active is not known yet.",
            "A phone reports on a random day of the month, so only a whole month can be estimated.",
        )
    reports = totals.count(ACTIVE)
    if reports is None:
        return f"How many phones were active in {month.name} is withheld.", ""
    found = national(figures, month, Subject.ACTIVE, ACTIVE)
    if found is None:
        return (
            f"{exactly(reports)} phones reported in {month.name}.",
            "How many were active nobody can tell: the sampling rate is not known.",
        )
    headline = f"About {about(found.phones)} phones were active in {month.name}."
    sure = f"With 95 % confidence {between(found)}; estimated from {exactly(reports)} reports"
    return headline, f"{sure}, for only a sample of phones is asked to report."


def _able(totals: FigureTable | None, month: Month) -> str:
    if totals is None:
        return ""
    active, healthy = totals.count(ACTIVE), totals.count(HEALTHY)
    if not active or healthy is None:
        return ""
    return (
        f"{share(healthy, active)} of the phones that were active in {month.name} were able to "
        "warn: Bluetooth was on and every permission given."
    )


def _days(figures: Figures, month: Month) -> tuple[str, BarPlot, Listing]:
    columns, rows, sums = [], [], []
    for day in month.days:
        without = figures.table(Subject.ACTIVE, Span.DAY, Breakdown.NOTHING, day)
        warned = figures.table(Subject.NOTIFIED, Span.DAY, Breakdown.NOTHING, day)
        label = str(day.day) if day.day in _LABELLED else ""
        if without is None or warned is None:
            columns.append(Column(label, f"{on(day)}: not counted yet", (), is_known=False))
            continue
        parts = (without.count("active"), warned.count("notified"))
        title = f"{on(day)}: {shown(parts[0])} without exposure, {shown(parts[1])} with one"
        columns.append(Column(label, title, parts))
        rows.append((on(day), *map(shown, parts)))
        known = [part for part in parts if part is not None]
        if len(known) == len(parts):
            sums.append(sum(known))
    sentence = "How many phones reported a day is not shown."
    if sums:
        sentence = f"Between {exactly(min(sums))} and {exactly(max(sums))} phones reported a day."
    caption = f"Reports in {month.name}, by day"
    head = ("Day", "Without exposure", "With exposure")
    return sentence, bar_plot(columns, say=exactly), Listing(caption, head, tuple(rows))


def _builds(table: FigureTable | None) -> list[tuple[str, str]]:
    """Return the builds of each platform, newest first, those not told last."""
    if table is None:
        return []

    def age(node: str) -> tuple[str, int]:
        platform, _, build = node.partition(" ")
        return platform, -int(build) if build.isdigit() else 0

    builds = sorted((node for node in table.nodes() if " " in node), key=age)
    return [(node, _name(node)) for node in builds]


def _name(build: str) -> str:
    platform, _, number = build.partition(" ")
    return f"{_PLATFORMS.get(platform, platform)} {number}"


def _rows(
    figures: Figures, table: FigureTable | None, nodes: Sequence[tuple[str, str]]
) -> list[Row]:
    """Return a row for each node; the most phones first where they are many."""
    if table is None:
        return []
    found = [
        (name, figures.estimate(table, node, node, ACTIVE), table.count(node, ACTIVE) is None)
        for node, name in nodes
    ]
    notes = {name: _able_there(table, node) for node, name in nodes}
    if len(found) > _FEW:
        found.sort(key=lambda each: -each[1].phones if each[1] else 0)
    return [replace(row, note=notes[row.name]) for row in interval_rows(found)]


def _able_there(table: FigureTable, node: str) -> str:
    """Return which share of the active phones of a node was able to warn."""
    active, healthy = table.count(node, ACTIVE), table.count(node, HEALTHY)
    return f"{share(healthy, active)} able" if active and healthy is not None else ""
