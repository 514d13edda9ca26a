"""Count codes by day, and let the jobs read against which rates phones drew."""

from immuni.database.migrations import execute_sql

revision = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    """Create the counters, and a view of two settings in all versions that were published.

    Whoever counts adds to a row, whether it is there or not. That takes the right to read it:
    PostgreSQL looks for the row, and reads what it adds to.
    """
    execute_sql("""
        CREATE TABLE ingestion.daily_counter (
            day date NOT NULL,
            name text NOT NULL CHECK (name <> ''),
            count bigint NOT NULL CHECK (count > 0),
            PRIMARY KEY (day, name)
        );
        COMMENT ON TABLE ingestion.daily_counter IS
            'how often something happened on a day in UTC, to whomever; a missing row is 0';
        GRANT SELECT, INSERT, UPDATE (count)
            ON ingestion.daily_counter TO immuni_otp, immuni_ingestion;
        GRANT SELECT, DELETE ON ingestion.daily_counter TO immuni_jobs;

        -- A version that says nothing of the rates has one row without a platform: from then on,
        -- phones use their own default.
        CREATE VIEW configuration.sampling_rate AS
            SELECT version.number AS version, version.published_at, entry.platform,
                   entry.starting_build, entry.name, entry.value, entry.withdrawn
            FROM configuration.version LEFT JOIN configuration.entry
                ON entry.version = version.number AND entry.name IN (
                    'operational_info_with_exposure_sampling_rate',
                    'operational_info_without_exposure_sampling_rate'
                );
        GRANT SELECT ON configuration.sampling_rate TO immuni_jobs;
    """)
