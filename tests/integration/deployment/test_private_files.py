import os
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from immuni.deployment.folder_lock import FolderInUseError, FolderLock
from immuni.deployment.private_files import make_private_folder, write_private


def test_a_private_file_is_its_owners_only_whatever_it_was_before(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"a longer text, for all to read")
    path.chmod(0o644)

    write_private(path, b"short")

    assert path.read_bytes() == b"short"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_a_crash_left_behind_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / f".secret.{os.getpid()}").write_bytes(b"half")

    write_private(tmp_path / "secret", b"whole")

    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_folder_that_was_open_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o755)

    make_private_folder(folder)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_is_locked_until_it_is_released(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path / "lock"), FolderLock(tmp_path / "lock")
    first.acquire()
    with pytest.raises(FolderInUseError, match=f"in use by process {os.getpid()}"):
        second.acquire()

    first.release()

    second.acquire()
    second.release()


def test_a_folder_is_free_when_the_last_child_of_its_holder_has_ended(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path / "lock"), FolderLock(tmp_path / "lock")
    first.acquire()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[first.fileno()]) as child:  # noqa: S607
        first.release()
        with ThreadPoolExecutor() as threads:
            waiting = threads.submit(second.acquire)
            assert child.stdin is not None
            child.stdin.close()
            waiting.result()
        assert child.wait() == 0

    second.release()


def test_a_lock_that_is_not_held_has_no_file_to_inherit(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not held"):
        FolderLock(tmp_path / "lock").fileno()
