"""The end: deletes what is kept of people and the secrets with it, and proves that nothing is left.

What is looked at for the proof is what there is, tables of the catalog and files of the folder,
less what remains on purpose: whatever a later release adds counts as left until it is said here.
"""

import asyncio
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry
from psycopg import AsyncConnection, errors
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from immuni.api import Platform
from immuni.backend.chunks import ChunkStore
from immuni.backend.configuration.rules import SettingEntry
from immuni.backend.configuration.store import load_newest, publish, server_time
from immuni.backend.purging import purge_everything
from immuni.backend.service_end import carry_end, has_ended, published_end
from immuni.backend.signing.inventory import Purpose
from immuni.clock import Clock
from immuni.database import Pool, open_pool
from immuni.deployment.configured import Configured, read_configured
from immuni.deployment.layout import Layout
from immuni.deployment.private_files import write_private
from immuni.deployment.settings_author import author_connection
from immuni.deployment.signing_keys import private_key_files, public_key_files
from immuni.deployment.wiring import Wiring
from immuni.entropy import SystemEntropy
from immuni.errors import ImmuniError

_SETTING: Final = "service_end_date"
_SECRETS: Final = ("otp_keys", "play_integrity_keys", "portal_factor_keys")
"""Settings that `immuni up` writes, and that must not remain."""
_NEEDED: Final = ("jobs_database_url", "analytics_database_url", "portal_database_url")
KEPT: Final[Mapping[str, str]] = {
    "configuration": "what phones are told, their end included, and the key that signs it",
    "publishing.progress": "how far the numbers of chunks had come",
    "analytics.service_end": "the last day",
    "analytics.privacy_budget": "what open data cost",
    "analytics.open_cell": "open data as they were published, with their noise",
    "jobs": "names and times of jobs",
    "public.versions_of_": "which migrations were applied",
    "public.authority": "operators and what they did: the record for auditors",
    "public.organisation": "likewise",
    "public.operator_account": "likewise",
    "public.audit_event": "likewise",
    "public.stop": "likewise",
    "public.audit_head": "how far that record had come",
    "public.settings_proposal": "likewise",
    "public.audit_checkpoint": "what of it was purged",
}
"""Tables, schemas and beginnings of names that remain on purpose, and why."""
TO_DO: Final = (
    "stop every role but get, which tells phones of the end for as long as you like",
    "delete backups, replicas and archived write-ahead logs of the databases",
    "purge the chunks from caches in front (CDN), then take the names out of the DNS",
    "delete the logs, and a settings file of your own with otp_keys in it",
    "drop databases and their logins when the record of operators need not be kept any longer",
    "erase the disks: deleting a file or a row does not",
)
"""What no program of this system can do."""
_FORGOTTEN: Final = (
    "session",
    "known_browser",
    "provider_flow",
    "provider_identity",
    "settings_draft",
    "totp",
    "passkey",
    "recovery_code",
    "used_challenge",
    "work_day",
    "warning",
    "people_import",
    "invitation",
)
"""Tables of the portal that tell of nothing an auditor asks."""
_TABLES: Final = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    ORDER BY 1, 2
"""


class NotEndedError(ImmuniError, RuntimeError):
    """The service goes on; nothing was deleted."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, and how many rows there still are; None where nobody may look."""

    database: str
    table: str
    rows: int | None


@dataclass(slots=True)
class Report:
    """What was looked at when all was deleted.

    Attributes:
        ended_on: From which day on there is no service.
        tables: Every table that has to be empty.
        chunk_files: Objects in the chunk store.
        removed: Files and folders that were removed by this run.
        files_left: Files in the data folder that should not be there.
    """

    ended_on: date | None
    tables: list[Table] = field(default_factory=list)
    chunk_files: int = 0
    removed: list[str] = field(default_factory=list)
    files_left: list[str] = field(default_factory=list)

    @property
    def left(self) -> list[str]:
        """Everything that is left, in words."""
        tables = [
            f"{each.database}: {each.table}: {'?' if each.rows is None else each.rows}"
            for each in self.tables
            if each.rows != 0
        ]
        chunks = [f"chunk store: {self.chunk_files}"] if self.chunk_files else []
        return tables + chunks + self.files_left

    def as_json(self) -> dict[str, object]:
        """Return it for machines, and for the file that is kept."""
        return {
            "nothing_left": not self.left,
            "ended_on": None if self.ended_on is None else self.ended_on.isoformat(),
            "tables": [asdict(each) for each in self.tables],
            "chunk_files": self.chunk_files,
            "removed": self.removed,
            "left": self.left,
            "kept": [{"what": what, "why": why} for what, why in KEPT.items()],
            "to_do": list(TO_DO),
        }


async def require_end(file: Path, clock: Clock) -> None:
    """Make sure that the published last day has come.

    Raises:
        NotEndedError: It has not, or none is published.
        SettingsError: Some settings are wrong or missing.
    """
    configured = _configured(file)
    async with open_pool(
        _wiring(configured, clock).databases.jobs_database_url, max_size=1
    ) as pool:
        if not await has_ended(pool, now=clock.now()):
            ends_on = await published_end(pool)
            when = f"ends on {ends_on}" if ends_on else "has no last day that every phone is told"
            raise NotEndedError(f"the service {when}; nothing was deleted (--now ends it today)")


async def end_today(file: Path, clock: Clock) -> None:
    """Publish today as the last day, to every phone: intake closes within moments."""
    async with author_connection(file, file.parent) as connection:
        in_force = await load_newest(connection)
        others = [each for each in in_force.entries if each.name != _SETTING]
        today = min(clock.now(), await server_time(connection)).date().isoformat()
        ends = [SettingEntry(each, _SETTING, starting_build=1, value=today) for each in Platform]
        await publish(
            connection,
            others + ends,
            author="immuni decommission",
            reason="The service ends today.",
            now=await server_time(connection),
            based_on=in_force.version,
        )


async def decommission(file: Path, clock: Clock) -> Report:
    """Delete everything, then look at what there is.

    May be stopped anywhere and run again.

    Args:
        file: The settings of the system, with the logins of its jobs, analytics and portal.
        clock: Only dates what is reported.

    Raises:
        PurgeIncompleteError: A database, the store or a publisher was in the way; run it again.
        SettingsError: Some settings are wrong or missing.
    """
    wiring = _wiring(_configured(file), clock)
    databases, chunks = wiring.databases, wiring.chunk_store()
    layout = wiring.deployment.layout
    async with (
        open_pool(databases.jobs_database_url, max_size=2) as services,
        open_pool(databases.analytics_database_url, max_size=1) as analytics,
        open_pool(databases.portal_database_url, max_size=1) as portal,
    ):
        report = Report(await published_end(services))
        # Its intake closes before its rows go.
        await carry_end(analytics, report.ended_on)
        await purge_everything(
            services, lambda: open_pool(databases.analytics_database_url, max_size=1), chunks
        )
        await _forget_operators(portal)
        report.removed = await asyncio.to_thread(_remove_files, layout)
        for name, pool in (("services", services), ("analytics", analytics), ("portal", portal)):
            report.tables += await _counted(name, pool)
    report.chunk_files = await _count_chunks(chunks)
    report.files_left = await asyncio.to_thread(_files_left, layout)
    content = json.dumps(report.as_json(), indent=2).encode()
    await asyncio.to_thread(write_private, layout.decommission_report, content)
    return report


def _configured(file: Path) -> Configured:
    configured = read_configured(file)
    configured.require(_NEEDED)
    return configured


def _wiring(configured: Configured, clock: Clock) -> Wiring:
    return Wiring.of(configured, clock=clock, entropy=SystemEntropy(), registry=CollectorRegistry())


async def _forget_operators(portal: Pool) -> None:
    async with portal.connection() as connection:
        for table in _FORGOTTEN:
            await connection.execute(SQL("DELETE FROM {}").format(Identifier(table)))


async def _counted(database: str, pool: Pool) -> list[Table]:
    """Count the rows of each table that has to be empty."""
    async with pool.connection() as connection:
        names = await (await connection.execute(_TABLES)).fetchall()
    counted = []
    for schema, name in names:
        table = f"{schema}.{name}"
        if schema not in KEPT and not table.startswith(tuple(KEPT)):
            async with pool.connection() as connection:
                counted.append(Table(database, table, await _rows(connection, schema, name)))
    return counted


async def _rows(connection: AsyncConnection[TupleRow], schema: str, name: str) -> int | None:
    statement = SQL("SELECT count(*) FROM {}").format(Identifier(schema, name))
    try:
        async with connection.transaction():
            row = await (await connection.execute(statement)).fetchone()
    except errors.InsufficientPrivilege:
        return None
    return None if row is None else row[0]


async def _count_chunks(chunks: ChunkStore) -> int:
    return len(await chunks.names())


def _remove_files(layout: Layout) -> list[str]:
    """Remove what is of people or secret, and return what was there."""
    _forget_secrets(layout.settings_file)
    gone = [
        *_inside(layout.chunks),
        *_inside(layout.phones),
        *_inside(layout.certificates),
        *private_key_files(layout, Purpose.EXPORT),
        layout.analytics_key,
        layout.device_check_key,
        layout.device_check_public_key,
        layout.play_integrity_keys,
        layout.otp_keys,
        layout.factor_keys,
        *layout.phone_secrets(),
        layout.demo_accounts,
    ]
    removed = [path for path in gone if path.exists()]
    for path in removed:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return [str(path.relative_to(layout.root)) for path in removed]


def _forget_secrets(settings_file: Path) -> None:
    if settings_file.exists():
        lines = settings_file.read_text(encoding="utf-8").splitlines(keepends=True)
        rest = [line for line in lines if not line.startswith(_SECRETS)]
        if rest != lines:
            write_private(settings_file, "".join(rest).encode())


def _inside(folder: Path) -> Sequence[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else ()


def _files_left(layout: Layout) -> list[str]:
    """Return the files in the data folder that do not remain on purpose."""
    # The database's own files are looked at through it; logs and what runs are named in `TO_DO`.
    apart = {layout.postgres, layout.run, layout.logs}
    remain = {
        layout.root / "lock",
        layout.settings_file,
        layout.key_inventory,
        *private_key_files(layout, Purpose.SETTINGS),
        *public_key_files(layout),
        layout.analytics_public_key,
        layout.audit_keys,
        layout.audit_heads,
        *layout.keys.glob("audit-heads-*"),
        layout.decommission_report,
    }
    return [
        str(path.relative_to(layout.root))
        for path in _files_in(layout.root, apart)
        if path not in remain and not _is_login(layout, path)
    ]


def _is_login(layout: Layout, path: Path) -> bool:
    return path.parent == layout.secrets and path.suffix == ".password"


def _files_in(folder: Path, apart: set[Path]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            if path not in apart:
                yield from _files_in(path, apart)
        else:
            yield path
