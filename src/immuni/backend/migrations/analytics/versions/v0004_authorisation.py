"""Keep the authorisations of analytics tokens that run, so that they outlive a crash."""

from immuni.database.migrations import execute_sql

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """Create the table; a row of it lives for seconds."""
    execute_sql("""
        CREATE TABLE analytics.authorisation (
            token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
            device_token bytea NOT NULL,
            step text NOT NULL CHECK (step IN (
                'first-look', 'second-look', 'mark', 'check', 'clear',
                'blacklist', 'doubt', 'unmark')),
            failures smallint NOT NULL DEFAULT 0,
            started_on date NOT NULL,
            due_at timestamptz NOT NULL DEFAULT now(),
            claims integer NOT NULL DEFAULT 0
        );
        CREATE INDEX authorisation_due_at ON analytics.authorisation (due_at);
        CREATE INDEX authorisation_started_on ON analytics.authorisation (started_on);
        COMMENT ON TABLE analytics.authorisation IS
            'analytics tokens that Apple is being asked about; each is deleted at its end';
        COMMENT ON COLUMN analytics.authorisation.step IS
            'what is to be done at due_at, or is just being done';
        COMMENT ON COLUMN analytics.authorisation.claims IS
            'how often it was taken over; what an earlier holder decides does not count';

        GRANT SELECT, INSERT, DELETE ON analytics.authorisation TO immuni_analytics;
        GRANT UPDATE (step, failures, due_at, claims)
            ON analytics.authorisation TO immuni_analytics;
    """)
