"""The way into a database, which can be shut."""

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict


class Door:
    """Lets everybody into a database, or nobody."""

    def __init__(self, admin_url: str, owner_url: str) -> None:
        self._admin_url = admin_url
        self._name = str(conninfo_to_dict(owner_url)["dbname"])

    def open(self, *, to_all: bool) -> None:
        """Let nobody in from now on, and end what is connected; or let everybody in again."""
        statement = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        with psycopg.connect(self._admin_url, autocommit=True) as connection:
            connection.execute(statement.format(sql.Identifier(self._name), sql.Literal(to_all)))
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [self._name],
            )
