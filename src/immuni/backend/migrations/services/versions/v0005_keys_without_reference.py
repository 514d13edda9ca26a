"""Publish a night of millions without looking up the chunk of each key.

The database checked for each key that its chunk is there. Publishing inserts a chunk and its keys
in one transaction, and retention deletes the keys first: the check could not fail, and took a third
of the time.
"""

from immuni.database.migrations import execute_sql

revision = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    """Drop the reference."""
    execute_sql("ALTER TABLE publishing.key DROP CONSTRAINT key_chunk_index_fkey")
