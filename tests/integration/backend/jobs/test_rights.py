import psycopg
import pytest

from immuni.deployment.databases import ServicesDatabase


def is_allowed(url: str, statement: str) -> bool:
    with psycopg.connect(url) as connection:
        try:
            connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            return False
        return True


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("SELECT index, digest FROM publishing.chunk", True),
        ("DELETE FROM publishing.chunk", False),
        ("SELECT * FROM publishing.key", False),
        ("SELECT * FROM publishing.progress", False),
        ("SELECT * FROM ingestion.upload", False),
        ("SELECT * FROM ingestion.otp", False),
        ("SELECT * FROM jobs.procrastinate_jobs", False),
    ],
)
def test_reporting_reads_chunks_and_nothing_else(
    services_database: ServicesDatabase, statement: str, *, allowed: bool
) -> None:
    assert is_allowed(services_database.reporting, statement) is allowed


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("DELETE FROM ingestion.otp WHERE expires_at < now()", True),
        ("SELECT keyed_hash FROM ingestion.otp", False),
        ("SELECT onset_on FROM ingestion.otp", False),
        ("UPDATE ingestion.otp SET expires_at = now()", False),
        ("UPDATE publishing.key SET onset_on = NULL", False),
        ("UPDATE publishing.chunk SET digest = ''", False),
        (
            "INSERT INTO ingestion.outbox (key_id, sealed, received_on) VALUES ('', '', now())",
            False,
        ),
    ],
)
def test_the_jobs_cannot_read_codes_or_change_what_is_published(
    services_database: ServicesDatabase, statement: str, *, allowed: bool
) -> None:
    assert is_allowed(services_database.jobs, statement) is allowed
