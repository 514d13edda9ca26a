"""What is deleted leaves no bytes: in the file, its free pages, and its log."""

import secrets
import shutil
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from immuni.framework import RETENTION, Store
from immuni.framework.store.own_keys import Broadcast
from immuni.keys import interval_at
from immuni.matching import Sighting
from tests.unit.framework.phones import NOON, open_store
from tests.unit.framework.store.damage import draws
from tests.unit.framework.store.samples import a_sighting, a_tek, a_window, an_exposure, some_scans

LATER: Final = NOON + RETENTION + timedelta(days=1)


class Marks:
    """Bytes that a store holds, by what they are."""

    def __init__(self, store: Store, *, scans: int = 300) -> None:
        """Fill `store`, so that it has pages enough to free some."""
        heard = some_scans(scans)
        tek = a_tek()
        self.tag = store.results.tag_of(secrets.token_bytes(16))
        self.result = secrets.token_bytes(16)
        self.address = secrets.token_bytes(6)
        store.sightings.add(heard)
        key = store.keys.add(tek)
        store.keys.keep_broadcast(Broadcast(key, interval_at(NOON), self.address, NOON, NOON))
        store.results.add_exposures(NOON, [(self.tag, an_exposure())])
        store.results.add_windows(NOON, [a_window(self.tag, self.result)])
        self.heard = {
            "rpi": [bytes(each.rpi) for each in heard],
            # Four bytes stand in noise by chance: so the row's, which lie beside each other.
            "aem": [
                b"".join(each.aem or b"" for each in heard[place : place + 5])
                for place in range(0, len(heard), 5)
            ],
        }
        self.own = {"tek": [tek.key_data]}
        self.found = {"tag": [bytes(self.tag)], "result": [self.result]}

    @property
    def all(self) -> dict[str, list[bytes]]:
        return self.heard | self.own | self.found


def traces(store: Store, marks: dict[str, list[bytes]]) -> set[str]:
    """Return which kinds of marks still stand somewhere."""
    pages = list(store._database.plain_pages())
    return {
        kind for kind, needles in marks.items() if any(n in page for page in pages for n in needles)
    }


def every_trace(store: Store, marks: dict[str, list[bytes]]) -> bool:
    pages = list(store._database.plain_pages())
    return all(any(n in page for page in pages) for needles in marks.values() for n in needles)


def purge(store: Store) -> None:
    store.purge(LATER)


def forget_after(store: Store) -> None:
    store.forget_after(NOON - timedelta(days=30))


def erase(store: Store) -> None:
    store.erase()


@pytest.mark.parametrize("delete", [purge, forget_after, erase])
@pytest.mark.parametrize("is_in_the_file", [True, False])
def test_what_is_deleted_leaves_no_bytes(
    store: Store, delete: Callable[[Store], None], *, is_in_the_file: bool
) -> None:
    marks = Marks(store)
    if is_in_the_file:
        store._database.checkpoint()
    assert every_trace(store, marks.all)

    delete(store)

    assert traces(store, marks.all) == set()


@pytest.mark.parametrize("delete", [purge, forget_after])
def test_without_secure_delete_the_bytes_would_stay(
    tmp_path: Path, delete: Callable[[Store], None]
) -> None:
    """Without this control the test above would prove nothing."""
    with open_store(tmp_path / "phone", secure_delete=False) as store:
        marks = Marks(store)
        store._database.checkpoint()

        delete(store)

        assert traces(store, marks.all) >= {"rpi", "aem", "tek", "tag", "result"}


def test_what_is_taken_back_leaves_no_bytes(store: Store) -> None:
    marks = Marks(store)
    assert every_trace(store, marks.all)

    store.results.take_back([marks.tag], now=NOON)

    # The tag stays as that of a revoked key, until no sighting can be of it any more.
    assert traces(store, marks.all) == {"rpi", "aem", "tek", "tag"}
    store.purge(LATER)
    assert traces(store, marks.all) == set()


def test_a_release_leaves_no_bytes_of_the_broadcast(store: Store) -> None:
    marks = Marks(store)
    assert store.contains_bytes(marks.address)

    store.keys.release(store.keys.all())

    assert not store.contains_bytes(marks.address)


def test_a_log_holds_what_is_deleted_only_until_the_end_of_the_purge(store: Store) -> None:
    marks = Marks(store)
    store._database.checkpoint()
    with store._database.transaction():
        store.sightings.purge(LATER)
    assert traces(store, marks.heard) == {"rpi", "aem"}

    store.purge(LATER)

    assert traces(store, marks.heard) == set()


def test_a_purge_that_was_killed_after_its_transaction_is_finished_by_the_next_opening(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "phone"
    with open_store(folder) as store:
        marks = Marks(store)
        store._database.checkpoint()
        with store._database.transaction():
            store.sightings.purge(LATER)
        # What is on the disk now is what a killed process would leave.
        shutil.copytree(folder, tmp_path / "left")

    with open_store(tmp_path / "left") as store:
        assert traces(store, marks.heard) == set()


@pytest.mark.parametrize("seed", range(3))
def test_days_that_come_and_go_leave_no_bytes_behind(store: Store, seed: int) -> None:
    """Free pages are used again and rows move between pages, in any order of times."""
    random = draws(seed)
    heard: list[Sighting] = []
    for step in range(12):
        scans = random.sample(range(1000), 60)
        now = NOON + step * timedelta(days=2)
        for scan in scans:
            seen_at = now - timedelta(minutes=scan)
            new = [a_sighting(seen_at) for _ in range(random.randrange(1, 40))]
            store.sightings.add(new)
            heard += new
        store.purge(now)
        gone = [each for each in heard if each.seen_at < now - RETENTION]
        heard = [each for each in heard if each.seen_at >= now - RETENTION]
        assert traces(store, rpis(gone)) == set()

    assert every_trace(store, rpis(heard))


def rpis(sightings: Sequence[Sighting]) -> dict[str, list[bytes]]:
    return {"rpi": [bytes(each.rpi) for each in sightings]}
