"""What the refresh decides is what the dashboard shows."""

from datetime import date
from typing import Final

import pytest

from immuni.backend.jobs import Parts
from immuni.deployment.databases import AnalyticsDatabase
from tests.integration.backend.jobs.test_refreshing import refresh, report, report_all_june
from tests.integration.dashboard.serving import dashboard_of

JUNE_30: Final = date(2020, 6, 30)

pytestmark = pytest.mark.anyio


async def test_a_month_of_reports_becomes_a_page(
    parts: Parts, analytics_database: AnalyticsDatabase
) -> None:
    report_all_june(analytics_database)
    report(analytics_database, JUNE_30, 40, province="TO", platform="android")
    await refresh(parts)

    async with dashboard_of(analytics_database) as client:
        page = await client.get("/")
        releases = (await client.get("/v1/releases", params={"month": "2020-06"})).json()
        answers = [
            (await client.get("/v1/figures", params=each)).status_code
            for each in releases["releases"]
        ]

    assert page.status_code == 200
    assert "phones were active in June 2020." in page.text or "phones reported in" in page.text
    assert len(answers) > 100
    assert set(answers) == {200}
