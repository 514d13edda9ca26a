"""The database login of whoever looks after the Configuration Settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.database import open_pool
from immuni.deployment.configured import read_configured
from immuni.deployment.layout import Layout
from immuni.deployment.settings import DatabaseSettings


@asynccontextmanager
async def author_connection(
    config: Path | None, data_dir: Path
) -> AsyncIterator[AsyncConnection[TupleRow]]:
    """Open a connection on which sets of settings are read and published, one transaction long.

    Args:
        config: The file that names the database; None for that of the system in `data_dir`, if one
            was ever started there, and the environment.
        data_dir: The data folder.

    Raises:
        SettingsError: No database is named, or something else in the file is wrong.
        DatabaseUnreachableError: The database does not answer, or refuses the login.
    """
    configured = read_configured(config or _file_of_system(data_dir))
    configured.require(["settings_author_database_url"])
    url = configured.of(DatabaseSettings).settings_author_database_url
    async with open_pool(url, max_size=1, name="settings") as pool, pool.connection() as connection:
        yield connection


def _file_of_system(data_dir: Path) -> Path | None:
    file = Layout(data_dir.resolve()).settings_file
    return file if file.exists() else None
