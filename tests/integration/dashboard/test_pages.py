"""What the pages say, over HTTP and from the database."""

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import httpx
import psycopg
import pytest
from psycopg import sql

from immuni.dashboard.figures import Figures, FigureTable, Subject
from immuni.dashboard.words import about
from immuni.deployment.databases import AnalyticsDatabase
from tests.figures import OCTOBER, write_figures
from tests.integration.dashboard.serving import dashboard_of

pytestmark = pytest.mark.anyio


class Words(HTMLParser):
    """What a reader sees of a page, headings apart."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.headings: list[str] = []
        self._open: list[str] = []

    def handle_starttag(
        self,
        tag: str,
        attrs: list[tuple[str, str | None]],  # noqa: ARG002 - the parser hands them over
    ) -> None:
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._open and self._open[-1] in {"h1", "h2", "h3"}:
            self.headings.append(" ".join(data.split()))


def read(answer: httpx.Response) -> Words:
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    words = Words()
    words.feed(answer.text)
    return words


async def test_the_first_page_is_of_the_last_month_that_is_over(
    dashboard: httpx.AsyncClient, figures: Figures
) -> None:
    first = await dashboard.get("/")
    of_october = await dashboard.get("/months/2020-10")

    assert first.status_code == 200
    assert first.text == of_october.text
    table = figures.of_month(OCTOBER, Subject.ACTIVE)
    assert table is not None
    found = figures.estimate(table, "all", "active")
    assert found is not None
    headings = read(first).headings
    assert f"About {about(found.phones)} phones were active in October 2020." in headings


async def test_each_plot_has_a_sentence_and_its_figures_to_be_read(
    dashboard: httpx.AsyncClient,
) -> None:
    page = await dashboard.get("/months/2020-10")

    headings = read(page).headings
    for beginning in (
        "About ", "Between ", "Phones warned their users most often in ", "Early warning",
        "More reports tell of a risk on ", "Expect about ",
        "Of ", "A chunk had ",
    ):  # fmt: skip
        assert any(heading.startswith(beginning) for heading in headings), beginning
    plots = re.findall(r'<svg class="(?:plot|tiles)"[^>]*aria-label="([^"]+)"', page.text)
    assert len(plots) == 6
    # One table for the two plots of the forecast.
    assert page.text.count("Read the figures") == len(plots) - 1


async def test_a_month_that_runs_says_so_and_estimates_nothing(
    dashboard: httpx.AsyncClient,
) -> None:
    page = read(await dashboard.get("/months/2020-11"))

    text = " ".join(page.words)
    assert "not over yet" in text
    assert "how many phones are active is not known yet" in " ".join(page.headings)
    assert "8 to 14 November with 1 to 7 November" in text


async def test_an_empty_database_has_a_page(analytics_database: AnalyticsDatabase) -> None:
    async with dashboard_of(analytics_database) as client:
        page = await client.get("/")
        unknown = await client.get("/months/2020-10")

    assert page.status_code == 200
    assert read(page).headings == ["There are no figures yet"]
    assert unknown.status_code == 404
    assert read(unknown).headings == ["Nothing is shown of this month"]


async def test_one_counted_day_is_enough_for_a_page(
    analytics_database: AnalyticsDatabase,
) -> None:
    with psycopg.connect(analytics_database.owner) as owner:
        owner.execute(
            "INSERT INTO analytics.release VALUES ('active', 'day', 'nothing', '2020-06-20'),"
            " ('notified', 'day', 'nothing', '2020-06-20')"
        )
        owner.execute(
            "INSERT INTO analytics.figure"
            " VALUES ('active', 'day', 'nothing', '2020-06-20', '{active}', NULL)"
        )
    async with dashboard_of(analytics_database) as client:
        page = await client.get("/")

    assert page.status_code == 200
    assert "June 2020 is not over" in page.text
    assert "20 June: withheld without exposure, 0 with one" in page.text


async def test_a_page_of_withheld_figures_tells_no_count(
    analytics_database: AnalyticsDatabase, figures: Figures
) -> None:
    hidden = {
        key: FigureTable(key, dict.fromkeys(table.counts))
        for key, table in figures.tables.items()
        if key.subject is not Subject.CHUNKS
    }
    write_figures(analytics_database.owner, replace(figures, tables=hidden))
    async with dashboard_of(analytics_database) as client:
        pages = [read(await client.get(f"/months/{month}")) for month in ("2020-10", "2020-11")]

    for page in pages:
        text = " ".join(" ".join(page.words).split())
        # What is left are days, years, shares of confidence, and limits of classes and of time.
        assert (
            re.findall(r"\d,\d{3}(?! active| phones active)|million| people uploaded", text) == []
        )
        assert "phones active" not in text
    assert "How many phones were active in October 2020 is withheld." in pages[0].headings
    assert "What became of the codes of October 2020 is withheld." in pages[0].headings


WRONG = {
    "/months/2020-13": 400,
    "/months/2020-1": 400,
    "/months/1999-12": 400,
    "/months/%32020-10": 400,
    "/months/2020-10?month=2020-09": 400,
    "/months/<script>": 400,
    "/?next=//elsewhere.example": 400,
    "/months/2031-01": 404,
}


async def test_a_wrong_address_is_told_to_a_person(dashboard: httpx.AsyncClient) -> None:
    for path, status in WRONG.items():
        answer = await dashboard.get(path)

        assert answer.status_code == status, path
        assert read(answer).headings
        assert "<script" not in answer.text
        assert "elsewhere" not in answer.text


async def test_a_database_that_is_gone_is_told_to_a_person(
    analytics_database: AnalyticsDatabase, postgres_admin_url: str
) -> None:
    name = sql.Identifier(
        str(psycopg.conninfo.conninfo_to_dict(analytics_database.owner)["dbname"])
    )
    async with dashboard_of(
        analytics_database, acquire_timeout=timedelta(milliseconds=200)
    ) as client:
        assert (await client.get("/readyz")).status_code == 200
        with psycopg.connect(postgres_admin_url, autocommit=True) as admin:
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = 'immuni_dashboard'"
            )
        page, ready = await client.get("/"), await client.get("/readyz")

    assert page.status_code == 503
    assert int(page.headers["retry-after"]) > 0
    assert read(page).headings == ["The figures cannot be read now"]
    assert ready.status_code == 503


async def test_nothing_of_a_page_is_kept_or_runs(dashboard: httpx.AsyncClient) -> None:
    for path in ("/", "/months/2020-10", "/months/nothing"):
        answer = await dashboard.get(path)

        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
        assert "set-cookie" not in answer.headers
        assert re.findall(r"<script|<style|\sstyle=|\son\w+=|javascript:", answer.text) == []


async def test_the_parts_of_a_page_are_found(dashboard: httpx.AsyncClient) -> None:
    page = await dashboard.get("/")

    links = re.findall(r'(?:href|src)="(/[^"#]*)"', page.text)
    assert len(links) > 20
    for link in dict.fromkeys(links):
        answer = await dashboard.get(link.replace("&amp;", "&"))
        assert answer.status_code == 200, link
