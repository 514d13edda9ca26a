"""Let intake and jobs see when the service ends, and nothing else of the settings."""

from immuni.database.migrations import execute_sql

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """Create a view of the one setting, for the roles that act upon it."""
    execute_sql("""
        CREATE VIEW configuration.service_end AS
            SELECT platform, starting_build,
                   CASE WHEN withdrawn THEN NULL ELSE (value #>> '{}')::date END AS ends_on
            FROM configuration.entry
            WHERE name = 'service_end_date'
              AND version = (SELECT max(number) FROM configuration.version);
        GRANT USAGE ON SCHEMA configuration TO immuni_otp, immuni_ingestion, immuni_jobs;
        GRANT SELECT ON configuration.service_end TO immuni_otp, immuni_ingestion, immuni_jobs;
    """)
