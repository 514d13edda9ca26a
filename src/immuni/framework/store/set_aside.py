"""Moving a damaged database out of the way, without losing it: what it holds may be wanted yet."""

import os
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

from immuni.framework.store.encrypted_database import typed_file_faults
from immuni.framework.store.key_store import sync_folder

SET_ASIDE_LIFETIME: Final = timedelta(days=1)
"""Nothing can be purged in a damaged database: with it, nothing lives longer than 15 days."""

_MARK: Final = ".damaged-"
_MOMENT: Final = "%Y%m%dT%H%M%SZ"
_LOG: Final = "-wal"
_RESCUE: Final = ".rescue"


def set_aside(path: Path, now: datetime, *, successor: Path | None = None) -> Path:
    """Give the database at `path` another name, and its place to `successor`.

    A crash in the middle leaves the database where it was, or the successor in its place; in both
    cases the database also has its other name, once that was given.

    Args:
        path: The database; nobody has it open.
        now: Becomes part of the name.
        successor: A whole database without a log; without it the place stays empty.

    Returns:
        Where the damaged database lies now, for its owner only.

    Raises:
        StoreError: It is still in its place.

    Privacy:
        It holds what it held, under the same key. `forget_set_aside` ends that.
    """
    with typed_file_faults():
        aside = _linked(path, now)
        log = _log_of(path)
        if log.exists():
            os.link(log, _log_of(aside))
        sync_folder(path.parent)
        # A log that stays would be taken for that of the successor.
        log.unlink(missing_ok=True)
        path.with_name(path.name + "-shm").unlink(missing_ok=True)
        if successor is None:
            path.unlink()
        else:
            successor.replace(path)
        sync_folder(path.parent)
    return aside


def forget_set_aside(path: Path, before: datetime | None = None) -> None:
    """Delete what was set aside of the database at `path`, and what a killed salvage left.

    Args:
        path: The place of the database, which the caller has open: so no salvage goes on.
        before: Only what was set aside before; without it everything.

    Raises:
        StoreError: Something could not be deleted.
    """
    delete_database(rescue_of(path))
    with typed_file_faults():
        for aside in path.parent.glob(f"{path.name}{_MARK}*"):
            if before is None or _moment_of(aside, path) < before:
                aside.unlink(missing_ok=True)


def rescue_of(path: Path) -> Path:
    """Return where a salvage makes the successor of the database at `path`."""
    return path.with_name(path.name + _RESCUE)


def delete_database(path: Path) -> None:
    """Delete a database that nobody has open, with its log.

    Raises:
        StoreError: Some file could not be deleted.
    """
    with typed_file_faults():
        for suffix in ("", _LOG, "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


def _linked(path: Path, now: datetime) -> Path:
    stem = f"{path.name}{_MARK}{now.astimezone(UTC):{_MOMENT}}"
    for attempt in count(1):
        aside = path.with_name(stem if attempt == 1 else f"{stem}.{attempt}")
        try:
            # A second name first, so that there is never a moment without any.
            os.link(path, aside)
        except FileExistsError:
            continue
        aside.chmod(0o600)
        return aside
    raise AssertionError("unreachable: the attempts have no end")


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + _LOG)


def _moment_of(aside: Path, path: Path) -> datetime:
    written = aside.name.removeprefix(path.name + _MARK)[: len("20200610T120000Z")]
    try:
        return datetime.strptime(written, _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        # Whatever that is, it was not set aside here, and its owner decides.
        return datetime.max.replace(tzinfo=UTC)
