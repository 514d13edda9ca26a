"""The tables of the phone's database, and how an older one becomes the present one."""

from typing import Final

from immuni.framework.encrypted_database import EncryptedDatabase, StoreError

TABLES: Final = ("tek", "broadcast", "sighting", "detection", "exposure", "fact")

# One entry for each version of the schema, never changed once released.
_UPGRADES: Final = (
    """
    CREATE TABLE tek (
        id INTEGER PRIMARY KEY,
        rolling_start_number INTEGER NOT NULL,
        rolling_period INTEGER NOT NULL,
        released INTEGER NOT NULL DEFAULT 0,
        key_data BLOB NOT NULL
    ) STRICT;
    CREATE TABLE broadcast (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        tek_id INTEGER NOT NULL REFERENCES tek (id) ON DELETE CASCADE,
        interval INTEGER NOT NULL,
        address BLOB NOT NULL,
        began_at INTEGER NOT NULL,
        ends_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE sighting (
        seen_at INTEGER NOT NULL,
        place INTEGER NOT NULL,
        since_scan_seconds INTEGER,
        rssi_dbm INTEGER NOT NULL,
        rpi BLOB NOT NULL,
        aem BLOB NOT NULL,
        PRIMARY KEY (seen_at, place)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE detection (
        id INTEGER PRIMARY KEY,
        held_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE exposure (
        detection_id INTEGER NOT NULL REFERENCES detection (id) ON DELETE CASCADE,
        place INTEGER NOT NULL,
        info BLOB NOT NULL,
        PRIMARY KEY (detection_id, place)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE fact (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
)


class NewerStoreError(StoreError):
    """A later version of the program made the database; nothing was changed."""


def upgrade(database: EncryptedDatabase) -> None:
    """Bring the tables up to the present version, in one transaction.

    Raises:
        NewerStoreError: They are of a later version.
        StoreError: It failed; the tables are as they were.
    """
    ((version,),) = database.execute("PRAGMA user_version")
    if not isinstance(version, int) or version > len(_UPGRADES):
        raise NewerStoreError(f"the database has version {version!r}, known is {len(_UPGRADES)}")
    database.execute("PRAGMA foreign_keys = ON")
    with database.transaction():
        for script in _UPGRADES[version:]:
            database.execute(script)
        database.execute(f"PRAGMA user_version = {len(_UPGRADES)}")
