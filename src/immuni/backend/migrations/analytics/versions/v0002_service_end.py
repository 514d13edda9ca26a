"""Let the analytics database know when the service ends."""

from immuni.database.migrations import execute_sql

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Create the one row that a job keeps equal to the published settings."""
    execute_sql("""
        CREATE TABLE analytics.service_end (
            sole boolean PRIMARY KEY DEFAULT true CHECK (sole),
            ends_on date
        );
        INSERT INTO analytics.service_end DEFAULT VALUES;
        COMMENT ON COLUMN analytics.service_end.ends_on IS
            'from this day on nothing is taken in; null while the service goes on';
        GRANT SELECT, UPDATE (ends_on) ON analytics.service_end TO immuni_analytics;
    """)
