"""A phone whose files may not grow: run as a process of its own, because the limit is its own."""

import json
import resource
import sys
from datetime import timedelta
from pathlib import Path
from typing import Final

from immuni.framework import RETENTION, StoreFullError
from tests.crash.framework.dying_listener import BEGIN, open_phone, scan

ROOM: Final = 2**21


def limit(size: int) -> None:
    """Let no file of this process become larger."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def fill(folder: Path) -> dict[str, object]:
    """Hear until there is no room, look, make room, and go on."""
    kept = 0
    with open_phone(folder) as store:
        limit(ROOM)
        refused = ""
        while not refused:
            try:
                store.sightings.add(scan(kept))
                kept += 1
            except StoreFullError as error:
                refused = str(error)
        while_full = len(store.sightings.all())
        try:
            store.purge(BEGIN + RETENTION + timedelta(days=2))
            purged_while_full = True
        except StoreFullError:
            purged_while_full = False
    with open_phone(folder) as store:
        after_restart = len(store.sightings.all())
        limit(resource.RLIM_INFINITY)
        store.sightings.add(scan(kept))
        with_room = len(store.sightings.all())
    return {
        "refused": refused,
        "kept": kept,
        "while_full": while_full,
        "purged_while_full": purged_while_full,
        "after_restart": after_restart,
        "with_room": with_room,
    }


if __name__ == "__main__":
    json.dump(fill(Path(sys.argv[1])), sys.stdout)
