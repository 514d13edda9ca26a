"""What can be wrong with a database."""

from immuni.errors import ImmuniError


class DatabaseError(ImmuniError):
    """The database cannot be used as it should."""


class DatabaseUnreachableError(DatabaseError, ConnectionError):
    """Nobody answers there, or the login is refused; nothing was changed."""


class SchemaTooNewError(DatabaseError, RuntimeError):
    """The database was migrated by a newer release; nothing was changed."""


class MigrationFailedError(DatabaseError, RuntimeError):
    """PostgreSQL refused a migration; none of its set was applied."""


class MigrationInProgressError(DatabaseError, TimeoutError):
    """Another process is migrating the database and does not end; nothing was changed."""
