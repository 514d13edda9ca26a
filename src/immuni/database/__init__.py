"""PostgreSQL: bounded pools of connections, and migrations in plain SQL.

Migrations are a module apart, `immuni.database.migrations`: their tool takes seconds to import,
and a server that only serves should not wait for it.
"""

from immuni.database.errors import (
    DatabaseError,
    DatabaseUnreachableError,
    MigrationFailedError,
    MigrationInProgressError,
    SchemaTooNewError,
)
from immuni.database.pool import Pool, open_pool

__all__ = [
    "DatabaseError",
    "DatabaseUnreachableError",
    "MigrationFailedError",
    "MigrationInProgressError",
    "Pool",
    "SchemaTooNewError",
    "open_pool",
]
