import stat
from pathlib import Path

import pytest

from immuni.framework import ExposedKeyError, FileKeyStore, InvalidStoreKeyError

KEY = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.key"


def test_a_key_is_kept_for_the_owner_only(path: Path) -> None:
    FileKeyStore(path).save(KEY)

    assert FileKeyStore(path).load() == KEY
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_there_is_no_key_before_one_is_kept(path: Path) -> None:
    assert FileKeyStore(path).load() is None


def test_a_later_key_takes_the_place_of_the_former(path: Path) -> None:
    keys = FileKeyStore(path)
    keys.save(bytes(32))
    keys.save(KEY)

    assert keys.load() == KEY


def test_a_forgotten_key_is_gone(path: Path) -> None:
    keys = FileKeyStore(path)
    keys.save(KEY)
    keys.forget()
    keys.forget()

    assert keys.load() is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_not_used(path: Path, mode: int) -> None:
    FileKeyStore(path).save(KEY)
    path.chmod(mode)

    with pytest.raises(ExposedKeyError, match="0600"):
        FileKeyStore(path).load()


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(path: Path, length: int) -> None:
    with pytest.raises(InvalidStoreKeyError):
        FileKeyStore(path).save(bytes(length))

    path.write_bytes(bytes(length))
    path.chmod(0o600)
    with pytest.raises(InvalidStoreKeyError):
        FileKeyStore(path).load()
