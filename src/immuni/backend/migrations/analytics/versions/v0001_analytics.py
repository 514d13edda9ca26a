"""Give the Analytics Service its tables: no sequences, no ids, no time finer than a day."""

from immuni.database.migrations import execute_sql

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Create the tables, and let the service write, read and expire them, never change them."""
    execute_sql("""
        CREATE SCHEMA analytics;

        CREATE TABLE analytics.epidemiological_info (
            received_on date NOT NULL,
            province text NOT NULL CHECK (province ~ '^[A-Z]{2}$'),
            onset text NOT NULL CHECK (onset IN ('0-2', '3-5', '6-9', '10+', 'none')),
            summaries jsonb NOT NULL
        );
        CREATE INDEX epidemiological_info_received_on
            ON analytics.epidemiological_info (received_on);

        CREATE TABLE analytics.received (id uuid PRIMARY KEY);
        COMMENT ON TABLE analytics.received IS
            'deliveries of the outbox that arrived and are not forgotten yet';

        CREATE TABLE analytics.operational_info (
            received_on date NOT NULL,
            platform text NOT NULL CHECK (platform IN ('ios', 'android')),
            province text NOT NULL CHECK (province ~ '^[A-Z]{2}$'),
            exposure_permission boolean NOT NULL,
            bluetooth_active boolean NOT NULL,
            notification_permission boolean NOT NULL,
            exposure_notification boolean NOT NULL,
            last_risky_exposure_on date,
            build integer CHECK (build BETWEEN 1 AND 20000),
            CHECK (exposure_notification OR last_risky_exposure_on IS NULL)
        );
        CREATE INDEX operational_info_received_on ON analytics.operational_info (received_on);

        GRANT USAGE ON SCHEMA analytics TO immuni_analytics;
        GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA analytics TO immuni_analytics;
    """)
