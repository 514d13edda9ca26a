"""Figures as a country would have them: fifteen million phones, and an autumn in which cases rise.

The same seed gives the same figures. Small counts are withheld one by one; that others have to be
withheld with them is proved elsewhere.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import astuple
from datetime import date, timedelta
from math import exp, sqrt
from pathlib import Path
from random import Random
from typing import Final, TypeVar

import psycopg

from immuni.api import italy
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
from immuni.dashboard.months import Month

FIRST: Final = date(2020, 9, 1)
LAST: Final = date(2020, 11, 17)
"""The last day that was counted; its month runs."""
OCTOBER: Final = Month(date(2020, 10, 1))
NOVEMBER: Final = Month(date(2020, 11, 1))
PHONES: Final = 15_000_000
RATES: Final = {Subject.ACTIVE: 0.1, Subject.NOTIFIED: 0.5}
K_ANONYMITY: Final = 10
INHABITANTS: Final[Mapping[str, int]] = json.loads(
    (Path(__file__).parent / "inhabitants.json").read_text(encoding="utf-8")
)
"""Thousands of people in each province and abroad, roughly."""

_WAVES: Final = {
    "Valle d'Aosta/Vallée d'Aoste": (2.4, 9), "Piemonte": (1.7, 10), "Lombardia": (1.8, 12),
    "Liguria": (1.5, 16), "Toscana": (1.3, 11), "Veneto": (1.1, 20), "Campania": (1.2, 12),
    "Calabria": (0.4, 22), "Basilicata": (0.5, 22), "Sardegna": (0.6, 30), "Sicilia": (0.6, 24),
    "Molise": (0.6, 30),
}  # fmt: skip
"""How hard a region is hit, and in how many days its cases grow by a factor of e."""

_BUILDS: Final = {
    "android 111": 0.08, "android 115": 0.19, "android 117": 0.34, "android unknown": 0.01,
    "ios 110": 0.06, "ios 114": 0.12, "ios 116": 0.2,
}  # fmt: skip
_PLATFORMS: Final = ("android", "ios")
_ONSETS: Final = {"0-2": 0.24, "3-5": 0.38, "6-9": 0.16, "10+": 0.06, "none": 0.16}
_DELAYS: Final = {
    "<30s": 0.31, "30-60s": 0.34, "60-90s": 0.2, "90-120s": 0.1, "120-150s": 0.045, ">150s": 0.005,
}  # fmt: skip
_EXPOSURES: Final = {"warned": 0.11, "matched": 0.07, "nothing": 0.82}
_PHONES: Final = {Breakdown.BUILD: _BUILDS}
_UPLOADS: Final = {
    Breakdown.ONSET: _ONSETS, Breakdown.EXPOSURE: _EXPOSURES, Breakdown.DELAY: _DELAYS
}  # fmt: skip
_SINCE_CONTACT: Final = {1: 0.02, 2: 0.1, 3: 0.17, 4: 0.19, 5: 0.16, 6: 0.12, 7: 0.09, 8: 0.06}

T = TypeVar("T")
Counts = dict[TableName, Counter[Cell]]


def sample_figures(*, last: date = LAST, seed: int = 20201017) -> Figures:
    """Return everything that was decided until a day."""
    counts = _Country(Random(seed)).counts(last)  # noqa: S311 - test data
    tables = {key: FigureTable(key, _shown(key, cells)) for key, cells in counts.items()}
    months = {Month.of(key.since) for key in tables if key.span is Span.PERIOD}
    rates: dict[RateKey, Rate] = {
        RateKey(month.first, subject, breakdown, node): Rate(rate)
        for month in months
        for subject, rate in RATES.items()
        for breakdown, nodes in (
            (Breakdown.NOTHING, ["all"]),
            (Breakdown.BUILD, [*_PLATFORMS, *_BUILDS]),
        )
        for node in nodes
    }
    return Figures(tables, rates)


def write_figures(owner_url: str, figures: Figures) -> None:
    """Store figures as the refresh would."""
    with psycopg.connect(owner_url) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY analytics.release FROM STDIN") as copy:
            for key in figures.tables:
                copy.write_row((key.subject, key.span, key.breakdown, key.since))
        with cursor.copy("COPY analytics.figure FROM STDIN") as copy:
            for key, table in figures.tables.items():
                for cell, count in table.counts.items():
                    copy.write_row(
                        (key.subject, key.span, key.breakdown, key.since, list(cell), count)
                    )
        with cursor.copy("COPY analytics.effective_rate FROM STDIN") as copy:
            for rate_key, rate in figures.rates.items():
                copy.write_row((*astuple(rate_key), *astuple(rate)))


def _shown(key: TableName, cells: Counter[Cell]) -> dict[Cell, int | None]:
    return {
        cell: None if count < K_ANONYMITY and key.subject is not Subject.CHUNKS else count
        for cell, count in cells.items()
        if count
    }


class _Country:
    """Draws the reports and uploads of every day."""

    def __init__(self, random: Random) -> None:
        self.random = random
        territory = italy()
        everybody = sum(INHABITANTS.values())
        self.phones = {code: PHONES * each / everybody for code, each in INHABITANTS.items()}
        self.region: dict[str, str] = {
            each.code: region.region for region in territory.regions for each in region.provinces
        }
        self.tables: Counts = {}

    def counts(self, last: date) -> Counts:
        """Count every day, and every month and period that is over."""
        for number in range((last - FIRST).days + 1):
            self._day(FIRST + timedelta(number))
        finished = Month.of(last + timedelta(1)).first
        return {
            key: cells
            for key, cells in self.tables.items()
            if key.span is Span.DAY
            or (key.span is Span.MONTH and key.since < finished)
            or (key.span is Span.PERIOD and _end_of_period(key.since) <= last)
        }

    def _day(self, day: date) -> None:
        sums: Counter[str] = Counter()
        for code in INHABITANTS:
            harder, days = _WAVES.get(self.region.get(code, ""), (1, 21))
            share = 6e-4 * self._level(day, days) * harder * self.random.lognormvariate(0, 0.12)
            sums.update(self._active(day, code))
            sums.update(notified=self._notified(day, code, share))
            sums.update(uploaded=self._uploads(day, code, share))
        self._country(day, sums)
        self._codes(day, sums["uploaded"])
        self._chunks(day, sums["uploaded"])

    def _level(self, day: date, days: float) -> float:
        """Return how far a wave has risen; on Sundays less is found."""
        middle = (day - date(2020, 11, 2)).days
        return (0.03 + 1 / (1 + exp(-middle / days))) * (0.6 if day.weekday() == 6 else 1.05)

    def _active(self, day: date, code: str) -> dict[str, int]:
        usual = self.phones[code] * 0.66 * RATES[Subject.ACTIVE] / len(Month.of(day).days)
        count = self._about(usual * (0.9 if day.weekday() >= 5 else 1.04))
        healthy = min(count, self._about(count * 0.87))
        kinds = {"active": count, "healthy": healthy, "impaired": count - healthy}
        cells = {
            (node, kind): reports for kind, reports in kinds.items() for node in self._above(code)
        }
        self._add(Subject.ACTIVE, Span.MONTH, Breakdown.PLACE, Month.of(day).first, cells)
        return kinds

    def _notified(self, day: date, code: str, share: float) -> int:
        count = self._about(self.phones[code] * share * RATES[Subject.NOTIFIED])
        cells = {(node, "notified"): count for node in self._above(code)}
        risky = self._split(_SINCE_CONTACT, count)
        dates = {
            (node, (day - timedelta(ago)).isoformat()): part
            for ago, part in risky.items()
            for node in self._above(code)
        } | {(node, "all"): count for node in self._above(code)}
        self._add(Subject.NOTIFIED, Span.MONTH, Breakdown.PLACE, Month.of(day).first, cells)
        self._add(Subject.NOTIFIED, Span.PERIOD, Breakdown.PLACE, _period(day), cells)
        self._add(Subject.NOTIFIED, Span.PERIOD, Breakdown.RISKY_DAY, _period(day), dates)
        return count

    def _uploads(self, day: date, code: str, share: float) -> int:
        count = self._about(self.phones[code] * share / 16)
        cells = {(node, "uploaded"): count for node in self._above(code)}
        self._add(Subject.CODES, Span.PERIOD, Breakdown.PLACE, _period(day), cells)
        self._add(Subject.CODES, Span.MONTH, Breakdown.PLACE, Month.of(day).first, cells)
        return count

    def _country(self, day: date, sums: Counter[str]) -> None:
        """Add what is told apart by something else than the place."""
        first = Month.of(day).first
        for subject, kinds, breakdowns in (
            (Subject.ACTIVE, ("active", "healthy", "impaired"), _PHONES),
            (Subject.NOTIFIED, ("notified",), _PHONES),
            (Subject.CODES, ("uploaded",), _UPLOADS),
        ):
            daily = {(kinds[0],): sums[kinds[0]]}
            self._add(subject, Span.DAY, Breakdown.NOTHING, day, daily)
            for kind in kinds:
                if subject is not Subject.CODES:
                    monthly = {(kind,): sums[kind]}
                    self._add(subject, Span.MONTH, Breakdown.NOTHING, first, monthly)
                for breakdown, nodes in breakdowns.items():
                    parts = self._split(nodes, sums[kind]) | {"all": sums[kind]}
                    for platform in _PLATFORMS if breakdown is Breakdown.BUILD else ():
                        parts[platform] = sum(
                            parts[node] for node in nodes if node.startswith(f"{platform} ")
                        )
                    cells = {(node, kind): part for node, part in parts.items()}
                    self._add(subject, Span.MONTH, breakdown, first, cells)

    def _codes(self, day: date, uploaded: int) -> None:
        unsent, unchecked = self._about(uploaded * 0.06), self._about(uploaded * 0.08)
        cells = {
            ("uploaded",): uploaded,
            ("unsent",): unsent,
            ("unchecked",): unchecked,
            ("checked",): uploaded + unsent,
            ("authorised",): uploaded + unsent + unchecked,
        }
        self._add(Subject.CODES, Span.MONTH, Breakdown.NOTHING, Month.of(day).first, cells)

    def _chunks(self, day: date, uploaded: int) -> None:
        keys = 1200 + 13 * uploaded
        cells = {("chunks",): 6, ("keys",): keys, ("bytes",): 6 * 700 + 26 * keys}
        self._add(Subject.CHUNKS, Span.DAY, Breakdown.NOTHING, day, cells)

    def _above(self, code: str) -> Iterator[str]:
        yield code
        region = self.region.get(code)
        if region is not None:
            yield region
        yield "all"

    def _split(self, nodes: Mapping[T, float], count: int) -> dict[T, int]:
        """Divide a count about as the shares say."""
        parts: dict[T, int] = {}
        left, open_share = count, sum(nodes.values())
        for node, part in nodes.items():
            wanted = left * min(1, part / open_share) if open_share > 1e-9 else left
            parts[node] = min(left, self._about(wanted))
            left -= parts[node]
            open_share -= part
        parts[max(nodes, key=lambda node: nodes[node])] += left
        return parts

    def _about(self, mean: float) -> int:
        """Draw a count that is nearly Poisson's."""
        if mean <= 0:
            return 0
        if mean < 25:
            limit, product, count = exp(-mean), self.random.random(), 0
            while product > limit:
                product *= self.random.random()
                count += 1
            return count
        return round(self.random.gauss(mean, sqrt(mean)))

    def _add(
        self,
        subject: Subject,
        span: Span,
        breakdown: Breakdown,
        since: date,
        cells: Mapping[tuple[str], int] | Mapping[tuple[str, str], int],
    ) -> None:
        counts = self.tables.setdefault(TableName(subject, span, breakdown, since), Counter())
        for cell, count in cells.items():
            counts[cell] += count


def _period(day: date) -> date:
    return max(each for each in Month.of(day).periods if each <= day)


def _end_of_period(since: date) -> date:
    later = [each for each in Month.of(since).periods if each > since]
    return (later[0] if later else Month.of(since).next.first) - timedelta(1)
