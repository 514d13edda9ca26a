"""How long the job takes that counts analytics and decides what is shown of them.

A month of reports as 15 million phones would send them, or a share of these: provinces by their
weight, two platforms, three builds. The whole month is refreshed at once, as after an outage of a
month; its last day, with which a period and the month end, is the dearest of the daily runs. The
ratio is to PostgreSQL's count of the same rows in the same run. Run it with

    .venv/bin/python benchmarks/refresh.py [--shares 0.01 0.05 0.25] [--json]
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Final, LiteralString

import psycopg

from immuni.api.provinces import italy
from immuni.backend.analytics.insights.settings import InsightsSettings
from immuni.backend.refreshing import Refreshing
from immuni.database import open_pool
from immuni.deployment.databases import (
    AnalyticsDatabase,
    ServicesDatabase,
    prepare_analytics_database,
    prepare_services_database,
)
from immuni.deployment.embedded_postgres import EmbeddedPostgres

PHONES: Final = 15_000_000
SAMPLING_RATE: Final = 0.6
NOTIFIED_A_DAY: Final = 1_300
DAYS: Final = [date(2026, 10, 1) + timedelta(days=day) for day in range(31)]
REPORT: Final[LiteralString] = """
    INSERT INTO analytics.operational_info
    SELECT %(day)s, (ARRAY['ios', 'android'])[1 + (random() < 0.6)::int],
           (%(provinces)s::text[])[1 + floor(random() * cardinality(%(provinces)s::text[]))],
           random() < 0.95, random() < 0.9, true, %(notified)s,
           CASE WHEN %(notified)s THEN %(day)s::date - 2 - floor(random() * 10)::int END,
           1 + floor(random() * 3)
    FROM generate_series(1, %(count)s)
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one refresh took; `ratio` is to a plain count of the same rows.

    Attributes:
        share: Of the country's phones.
        rows: Reports of the month.
        month_seconds: For all days of the month at once.
        last_day_seconds: For the last day alone.
        ratio: Seconds of the month by seconds of the plain count.
    """

    share: float
    rows: int
    month_seconds: float
    last_day_seconds: float
    ratio: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.01, 0.05, 0.25])
    parser.add_argument("--json", action="store_true", help="print one object per line")
    arguments = parser.parse_args()
    for figures in measured(arguments.shares):
        print(json.dumps(asdict(figures)) if arguments.json else line(figures), flush=True)


def measured(shares: Sequence[float]) -> Iterator[Figures]:
    """Measure, share by share."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        postgres = EmbeddedPostgres(folder / "postgres")
        try:
            url = postgres.start()
            services = prepare_services_database(url, folder / "secrets")
            analytics = prepare_analytics_database(url, folder / "secrets")
            for share in shares:
                fill(analytics, share)
                yield measure(services, analytics, share)
        finally:
            postgres.stop()


def fill(database: AnalyticsDatabase, share: float) -> None:
    """Replace all rows by a month of a share of the country, in the shuffled order of real ones."""
    random = Random(1)  # noqa: S311 - test data
    provinces = [
        code for code in sorted(italy().codes) for _ in range(round(random.paretovariate(1.2)))
    ]
    with psycopg.connect(database.owner) as owner:
        owner.execute("""
            TRUNCATE analytics.operational_info, analytics.release, analytics.counted_day,
                analytics.report_count, analytics.notified_count, analytics.sampling_rate,
                analytics.effective_rate CASCADE
        """)
        for day in DAYS:
            owner.execute("SELECT analytics.open_day(%s)", [day])
            for notified, count in (
                (False, share * PHONES * SAMPLING_RATE / len(DAYS)),
                (True, share * NOTIFIED_A_DAY),
            ):
                values = {
                    "day": day,
                    "provinces": provinces,
                    "notified": notified,
                    "count": round(count),
                }
                owner.execute(REPORT, values)
    with psycopg.connect(database.owner, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE analytics.operational_info")


def measure(services: ServicesDatabase, analytics: AnalyticsDatabase, share: float) -> Figures:
    """Refresh the month but for its last day, then that."""
    rows, counting = plain_count(analytics)
    before, last = (
        asyncio.run(refreshed(services, analytics, until))
        for until in (DAYS[-1], DAYS[-1] + timedelta(days=1))
    )
    return Figures(share, rows, before + last, last, (before + last) / counting)


def plain_count(database: AnalyticsDatabase) -> tuple[int, float]:
    """Return the number of rows, and how long PostgreSQL takes to tell."""
    with psycopg.connect(database.owner) as owner:
        begun = time.perf_counter()
        row = owner.execute("SELECT count(*) FROM analytics.operational_info").fetchone()
        return (row[0] if row else 0), time.perf_counter() - begun


async def refreshed(
    services: ServicesDatabase, analytics: AnalyticsDatabase, before: date
) -> float:
    """Refresh all days before one that were not; return how long that took."""
    async with open_pool(services.jobs, max_size=2) as pool:
        refreshing = Refreshing(
            pool=pool,
            open_analytics=partial(open_pool, analytics.analytics, max_size=2),
            territory=italy(),
            settings=InsightsSettings(),
        )
        begun = time.perf_counter()
        await refreshing.refresh(before=before)
        return time.perf_counter() - begun


def line(figures: Figures) -> str:
    """Return a line for people."""
    return (
        f"{figures.share:6.0%} of the country, {figures.rows:>9,} reports: the month at once "
        f"{figures.month_seconds:6.2f} s ({figures.ratio:6.1f} × a plain count), its last day "
        f"{figures.last_day_seconds:6.2f} s"
    )


if __name__ == "__main__":
    main()
