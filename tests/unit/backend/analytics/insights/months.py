"""Months as the tests make them: counts of reports and uploads, and days closed one by one."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from random import Random

from immuni.api.provinces import Province, ProvinceCode, Region, Territory
from immuni.backend.analytics.insights.closing import close_day
from immuni.backend.analytics.insights.counts import (
    MonthCounts,
    NotifiedKey,
    ReportKey,
    UploadKey,
)
from immuni.backend.analytics.insights.figures import (
    Breakdown,
    Figures,
    Ledger,
    Span,
    Subject,
    TableName,
)

K = 10
JUNE = tuple(date(2020, 6, day) for day in range(1, 31))
PROVINCES = ("TO", "CN", "AO", "EX")
BUILDS = ("1", "2")
RISKY_DAYS = (date(2020, 6, 17), date(2020, 4, 1))
"""Reports of any of the last days can have them; the second lies too far back to be told apart."""


def small_country() -> Territory:
    """Return two regions, of which one is a single province, and abroad."""
    return Territory(
        regions=(
            Region("Piemonte", tuple(Province(ProvinceCode(c), c) for c in ("TO", "CN"))),
            Region("Valle d'Aosta", (Province(ProvinceCode("AO"), "Aosta"),)),
        ),
        abroad=ProvinceCode("EX"),
    )


def random_month(seed: int, days: Sequence[date], *, most: int) -> MonthCounts:
    """Return counts in which some places are nearly empty."""
    random = Random(seed)  # noqa: S311 - test data
    reports: Counter[ReportKey] = Counter()
    notified: Counter[NotifiedKey] = Counter()
    uploads: Counter[UploadKey] = Counter()
    codes: Counter[tuple[date, str]] = Counter()
    for day in days:
        for province in PROVINCES:
            for platform in ("ios", "android"):
                for kind in ("healthy", "impaired", "notified"):
                    build = "1" if platform == "ios" else random.choice(BUILDS)
                    count = random.choice([0, 0, random.randrange(4), random.randrange(most)])
                    if not count:
                        continue
                    reports[ReportKey(day, province, platform, build, kind)] += count
                    if kind == "notified":
                        notified[NotifiedKey(day, province, random.choice(RISKY_DAYS))] += count
            if count := random.choice([0, random.randrange(3), random.randrange(most)]):
                onset, exposure = (
                    random.choice(["0-2", "none"]),
                    random.choice(["warned", "nothing"]),
                )
                uploads[UploadKey(day, province, onset, exposure)] += count
                codes[day, random.choice(["delay:<30s", "delay:>150s"])] += count
        codes[day, "authorised"] = random.randrange(3 * most)
        codes[day, "checked"] = random.randrange(2 * most)
    return MonthCounts(
        days=tuple(days),
        reports=dict(reports),
        notified=dict(notified),
        uploads=dict(uploads),
        codes=dict(codes),
    )


def notified_month(by_day: Iterable[int], *, province: str = "TO") -> MonthCounts:
    """Return a June with so many reports with exposure each day, all of one province."""
    reports, notified = {}, {}
    for day, count in zip(JUNE, by_day, strict=False):
        if count:
            reports[ReportKey(day, province, "ios", "1", "notified")] = count
            notified[NotifiedKey(day, province, day - timedelta(days=3))] = count
    return MonthCounts(days=JUNE, reports=reports, notified=notified)


def closed(
    counts: MonthCounts, *, until: date | None = None, territory: Territory | None = None
) -> Ledger:
    """Close day after day, as the days pass."""
    ledger = Ledger()
    for day in counts.days:
        if until is None or day <= until:
            close_day(
                ledger,
                counts.until(day),
                territory=territory or small_country(),
                k_anonymity=K,
            )
    return ledger


def table(
    ledger: Ledger,
    subject: Subject,
    span: Span,
    since: date,
    breakdown: Breakdown = Breakdown.NOTHING,
) -> Figures:
    """Return what was decided of one table."""
    return ledger.tables[TableName(subject, span, breakdown, since)]
