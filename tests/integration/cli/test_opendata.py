"""``immuni opendata`` on a real database: what is shown of a month, and what it cost."""

import asyncio
import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psycopg
import pytest

from immuni.api import italy
from immuni.backend.analytics.opendata.cells import OpenData, cells_of
from immuni.backend.analytics.opendata.releasing import release
from immuni.database import open_pool
from immuni.deployment.databases import AnalyticsDatabase
from scripts.reference.answers import TOLD
from scripts.reference.command_line import check_members
from tests.unit.cli.command_line import Outcome, immuni

Run = Callable[..., Outcome]


@pytest.fixture
def opendata(
    analytics_database: AnalyticsDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Return what runs ``immuni opendata`` with the login of the Analytics Service."""
    file = tmp_path / "immuni.toml"
    file.write_text(f'analytics_database_url = "{analytics_database.analytics}"\n')
    monkeypatch.setenv("IMMUNI_CONFIG", str(file))
    return lambda *arguments: immuni("opendata", *arguments)


@pytest.fixture
def june(analytics_database: AnalyticsDatabase) -> OpenData:
    """Release June 2020, as if it were July."""
    with psycopg.connect(analytics_database.owner) as owner:
        owner.execute("INSERT INTO analytics.counted_day VALUES ('2020-06-30')")
        owner.execute(
            "INSERT INTO analytics.report_count VALUES"
            " ('2020-06-15', 'MI', 'ios', 7, 'healthy', 5000)"
        )

    async def released() -> OpenData:
        async with open_pool(analytics_database.analytics) as pool:
            return await release(
                pool,
                date(2020, 6, 1),
                epsilon=1.0,
                territory=italy(),
                today=date(2020, 7, 2),
            )

    return asyncio.run(released())


def described(words: str, outcome: Outcome) -> object:
    check_members(TOLD[words].answers[0], outcome.json, where=words)
    return outcome.json


def test_the_csv_has_every_cell_and_its_totals(opendata: Run, june: OpenData) -> None:
    outcome = opendata("show", "2020-06")

    assert (outcome.code, outcome.err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(outcome.out)))
    shown = {
        (row["place"], row["platform"], row["kind"]): int(row["reports"])
        for row in rows
        if row["level"] in {"province", "abroad"} and row["platform"] != "all"
    }
    assert shown == {tuple(cell): count for cell, count in june.reports.items()}
    assert shown.keys() == {tuple(cell) for cell in cells_of(italy())}
    (country,) = [
        row for row in rows if row["place"] == row["platform"] == "all" and row["kind"] == "healthy"
    ]
    assert int(country["reports"]) == sum(
        count for cell, count in june.reports.items() if cell.kind == "healthy"
    )
    # 216 cells with a deviation of 2.8 each: 5000 within ten deviations of their sum.
    assert int(country["reports"]) == pytest.approx(5000, abs=420)
    assert float(country["noise_deviation"]) == pytest.approx(41.1, abs=0.2)


def test_what_machines_get_is_what_the_reference_says(opendata: Run, june: OpenData) -> None:
    shown = described("opendata show", opendata("show", "2020-06", "--json"))
    again = described("opendata release", opendata("release", "2020-06", "--json"))
    spent = described("opendata budget", opendata("budget", "--json"))

    head = {"month": "2020-06", "epsilon": june.epsilon, "charged_on": "2020-07-02"}
    assert isinstance(shown, dict)
    assert {name: shown[name] for name in head} == head
    assert again == head | {"cells": 648}
    assert spent == [head | {"published": True}]
    assert "2020-06" in opendata("budget").out
    assert "648 cells" in opendata("release", "2020-06").out


def test_a_month_long_ago_is_not_released_and_costs_nothing(opendata: Run) -> None:
    outcome = opendata("release", "2020-06")

    assert outcome.code == 1
    assert "only the month before can" in outcome.err
    assert opendata("budget", "--json").json == []
    assert opendata("show", "2020-06").code == 1


def test_a_month_is_a_year_and_a_month(opendata: Run) -> None:
    outcome = opendata("show", "June")

    assert outcome.code == 2
    assert "2026-10" in outcome.err
