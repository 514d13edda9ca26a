"""Where phones warned, and where the early warning sees a rise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from immuni.api import Territory
from immuni.backend.analytics.insights.periods import days_of_period
from immuni.dashboard.early_warning import (
    Change,
    EarlyWarningSettings,
    Finding,
    PeriodCount,
    Verdict,
    early_warning,
)
from immuni.dashboard.figures import ALL, Breakdown, Figures, FigureTable, Span, Subject
from immuni.dashboard.months import Month, period_name
from immuni.dashboard.plots.rows import Row, bar_rows
from immuni.dashboard.plots.tiles import TileMap, tile_map
from immuni.dashboard.sections import Listing
from immuni.dashboard.words import WITHHELD, exactly, listed, shown

NOTIFIED: Final = "notified"
_PER: Final = 100_000
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Rise:
    """A place that is warned of.

    Attributes:
        place: Its name.
        code: Its code.
        said: How much it rose, in words.
    """

    place: str
    code: str
    said: str


@dataclass(frozen=True, slots=True)
class Where:
    """What is said of places.

    Attributes:
        headline: The sentence above.
        unit: What the colours count.
        map: The tiles.
        by_region: The same by region.
        listing: Provinces, to be read.
        compared: Which periods the early warning compares; empty where it cannot.
        rises: What it found, the steepest first.
        unknown: Of how many places it cannot say anything.
    """

    headline: str
    unit: str
    map: TileMap
    by_region: Sequence[Row]
    listing: Listing
    compared: str
    rises: Sequence[Rise]
    unknown: int


def where(
    figures: Figures, month: Month, territory: Territory, settings: EarlyWarningSettings
) -> Where:
    """Put it together for a month; of one that runs, for its last period that is over."""
    names: dict[str, str] = {each.code: each.name for each in territory.provinces()}
    names[territory.abroad] = "abroad"
    regions: dict[str, str] = {
        each.code: region.region for region in territory.regions for each in region.provinces
    }
    marked, compared = warnings(figures, month, territory, settings)
    rises = sorted(
        (each for each in marked if each.verdict is Verdict.RISE),
        key=lambda each: -(each.rise if each.rise is not None else float("inf")),
    )
    values, hidden, unit = _incidence(figures, month)
    regional = [each.region for each in territory.regions]
    titles = {code: f"{name}: {_said(values, hidden, code)}" for code, name in names.items()}
    return Where(
        headline=_headline({name: values[name] for name in regional if name in values}, month),
        unit=unit,
        map=tile_map(
            {code: values[code] for code in names if code in values},
            withheld=[code for code in names if code in hidden],
            marked=[each.place for each in rises],
            titles=titles,
        ),
        by_region=_by_region(values, hidden, regional),
        listing=Listing(
            f"Notified phones by province, {unit}",
            ("Province", "Region", "Notified phones"),
            tuple(
                (name, regions.get(code, ""), _said(values, hidden, code))
                for code, name in sorted(names.items(), key=lambda item: item[1])
            ),
        ),
        compared=compared,
        rises=[Rise(names[each.place], each.place, _rise(each)) for each in rises],
        unknown=sum(each.verdict is Verdict.NOT_KNOWN for each in marked),
    )


def _incidence(figures: Figures, month: Month) -> tuple[dict[str, float], set[str], str]:
    """Return values by place, the places whose value is withheld, and the unit."""
    notified = figures.of_month(month, Subject.NOTIFIED, Breakdown.PLACE)
    active = figures.of_month(month, Subject.ACTIVE, Breakdown.PLACE)
    if notified is not None and active is not None:
        return *_shares(figures, notified, active), "per 100,000 active phones"
    latest = [table for table in _latest(figures, month) if month.holds(table.key.since)]
    active = figures.of_month(month.previous, Subject.ACTIVE, Breakdown.PLACE)
    if not latest or active is None:
        return {}, set(), "per 100,000 active phones"
    period = period_name(latest[-1].key.since)
    unit = f"from {period} per 100,000 active phones of {month.previous.name}"
    return *_shares(figures, latest[-1], active), unit


def _shares(
    figures: Figures, notified: FigureTable, active: FigureTable
) -> tuple[dict[str, float], set[str]]:
    """Return notified phones per active ones, and places of which it is withheld."""
    values: dict[str, float] = {}
    hidden: set[str] = set()
    for node in active.nodes():
        if None in (notified.count(node, NOTIFIED), active.count(node, "active")):
            hidden.add(node)
            continue
        above = figures.estimate(notified, node, node, NOTIFIED)
        below = figures.estimate(active, node, node, "active")
        if above is not None and below is not None and below.phones:
            values[node] = _PER * above.phones / below.phones
    return values, hidden


def _latest(figures: Figures, month: Month) -> list[FigureTable]:
    """Return what was decided by place of periods, until the end of a month, in order."""
    return sorted(
        (
            table
            for key, table in figures.tables.items()
            if (key.subject, key.span, key.breakdown)
            == (Subject.NOTIFIED, Span.PERIOD, Breakdown.PLACE)
            and key.since < month.next.first
        ),
        key=lambda table: table.key.since,
    )


def warnings(
    figures: Figures, month: Month, territory: Territory, settings: EarlyWarningSettings
) -> tuple[list[Finding], str]:
    """Judge every province in the last period of a month that is over.

    Returns:
        What is said of each, and which periods were compared: nothing where there are not two.
    """
    codes = sorted(territory.codes)
    periods = _latest(figures, month)[-2:]
    if len(periods) < 2 or periods[-1].key.since < month.first:
        return [], ""
    before, after = periods
    counted = [_counts(figures, table, codes) for table in periods]
    changes = [Change(*each) for each in zip(codes, *counted, strict=True)]
    compared = f"{period_name(after.key.since)} with {period_name(before.key.since)}"
    return early_warning(changes, settings), compared


def _counts(figures: Figures, table: FigureTable, codes: Sequence[str]) -> list[PeriodCount]:
    days, rate = len(days_of_period(table.key.since)), figures.rate(table, ALL)
    return [PeriodCount(table.count(code, NOTIFIED), days, rate) for code in codes]


def _headline(regional: Mapping[str, float], month: Month) -> str:
    """Name regions: which province is first among a hundred is often chance."""
    most = sorted((name for name in regional if regional[name]), key=lambda name: -regional[name])
    if not most:
        return f"Where phones warned their users in {month.name} is not shown."
    # Two regions have a name in two languages; in a sentence one is enough.
    named = listed([name.partition("/")[0] for name in most[:_NAMED]])
    return f"Phones warned their users most often in {named}."


def _by_region(values: Mapping[str, float], hidden: set[str], regions: Sequence[str]) -> list[Row]:
    counts: list[tuple[str, int | None]] = [
        (name, None if name in hidden else round(values[name]))
        for name in regions
        if name in values or name in hidden
    ]
    counts.sort(key=lambda each: -(each[1] or 0))
    return bar_rows(counts, say=lambda count, _: exactly(count))


def _said(values: Mapping[str, float], hidden: set[str], code: str) -> str:
    if code in hidden:
        return WITHHELD
    return shown(round(values[code])) if code in values else "not known"


def _rise(finding: Finding) -> str:
    if finding.rise is None:
        return "there were none before"
    return f"+{100 * finding.rise:.0f} %"
