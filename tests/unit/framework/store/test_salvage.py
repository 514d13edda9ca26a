import stat
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from immuni.framework import (
    CorruptStoreError,
    FileKeyStore,
    Store,
    StoreError,
    StoreInUseError,
    StoreLockedError,
)
from immuni.framework.store.encrypted_database import EncryptedDatabase
from immuni.framework.store.salvage import begin_anew, salvage
from immuni.framework.store.schema import NewerStoreError, upgrade
from immuni.framework.store.set_aside import SET_ASIDE_LIFETIME
from tests.unit.framework.phones import NOON, open_store
from tests.unit.framework.store.damage import (
    DAMAGES,
    PAGE,
    Damage,
    Filled,
    a_flipped_bit,
    cut_anywhere,
    draws,
    filled_phone,
    garbage,
    rows_of,
    some_pages_of_noise,
)
from tests.unit.framework.store.samples import EMPTY, a_sighting

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Make a phone once: each test leaves it damaged in its own way."""
    return filled_phone(tmp_path_factory.mktemp("phones") / "phone")


def damaged(phone: Filled, damage: Damage, seed: int) -> Filled:
    content = bytearray(phone.content)
    damage(content, draws(seed))
    phone.leave(content)
    return phone


def page_of(phone: Filled, needle: bytes) -> int:
    """Return the number of the page, from 0, in which `needle` lies."""
    phone.leave(phone.content)
    key = phone.key_store.load()
    assert key is not None
    with closing(EncryptedDatabase(phone.path, key)) as database:
        return next(n for n, page in enumerate(database.plain_pages()) if needle in page)


def without_page(phone: Filled, number: int) -> Filled:
    content = bytearray(phone.content)
    content[number * PAGE + 100] ^= 1
    phone.leave(content)
    return phone


@given(damage=st.sampled_from(DAMAGES), seed=st.integers(min_value=0, max_value=2**32))
@settings(max_examples=25)
def test_whatever_was_damaged_nothing_false_is_kept_and_the_phone_goes_on(
    phone: Filled, damage: Damage, seed: int
) -> None:
    damaged(phone, damage, seed)

    salvaged = salvage(phone.path, phone.key_store, now=NOON)

    assert salvaged.set_aside.exists()
    with open_store(phone.folder) as store:
        assert store.contents() == (salvaged.kept or EMPTY)
        store.sightings.add([a_sighting(NOON + timedelta(minutes=5))])
        kept = rows_of(store._database)
    for table, rows in phone.rows.items():
        false = kept[table] - rows
        assert len(false) == (table == "scan"), table
        assert table in salvaged.damaged or rows <= kept[table]


@given(damage=st.sampled_from(DAMAGES), seed=st.integers(min_value=0, max_value=2**32))
@settings(max_examples=25)
def test_damage_shows_as_a_typed_error_in_one_line_or_not_at_all(
    phone: Filled, damage: Damage, seed: int
) -> None:
    damaged(phone, damage, seed)
    # A file that was cut off before its first byte is one that was never written.
    is_new = not phone.path.stat().st_size
    told = ""

    try:
        with open_store(phone.folder) as store:
            assert is_new or rows_of(store._database) == phone.rows
    except (StoreLockedError, CorruptStoreError) as error:
        told = str(error)

    assert "\n" not in told


@pytest.mark.parametrize("seed", range(10))
def test_a_damaged_page_costs_little_more_than_itself(phone: Filled, seed: int) -> None:
    pages = len(phone.content) // PAGE
    without_page(phone, draws(seed).randrange(pages // 2, pages))

    salvaged = salvage(phone.path, phone.key_store, now=NOON)

    kept = phone.present_rows()
    assert salvaged.damaged == {"scan"}
    assert len(kept["scan"]) > len(phone.rows["scan"]) - 60
    assert all(kept[table] == phone.rows[table] for table in kept if table != "scan")


def test_between_many_damaged_pages_the_others_are_found(phone: Filled) -> None:
    damaged(phone, some_pages_of_noise, seed=5)

    salvage(phone.path, phone.key_store, now=NOON)

    assert len(phone.present_rows()["scan"]) > len(phone.rows["scan"]) // 2


def test_own_keys_outlive_all_that_was_heard(phone: Filled) -> None:
    phone.leave(phone.content[: len(phone.content) // 2 + 77])
    with pytest.raises(CorruptStoreError):
        open_store(phone.folder)

    salvaged = salvage(phone.path, phone.key_store, now=NOON)

    assert salvaged.kept["tek"] == 14
    assert salvaged.kept["sighting"] > 0
    assert phone.present_rows()["tek"] == phone.rows["tek"]


def test_results_before_and_after_a_damaged_page_are_kept(phone: Filled) -> None:
    in_order = sorted(phone.rows["exposure"], key=lambda row: row[:2])
    tag = in_order[len(in_order) // 2][3]
    assert isinstance(tag, bytes)

    without_page(phone, page_of(phone, tag))
    salvaged = salvage(phone.path, phone.key_store, now=NOON)

    assert salvaged.damaged == {"exposure"}
    assert {in_order[0], in_order[-1]} <= phone.present_rows()["exposure"]


def test_what_belongs_to_a_lost_row_is_not_kept(phone: Filled) -> None:
    (tek_id, *_), *_ = sorted(phone.rows["tek"])
    assert tek_id == 1
    key_data = next(row[4] for row in phone.rows["tek"])
    assert isinstance(key_data, bytes)

    without_page(phone, page_of(phone, key_data))
    salvaged = salvage(phone.path, phone.key_store, now=NOON)

    assert salvaged.damaged == {"tek", "broadcast"}
    assert salvaged.kept["tek"] == salvaged.kept["broadcast"] == 0
    assert salvaged.kept["sighting"] == 10_000


def test_a_lost_log_costs_what_stood_in_it_alone(phone: Filled) -> None:
    phone.leave(phone.content)
    with open_store(phone.folder) as store:
        store.sightings.add([a_sighting()])
        before_closing = phone.path.read_bytes()
    phone.leave(before_closing)

    assert phone.present_rows() == phone.rows


def test_what_stands_in_the_log_is_salvaged(phone: Filled) -> None:
    phone.leave(phone.content)
    log = phone.folder / "store.db-wal"
    with open_store(phone.folder) as store:
        store.sightings.add([a_sighting()])
        left, left_log = bytearray(phone.path.read_bytes()), log.read_bytes()
    left[60 * PAGE + 7] ^= 1
    phone.leave(left)
    log.write_bytes(left_log)

    salvaged = salvage(phone.path, phone.key_store, now=NOON)

    assert max(phone.present_rows()["scan"]) not in phone.rows["scan"]
    assert not log.exists()
    assert 9_000 < salvaged.kept["sighting"] < 10_001


def test_with_another_key_everything_is_set_aside_unharmed(phone: Filled) -> None:
    phone.leave(phone.content)
    log = phone.folder / "store.db-wal"
    with open_store(phone.folder) as store:
        store.sightings.add([a_sighting()])
        left, left_log = phone.path.read_bytes(), log.read_bytes()
    phone.leave(left)
    log.write_bytes(left_log)
    other_key = FileKeyStore(phone.folder / "other")
    other_key.save(KEY)

    salvaged = salvage(phone.path, other_key, now=NOON)

    assert salvaged.kept == {}
    assert "tek" in salvaged.damaged
    assert not phone.path.exists()
    assert not log.exists()
    assert stat.S_IMODE(salvaged.set_aside.stat().st_mode) == 0o600
    salvaged.set_aside.rename(phone.path)
    salvaged.set_aside.with_name(salvaged.set_aside.name + "-wal").rename(log)
    assert len(phone.present_rows()["scan"]) == len(phone.rows["scan"]) + 1


def test_without_a_key_the_phone_begins_anew(phone: Filled) -> None:
    phone.leave(phone.content)
    away = phone.folder / "away"
    (phone.folder / "key").rename(away)

    salvage(phone.path, phone.key_store, now=NOON)

    with open_store(phone.folder) as store:
        assert store.contents() == EMPTY
    away.replace(phone.folder / "key")


def test_a_database_of_a_later_version_is_left_where_it_is(phone: Filled) -> None:
    phone.leave(phone.content)
    with open_store(phone.folder) as store:
        store._database.execute("PRAGMA user_version = 99")
    before = phone.path.read_bytes()

    with pytest.raises(NewerStoreError):
        salvage(phone.path, phone.key_store, now=NOON)

    assert phone.path.read_bytes() == before
    assert [file.name for file in phone.folder.glob("store.db*")] == ["store.db"]


def test_a_database_that_is_in_use_is_left_alone(phone: Filled) -> None:
    phone.leave(phone.content)
    with open_store(phone.folder), pytest.raises(StoreInUseError):
        salvage(phone.path, phone.key_store, now=NOON)


def test_a_salvage_that_fails_leaves_the_damaged_database(phone: Filled) -> None:
    without_page(phone, 60)
    before = phone.path.read_bytes()
    in_the_way = phone.folder / "store.db.rescue"
    in_the_way.mkdir()

    with pytest.raises(StoreError):
        salvage(phone.path, phone.key_store, now=NOON)

    assert phone.path.read_bytes() == before
    in_the_way.rmdir()


def test_what_a_salvage_left_that_was_killed_is_not_taken_over(phone: Filled) -> None:
    without_page(phone, 60)
    (phone.folder / "store.db.rescue").write_bytes(phone.content[: 10 * PAGE])
    (phone.folder / "store.db.rescue-wal").write_bytes(b"half a log")

    salvaged = salvage(phone.path, phone.key_store, now=NOON)

    assert salvaged.kept["tek"] == 14
    assert not list(phone.folder.glob("*.rescue*"))


def test_where_there_is_no_database_there_is_nothing_to_salvage(tmp_path: Path) -> None:
    key_store = FileKeyStore(tmp_path / "key")
    for _ in range(2):
        with pytest.raises(StoreError):
            salvage(tmp_path / "store.db", key_store, now=NOON)
        key_store.save(KEY)
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_a_damaged_database_of_the_first_version_is_salvaged_and_upgraded(tmp_path: Path) -> None:
    folder = tmp_path / "phone"
    folder.mkdir()
    key_store = FileKeyStore(folder / "key")
    key_store.save(KEY)
    path = folder / "store.db"
    with closing(EncryptedDatabase(path, KEY)) as database:
        upgrade(database, to=1)
        heard = [
            (int(NOON.timestamp()) - second, 0, None, -70, bytes(16), b"meta")
            for second in range(0, 100_000, 50)
        ]
        database.execute_many("INSERT INTO sighting VALUES (?, ?, ?, ?, ?, ?)", heard)
        database.execute("INSERT INTO fact VALUES ('name', 'value')")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 // PAGE * PAGE] ^= 1
    path.write_bytes(content)

    salvaged = salvage(path, key_store, now=NOON)

    assert salvaged.damaged == {"sighting"}
    assert 1500 < salvaged.kept["sighting"] < 2000
    with open_store(folder) as store:
        assert store.contents() == salvaged.kept
        assert store.fact("name") == "value"


@pytest.mark.parametrize("damage", [a_flipped_bit, cut_anywhere, garbage])
def test_what_was_set_aside_goes_after_a_day(phone: Filled, damage: Damage) -> None:
    damaged(phone, damage, seed=1)
    salvaged = salvage(phone.path, phone.key_store, now=NOON)

    with open_store(phone.folder) as store:
        store.purge(NOON + SET_ASIDE_LIFETIME)
        assert salvaged.set_aside.exists()
        store.purge(NOON + SET_ASIDE_LIFETIME + timedelta(seconds=1))
        assert not salvaged.set_aside.exists()


@pytest.mark.parametrize("delete", [lambda store: store.purge(NOON), Store.erase])
def test_what_a_salvage_left_that_was_killed_goes_with_the_next_purge(
    phone: Filled, delete: Callable[[Store], None]
) -> None:
    phone.leave(phone.content)
    for suffix in ("", "-wal", "-shm"):
        (phone.folder / f"store.db.rescue{suffix}").write_bytes(phone.content[: 10 * PAGE])

    with open_store(phone.folder) as store:
        delete(store)

    assert not list(phone.folder.glob("*.rescue*"))


def test_deleting_everything_deletes_what_was_set_aside(tmp_path: Path) -> None:
    folder = tmp_path / "phone"
    open_store(folder).close()
    begin_anew(folder / "store.db", now=NOON)
    open_store(folder).close()
    second = begin_anew(folder / "store.db", now=NOON)
    with open_store(folder) as store:
        assert len(list(folder.glob("*damaged*"))) == 2

        store.erase()

        assert not second.set_aside.exists()
        assert not list(folder.glob("*damaged*"))
