"""Let a second person stand behind a publication of settings."""

from immuni.database.migrations import execute_sql

revision = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    """Add who approved a set, and which request published it.

    Both stay empty where somebody publishes at the command line. That author and approver are two
    is the database's own rule, too: whoever takes over the service cannot write otherwise.
    """
    execute_sql("""
        ALTER TABLE configuration.version
            ADD COLUMN approver text CHECK (approver <> '' AND lower(approver) <> lower(author)),
            ADD COLUMN request_id text UNIQUE CHECK (request_id <> ''),
            ADD CHECK ((approver IS NULL) = (request_id IS NULL));
        COMMENT ON COLUMN configuration.version.approver IS
            'who else approved the set, as they said; NULL where nobody had to';
        COMMENT ON COLUMN configuration.version.request_id IS
            'tells a repeated request from a second one';

        GRANT INSERT (approver, request_id) ON configuration.version TO immuni_settings_author;
    """)
