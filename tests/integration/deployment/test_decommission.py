"""`immuni decommission` on real parts: what it refuses, deletes, finds left, and survives."""

import asyncio
import json
import signal
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from immuni.api import Platform
from immuni.backend.configuration.rules import SettingEntry
from immuni.backend.configuration.store import publish
from immuni.backend.infectiousness import Diagnosis
from immuni.clock import SystemClock
from immuni.deployment.certificates import ensure_certificates
from immuni.deployment.databases import AnalyticsDatabase, PortalDatabase, ServicesDatabase
from immuni.deployment.decommission import NotEndedError, decommission, end_today, require_end
from immuni.deployment.google import ensure_play_integrity_keys
from immuni.deployment.layout import Layout
from immuni.deployment.private_files import make_private_folder
from immuni.deployment.provision import (
    ensure_audit_head_key,
    ensure_audit_keys,
    ensure_keys,
    ensure_otp_keys,
    portal_settings,
)
from immuni.entropy import SystemEntropy
from scripts.reference.answers import TOLD
from scripts.reference.command_line import check_members
from tests.publishing import keep_upload, keys_of_days
from tests.running import a_free_base_port, ended, immuni, running_system

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]
CLOCK = SystemClock()


class Service:
    """A system that was in use: its folder and its three databases, something of each kind kept."""

    def __init__(
        self,
        root: Path,
        services: ServicesDatabase,
        analytics: AnalyticsDatabase,
        portal: PortalDatabase,
    ) -> None:
        self.layout = Layout(root)
        self.services = services
        self.analytics = analytics
        self.portal = portal
        self.layout.prepare()
        make_private_folder(self.layout.secrets)
        ensure_keys(self.layout, clock=CLOCK)
        ensure_certificates(self.layout.certificates, clock=CLOCK)
        ensure_play_integrity_keys(self.layout, SystemEntropy())
        ensure_audit_head_key(self.layout)
        otp_keys = ensure_otp_keys(self.layout, SystemEntropy()).render()
        values = {
            "data_dir": str(root),
            "jobs_database_url": services.jobs,
            "analytics_database_url": analytics.analytics,
            "portal_database_url": portal.portal,
            "settings_author_database_url": services.settings_author,
            "otp_keys": otp_keys,
            "audit_keys": ensure_audit_keys(self.layout, SystemEntropy()).render(),
            **portal_settings(self.layout, SystemEntropy()),
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        self.layout.settings_file.write_text("\n".join(lines) + "\n")

    @property
    def file(self) -> Path:
        """The settings file."""
        return self.layout.settings_file

    async def fill(self) -> None:
        """Keep something of each kind."""
        self.layout.demo_accounts.write_text("{}")
        phone = self.layout.phones / "a"
        phone.mkdir(parents=True)
        (phone / "keys.db").write_bytes(b"keys")
        self.layout.chunks.mkdir()
        (self.layout.chunks / ".unfinished").write_bytes(b"half a chunk")
        today = CLOCK.now().date()
        await keep_upload(
            self.services, keys_of_days(today, days=2, seed="a"), Diagnosis(today, None)
        )
        run(
            self.services.owner,
            "INSERT INTO ingestion.otp (key_id, keyed_hash, onset_on, authorised_at, expires_at) "
            "VALUES ('k', sha256(''), '2020-06-01', now(), now() + interval '150 s')",
            "INSERT INTO ingestion.outbox (key_id, sealed, received_on) VALUES ('k', '', now())",
            "INSERT INTO ingestion.daily_counter VALUES (now(), 'authorised', 1)",
            "INSERT INTO publishing.chunk "
            "VALUES (1, sha256(''), 1, 1, now() - interval '4h', now())",
            "INSERT INTO publishing.key "
            "VALUES (substr(sha256(''), 1, 16), 0, 144, 1, 1, NULL, 'IT', 1)",
            # What no chunk names any longer.
            "INSERT INTO publishing.key "
            "VALUES (substr(sha256('x'), 1, 16), 0, 144, 1, 1, NULL, 'IT', 77)",
        )
        run(
            self.analytics.owner,
            "SELECT analytics.open_day(now()::date)",
            "INSERT INTO analytics.token VALUES (sha256(''), date_trunc('month', now()))",
            "INSERT INTO analytics.authorisation VALUES (sha256(''), '', 'check', 0, now())",
            "INSERT INTO analytics.salt VALUES (substr(sha256(''), 1, 16), now())",
            "INSERT INTO analytics.epidemiological_info VALUES (now(), 'RM', 'none', '[]')",
            "INSERT INTO analytics.received VALUES (gen_random_uuid())",
            "INSERT INTO analytics.counted_day VALUES (now())",
            "INSERT INTO analytics.report_count VALUES (now(), 'RM', 'ios', 1, 'healthy', 1)",
            "INSERT INTO analytics.notified_count VALUES (now(), 'RM', now(), 1)",
            "INSERT INTO analytics.upload_count VALUES (now(), 'RM', 'none', 'nothing', 1)",
            "INSERT INTO analytics.code_count VALUES (now(), 'authorised', 1)",
            "INSERT INTO analytics.sampling_rate VALUES (now(), 'ios', 1, 1, 1)",
            "INSERT INTO analytics.release VALUES ('active', 'day', 'nothing', now())",
            "INSERT INTO analytics.figure "
            "VALUES ('active', 'day', 'nothing', now(), '{active}', NULL)",
            "INSERT INTO analytics.effective_rate VALUES (now(), 'active', 'nothing', 'all', 1)",
        )
        run(
            self.portal.owner,
            "INSERT INTO organisation (name, created_at, active_from) VALUES ('x', now(), now())",
            "INSERT INTO operator_account "
            "(organisation_id, user_name, password_hash, role, created_at) "
            "VALUES (1, 'x', 'x', 'operator', now())",
            "INSERT INTO session (id_hash, account_id, created_at, last_seen_at, whole, proof,"
            " proven_at, mark_hash, turn, turned_at) VALUES (sha256(''), 1, now(), now(), true,"
            " 'password', now(), sha256(''), substr(sha256(''), 1, 16), now())",
            "INSERT INTO known_browser VALUES (sha256(''), 1, now())",
            "INSERT INTO provider_identity VALUES ('https://id.example', 'x', 1, now())",
            "INSERT INTO provider_flow VALUES (sha256(''), 'x', 1, now())",
            "INSERT INTO totp (account_id, key_id, sealed, created_at) VALUES (1, 'k', '', now())",
            "INSERT INTO recovery_code VALUES (1, sha256(''))",
            "INSERT INTO passkey"
            " (account_id, credential_id, public_key, sign_count, name, created_at)"
            " VALUES (1, '', '', 0, '', now())",
            "INSERT INTO settings_draft VALUES (1, 0, '[]', now())",
            "INSERT INTO used_challenge VALUES (sha256(''), now())",
            "INSERT INTO work_day (scope, subject_id, day, quota, warn_above) "
            "VALUES ('account', 1, now(), 1, 1)",
            "INSERT INTO warning (at, day, kind, scope, subject_id, organisation_id, count, busy) "
            "VALUES (now(), now(), 'much', 'account', 1, 1, 1, 1)",
            "INSERT INTO invitation (organisation_id, role, created_at, expires_at) "
            "VALUES (1, 'operator', now(), now())",
            "INSERT INTO people_import (made_by, made_at) VALUES (1, now())",
            "INSERT INTO people_import_row VALUES (1, 2, 'x', 'x', 'operator', 'x', 'new')",
        )

    async def announce(self, days_from_now: int) -> None:
        """Publish the last day."""
        day = (CLOCK.now() + timedelta(days=days_from_now)).date().isoformat()
        entries = [SettingEntry(each, "service_end_date", 1, day) for each in Platform]
        entries.append(SettingEntry(Platform.IOS, "risk_duration", 1, 60))
        async with await AsyncConnection.connect(self.services.owner) as connection:
            await publish(connection, entries, author="x", reason="x", now=CLOCK.now())

    def rows(self, table: str) -> int:
        """Count."""
        statement = SQL("SELECT count(*) FROM {}").format(Identifier(*table.split(".")))
        with psycopg.connect(self.services.owner) as connection:
            row = connection.execute(statement).fetchone()
        return int(row[0]) if row else 0


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
async def service(
    tmp_path: Path,
    services_database: ServicesDatabase,
    analytics_database: AnalyticsDatabase,
    portal_database: PortalDatabase,
) -> Service:
    """Return one that was in use."""
    made = Service(tmp_path / "system", services_database, analytics_database, portal_database)
    await made.fill()
    return made


@pytest.mark.parametrize("days", [None, 1])
async def test_before_its_last_day_nothing_is_deleted(service: Service, days: int | None) -> None:
    if days is not None:
        await service.announce(days)

    with pytest.raises(NotEndedError, match="has no last day" if days is None else "ends on"):
        await require_end(service.file, CLOCK)

    refused = ended("decommission", "--config", service.file, "--yes")
    assert refused.returncode == 1
    assert "nothing was deleted" in refused.stderr
    assert service.rows("ingestion.upload") == 1
    assert service.layout.export_key.exists()


async def test_whoever_does_not_confirm_deletes_nothing(service: Service) -> None:
    await service.announce(0)

    answer = ended("decommission", "--config", service.file)

    assert answer.returncode == 1
    assert service.rows("ingestion.upload") == 1


async def test_after_it_everything_goes_and_the_report_proves_it(service: Service) -> None:
    await service.announce(0)
    await require_end(service.file, CLOCK)

    report = await decommission(service.file, CLOCK)

    assert report.left == []
    assert {(each.database, each.table) for each in report.tables} == {
        ("services", "ingestion.daily_counter"),
        ("services", "ingestion.otp"),
        ("services", "ingestion.outbox"),
        ("services", "ingestion.upload"),
        ("services", "publishing.chunk"),
        ("services", "publishing.key"),
        ("analytics", "analytics.authorisation"),
        ("analytics", "analytics.code_count"),
        ("analytics", "analytics.counted_day"),
        ("analytics", "analytics.effective_rate"),
        ("analytics", "analytics.epidemiological_info"),
        ("analytics", "analytics.figure"),
        ("analytics", "analytics.notified_count"),
        ("analytics", "analytics.operational_info"),
        ("analytics", "analytics.release"),
        ("analytics", "analytics.report_count"),
        ("analytics", "analytics.sampling_rate"),
        ("analytics", "analytics.upload_count"),
        ("analytics", "analytics.received"),
        ("analytics", "analytics.release"),
        ("analytics", "analytics.report_count"),
        ("analytics", "analytics.salt"),
        ("analytics", "analytics.sampling_rate"),
        ("analytics", "analytics.token"),
        ("analytics", "analytics.upload_count"),
        ("portal", "public.invitation"),
        ("portal", "public.known_browser"),
        ("portal", "public.people_import"),
        ("portal", "public.people_import_row"),
        ("portal", "public.provider_flow"),
        ("portal", "public.provider_identity"),
        ("portal", "public.passkey"),
        ("portal", "public.recovery_code"),
        ("portal", "public.session"),
        ("portal", "public.settings_draft"),
        ("portal", "public.totp"),
        ("portal", "public.used_challenge"),
        ("portal", "public.warning"),
        ("portal", "public.work_day"),
    }
    assert report.removed == [
        "chunks/.unfinished",
        "phones/a",
        "certificates/authority.key",
        "certificates/authority.pem",
        "certificates/client.key",
        "certificates/client.pem",
        "certificates/server.key",
        "certificates/server.pem",
        "certificates/trusted.pem",
        "keys/export-222-v1.key",
        "keys/analytics-1.key",
        "keys/play-integrity.json",
        "secrets/otp-keys",
        "secrets/factor-keys",
        "secrets/demo-accounts.json",
    ]
    assert "otp_keys" not in service.file.read_text()
    assert "portal_factor_keys" not in service.file.read_text()
    # Phones still have to learn of the end, and an auditor of what operators did.
    assert service.layout.settings_key.exists()
    assert service.layout.audit_keys.exists()
    assert service.layout.audit_head_key.exists()
    assert "audit_keys" in service.file.read_text()
    assert service.rows("configuration.version") == 1
    kept = json.loads(service.layout.decommission_report.read_text())
    assert kept["nothing_left"] is True
    assert kept["to_do"]


async def test_again_it_finds_nothing_to_do(service: Service) -> None:
    await service.announce(0)
    await decommission(service.file, CLOCK)

    again = await decommission(service.file, CLOCK)

    assert (again.left, again.removed) == ([], [])


async def test_ended_today_keeps_the_other_settings(service: Service) -> None:
    await service.announce(30)

    await end_today(service.file, CLOCK)

    await require_end(service.file, CLOCK)
    with psycopg.connect(service.services.owner) as connection:
        names = connection.execute(
            "SELECT name FROM configuration.entry WHERE version = 2 ORDER BY name"
        ).fetchall()
    assert names == [("risk_duration",), ("service_end_date",), ("service_end_date",)]


def add_a_table(service: Service) -> None:
    run(
        service.services.owner,
        "CREATE TABLE ingestion.news AS SELECT 1 AS one",
        "GRANT SELECT ON ingestion.news TO immuni_jobs",
    )


def hide_a_table(service: Service) -> None:
    run(service.analytics.owner, "CREATE TABLE analytics.hidden AS SELECT 1 AS one")


def add_a_file(service: Service) -> None:
    (service.layout.keys / "another.key").write_bytes(b"secret")


@pytest.mark.parametrize(
    ("harm", "left"),
    [
        (add_a_table, "services: ingestion.news: 1"),
        (hide_a_table, "analytics: analytics.hidden: ?"),
        (add_a_file, "keys/another.key"),
    ],
)
async def test_what_it_does_not_know_counts_as_left(
    service: Service, harm: Callable[[Service], None], left: str
) -> None:
    harm(service)
    await service.announce(0)

    done = ended("decommission", "--config", service.file, "--yes", "--json")

    told = json.loads(done.stdout)
    assert (done.returncode, told["nothing_left"], told["left"]) == (1, False, [left])


async def test_killed_in_the_middle_it_goes_on_when_it_is_run_again(service: Service) -> None:
    await service.announce(0)
    run(
        service.services.owner,
        """
        CREATE FUNCTION public.stop() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock(4712); RETURN NULL; END $$
        """,
        "CREATE TRIGGER stop AFTER DELETE ON publishing.key "
        "FOR EACH STATEMENT EXECUTE FUNCTION public.stop()",
    )
    command = immuni("decommission", "--config", service.file, "--yes", "--json")
    with psycopg.connect(service.services.owner, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(4712)")
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: ASYNC220 - ours
        waiting = (
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 4712 AND NOT granted"
        )
        while not connection.execute(waiting).fetchone():
            assert process.poll() is None
            await asyncio.sleep(0)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert service.rows("publishing.key") == 2
    assert service.rows("ingestion.upload") == 0

    done = ended("decommission", "--config", service.file, "--yes", "--json")

    assert (done.returncode, json.loads(done.stdout)["left"]) == (0, [])


def test_a_running_system_ends_and_still_tells_phones_so(tmp_path: Path) -> None:
    (answer,) = TOLD["decommission"].answers
    with running_system(tmp_path, base_port=a_free_base_port()) as system:
        done = ended("decommission", "--data-dir", system.data_dir, "--now", "--yes", "--json")

        told: dict[str, Any] = json.loads(done.stdout)
        assert (done.returncode, told["left"]) == (0, [])
        assert "phones/" in " ".join(told["removed"])
        check_members(answer, told | {"left": ["a file"]}, where="decommission")
        get, upload = system.told["get"], system.told["upload"]
        dummy = {"Immuni-Dummy-Data": "1", "Authorization": f"Bearer {'0' * 64}"}
        check = httpx.post(f"{upload}/v1/ingestion/check-otp", json={}, headers=dummy)
        assert check.status_code == 503
        settings = httpx.get(f"{get}/v1/settings?platform=ios&build=1").json()
        assert settings["service_end_date"] == told["ended_on"]
