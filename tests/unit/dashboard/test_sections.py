"""What a page says of a few counts, some of which are not shown."""

from dataclasses import replace
from datetime import date

from immuni.api import italy
from immuni.dashboard.early_warning import EarlyWarningSettings
from immuni.dashboard.figures import (
    Breakdown,
    Cell,
    Figures,
    FigureTable,
    Rate,
    RateKey,
    Span,
    Subject,
    TableName,
)
from immuni.dashboard.forecast import ForecastSettings
from immuni.dashboard.months import Month
from immuni.dashboard.pages import _near
from immuni.dashboard.sections.activity import activity
from immuni.dashboard.sections.chunks import chunks
from immuni.dashboard.sections.codes import codes
from immuni.dashboard.sections.outlook import outlook
from immuni.dashboard.sections.territory import where

OCTOBER = Month(date(2020, 10, 1))
Counts = dict[Cell, int | None]


def figures(*tables: FigureTable, rate: float | None = 0.5) -> Figures:
    """Return tables, and one sampling rate for everything in October."""
    return Figures(
        {table.key: table for table in tables},
        {
            RateKey(OCTOBER.first, subject, Breakdown.NOTHING, "all"): Rate(rate)
            for subject in (Subject.ACTIVE, Subject.NOTIFIED)
        },
    )


def table(
    subject: Subject, span: Span, breakdown: Breakdown, since: date, counts: Counts
) -> FigureTable:
    return FigureTable(TableName(subject, span, breakdown, since), counts)


def of_october(subject: Subject, breakdown: Breakdown, counts: Counts) -> FigureTable:
    return table(subject, Span.MONTH, breakdown, OCTOBER.first, counts)


NATIONAL = of_october(
    Subject.ACTIVE,
    Breakdown.NOTHING,
    {("active",): 1000, ("healthy",): 900, ("impaired",): 100},
)


def test_two_years_of_months_do_not_fill_a_phone() -> None:
    months = [OCTOBER]
    while len(months) < 24:
        months.append(months[-1].previous)

    for month in months:
        near = _near(months, month)

        assert month in near
        assert 2 <= len(near) <= 3
    assert _near(months, months[5]) == months[4:7]


def test_a_month_is_estimated_by_its_rate() -> None:
    said = activity(figures(NATIONAL), OCTOBER, ["Lazio"])

    assert said.headline == "About 2,000 phones were active in October 2020."
    assert "estimated from 1,000 reports" in said.detail
    assert said.able.startswith("90 % of the phones")


def test_which_share_is_able_to_warn_is_told_where_both_counts_are_shown() -> None:
    builds = of_october(
        Subject.ACTIVE,
        Breakdown.BUILD,
        {("ios", "active"): 600, ("ios", "healthy"): 450, ("android", "active"): 400,
         ("android", "healthy"): None, ("ios 9", "active"): 100, ("ios 10", "active"): 500},
    )  # fmt: skip
    known = figures(NATIONAL, builds)
    rates = {
        RateKey(OCTOBER.first, Subject.ACTIVE, Breakdown.BUILD, node): Rate(0.5)
        for node in ("ios", "android", "ios 10")
    }

    said = activity(replace(known, rates={**known.rates, **rates}), OCTOBER, [])

    assert [(row.name, row.said, row.note) for row in said.by_platform] == [
        ("iOS", "1,200", "75 % able"),
        ("Android", "800", ""),
    ]
    assert [(row.name, row.said) for row in said.by_build] == [
        ("iOS 10", "1,000"),
        ("iOS 9", "not known"),
    ]


def test_without_a_rate_reports_are_told_and_nothing_is_estimated() -> None:
    said = activity(figures(NATIONAL, rate=None), OCTOBER, ["Lazio"])

    assert said.headline == "1,000 phones reported in October 2020."
    assert "95 %" not in said.detail


def test_a_month_that_runs_is_not_estimated() -> None:
    said = activity(figures(), OCTOBER, ["Lazio"])

    assert "not over" in said.headline
    assert said.by_place == []
    assert not any(bar.is_known for bar in said.plot.bars)


def test_what_is_withheld_of_a_day_is_hatched_and_a_day_not_counted_is_neither() -> None:
    day = date(2020, 10, 5)
    said = activity(
        figures(
            table(Subject.ACTIVE, Span.DAY, Breakdown.NOTHING, day, {("active",): 500}),
            table(Subject.NOTIFIED, Span.DAY, Breakdown.NOTHING, day, {("notified",): None}),
        ),
        OCTOBER,
        [],
    )

    withheld, unknown = said.plot.bars[4], said.plot.bars[5]
    assert withheld.withheld is not None
    assert withheld.title == "5 October: 500 without exposure, withheld with one"
    assert said.listing.rows == (("5 October", "500", "withheld"),)
    assert (unknown.withheld, unknown.title) == (None, "6 October: not counted yet")


def test_a_province_is_withheld_where_either_of_its_counts_is() -> None:
    said = where(
        figures(
            of_october(
                Subject.ACTIVE,
                Breakdown.PLACE,
                {("MI", "active"): 1000, ("TO", "active"): None, ("RM", "active"): 1000,
                 ("NA", "active"): 1000, ("Lazio", "active"): 1000},
            ),
            of_october(
                Subject.NOTIFIED,
                Breakdown.PLACE,
                {("MI", "notified"): 50, ("TO", "notified"): 50, ("RM", "notified"): None,
                 ("Lazio", "notified"): 20},
            ),
        ),
        OCTOBER,
        italy(),
        EarlyWarningSettings(),
    )  # fmt: skip

    tiles = {tile.code: tile for tile in said.map.tiles}
    assert said.headline == "Phones warned their users most often in Lazio."
    assert tiles["MI"].title == "Milano: 5,000"
    assert tiles["NA"].title == "Napoli: 0"
    assert {code for code, tile in tiles.items() if tile.withheld} == {"TO", "RM"}
    assert tiles["GE"].title == "Genova: not known"
    assert [row.said for row in said.by_region] == ["2,000"]
    assert ("Roma", "Lazio", "withheld") in said.listing.rows


def test_a_rise_is_marked_and_what_is_withheld_is_not_judged() -> None:
    def of_period(since: int, counts: Counts) -> FigureTable:
        day = date(2020, 10, since)
        return table(Subject.NOTIFIED, Span.PERIOD, Breakdown.PLACE, day, counts)

    before: Counts = {("MI", "notified"): 500, ("TO", "notified"): 500, ("RM", "notified"): None}
    after: Counts = {("MI", "notified"): 2000, ("TO", "notified"): 500, ("RM", "notified"): 2000}
    said = where(
        figures(of_period(1, before), of_period(8, after)),
        OCTOBER,
        italy(),
        EarlyWarningSettings(),
    )

    assert [(rise.code, rise.said) for rise in said.rises] == [("MI", "+300 %")]
    assert [tile.code for tile in said.map.tiles if tile.marked] == ["MI"]
    assert said.compared == "8 to 14 October with 1 to 7 October"
    assert said.unknown == 1


def test_codes_are_followed_to_the_upload() -> None:
    said = codes(
        figures(
            of_october(
                Subject.CODES,
                Breakdown.NOTHING,
                {("authorised",): 200, ("checked",): 190, ("unchecked",): None,
                 ("unsent",): 30, ("uploaded",): 160},
            ),
            of_october(
                Subject.CODES,
                Breakdown.EXPOSURE,
                {("warned", "uploaded"): 40, ("nothing", "uploaded"): 120,
                 ("all", "uploaded"): 160},
            ),
            of_october(
                Subject.CODES,
                Breakdown.ONSET,
                {("0-2", "uploaded"): None, ("3-5", "uploaded"): 100, ("all", "uploaded"): 160},
            ),
        ),
        OCTOBER,
    )  # fmt: skip

    assert said.headline == (
        "Of 200 codes that operators authorised in October 2020, 160 led to an upload: 80 %."
    )
    assert [row.said for row in said.steps] == ["200 · 100 %", "190 · 95 %", "160 · 80 %"]
    assert said.exposure.headline.startswith("25 % of those")
    assert [row.said for row in said.onset.rows] == [
        "withheld", "100 · 62 %", "0 · 0 %", "0 · 0 %", "0 · 0 %",
    ]  # fmt: skip
    # What cannot be summed up from what is shown, is not.
    assert said.onset.headline.endswith("not shown.")


def test_a_forecast_needs_the_rate_and_begins_after_the_last_period() -> None:
    risky = table(
        Subject.NOTIFIED,
        Span.PERIOD,
        Breakdown.RISKY_DAY,
        date(2020, 10, 8),
        {("all", "2020-10-10"): 400, ("all", "2020-10-11"): None, ("all", "earlier"): 0,
         ("all", "all"): 420, ("Lazio", "2020-10-01"): 9999},
    )  # fmt: skip
    known, unknown = (
        outlook(figures(risky, rate=rate), OCTOBER, ForecastSettings()) for rate in (0.5, None)
    )

    assert known.headline == "More reports tell of a risk on 10 October than on any other day."
    assert known.listing is not None
    assert [row[0] for row in known.listing.rows][:2] == ["15 October", "16 October"]
    assert known.risky_listing is not None
    assert ("11 October", "withheld") in known.risky_listing.rows
    assert (unknown.onsets, unknown.listing) == (None, None)
    assert unknown.risky is not None


def test_a_period_of_which_no_risky_day_is_shown_is_not_one_without_any() -> None:
    key = (Subject.NOTIFIED, Span.PERIOD, Breakdown.RISKY_DAY)
    hidden = table(*key, date(2020, 10, 8), {("all", "all"): None})
    none = table(*key, date(2020, 10, 8), {("all", "all"): 0})

    unknown, known = (
        outlook(figures(each), OCTOBER, ForecastSettings()) for each in (hidden, none)
    )

    for said, what in ((unknown, "withheld"), (known, "0")):
        assert said.risky_listing is not None
        assert ("24 September", what) in said.risky_listing.rows
        assert ("14 October", what) in said.risky_listing.rows
    assert unknown.onsets is not None
    assert unknown.onsets.headline.startswith("Expect at least 0")


def test_a_day_of_chunks_that_nobody_knows_any_more_is_not_0() -> None:
    def of_day(day: int, count: int | None) -> FigureTable:
        cells: Counts = {("chunks",): count, ("keys",): count, ("bytes",): count}
        return table(Subject.CHUNKS, Span.DAY, Breakdown.NOTHING, date(2020, 10, day), cells)

    said = chunks(figures(of_day(1, 6), of_day(2, None)), OCTOBER)

    assert said.plot.bars[0].is_known
    assert not said.plot.bars[1].is_known
    assert [row[0] for row in said.listing.rows] == ["1 October"]


def test_chunks_of_days_that_were_closed_too_late_are_not_known_rather_than_none() -> None:
    unknown: Counts = {("chunks",): None, ("keys",): None, ("bytes",): None}
    late = table(Subject.CHUNKS, Span.DAY, Breakdown.NOTHING, OCTOBER.first, unknown)

    assert (
        chunks(figures(late), OCTOBER).headline
        == "What was published in October 2020 is not known."
    )
    assert codes(figures(late), OCTOBER).outcome == []
