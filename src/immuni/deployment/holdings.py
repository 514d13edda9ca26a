"""What the databases hold of people, and until when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, LiteralString

from immuni.backend.analytics.days import SALTS_KEPT
from immuni.backend.publishing.rules import KEY_USEFUL_FOR
from immuni.backend.purging import COUNTS_KEPT
from immuni.backend.reporting.rules import INDEX_MAX_AGE
from immuni.backend.retention import RetentionSettings
from immuni.database import Pool
from immuni.keys import INTERVAL_SECONDS

K_ANONYMITY: Final = 10
"""Smaller counts that tell about people are not shown."""
RUN_EVERY: Final = timedelta(hours=1)
"""How often what is past its time is deleted."""
_DAY: Final = timedelta(days=1)
_TWO_MONTHS: Final = timedelta(days=62)
_NO_TIME: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class Holding:
    """One kind of thing that is kept.

    Attributes:
        kind: What people call it.
        count: How many there are.
        oldest_gone_by: When the first of them has to be gone; None where there is none.
        all_gone_by: When the last has to be.
    """

    kind: str
    count: int
    oldest_gone_by: datetime | None
    all_gone_by: datetime | None

    @property
    def shown_count(self) -> str:
        """The count as people may see it."""
        return f"<{K_ANONYMITY}" if 0 < self.count < K_ANONYMITY else str(self.count)

    def is_overdue(self, now: datetime) -> bool:
        """Tell whether something is kept that two runs of retention should have deleted."""
        return self.oldest_gone_by is not None and self.oldest_gone_by + RUN_EVERY < now

    def as_json(self) -> dict[str, str | None]:
        """Return it for machines; moments only to the hour, for codes live for minutes."""
        return {
            "kind": self.kind,
            "count": self.shown_count,
            "oldest_gone_by": _shown(self.oldest_gone_by),
            "all_gone_by": _shown(self.all_gone_by),
        }


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    query: LiteralString
    lifetime: timedelta


async def services_holdings(pool: Pool, retention: RetentionSettings) -> list[Holding]:
    """Return what the services' database holds, asked with the jobs' role."""
    kept = retention.retention
    kinds = (
        _Kind(
            "codes",
            "SELECT count(*), min(expires_at), max(expires_at) FROM ingestion.otp",
            _NO_TIME,
        ),
        _Kind(
            "waiting uploads",
            "SELECT count(*), min(last_end), max(last_end) FROM ingestion.upload",
            min(kept, KEY_USEFUL_FOR),
        ),
        _Kind(
            "sealed outbox",
            "SELECT count(*), min(received_on), max(received_on) FROM ingestion.outbox",
            kept,
        ),
        _Kind(
            "daily counters of codes",
            "SELECT count(*), min(day), max(day) FROM ingestion.daily_counter",
            # A row goes on the day after its last.
            retention.analytics_retention + _DAY,
        ),
        _Kind(
            "chunks",
            "SELECT count(*), min(window_end), max(window_end) FROM publishing.chunk",
            kept + INDEX_MAX_AGE,
        ),
        _Kind(
            "published keys",
            "SELECT coalesce(sum(key_count), 0), min(window_end), max(window_end) "
            "FROM publishing.chunk",
            kept + INDEX_MAX_AGE,
        ),
    )
    return await _ask(pool, kinds)


async def analytics_holdings(pool: Pool, retention: RetentionSettings) -> list[Holding]:
    """Return what the analytics database holds, asked with its service's role."""
    # A row goes on the day after its last.
    lifetime = retention.analytics_retention + _DAY
    kinds = (
        _Kind(
            "epidemiological info",
            "SELECT count(*), min(received_on), max(received_on) "
            "FROM analytics.epidemiological_info",
            lifetime,
        ),
        _Kind(
            "operational info",
            "SELECT count(*), min(received_on), max(received_on) FROM analytics.operational_info",
            lifetime,
        ),
        _Kind(
            "authorisations of tokens",
            "SELECT count(*), min(started_on), max(started_on) FROM analytics.authorisation",
            _DAY + RUN_EVERY,
        ),
        _Kind(
            "analytics tokens",
            "SELECT count(*), min(month), max(month) FROM analytics.token",
            _TWO_MONTHS,
        ),
        _Kind(
            "salts of attestations",
            "SELECT count(*), min(received_on), max(received_on) FROM analytics.salt",
            SALTS_KEPT + _DAY,
        ),
        _Kind(
            "counts of reports and uploads",
            "SELECT count(*), min(day), max(day) FROM ("
            "SELECT day FROM analytics.report_count"
            " UNION ALL SELECT day FROM analytics.notified_count"
            " UNION ALL SELECT day FROM analytics.upload_count"
            " UNION ALL SELECT day FROM analytics.code_count) AS counts",
            COUNTS_KEPT + _DAY,
        ),
        _Kind(
            "figures",
            "SELECT count(*), min(since), max(since) FROM analytics.figure",
            retention.figures_retention + _DAY,
        ),
    )
    return await _ask(pool, kinds)


async def _ask(pool: Pool, kinds: Sequence[_Kind]) -> list[Holding]:
    found = []
    async with pool.connection() as connection:
        for kind in kinds:
            row = await (await connection.execute(kind.query)).fetchone()
            count, oldest, newest = row or (0, None, None)
            found.append(
                Holding(
                    kind.name,
                    int(count),
                    _gone_by(oldest, kind.lifetime),
                    _gone_by(newest, kind.lifetime),
                )
            )
    return found


def _gone_by(end: datetime | date | int | None, lifetime: timedelta) -> datetime | None:
    """Return the full hour by which a run of retention has deleted it."""
    if end is None:
        return None
    if isinstance(end, int):
        instant = datetime.fromtimestamp(end * INTERVAL_SECONDS, UTC)
    elif isinstance(end, datetime):
        instant = end
    else:
        instant = datetime.combine(end, time.min, UTC)
    due = instant.astimezone(UTC) + lifetime + RUN_EVERY
    return due.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _shown(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="minutes")


def overdue(holdings: Sequence[Holding], now: datetime) -> Mapping[str, datetime]:
    """Return the kinds of which something is kept too long, and since when."""
    return {
        each.kind: each.oldest_gone_by
        for each in holdings
        if each.oldest_gone_by is not None and each.is_overdue(now)
    }
