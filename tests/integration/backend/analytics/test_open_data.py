"""Open data on a real PostgreSQL: charged before it is drawn, drawn once, and the same for ever."""

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time
from itertools import pairwise
from math import exp, sqrt
from pathlib import Path
from statistics import NormalDist

import psycopg
import pytest
from psycopg.errors import ForeignKeyViolation, InsufficientPrivilege, UniqueViolation

from immuni.api import italy
from immuni.backend.analytics.accepting import Acceptance
from immuni.backend.analytics.insights.counting import DayElsewhere, count_day
from immuni.backend.analytics.insights.periods import days_between
from immuni.backend.analytics.opendata.cells import Cell, OpenData, cells_of
from immuni.backend.analytics.opendata.noise import Noise, noise_deviation
from immuni.backend.analytics.opendata.releasing import (
    NoiseSource,
    NotReleasableError,
    ReleaseLostError,
    UnreleasedError,
    release,
    released,
)
from immuni.backend.analytics.opendata.store import budget
from immuni.clock import ManualClock
from immuni.database import Pool, open_pool
from immuni.deployment.databases import AnalyticsDatabase
from tests.integration.backend.analytics.reports import DAY, authorise, from_android, from_ios

pytestmark = pytest.mark.anyio

JUNE = date(2020, 6, 1)
TODAY = date(2020, 7, 2)
CELLS = cells_of(italy())
DIES_WHILE_DRAWING = """
import asyncio, os, signal, sys
from datetime import date
from immuni.api import italy
from immuni.backend.analytics.opendata.releasing import release
from immuni.database import open_pool

class Deadly:
    epsilon = 0.5
    def __init__(self, epsilon):
        if sys.argv[2] == "preparing":
            os.kill(os.getpid(), signal.SIGKILL)
    def add(self, counts):
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    async with open_pool(sys.argv[1]) as pool:
        await release(pool, date(2020, 6, 1), epsilon=0.5, territory=italy(),
                      today=date(2020, 7, 2), noise_of=Deadly)

asyncio.run(main())
"""


class NoNoise:
    """Shows what would get noise, and lets something happen before it is 'drawn'."""

    epsilon = 0.5

    def __init__(self, while_drawing: Callable[[], object] = lambda: None) -> None:
        self.while_drawing = while_drawing

    def add(self, counts: Sequence[int]) -> list[int]:
        self.while_drawing()
        return list(counts)


def counted(
    database: AnalyticsDatabase,
    reports: Mapping[Cell, int] = {},
    *,
    until: date = date(2020, 6, 30),
    day: date = date(2020, 6, 15),
) -> None:
    """Count reports, as the job does that counts days."""
    with psycopg.connect(database.owner) as owner:
        owner.execute(
            "INSERT INTO analytics.counted_day VALUES (%s) ON CONFLICT DO NOTHING", [until]
        )
        for cell, count in reports.items():
            owner.execute(
                "INSERT INTO analytics.report_count VALUES (%s, %s, %s, 7, %s, %s)",
                [day, *cell, count],
            )


async def june(
    pool: Pool,
    *,
    noise_of: Callable[[float], NoiseSource] = lambda _epsilon: NoNoise(),
    today: date = TODAY,
    month: date = JUNE,
) -> OpenData:
    return await release(
        pool, month, epsilon=1.0, territory=italy(), today=today, noise_of=noise_of
    )


def rows(database: AnalyticsDatabase, table: str) -> int:
    with psycopg.connect(database.owner) as owner:
        row = owner.execute(f"SELECT count(*) FROM analytics.{table}").fetchone()  # noqa: S608
    return row[0] if row else -1


async def test_every_cell_is_published_zeros_included_and_no_other(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    reports = {Cell("MI", "ios", "healthy"): 3, Cell("EX", "android", "notified"): 1}
    elsewhere = {Cell("XX", "ios", "healthy"): 50, Cell("MI", "symbian", "healthy"): 50}
    counted(analytics_database, reports | elsewhere)
    counted(analytics_database, {Cell("MI", "ios", "healthy"): 4}, day=date(2020, 6, 30))
    counted(analytics_database, {Cell("MI", "ios", "healthy"): 9}, day=date(2020, 5, 31))
    counted(analytics_database, {Cell("MI", "ios", "healthy"): 9}, day=date(2020, 7, 1))

    data = await june(pool)

    expected = dict.fromkeys(CELLS, 0)
    expected |= {Cell("MI", "ios", "healthy"): 7, Cell("EX", "android", "notified"): 1}
    assert data.reports == expected


async def test_reports_as_phones_send_them_come_out_where_they_belong(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    authorise(analytics_database, [1, 2])
    acceptance = Acceptance(pool, ManualClock(datetime.combine(DAY, time(12), UTC)))
    sent = [from_ios(1), from_ios(2, with_exposure=False, province="MI"), from_android(3)]
    assert await acceptance.accept(sent) == [True] * 3
    for day in days_between(DAY, date(2020, 6, 30)):
        await count_day(pool, day, DayElsewhere({}, []))

    data = await june(pool)

    assert {cell: count for cell, count in data.reports.items() if count} == {
        Cell("CH", "ios", "notified"): 1,
        Cell("MI", "ios", "impaired"): 1,
        Cell("CH", "android", "notified"): 1,
    }


async def test_the_cells_are_the_same_where_nobody_reported(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    counted(analytics_database)

    data = await june(pool, noise_of=Noise)

    assert set(data.reports) == set(CELLS)
    assert len(set(data.reports.values())) > 5, "zeros have noise as well"


async def test_the_charge_is_committed_before_anything_is_drawn(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    counted(analytics_database)
    seen: list[int] = []

    await june(
        pool,
        noise_of=lambda _epsilon: NoNoise(
            lambda: seen.append(rows(analytics_database, "privacy_budget"))
        ),
    )

    assert seen == [1]
    (charged,) = await budget(pool)
    assert (charged.month, charged.epsilon, charged.charged_on) == (JUNE, 0.5, TODAY)
    assert charged.is_published


def killed(database: AnalyticsDatabase, when: str) -> None:
    process = subprocess.run(
        [sys.executable, "-c", DIES_WHILE_DRAWING, database.analytics, when],
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()


async def test_a_release_that_is_killed_after_its_charge_is_lost_for_ever(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    counted(analytics_database)
    killed(analytics_database, "drawing")
    drawn: list[float] = []

    for _ in range(2):
        with pytest.raises(ReleaseLostError, match="never released"):
            await june(pool, noise_of=lambda _epsilon: NoNoise(lambda: drawn.append(1)))
    with pytest.raises(ReleaseLostError):
        await released(pool, JUNE)

    assert not drawn
    (charged,) = await budget(pool)
    assert not charged.is_published
    assert rows(analytics_database, "open_cell") == 0


async def test_one_that_is_killed_before_its_charge_costs_nothing(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    counted(analytics_database)
    killed(analytics_database, "preparing")

    assert await budget(pool) == []
    assert (await june(pool)).epsilon == 0.5


async def test_a_month_is_drawn_once_and_handed_out_for_ever(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    counted(analytics_database, {Cell("MI", "ios", "healthy"): 1000})
    first = await june(pool, noise_of=Noise)
    counted(analytics_database, {Cell("MI", "ios", "healthy"): 1000})

    again = await june(pool, noise_of=Noise)
    later = await june(pool, noise_of=Noise, today=date(2021, 1, 1))

    assert first == again == later == await released(pool, JUNE)
    assert rows(analytics_database, "privacy_budget") == 1


async def test_two_releases_at_once_draw_once(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    """While one draws, another process tries; and eight at once agree on what there is."""
    counted(analytics_database)

    async def try_from_elsewhere() -> None:
        async with open_pool(analytics_database.analytics) as other:
            with pytest.raises(NotReleasableError, match="under way"):
                await june(other)

    def meanwhile() -> None:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, try_from_elsewhere()).result()

    first = await june(pool, noise_of=lambda _epsilon: NoNoise(meanwhile))

    assert await asyncio.gather(*(released(pool, JUNE) for _ in range(3))) == [first] * 3


async def test_many_at_once_get_one_and_the_same_or_nothing(
    analytics_database: AnalyticsDatabase,
) -> None:
    counted(analytics_database)

    async with open_pool(analytics_database.analytics, max_size=6) as pool:
        outcomes = await asyncio.gather(
            *(june(pool, noise_of=Noise) for _ in range(6)), return_exceptions=True
        )
        kept = await released(pool, JUNE)

    got = [each for each in outcomes if isinstance(each, OpenData)]
    assert got
    assert all(each == kept for each in got)
    assert all(isinstance(each, OpenData | NotReleasableError) for each in outcomes)
    assert rows(analytics_database, "privacy_budget") == 1


async def test_without_the_lock_the_database_refuses_a_second_charge(
    analytics_database: AnalyticsDatabase,
) -> None:
    with psycopg.connect(analytics_database.analytics) as service:
        statement = "INSERT INTO analytics.privacy_budget VALUES (%s, 1, %s)"
        service.execute(statement, [JUNE, TODAY])
        with pytest.raises(UniqueViolation):
            service.execute(statement, [JUNE, TODAY])


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM analytics.privacy_budget",
        "UPDATE analytics.privacy_budget SET epsilon = 0.1",
        "DELETE FROM analytics.open_cell",
        "UPDATE analytics.open_cell SET reports = 0",
    ],
)
async def test_no_login_of_ours_takes_back_a_charge_or_changes_a_cell(
    analytics_database: AnalyticsDatabase, statement: str
) -> None:
    for url in (analytics_database.analytics, analytics_database.dashboard):
        with (
            psycopg.connect(url) as login,
            pytest.raises(InsufficientPrivilege),
        ):
            login.execute(statement.encode())


async def test_no_cell_is_kept_without_a_charge(analytics_database: AnalyticsDatabase) -> None:
    with (
        psycopg.connect(analytics_database.analytics) as service,
        pytest.raises(ForeignKeyViolation),
    ):
        service.execute(
            "INSERT INTO analytics.open_cell VALUES ('2020-06-01', 'MI', 'ios', 'healthy', 1)"
        )


@pytest.mark.parametrize(
    ("today", "until"),
    [
        (date(2020, 6, 30), date(2020, 6, 29)),  # not over
        (TODAY, date(2020, 6, 29)),  # not counted to its end
        (date(2020, 8, 1), date(2020, 7, 31)),  # its counts are deleted
    ],
)
async def test_a_month_whose_counts_are_not_whole_is_refused_free_of_charge(
    pool: Pool, analytics_database: AnalyticsDatabase, today: date, until: date
) -> None:
    counted(analytics_database, until=until)

    with pytest.raises(NotReleasableError):
        await june(pool, today=today)

    assert await budget(pool) == []


async def test_what_was_not_released_is_not_there(pool: Pool) -> None:
    with pytest.raises(UnreleasedError, match="2020-06 was not released"):
        await released(pool, JUNE)


def chi_square_limit(degrees: int, probability: float) -> float:
    """Return what a chi-square exceeds with a probability (Wilson and Hilferty)."""
    z = NormalDist().inv_cdf(1 - probability)
    return degrees * (1 - 2 / (9 * degrees) + z * sqrt(2 / (9 * degrees))) ** 3


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_noise_is_geometric_and_of_the_strength_that_the_budget_asks_for(epsilon: float) -> None:
    """No seed can be set, so a false alarm is made rarer than one in a million."""
    draws = 12_000
    noise = Noise(epsilon)

    drawn = Counter(noise.add([0] * draws))

    ratio, last = exp(-epsilon / 2), round(6 / epsilon)
    expected = {
        each: draws * (1 - ratio) / (1 + ratio) * ratio ** abs(each)
        for each in range(-last, last + 1)
    }
    observed = {each: drawn[each] for each in expected}
    for side in (-1, 1):
        tail = side * (last + 1)
        expected[tail] = draws * ratio ** (last + 1) / (1 + ratio)
        observed[tail] = sum(count for each, count in drawn.items() if each * side > last)
    assert min(expected.values()) > 50
    statistic = sum((observed[each] - mean) ** 2 / mean for each, mean in expected.items())
    assert statistic < chi_square_limit(len(expected) - 1, 1e-7)


def test_neighbouring_cells_have_noise_of_their_own() -> None:
    drawn = Noise(1.0).add([0] * 8_000)

    deviation = noise_deviation(1.0)
    correlation = sum(one * other for one, other in pairwise(drawn)) / deviation**2 / 8_000
    assert abs(correlation) < 5.5 / sqrt(8_000)
    assert sqrt(sum(each**2 for each in drawn) / 8_000) == pytest.approx(deviation, rel=0.1)


@pytest.mark.parametrize("epsilon", [0.01, 1.0, 4.0])
def test_what_is_charged_is_what_was_asked_for_and_never_less(epsilon: float) -> None:
    assert epsilon <= Noise(epsilon).epsilon < epsilon * (1 + 1e-9)


def test_noise_moves_counts_and_does_not_replace_them() -> None:
    drawn = Noise(4.0).add([0, 10**9, -5, 10**15])

    assert drawn == pytest.approx([0, 10**9, -5, 10**15], abs=60)


def test_the_true_counts_leave_the_process_nowhere_else() -> None:
    """Only the release reads them; what shows open data reads what was published."""
    package = Path(sys.modules[Noise.__module__].__file__ or "").parent
    users = [path.name for path in package.glob("*.py") if "true_counts" in path.read_text()]

    assert sorted(users) == ["releasing.py", "store.py"]
