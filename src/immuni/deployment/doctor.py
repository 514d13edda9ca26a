"""Looks a system over, running or stopped, and says what is wrong and what to do."""

import asyncio
import shutil
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, LiteralString

from cryptography import x509
from psycopg import Error

from immuni.backend.chunks import ChunkName, ChunkStore, ChunkStoreError, ChunkStoreSettings
from immuni.backend.retention import RetentionSettings
from immuni.clock import Clock
from immuni.database import DatabaseError, Pool, open_pool
from immuni.deployment.certificates import InternalCertificates
from immuni.deployment.configured import Configured, read_configured
from immuni.deployment.holdings import Holding, analytics_holdings, overdue, services_holdings
from immuni.deployment.layout import Layout
from immuni.deployment.rights import rights_found, wrong_rights
from immuni.deployment.settings import DatabaseSettings, DeploymentSettings
from immuni.deployment.signing_keys import signing_key_files
from immuni.errors import ImmuniError
from immuni.portal.accounts.store import has_administrator

_CLOCK_TOLERANCE: Final = timedelta(seconds=5)
_CERTIFICATE_WARNING: Final = timedelta(days=30)
_SILENCE: Final = timedelta(hours=1)
_FREE_WANTED: Final = 1 << 30
_STALLED: LiteralString = """
    SELECT count(*) FROM procrastinate_jobs AS job
    WHERE status IN ('todo', 'doing') AND coalesce(scheduled_at, (
        SELECT min(at) FROM procrastinate_events AS event WHERE event.job_id = job.id
    )) < now() - interval '1 hour'
"""
_LAST_DUE: LiteralString = (
    "SELECT to_timestamp(max(defer_timestamp)) FROM procrastinate_periodic_defers"
)
_FAILED: LiteralString = """
    SELECT task_name, count(*) FROM procrastinate_jobs WHERE status = 'failed'
    GROUP BY task_name ORDER BY task_name
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        check: What was looked at.
        fault: What is wrong.
        remedy: What to do.
    """

    check: str
    fault: str
    remedy: str


@dataclass(slots=True)
class Diagnosis:
    """What was found."""

    checks: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=list)

    @property
    def is_healthy(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.findings

    def add(self, check: str, findings: Sequence[Finding]) -> None:
        """Note that something was looked at."""
        self.checks.append(check)
        self.findings += findings

    def as_json(self) -> dict[str, object]:
        """Return it for machines."""
        return {
            "healthy": self.is_healthy,
            "checks": self.checks,
            "findings": [asdict(each) for each in self.findings],
            "holdings": [each.as_json() for each in self.holdings],
        }


async def examine(file: Path | None, clock: Clock) -> Diagnosis:
    """Look everything over; whatever does not answer is a finding.

    Args:
        file: The settings file of the system; None for the environment alone.
        clock: What the processes take for the time.

    Raises:
        SettingsError: Some settings are wrong.
    """
    configured = read_configured(file)
    layout = configured.of(DeploymentSettings).layout
    diagnosis = Diagnosis()
    diagnosis.add("keys", _key_files(layout))
    diagnosis.add("certificates", _certificates(layout, clock.now()))
    diagnosis.add("disk", _disk(layout))
    await _examine_services(diagnosis, configured, layout, clock)
    await _examine_analytics(diagnosis, configured)
    await _examine_portal(diagnosis, configured)
    diagnosis.add("retention", _overdue(diagnosis.holdings, clock.now()))
    return diagnosis


async def _examine_services(
    diagnosis: Diagnosis, configured: Configured, layout: Layout, clock: Clock
) -> None:
    url = configured.of(DatabaseSettings).jobs_database_url
    async with _database(diagnosis, "services' database", url) as pool:
        if pool is None:
            return
        diagnosis.holdings += await services_holdings(pool, configured.of(RetentionSettings))
        diagnosis.add("rights", await _rights(pool))
        diagnosis.add("clock", await _clock(pool, clock))
        diagnosis.add("jobs", await _jobs(pool, clock.now()))
        diagnosis.add("chunks", await _chunks(pool, configured, layout))


async def _examine_analytics(diagnosis: Diagnosis, configured: Configured) -> None:
    url = configured.of(DatabaseSettings).analytics_database_url
    async with _database(diagnosis, "analytics database", url) as pool:
        if pool is not None:
            diagnosis.holdings += await analytics_holdings(pool, configured.of(RetentionSettings))
            diagnosis.add("rights of analytics", await _rights(pool))


async def _examine_portal(diagnosis: Diagnosis, configured: Configured) -> None:
    url = configured.of(DatabaseSettings).portal_database_url
    if not url:
        return  # The portal may be looked after elsewhere.
    async with _database(diagnosis, "portal's database", url) as pool:
        if pool is not None:
            diagnosis.add("administrators", await _administrators(pool))


async def _administrators(pool: Pool) -> list[Finding]:
    async with pool.connection() as connection:
        if await has_administrator(connection):
            return []
    fault = "the portal has no active administrator, so nobody can invite or let go anybody"
    remedy = "immuni portal invite --role administrator --organisation NAME"
    return [Finding("administrators", fault, remedy)]


@asynccontextmanager
async def _database(diagnosis: Diagnosis, name: str, url: str) -> AsyncIterator[Pool | None]:
    """Lend a pool, or None; what goes wrong on it is a finding."""
    if not url:
        fault = "no URL is set"
        diagnosis.add(name, [Finding(name, fault, "set its …_database_url in the settings")])
        yield None
        return
    diagnosis.checks.append(name)
    lent = False
    try:
        async with open_pool(url, name="doctor", max_size=1) as pool:
            lent = True
            yield pool
    except (DatabaseError, Error) as error:
        # The kind only: a database's message may quote what it holds.
        fault = f"does not answer as it should ({type(error).__name__})"
        remedy = "start it; if it runs, see that its URL is right and its migrations are applied"
        diagnosis.findings.append(Finding(name, fault, remedy))
        if not lent:
            yield None


def _key_files(layout: Layout) -> list[Finding]:
    findings = []
    for file in (*signing_key_files(layout), layout.analytics_key, layout.audit_head_key):
        if not file.exists():
            remedy = "restore it from your backup; a new one breaks what phones pin"
            findings.append(Finding("keys", f"{file.name} is missing", remedy))
        elif stat.S_IMODE(file.stat().st_mode) & 0o077:
            remedy = f"chmod 600 {file}; if others may have read it, replace it"
            findings.append(Finding("keys", f"{file.name} can be read by others", remedy))
    return findings


def _certificates(layout: Layout, now: datetime) -> list[Finding]:
    files = InternalCertificates(layout.certificates)
    findings = []
    for each in (files.authority, files.server, files.client):
        name = each.certificate.name
        remedy = "start the system again: it makes certificates anew that are about to end"
        try:
            certificate = x509.load_pem_x509_certificate(each.certificate.read_bytes())
        except (OSError, ValueError):
            findings.append(Finding("certificates", f"{name} is missing or damaged", remedy))
            continue
        end = certificate.not_valid_after_utc
        if end - now < _CERTIFICATE_WARNING:
            findings.append(Finding("certificates", f"{name} ends on {end.date()}", remedy))
    return findings


def _disk(layout: Layout) -> list[Finding]:
    free = shutil.disk_usage(layout.root).free if layout.root.exists() else 0
    if free >= _FREE_WANTED:
        return []
    fault = f"{free >> 20} MB are free in {layout.root}, want {_FREE_WANTED >> 20}"
    return [Finding("disk", fault, "make room: without it nothing can be uploaded or published")]


async def _rights(pool: Pool) -> list[Finding]:
    remedy = "grant or revoke it, as the database's owner; ask who changed it"
    async with pool.connection() as connection:
        wrong = wrong_rights(await rights_found(connection))
    return [Finding("rights", fault, remedy) for fault in wrong]


async def _clock(pool: Pool, clock: Clock) -> list[Finding]:
    async with pool.connection() as connection:
        row = await (await connection.execute("SELECT clock_timestamp()")).fetchone()
    assert row is not None  # noqa: S101 - that statement always has one row
    apart = abs(clock.now() - row[0])
    if apart <= _CLOCK_TOLERANCE:
        return []
    fault = f"this machine's clock and the database's are {apart.total_seconds():.0f} s apart"
    return [Finding("clock", fault, "set both by NTP: codes live for minutes")]


async def _jobs(pool: Pool, now: datetime) -> list[Finding]:
    findings = []
    async with pool.connection() as connection:
        row = await (await connection.execute(_STALLED)).fetchone()
        if row is not None and row[0]:
            fault = f"{row[0]} jobs have waited for more than an hour"
            findings.append(Finding("jobs", fault, "start the role jobs; see its log"))
        row = await (await connection.execute(_LAST_DUE)).fetchone()
        if row is not None and row[0] is not None and now - row[0] > _SILENCE:
            fault = f"no worker has been there since {row[0]:%Y-%m-%d %H:%M} UTC"
            remedy = "start the role jobs: without it nothing is published, and nothing deleted"
            findings.append(Finding("jobs", fault, remedy))
        for name, count in await (await connection.execute(_FAILED)).fetchall():
            remedy = f"`immuni jobs run {name}` tells why; look for job_failed in the log"
            findings.append(Finding("jobs", f"{name} failed for good {count} times", remedy))
    return findings


async def _chunks(pool: Pool, configured: Configured, layout: Layout) -> list[Finding]:
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT index, digest FROM publishing.chunk")
        listed = {ChunkName(index, digest) for index, digest in await cursor.fetchall()}
    try:
        settings = configured.of(ChunkStoreSettings)
        store = await asyncio.to_thread(settings.open, layout.chunks)
        stored = set(await store.names())
        bad = [name.index for name in sorted(listed) if not await _is_good(store, name)]
    except ChunkStoreError as error:
        return [Finding("chunks", str(error), "see that the store can be reached and written")]
    findings = [
        Finding(
            "chunks",
            f"chunk {index} is missing or damaged in the store",
            "restore its file from a backup or a cache in front; phones skip no chunk",
        )
        for index in bad
    ]
    if extra := len(stored - listed):
        remedy = "`immuni jobs run publish` takes over or removes them"
        findings.append(Finding("chunks", f"{extra} files belong to no chunk", remedy))
    return findings


async def _is_good(store: ChunkStore, name: ChunkName) -> bool:
    try:
        await store.read(name)
    except ImmuniError:
        return False
    return True


def _overdue(holdings: Sequence[Holding], now: datetime) -> list[Finding]:
    remedy = "`immuni jobs run retention`; if it fails, the error says what is in its way"
    return [
        Finding("retention", f"{kind} should be gone since {since:%Y-%m-%d %H:%M} UTC", remedy)
        for kind, since in overdue(holdings, now).items()
    ]
