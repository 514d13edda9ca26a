"""Give the App Configuration Service its schema."""

from immuni.database.migrations import execute_sql

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Create the tables of published sets, and let the service read them.

    Publishing is the owner's: whoever takes over the service cannot change what phones do.
    """
    execute_sql("""
        CREATE SCHEMA configuration;

        CREATE TABLE configuration.version (
            number bigint PRIMARY KEY CHECK (number >= 1),
            authority_id smallint NOT NULL DEFAULT 1,
            published_at timestamptz NOT NULL,
            author text NOT NULL CHECK (author <> ''),
            reason text NOT NULL CHECK (reason <> '')
        );
        COMMENT ON TABLE configuration.version IS
            'published sets of settings: who, when and why; the highest number is in force';

        CREATE TABLE configuration.entry (
            version bigint NOT NULL REFERENCES configuration.version,
            platform text NOT NULL CHECK (platform IN ('ios', 'android')),
            name text NOT NULL,
            starting_build integer NOT NULL CHECK (starting_build BETWEEN 1 AND 20000),
            withdrawn boolean NOT NULL,
            value jsonb CHECK (withdrawn = (value IS NULL)),
            PRIMARY KEY (version, platform, name, starting_build)
        );
        COMMENT ON COLUMN configuration.entry.withdrawn IS
            'from this build on there is no value: phones use their own default';

        GRANT USAGE ON SCHEMA configuration TO immuni_configuration;
        GRANT SELECT ON ALL TABLES IN SCHEMA configuration TO immuni_configuration;
    """)
