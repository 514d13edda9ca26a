"""Let events say what they were done to, and keep the list of actions in the code alone."""

from immuni.database.migrations import execute_sql

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Widen the table of events."""
    execute_sql(
        """
        ALTER TABLE audit_event
            ADD COLUMN subject text NOT NULL DEFAULT '',
            ADD COLUMN detail jsonb NOT NULL DEFAULT '{}',
            DROP CONSTRAINT audit_event_action_check,
            DROP CONSTRAINT audit_event_outcome_check,
            ADD CHECK (action ~ '^[a-z_]{1,40}$'),
            ADD CHECK (outcome ~ '^[a-z_]{1,40}$');
        """
    )
