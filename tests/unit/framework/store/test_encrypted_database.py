import secrets
import stat
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from immuni.framework.store.encrypted_database import (
    CorruptStoreError,
    EncryptedDatabase,
    Row,
    StoreError,
    StoreInUseError,
    StoreLockedError,
)

KEY = secrets.token_bytes(32)
SECRET = b"a secret of forty bytes, not to be found"
PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def database(path: Path) -> Iterator[EncryptedDatabase]:
    database = filled(path)
    yield database
    database.close()


def filled(path: Path, *, secure_delete: bool = True) -> EncryptedDatabase:
    """Return a database of a good many pages, with a secret in the midst."""
    database = EncryptedDatabase(path, KEY, secure_delete=secure_delete)
    database.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, body BLOB) STRICT")
    bodies = [secrets.token_bytes(200) for _ in range(2000)]
    bodies.insert(1000, SECRET)
    database.execute_many("INSERT INTO note (body) VALUES (?)", ((body,) for body in bodies))
    return database


def holds(database: EncryptedDatabase, needle: bytes) -> bool:
    return any(needle in page for page in database.plain_pages())


def folder_holds(folder: Path, needle: bytes) -> bool:
    return any(needle in file.read_bytes() for file in folder.iterdir())


def test_nothing_stands_in_the_clear_in_any_file(path: Path, database: EncryptedDatabase) -> None:
    assert not folder_holds(path.parent, SECRET)
    assert not folder_holds(path.parent, b"CREATE TABLE")
    assert not path.read_bytes().startswith(b"SQLite format")

    database.checkpoint()

    assert path.stat().st_size > 100 * PAGE
    assert not folder_holds(path.parent, SECRET)


def test_every_file_is_for_the_owner_only(path: Path, database: EncryptedDatabase) -> None:
    database.execute("DELETE FROM note WHERE id = 1")

    files = list(path.parent.iterdir())

    assert len(files) > 1
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_decrypted_pages_show_what_is_in_the_log_and_in_the_file(
    database: EncryptedDatabase,
) -> None:
    assert holds(database, SECRET)

    database.checkpoint()

    assert holds(database, SECRET)
    assert holds(database, b"CREATE TABLE note")
    assert not holds(database, secrets.token_bytes(16))


def test_what_is_deleted_is_overwritten(database: EncryptedDatabase) -> None:
    database.execute("DELETE FROM note WHERE body = ?", (SECRET,))
    database.checkpoint()

    assert not holds(database, SECRET)


def test_without_secure_delete_it_would_stay(tmp_path: Path) -> None:
    """Without this control the test above would prove nothing."""
    database = filled(tmp_path / "store.db", secure_delete=False)
    database.checkpoint()
    database.execute("DELETE FROM note WHERE body = ?", (SECRET,))
    database.checkpoint()

    assert holds(database, SECRET)
    database.close()


def test_another_key_does_not_open_it(path: Path, database: EncryptedDatabase) -> None:
    database.close()

    with pytest.raises(StoreLockedError):
        EncryptedDatabase(path, secrets.token_bytes(32))

    again = EncryptedDatabase(path, KEY)
    assert again.execute("SELECT count(*) FROM note") == [(2001,)]
    again.close()


def test_a_file_of_another_kind_does_not_open(path: Path) -> None:
    path.write_bytes(b"something else entirely " * 500)

    with pytest.raises(StoreLockedError):
        EncryptedDatabase(path, KEY)


def test_a_damaged_page_is_noticed(path: Path, database: EncryptedDatabase) -> None:
    database.close()
    content = bytearray(path.read_bytes())
    content[20 * PAGE + 100] ^= 1
    path.write_bytes(content)

    damaged = EncryptedDatabase(path, KEY)

    with pytest.raises(CorruptStoreError):
        damaged.execute("SELECT body FROM note")
    damaged.close()


def test_a_file_that_was_cut_off_is_noticed(path: Path, database: EncryptedDatabase) -> None:
    database.close()
    path.write_bytes(path.read_bytes()[: 10 * PAGE])

    with pytest.raises(StoreError):
        EncryptedDatabase(path, KEY).execute("SELECT body FROM note")


def test_a_second_opener_is_refused(path: Path, database: EncryptedDatabase) -> None:
    assert database.execute("SELECT count(*) FROM note") == [(2001,)]

    with pytest.raises(StoreInUseError):
        EncryptedDatabase(path, KEY)


def test_a_second_opener_is_refused_even_if_the_first_only_looked(
    path: Path, database: EncryptedDatabase
) -> None:
    database.close()
    first = EncryptedDatabase(path, KEY)

    with pytest.raises(StoreInUseError):
        EncryptedDatabase(path, KEY)

    first.close()


def test_a_transaction_that_fails_changes_nothing(database: EncryptedDatabase) -> None:
    def bodies() -> Iterator[tuple[bytes]]:
        yield (SECRET,)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), database.transaction():
        database.execute_many("INSERT INTO note (body) VALUES (?)", bodies())

    assert database.execute("SELECT count(*) FROM note") == [(2001,)]


def test_errors_do_not_tell_values(database: EncryptedDatabase) -> None:
    with pytest.raises(StoreError) as refused:
        database.execute("INSERT INTO note (id, body) VALUES (1, ?)", (SECRET,))

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["missing/store.db", "x" * 300, "."])
def test_a_file_that_cannot_be_made_is_a_typed_error_without_its_path(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(StoreError) as refused:
        EncryptedDatabase(tmp_path / name, KEY)

    assert str(tmp_path) not in str(refused.value)


def test_a_closed_database_says_so(database: EncryptedDatabase) -> None:
    database.close()

    for use in (database.checkpoint, lambda: database.execute("SELECT 1"), database.remove_traces):
        with pytest.raises(StoreError, match="closed"):
            use()


def test_rows_before_a_damaged_place_are_yielded(path: Path, database: EncryptedDatabase) -> None:
    database.close()
    content = bytearray(path.read_bytes())
    content[60 * PAGE + 100] ^= 1
    path.write_bytes(content)
    read: list[Row] = []

    damaged = EncryptedDatabase(path, KEY)
    with pytest.raises(CorruptStoreError):
        deque(map(read.append, damaged.rows("SELECT id FROM note ORDER BY id")))

    assert read[:3] == [(1,), (2,), (3,)]
    assert 500 < len(read) < 2001
    damaged.close()


def test_a_deletion_that_fails_deletes_nothing(database: EncryptedDatabase) -> None:
    def delete_and_fail() -> None:
        with database.deletion():
            database.execute("DELETE FROM note WHERE body = ?", (SECRET,))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        delete_and_fail()

    assert database.execute("SELECT count(*) FROM note") == [(2001,)]
    assert holds(database, SECRET)


def test_traces_that_a_killed_process_left_are_removed_by_the_next(path: Path) -> None:
    database = filled(path)
    # Between two others a row is moved, and copies of it stay behind.
    database.execute("CREATE TABLE moved (id INTEGER PRIMARY KEY, body BLOB) STRICT")
    for number in (*range(0, 1000, 7), *range(1, 1000, 7), *range(2, 1000, 7)):
        body = SECRET * (number % 11)
        database.execute("INSERT INTO moved VALUES (?, ?)", (number, body))
    with database.transaction():
        database.execute("DELETE FROM moved")
        database.execute("DELETE FROM note WHERE body = ?", (SECRET,))
        # As `deletion` does before it goes on to remove the traces.
        database.execute("PRAGMA application_id = 1")
    database.close()

    again = EncryptedDatabase(path, KEY)

    assert not holds(again, SECRET)
    assert again.execute("PRAGMA application_id") == [(0,)]
    again.close()


def test_a_deletion_that_deletes_nothing_writes_nothing(
    path: Path, database: EncryptedDatabase
) -> None:
    database.checkpoint()
    before = path.read_bytes()

    with database.deletion():
        database.execute("DELETE FROM note WHERE id = 0")

    assert path.read_bytes() == before


def test_a_destroyed_database_leaves_no_file(path: Path) -> None:
    filled(path).destroy()

    assert list(path.parent.iterdir()) == []
