"""Bind sessions to their browser, and let them say by what they were proven, and when."""

from immuni.database.migrations import execute_sql

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """Widen the table of sessions; whoever is signed in signs in once more."""
    execute_sql(
        """
        DELETE FROM session;
        ALTER TABLE session
            ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
            ADD COLUMN whole boolean NOT NULL,
            ADD COLUMN proof text NOT NULL,
            ADD COLUMN proven_at timestamptz NOT NULL,
            ADD COLUMN mark_hash bytea NOT NULL CHECK (length(mark_hash) = 32),
            ADD COLUMN turn bytea NOT NULL CHECK (length(turn) = 16),
            ADD COLUMN turned_at timestamptz NOT NULL,
            ADD COLUMN offered_turns bytea[] NOT NULL DEFAULT '{}',
            ADD COLUMN turns_before bytea[] NOT NULL DEFAULT '{}',
            ADD COLUMN end_reason text;
        """
    )
