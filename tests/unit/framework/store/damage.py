"""A phone's database in which something of everything is kept, and ways to damage its file."""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Final

from immuni.framework import FileKeyStore
from immuni.framework.store.encrypted_database import EncryptedDatabase, Row
from immuni.framework.store.own_keys import Broadcast
from immuni.keys import interval_at
from tests.unit.framework.phones import NOON, open_store
from tests.unit.framework.store.samples import (
    ADDRESS,
    a_tag,
    a_tek,
    a_window,
    an_exposure,
    some_scans,
)

PAGE: Final = 4096
TABLES: Final = (
    "tek",
    "broadcast",
    "detection",
    "exposure",
    "fact",
    "tag_key",
    "scan",
    "revocation",
)

Damage = Callable[[bytearray, Random], None]


class Filled:
    """A phone's folder, its undamaged file, and what lies in it.

    No dataclass: its representation would fill the screen.
    """

    def __init__(self, folder: Path, content: bytes, rows: dict[str, frozenset[Row]]) -> None:
        self.folder = folder
        self.content = content
        self.rows = rows

    @property
    def path(self) -> Path:
        return self.folder / "store.db"

    @property
    def key_store(self) -> FileKeyStore:
        return FileKeyStore(self.folder / "key")

    def leave(self, content: bytes | bytearray) -> None:
        """Leave `content` as the only file of the database."""
        for file in self.folder.glob("store.db*"):
            file.unlink()
        self.path.touch(mode=0o600)
        self.path.write_bytes(content)

    def present_rows(self) -> dict[str, frozenset[Row]]:
        """Read every table of the database that is there now."""
        key = self.key_store.load()
        assert key is not None
        with closing(EncryptedDatabase(self.path, key)) as database:
            return rows_of(database)


def rows_of(database: EncryptedDatabase) -> dict[str, frozenset[Row]]:
    return {
        table: frozenset(database.execute(f"SELECT * FROM {table}"))  # noqa: S608 - names above
        for table in TABLES
    }


def filled_phone(folder: Path, *, scans: int = 2000) -> Filled:
    """Make a phone that has heard others for a week, and has results."""
    with open_store(folder) as store:
        keys = [store.keys.add(a_tek(NOON - timedelta(days=day))) for day in range(14)]
        store.keys.keep_broadcast(Broadcast(keys[0], interval_at(NOON), ADDRESS, NOON, NOON))
        for _ in range(30):
            store.results.add_exposures(NOON, [(a_tag(), an_exposure()) for _ in range(5)])
            store.results.add_windows(NOON, [a_window(a_tag(), bytes(100))])
        store.results.tag_of(bytes(16))
        store.results.take_back([a_tag() for _ in range(200)], now=NOON)
        store.keep_fact("name", "value")
        store.sightings.add(some_scans(scans))
        rows = rows_of(store._database)
    return Filled(folder, (folder / "store.db").read_bytes(), rows)


def draws(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - repeatable on purpose, guards nothing


def a_flipped_bit(content: bytearray, random: Random) -> None:
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)


def some_pages_of_noise(content: bytearray, random: Random) -> None:
    for _ in range(random.randrange(1, 20)):
        start = PAGE * random.randrange(len(content) // PAGE)
        content[start : start + PAGE] = random.randbytes(PAGE)


def cut_anywhere(content: bytearray, random: Random) -> None:
    del content[random.randrange(len(content)) :]


def zeros_to_the_end(content: bytearray, random: Random) -> None:
    begin = random.randrange(len(content))
    content[begin:] = bytes(len(content) - begin)


def two_pages_swapped(content: bytearray, random: Random) -> None:
    pages = len(content) // PAGE
    one, other = (PAGE * place for place in random.sample(range(pages), 2))
    content[one : one + PAGE], content[other : other + PAGE] = (
        content[other : other + PAGE],
        content[one : one + PAGE],
    )


def garbage(content: bytearray, random: Random) -> None:
    content[:] = random.randbytes(len(content))


DAMAGES: Final[tuple[Damage, ...]] = (
    a_flipped_bit,
    some_pages_of_noise,
    cut_anywhere,
    zeros_to_the_end,
    two_pages_swapped,
    garbage,
)
