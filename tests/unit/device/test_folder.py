import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from immuni.device import DataFolderError, DeviceFolder, NotDamagedError
from immuni.entropy import SeededEntropy
from immuni.framework import StoreLockedError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def place() -> Iterator[Path]:
    # Folders of tests may have longer names than that of a socket may be.
    with TemporaryDirectory() as place:
        yield Path(place)


@pytest.fixture
def folder(place: Path) -> DeviceFolder:
    """A folder with a whole database in it."""
    folder = DeviceFolder(place / "device")
    folder.open_store(SeededEntropy(1)).close()
    return folder


def test_a_folder_that_is_made_is_its_owners_alone(folder: DeviceFolder) -> None:
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701, 0o777])
def test_a_folder_that_others_may_enter_is_refused_and_left_alone(mode: int, place: Path) -> None:
    place.chmod(mode)

    with pytest.raises(DataFolderError, match=f"it has mode {mode:04o}"):
        DeviceFolder(place).open_store(SeededEntropy(1))

    assert stat.S_IMODE(place.stat().st_mode) == mode
    assert list(place.iterdir()) == []


def test_a_path_too_long_for_a_socket_is_refused_before_anything_is_made(place: Path) -> None:
    room = 107 - len(os.fsencode(place / "" / "device.sock")) - 1
    DeviceFolder(place / ("x" * room)).prepare()
    too_long = DeviceFolder(place / ("y" * (room + 1)))

    with pytest.raises(DataFolderError, match="more than 107 bytes"):
        too_long.open_store(SeededEntropy(1))

    assert not too_long.path.exists()


@pytest.mark.parametrize("place", ["/proc/immuni", "/dev/null", "/dev/null/device"])
def test_an_impossible_folder_is_told_in_one_line(place: str) -> None:
    with pytest.raises(DataFolderError, match=f"^{place} cannot be the data folder: "):
        DeviceFolder(Path(place)).prepare()


def test_a_whole_database_needs_no_repair(folder: DeviceFolder) -> None:
    before = folder.database.read_bytes()

    with pytest.raises(NotDamagedError, match="not damaged"):
        folder.repair(now=NOW, give_up_locked=True)

    assert folder.database.read_bytes() == before
    folder.open_store(SeededEntropy(2)).close()


def test_without_a_database_there_is_nothing_to_repair(place: Path) -> None:
    with pytest.raises(NotDamagedError, match="no database"):
        DeviceFolder(place).repair(now=NOW, give_up_locked=True)

    assert list(place.iterdir()) == []


@pytest.mark.parametrize("key", [None, bytes(32)])
def test_a_database_without_its_key_stays_until_it_is_given_up(
    key: bytes | None, folder: DeviceFolder
) -> None:
    before = folder.database.read_bytes()
    folder.key.unlink()
    if key is not None:
        folder.key.write_bytes(key)
        folder.key.chmod(0o600)

    with pytest.raises(StoreLockedError, match="--begin-anew"):
        folder.repair(now=NOW, give_up_locked=False)
    assert folder.database.read_bytes() == before

    saved = folder.repair(now=NOW, give_up_locked=True)
    assert saved.set_aside.read_bytes() == before
    assert not folder.database.exists()


def test_a_damaged_database_is_repaired(folder: DeviceFolder) -> None:
    content = bytearray(folder.database.read_bytes())
    content[4096 * 2 + 100] ^= 1
    folder.database.write_bytes(content)

    saved = folder.repair(now=NOW, give_up_locked=False)

    assert saved.set_aside.exists()
    folder.open_store(SeededEntropy(3)).close()
