"""`immuni doctor` on real parts: healthy, and with one thing broken at a time."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from immuni.backend.infectiousness import Diagnosis as Illness
from immuni.clock import ManualClock, SystemClock
from immuni.deployment.certificates import ensure_certificates
from immuni.deployment.databases import (
    AnalyticsDatabase,
    PortalDatabase,
    ServicesDatabase,
    relocate,
)
from immuni.deployment.doctor import Diagnosis, examine
from immuni.deployment.layout import Layout
from immuni.deployment.provision import ensure_audit_head_key, ensure_keys
from scripts.reference.answers import TOLD
from scripts.reference.command_line import check_members
from tests.publishing import keep_uploads, keys_of_days
from tests.running import RunningSystem, ended

pytestmark = pytest.mark.anyio


class Patient:
    """A system on one machine that does not run: its folder and its databases."""

    def __init__(
        self, root: Path, services: ServicesDatabase, analytics: AnalyticsDatabase
    ) -> None:
        self.layout = Layout(root)
        self.layout.prepare()
        self.services = services
        self.analytics = analytics
        # As far as the database's clock is concerned it is now.
        self.clock = ManualClock(SystemClock().now())
        ensure_keys(self.layout, clock=self.clock)
        ensure_audit_head_key(self.layout)
        ensure_certificates(self.layout.certificates, clock=self.clock)
        self.configure()

    def configure(self, **other: str) -> None:
        """Write the settings file."""
        values = {
            "data_dir": str(self.layout.root),
            "jobs_database_url": self.services.jobs,
            "analytics_database_url": self.analytics.analytics,
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in (values | other).items()]
        self.layout.settings_file.write_text("\n".join(lines))

    async def examined(self) -> Diagnosis:
        """Look it over."""
        return await examine(self.layout.settings_file, self.clock)

    def run(self, statement: str, *values: object) -> None:
        """Change something in the services' database."""
        with psycopg.connect(self.services.owner) as connection:
            connection.execute("SET search_path TO jobs, public")
            connection.execute(statement.encode(), values)


@pytest.fixture
def patient(
    tmp_path: Path, services_database: ServicesDatabase, analytics_database: AnalyticsDatabase
) -> Patient:
    """Set a system up."""
    return Patient(tmp_path / "system", services_database, analytics_database)


async def test_a_new_system_is_healthy_and_everything_was_looked_at(patient: Patient) -> None:
    found = await patient.examined()

    assert found.findings == []
    assert found.checks == [
        "keys",
        "certificates",
        "disk",
        "services' database",
        "rights",
        "clock",
        "jobs",
        "chunks",
        "analytics database",
        "rights of analytics",
        "retention",
    ]


def lose_a_key(patient: Patient) -> None:
    patient.layout.export_key.unlink()


def open_a_key(patient: Patient) -> None:
    patient.layout.analytics_key.chmod(0o644)


def lose_a_certificate(patient: Patient) -> None:
    (patient.layout.certificates / "server.pem").unlink()


def have_a_clock_ahead(patient: Patient) -> None:
    patient.clock.advance(timedelta(minutes=1))


def lose_a_chunk(patient: Patient) -> None:
    patient.run(
        "INSERT INTO publishing.chunk VALUES (1, sha256(''), 1, 1, now() - interval '4h', now())"
    )


def keep_too_long(patient: Patient) -> None:
    patient.run(
        "INSERT INTO ingestion.outbox (key_id, sealed, received_on) "
        "VALUES ('k', '', now() - interval '17 days')"
    )


def stall(patient: Patient) -> None:
    patient.run(
        "INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, scheduled_at) "
        "VALUES ('default', 'publish', now() - interval '2h')"
    )


def fail(patient: Patient) -> None:
    patient.run(
        "INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, status) "
        "VALUES ('default', 'outbox', 'failed')"
    )


def have_no_worker(patient: Patient) -> None:
    patient.run(
        "INSERT INTO jobs.procrastinate_periodic_defers (task_name, defer_timestamp) "
        "VALUES ('retention', extract(epoch FROM now() - interval '2h')::bigint)"
    )


def open_a_table(patient: Patient) -> None:
    patient.run("GRANT SELECT ON ingestion.upload TO immuni_reporting")


def lose_a_table(patient: Patient) -> None:
    patient.run("DROP TABLE publishing.key, publishing.chunk CASCADE")


def lose_a_database(patient: Patient) -> None:
    patient.configure(
        analytics_database_url=relocate(patient.analytics.analytics, dbname="nowhere")
    )


def forget_a_database(patient: Patient) -> None:
    patient.configure(jobs_database_url="")


@pytest.mark.parametrize(
    ("harm", "check", "fault"),
    [
        (lose_a_key, "keys", "export-222-v1.key is missing"),
        (open_a_key, "keys", "analytics-1.key can be read by others"),
        (lose_a_certificate, "certificates", "server.pem is missing or damaged"),
        (have_a_clock_ahead, "clock", "60 s apart"),
        (lose_a_chunk, "chunks", "chunk 1 is missing or damaged"),
        (keep_too_long, "retention", "sealed outbox should be gone since"),
        (stall, "jobs", "1 jobs have waited"),
        (fail, "jobs", "outbox failed for good 1 times"),
        (open_a_table, "rights", "immuni_reporting may SELECT on ingestion.upload, want nothing"),
        (have_no_worker, "jobs", "no worker has been there since"),
        (lose_a_table, "services' database", "UndefinedTable"),
        (lose_a_database, "analytics database", "does not answer"),
        (forget_a_database, "services' database", "no URL is set"),
    ],
)
async def test_each_harm_is_told_with_a_remedy_and_nothing_else_is(
    patient: Patient, harm: Callable[[Patient], None], check: str, fault: str
) -> None:
    harm(patient)

    [finding] = (await patient.examined()).findings

    assert finding.check == check
    assert fault in finding.fault
    assert finding.remedy


async def test_a_portal_that_nobody_administers_is_told(
    patient: Patient, portal_database: PortalDatabase
) -> None:
    patient.configure(portal_database_url=portal_database.portal)
    [finding] = (await patient.examined()).findings
    assert finding.check == "administrators"
    assert "immuni portal invite --role administrator" in finding.remedy

    with psycopg.connect(portal_database.owner) as connection:
        connection.execute(
            "INSERT INTO organisation (name, created_at, active_from) VALUES ('x', now(), now())"
        )
        connection.execute(
            "INSERT INTO operator_account (organisation_id, user_name, role, created_at)"
            " VALUES (1, 'ada', 'administrator', now())"
        )
    assert (await patient.examined()).findings == []


async def test_a_certificate_that_is_about_to_end_is_told(patient: Patient) -> None:
    patient.clock.advance(timedelta(days=380))

    found = await patient.examined()

    ending = [each.fault for each in found.findings if each.check == "certificates"]
    assert [fault.split(" ")[0] for fault in ending] == ["server.pem", "client.pem"]


async def test_what_is_held_is_told_and_small_counts_are_hidden(patient: Patient) -> None:
    today = patient.clock.now().date()
    ill = Illness(today, None)
    people = [keys_of_days(today, days=2, seed=str(each)) for each in range(12)]
    await keep_uploads(patient.services, people, ill)
    patient.run(
        """
        INSERT INTO ingestion.otp (key_id, keyed_hash, onset_on, authorised_at, expires_at)
        VALUES ('k', sha256(''), '2020-06-01', now(), now() + interval '150 seconds')
        """
    )

    told = {
        each["kind"]: each
        for each in (each.as_json() for each in (await patient.examined()).holdings)
    }

    assert told["codes"]["count"] == "<10"
    assert told["waiting uploads"]["count"] == "12"
    assert told["chunks"] == {
        "kind": "chunks",
        "count": "0",
        "oldest_gone_by": None,
        "all_gone_by": None,
    }
    # Only to the hour: when a code was authorised is nobody's business.
    assert str(told["codes"]["all_gone_by"]).endswith(":00+00:00")


@pytest.mark.timeout(300)
def test_a_running_system_is_healthy_and_tells_what_is_described(system: RunningSystem) -> None:
    (answer,) = TOLD["doctor"].answers

    done = ended("doctor", "--data-dir", system.data_dir, "--json")

    told: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode, told["findings"]) == (0, [])
    fault = {"check": "disk", "fault": "it is full", "remedy": "make room"}
    check_members(answer, told | {"findings": [fault]}, where="doctor")


def test_for_people_there_is_a_table_and_exit_code_1_when_something_is_wrong(
    patient: Patient,
) -> None:
    healthy = ended("doctor", "--data-dir", patient.layout.root)
    patient.layout.export_key.unlink()
    ill = ended("doctor", "--data-dir", patient.layout.root)

    assert (healthy.returncode, ill.returncode) == (0, 1)
    assert "✓ Nothing is wrong with: keys" in healthy.stdout
    assert "✗ keys: export-222-v1.key is missing. To do: restore it" in ill.stdout
    assert "sealed outbox" in ill.stdout
