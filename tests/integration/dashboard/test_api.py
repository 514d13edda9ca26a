"""The JSON API and the CSV files give what is stored, and no more."""

import csv
import io
from typing import Any

import httpx
import psycopg
import pytest

from immuni.dashboard.figures import Figures, FigureTable
from immuni.deployment.databases import AnalyticsDatabase
from tests.figures import OCTOBER
from tests.integration.dashboard.serving import dashboard_of

pytestmark = pytest.mark.anyio

PLACES = {
    "subject": "notified",
    "span": "period",
    "breakdown": "place",
    "since": "2020-09-01",
}


def stored(figures: Figures, query: dict[str, str]) -> FigureTable:
    (table,) = (
        table
        for key, table in figures.tables.items()
        if (key.subject, key.span, key.breakdown, key.since.isoformat()) == tuple(query.values())
    )
    return table


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    text = answer.content.decode()
    assert text.count("\n") == text.count("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


async def test_months_and_releases_are_what_was_decided(
    dashboard: httpx.AsyncClient, figures: Figures
) -> None:
    months = (await dashboard.get("/v1/months")).json()
    releases = (await dashboard.get("/v1/releases", params={"month": "2020-10"})).json()

    assert months == {"months": ["2020-11", "2020-10", "2020-09"]}
    found = {tuple(each.values()) for each in releases["releases"]}
    assert found == {
        (key.subject.value, key.span.value, key.breakdown.value, key.since.isoformat())
        for key in figures.tables
        if OCTOBER.holds(key.since)
    }


@pytest.mark.parametrize("breakdown", ["place", "risky-day"])
async def test_a_table_comes_as_it_is_stored(
    dashboard: httpx.AsyncClient, figures: Figures, breakdown: str
) -> None:
    query = PLACES | {"breakdown": breakdown}

    answer = await dashboard.get("/v1/figures", params=query)

    assert answer.json()["release"] == query
    cells = {tuple(each["cell"]): each["count"] for each in answer.json()["cells"]}
    assert cells == stored(figures, query).counts
    assert None in cells.values()


async def test_a_file_says_which_counts_are_withheld(
    dashboard: httpx.AsyncClient, figures: Figures
) -> None:
    answer = await dashboard.get("/v1/figures.csv", params=PLACES)

    rows = rows_of(answer)
    assert {(row["node"], row["kind"]): row["count"] for row in rows} == {
        cell: "" if count is None else str(count)
        for cell, count in stored(figures, PLACES).counts.items()
    }
    assert all((row["withheld"] == "yes") == (row["count"] == "") for row in rows)
    assert "Valle d'Aosta/Vallée d'Aoste" in {row["node"] for row in rows}
    assert answer.headers["content-disposition"] == (
        'attachment; filename="notified-period-place-2020-09-01.csv"'
    )


async def test_estimates_are_made_from_what_is_shown(
    dashboard: httpx.AsyncClient, figures: Figures
) -> None:
    query = PLACES

    answer = (await dashboard.get("/v1/estimates", params=query)).json()
    rows = rows_of(await dashboard.get("/v1/estimates.csv", params=query))

    table = stored(figures, query)
    for each in answer["estimates"]:
        cell = tuple(each["cell"])
        found = figures.estimate(table, cell[0], *cell)
        known = (found.phones, found.low, found.high) if found else (None, None, None)
        assert each["reports"] == table.counts[cell]
        assert (each["phones"], each["low"], each["high"]) == known
    assert len(rows) == len(answer["estimates"])
    assert {row["withheld"] for row in rows} == {"yes", "no"}


async def test_forecast_and_early_warning_are_those_of_the_page(
    dashboard: httpx.AsyncClient,
) -> None:
    page = (await dashboard.get("/months/2020-10")).text
    query = {"month": "2020-10"}
    days = (await dashboard.get("/v1/forecast", params=query)).json()["days"]
    found = (await dashboard.get("/v1/early-warning", params=query)).json()["findings"]
    none = (await dashboard.get("/v1/forecast", params={"month": "2019-10"})).json()

    assert [each["day"] for each in days] == [f"2020-11-{day:02}" for day in range(1, 15)]
    onsets = days[0]["onsets"]
    assert f"({onsets['low']} to {onsets['high']}) people to fall ill on 1 November." in page
    rises = [each for each in found if each["verdict"] == "rise"]
    assert len(found) == 108
    assert f"In {len(rises)} province" in page
    assert rises
    assert all(each["rise"] >= 0.5 for each in rises)
    assert none["days"] == []


async def test_a_table_without_cells_is_not_one_that_is_not_decided(
    analytics_database: AnalyticsDatabase,
) -> None:
    with psycopg.connect(analytics_database.owner) as owner:
        owner.execute(
            "INSERT INTO analytics.release VALUES ('notified', 'period', 'place', '2020-09-01')"
        )
    async with dashboard_of(analytics_database) as client:
        nothing = await client.get("/v1/figures", params=PLACES)
        undecided = await client.get("/v1/figures", params=PLACES | {"since": "2020-09-08"})
        empty_file = await client.get("/v1/figures.csv", params=PLACES)

    assert nothing.json()["cells"] == []
    assert undecided.status_code == 404
    assert rows_of(empty_file) == []


async def test_what_a_spreadsheet_would_run_is_text_in_a_file(
    analytics_database: AnalyticsDatabase,
) -> None:
    nodes = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", 'say "no", twice\r\nand again']
    with psycopg.connect(analytics_database.owner) as owner:
        owner.execute(
            "INSERT INTO analytics.release VALUES ('notified', 'period', 'place', '2020-09-01')"
        )
        for node in nodes:
            owner.execute(
                "INSERT INTO analytics.figure"
                " VALUES ('notified', 'period', 'place', '2020-09-01', %s, 12)",
                [[node, "notified"]],
            )
    async with dashboard_of(analytics_database) as client:
        answer = await client.get("/v1/figures.csv", params=PLACES)

    read = csv.DictReader(io.StringIO(answer.text, newline=""), strict=True)
    assert {row["node"] for row in read} == {*(f"'{node}" for node in nodes[:5]), nodes[5]}


REFUSED: list[dict[str, Any]] = [
    {},
    PLACES | {"subject": "salts"},
    PLACES | {"span": "hour"},
    PLACES | {"breakdown": "place; DROP TABLE analytics.figure"},
    PLACES | {"since": "2020-02-31"},
    PLACES | {"since": "2020-8-1"},
    PLACES | {"since": "infinity"},
    PLACES | {"cell": "MI"},
    PLACES | {"subject": ["active", "notified"]},
]


@pytest.mark.parametrize("path", ["figures", "figures.csv", "estimates", "estimates.csv"])
async def test_a_hostile_query_is_refused_like_everywhere(
    dashboard: httpx.AsyncClient, path: str
) -> None:
    for query in REFUSED:
        answer = await dashboard.get(f"/v1/{path}", params=query)

        assert answer.status_code == 400, query
        assert answer.json().keys() == {"error_code", "message"}
        assert answer.json()["error_code"] == 1001
        assert "DROP" not in answer.text


async def test_only_reports_of_periods_and_months_are_estimated_from(
    dashboard: httpx.AsyncClient,
) -> None:
    for subject, span in (("codes", "month"), ("chunks", "day"), ("active", "day")):
        query = {"subject": subject, "span": span, "breakdown": "nothing", "since": "2020-10-01"}

        answer = await dashboard.get("/v1/estimates", params=query)

        assert (answer.status_code, answer.json()["error_code"]) == (400, 1001)


async def test_what_was_not_decided_is_not_there(dashboard: httpx.AsyncClient) -> None:
    for since in ("2020-11-15", "2020-09-02", "2031-01-01"):
        answer = await dashboard.get("/v1/figures", params=PLACES | {"since": since})

        assert (answer.status_code, answer.json()["error_code"]) == (404, 1000)


async def test_unknown_addresses_and_methods_are_refused_like_everywhere(
    dashboard: httpx.AsyncClient,
) -> None:
    nowhere, posted = await dashboard.get("/v1/reports"), await dashboard.post("/v1/months")

    assert (nowhere.status_code, nowhere.json()["error_code"]) == (404, 1000)
    assert (posted.status_code, posted.json()["error_code"]) == (405, 1000)
