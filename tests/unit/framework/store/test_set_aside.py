import stat
from datetime import timedelta
from pathlib import Path

import pytest

from immuni.framework.store.encrypted_database import StoreError
from immuni.framework.store.set_aside import forget_set_aside, set_aside
from tests.unit.framework.phones import NOON


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    path.write_bytes(b"old")
    path.with_name("store.db-wal").write_bytes(b"old log")
    return path


def names(path: Path) -> set[str]:
    return {file.name for file in path.parent.iterdir()}


def test_a_database_moves_with_its_log(path: Path) -> None:
    aside = set_aside(path, NOON)

    assert names(path) == {aside.name, f"{aside.name}-wal"}
    assert aside.name == "store.db.damaged-20200610T120000Z"
    assert aside.read_bytes() == b"old"
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600


def test_a_successor_takes_its_place_without_the_old_log(path: Path) -> None:
    successor = path.with_name("new")
    successor.write_bytes(b"new")

    aside = set_aside(path, NOON, successor=successor)

    assert path.read_bytes() == b"new"
    assert names(path) == {"store.db", aside.name, f"{aside.name}-wal"}


def test_a_successor_that_is_missing_leaves_what_was_there(path: Path) -> None:
    with pytest.raises(StoreError):
        set_aside(path, NOON, successor=path.with_name("missing"))

    assert path.read_bytes() == b"old"


def test_two_of_one_second_do_not_take_each_others_name(path: Path) -> None:
    first = set_aside(path, NOON)
    path.write_bytes(b"another")
    second = set_aside(path, NOON)

    assert first.read_bytes() == b"old"
    assert second.read_bytes() == b"another"


def test_they_are_forgotten_by_their_age_with_their_logs(path: Path) -> None:
    set_aside(path, NOON)
    path.write_bytes(b"another")
    path.with_name("store.db.damaged-by-somebody").write_bytes(b"")
    second = set_aside(path, NOON + timedelta(seconds=1))

    forget_set_aside(path, NOON + timedelta(seconds=1))
    assert names(path) == {second.name, "store.db.damaged-by-somebody"}

    forget_set_aside(path)
    assert names(path) == set()


def test_what_cannot_be_moved_is_told_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as refused:
        set_aside(tmp_path / "store.db", NOON)

    assert str(tmp_path) not in str(refused.value)
