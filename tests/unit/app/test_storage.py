from pathlib import Path

import pytest
from msgspec.structs import replace

from immuni.api import ProvinceCode
from immuni.app.record import AppRecord
from immuni.app.state import AtRisk
from immuni.app.storage import AppStore, UnreadableRecordError
from immuni.entropy import SeededEntropy
from immuni.framework import FileKeyStore, StoreLockedError
from immuni.framework.store.encrypted_database import EncryptedDatabase
from tests.unit.app.records import TODAY, a_summary, an_uploadable

MARK = "MARKED-PROVINCE"


def open_store(folder: Path) -> AppStore:
    return AppStore.open(
        folder / "app.db", FileKeyStore(folder / "app.key"), entropy=SeededEntropy("store")
    )


def test_what_was_stored_is_there_after_a_restart(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    written = store.update(
        lambda record: replace(
            record,
            user=AtRisk(TODAY),
            summaries=(a_summary(infos=(an_uploadable(day=TODAY),)),),
            last_processed_chunk=7,
        )
    )
    store.close()

    again = open_store(tmp_path)

    assert again.record == written
    again.close()


def test_the_file_shows_nothing_of_what_it_holds(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.update(lambda record: replace(record, province=ProvinceCode(MARK)))
    store.close()

    content = b"".join(file.read_bytes() for file in tmp_path.glob("app.db*"))
    assert MARK.encode() not in content
    database = EncryptedDatabase(tmp_path / "app.db", (tmp_path / "app.key").read_bytes())
    assert any(MARK.encode() in page for page in database.plain_pages())
    database.close()


def test_what_the_memory_holds_no_longer_stands_on_no_page(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    # More than one page, so that some become free.
    many = tuple(a_summary(infos=(an_uploadable(day=TODAY),) * 20) for _ in range(20))
    for summaries, province in ((many, MARK), ((), "RM")):
        store.update(
            lambda record: replace(
                record,
                summaries=summaries,  # noqa: B023 - called here
                province=ProvinceCode(province),  # noqa: B023 - called here
            )
        )
    marks = (MARK.encode(), b"attenuation_value")
    # Without this control the test would prove nothing.
    assert all(any(mark in page for page in pages_of(store)) for mark in marks)

    store.scrub()

    assert not any(mark in page for page in pages_of(store) for mark in marks)
    store.close()


def pages_of(store: AppStore) -> list[bytes]:
    """Decrypt every page of the file and of its log, free ones too."""
    return list(store._database.plain_pages())


def test_a_change_that_fails_leaves_the_memory_as_it_was(tmp_path: Path) -> None:
    store = open_store(tmp_path)

    def broken(_record: AppRecord) -> AppRecord:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        store.update(broken)
    assert store.record == AppRecord()
    store.close()


def test_what_is_erased_is_gone_with_its_key(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.update(lambda record: replace(record, province=ProvinceCode(MARK)))
    former = (tmp_path / "app.key").read_bytes()

    store.erase()
    written = store.update(lambda record: replace(record, last_processed_chunk=1))
    store.close()

    again = open_store(tmp_path)
    assert again.record == written == AppRecord(last_processed_chunk=1)
    again.close()
    key = (tmp_path / "app.key").read_bytes()
    assert key != former
    database = EncryptedDatabase(tmp_path / "app.db", key)
    assert not any(MARK.encode() in page for page in database.plain_pages())
    database.close()


def test_a_lost_key_is_not_replaced_by_a_new_one(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    (tmp_path / "app.key").rename(tmp_path / "app.key.away")

    with pytest.raises(StoreLockedError):
        open_store(tmp_path)

    (tmp_path / "app.key.away").rename(tmp_path / "app.key")
    open_store(tmp_path).close()


def test_a_memory_of_another_version_is_refused_and_kept(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    database = EncryptedDatabase(tmp_path / "app.db", (tmp_path / "app.key").read_bytes())
    database.execute("INSERT INTO record (id, content) VALUES (1, ?)", (b'{"user":1}',))
    database.close()

    for _ in range(2):
        with pytest.raises(UnreadableRecordError):
            open_store(tmp_path)
