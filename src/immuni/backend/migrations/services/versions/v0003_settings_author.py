"""Let a login of its own publish Configuration Settings."""

from immuni.database.migrations import execute_sql

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Give it what publishing takes: reading all sets, and adding one.

    No set that was published can be changed or removed with it. Which login added a set is written
    by the database itself: the author's name is only what the author says.
    """
    execute_sql("""
        ALTER TABLE configuration.version
            ADD COLUMN login text NOT NULL DEFAULT session_user;
        COMMENT ON COLUMN configuration.version.login IS
            'login of the database that added the set';

        GRANT USAGE ON SCHEMA configuration TO immuni_settings_author;
        GRANT SELECT ON ALL TABLES IN SCHEMA configuration TO immuni_settings_author;
        GRANT INSERT (number, published_at, author, reason)
            ON configuration.version TO immuni_settings_author;
        GRANT INSERT ON configuration.entry TO immuni_settings_author;
    """)
