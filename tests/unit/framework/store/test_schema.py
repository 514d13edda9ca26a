from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from immuni.crypto import AEM, RPI
from immuni.framework.store.encrypted_database import EncryptedDatabase, StoreError
from immuni.framework.store.results import DetectionKind
from immuni.framework.store.schema import PRESENT_VERSION, upgrade, version_of
from immuni.matching import Sighting
from tests.unit.framework.phones import NOON, open_store
from tests.unit.framework.store.samples import ADDRESS, a_tek, an_exposure

KEY = bytes(range(32))
TEK = a_tek()
AT = int(NOON.timestamp())
HEARD = [
    (AT - 300, 0, None, -70, b"A" * 16, b"meta"),
    (AT, 0, 300, -127, b"B" * 16, b"meta"),
    (AT, 1, 300, 126, b"C" * 16, b""),
    (AT, 2, 300, 0, b"D" * 16, b"longer than that"),
]

# As the first version of the schema wrote them.
VERSION_1 = """
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
PRAGMA user_version = 1;
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a phone's folder as the first version of the schema left it."""
    folder = tmp_path / "phone"
    folder.mkdir()
    (folder / "key").touch(mode=0o600)
    (folder / "key").write_bytes(KEY)
    with closing(EncryptedDatabase(folder / "store.db", KEY)) as database:
        database.execute(VERSION_1)
        database.execute_many("INSERT INTO sighting VALUES (?, ?, ?, ?, ?, ?)", HEARD)
        tek = (1, TEK.rolling_start_number, TEK.rolling_period, 1, TEK.key_data)
        database.execute("INSERT INTO tek VALUES (?, ?, ?, ?, ?)", tek)
        database.execute("INSERT INTO broadcast VALUES (1, 1, 7, ?, 0, 1)", (ADDRESS,))
        database.execute("INSERT INTO detection VALUES (5, ?)", (AT,))
        info = msgspec.json.encode(an_exposure())
        database.execute("INSERT INTO exposure VALUES (5, 0, ?)", (info,))
        database.execute("INSERT INTO fact VALUES ('name', 'value')")
    return folder


def test_a_database_of_the_first_version_loses_nothing(folder: Path) -> None:
    with open_store(folder) as store:
        since = timedelta(seconds=300)
        assert list(store.sightings.all()) == [
            Sighting(RPI(b"A" * 16), AEM(b"meta"), -70, NOON - since),
            Sighting(RPI(b"B" * 16), AEM(b"meta"), -127, NOON, since),
            Sighting(RPI(b"C" * 16), None, 126, NOON, since),
            Sighting(RPI(b"D" * 16), None, 0, NOON, since),
        ]
        assert [(own.tek, own.released) for own in store.keys.all()] == [(TEK, True)]
        assert store.keys.broadcast() is not None
        assert store.results.latest_exposures() == [an_exposure()]
        assert store.results.held_on(NOON.date()) == 1
        assert store.results.held_on(NOON.date(), DetectionKind.V2) == 0
        assert store.fact("name") == "value"


def test_upgraded_exposures_go_with_their_day(folder: Path) -> None:
    with open_store(folder) as store:
        store.results.purge(NOON)
        assert store.contents()["exposure"] == 1

        store.results.purge(NOON + timedelta(days=1))
        assert store.contents()["exposure"] == 0


def test_an_upgrade_happens_once_and_goes_on_from_there(folder: Path) -> None:
    for _ in range(2):
        with open_store(folder) as store:
            assert version_of(store._database) == PRESENT_VERSION
            assert store.contents()["sighting"] == len(HEARD)


def test_an_upgrade_that_fails_changes_nothing(folder: Path) -> None:
    with closing(EncryptedDatabase(folder / "store.db", KEY)) as database:
        database.execute("CREATE TABLE scan (in_the_way INTEGER)")

        with pytest.raises(StoreError):
            upgrade(database)

        assert version_of(database) == 1
        assert database.execute("SELECT count(*) FROM sighting") == [(len(HEARD),)]
        database.execute("DROP TABLE scan")
    with open_store(folder) as store:
        assert store.contents()["sighting"] == len(HEARD)
