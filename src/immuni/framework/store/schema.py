"""The tables of the phone's database, and how an older one becomes the present one."""

from typing import Final, cast

from immuni.framework.store.encrypted_database import EncryptedDatabase, StoreError

_COUNTS: Final = {
    "tek": "SELECT count(*) FROM tek",
    "broadcast": "SELECT count(*) FROM broadcast",
    "sighting": "SELECT coalesce(sum(length(rssis_dbm)), 0) FROM scan",
    "detection": "SELECT count(*) FROM detection",
    "exposure": "SELECT count(*) FROM exposure",
    "fact": "SELECT count(*) FROM fact",
}

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
    # A scan a row instead of a sighting a row; the layout is told in `scans`.
    """
    CREATE TABLE scan (
        id INTEGER PRIMARY KEY,
        since_scan_seconds INTEGER,
        rpis BLOB NOT NULL CHECK (length(rpis) = 16 * length(rssis_dbm)),
        aems BLOB NOT NULL CHECK (length(aems) = 4 * length(rssis_dbm)),
        usable BLOB CHECK (length(usable) = length(rssis_dbm)),
        rssis_dbm BLOB NOT NULL,
        offsets_seconds BLOB NOT NULL CHECK (length(offsets_seconds) = length(rssis_dbm))
    ) STRICT;
    INSERT INTO scan
        SELECT (seen_at << 16) + place,
            since_scan_seconds,
            rpi,
            CASE length(aem) WHEN 4 THEN aem ELSE zeroblob(4) END,
            CASE length(aem) WHEN 4 THEN NULL ELSE x'00' END,
            unhex(printf('%02x', rssi_dbm & 255)),
            x'00'
        FROM sighting;
    DROP TABLE sighting;
    ALTER TABLE detection ADD COLUMN kind TEXT NOT NULL DEFAULT 'v1';
    ALTER TABLE exposure ADD COLUMN tag BLOB;
    ALTER TABLE exposure ADD COLUMN day INTEGER NOT NULL DEFAULT 0;
    UPDATE exposure SET day = unixepoch(json_extract(CAST(info AS TEXT), '$.day')) / 86400;
    CREATE TABLE tag_key (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        key_data BLOB NOT NULL
    ) STRICT;
    """,
    # Which identifiers were on the air, and which keys were revoked for good.
    """
    ALTER TABLE tek ADD COLUMN unused_from INTEGER NOT NULL DEFAULT 0;
    UPDATE tek SET unused_from = coalesce(
        (SELECT interval + 1 FROM broadcast WHERE tek_id = tek.id), 0);
    CREATE TABLE revocation (
        tag BLOB PRIMARY KEY,
        day INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
)
PRESENT_VERSION: Final = len(_UPGRADES)


class NewerStoreError(StoreError):
    """A later version of the program made the database; nothing was changed."""


def version_of(database: EncryptedDatabase) -> int:
    """Return the version of the tables; 0 where there are none.

    Raises:
        NewerStoreError: They are of a later version than the present one.
    """
    ((version,),) = database.execute("PRAGMA user_version")
    if not isinstance(version, int) or version > PRESENT_VERSION:
        raise NewerStoreError(f"the database has version {version!r}, known is {PRESENT_VERSION}")
    return version


def upgrade(database: EncryptedDatabase, *, to: int = PRESENT_VERSION) -> None:
    """Bring the tables up to a version, in one transaction.

    Raises:
        NewerStoreError: They are of a later version than the present one.
        StoreError: It failed; the tables are as they were.
    """
    version = version_of(database)
    database.execute("PRAGMA foreign_keys = ON")
    if version >= to:
        return
    with database.transaction():
        for script in _UPGRADES[version:to]:
            database.execute(script)
        database.execute(f"PRAGMA user_version = {to}")
    # What an old table held stands in the log and in the file until now.
    database.checkpoint()


def contents(database: EncryptedDatabase) -> dict[str, int]:
    """Return how much of each kind is stored."""
    counts = {}
    for kind, query in _COUNTS.items():
        ((count,),) = database.execute(query)
        counts[kind] = cast("int", count)
    return counts
