"""A phone whose disk is full keeps what it has, and goes on when there is room."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from immuni.framework import Store, StoreFullError
from tests.crash.framework.dying_listener import SIGHTINGS_EACH, open_phone, scan


def test_a_phone_whose_files_may_not_grow_keeps_what_it_has_and_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.crash.framework.filling_phone", str(tmp_path)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

    assert told["refused"] == "the disk is full"
    assert told["kept"] > 10
    assert told["while_full"] == told["kept"] * SIGHTINGS_EACH
    if not told["purged_while_full"]:
        assert told["after_restart"] == told["while_full"]
    assert told["with_room"] == told["after_restart"] + SIGHTINGS_EACH


def filled(store: Store) -> int:
    """Hear scans until the database may not grow; return how many were kept."""
    ((pages,),) = store._database.execute("PRAGMA page_count")
    assert isinstance(pages, int)
    store._database.execute(f"PRAGMA max_page_count = {pages + 100}")
    for kept in range(1000):
        try:
            store.sightings.add(scan(kept))
        except StoreFullError:
            return kept
    raise AssertionError("the database did not fill up")


def test_what_does_not_fit_is_not_kept_in_part(tmp_path: Path) -> None:
    with open_phone(tmp_path) as store:
        kept = filled(store)

        assert kept > 0
        assert len(store.sightings.all()) == kept * SIGHTINGS_EACH
        store._database.execute("PRAGMA max_page_count = 1000000")
        store.sightings.add(scan(kept))

        assert len(store.sightings.all()) == (kept + 1) * SIGHTINGS_EACH


def test_a_fact_that_does_not_fit_leaves_the_former(tmp_path: Path) -> None:
    with open_phone(tmp_path) as store:
        store.keep_fact("name", "former")
        filled(store)

        with pytest.raises(StoreFullError):
            store.keep_fact("name", "x" * 2**20)

        assert store.fact("name") == "former"
