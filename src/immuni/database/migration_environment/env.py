"""Run by Alembic for each set of migrations: all pending ones in one transaction."""

from typing import Final

from alembic import context
from sqlalchemy import Connection

_connection: Final[Connection] = context.config.attributes["connection"]

context.configure(
    connection=_connection,
    version_table=context.config.attributes["version_table"],
    # A migration may move the search path; the table of versions stays where it is.
    version_table_schema="public",
)
with context.begin_transaction():
    context.run_migrations()
