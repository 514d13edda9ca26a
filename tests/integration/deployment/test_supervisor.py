"""The supervisor, with one real process to keep alive."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import pytest

from immuni.clock import ManualClock
from immuni.deployment.databases import AnalyticsDatabase
from immuni.deployment.folder_lock import FolderInUseError, FolderLock
from immuni.deployment.roles import Ports, Role
from immuni.deployment.supervisor import RoleFailedError, Supervisor, role_part
from tests.processes import held, processes_naming
from tests.running import a_free_base_port, eventually

NOON: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
WITHIN_SECONDS: Final = 60

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


@dataclass(frozen=True)
class Watched:
    """A supervisor that runs the Analytics Service alone.

    Attributes:
        supervisor: It.
        folder: Holds settings, log and lock.
        port: Where the service answers.
        clock: By which falls are counted; it stands still.
    """

    supervisor: Supervisor
    folder: Path
    port: int
    clock: ManualClock

    def tells(self, text: str) -> bool | None:
        """Tell that the process has logged `text`, or nothing."""
        return text in (self.folder / "analytics.log").read_text() or None

    def pids(self) -> set[int]:
        """Return the processes of the service."""
        return set(processes_naming(self.folder / "immuni.toml"))

    async def fall(self) -> None:
        """Kill the process as soon as there is one, and wait for its end."""
        found = partial(processes_naming, self.folder / "immuni.toml")
        processes = await asyncio.to_thread(eventually, lambda: found() or None)
        with held(processes) as (process,):
            os.kill(process.pid, signal.SIGKILL)
            assert await asyncio.to_thread(process.ends_within, WITHIN_SECONDS)

    async def answers(self) -> None:
        """Wait until the service is ready."""
        # The transport waits a little longer before each new try.
        transport = httpx.AsyncHTTPTransport(retries=8)
        async with httpx.AsyncClient(transport=transport, timeout=WITHIN_SECONDS) as client:
            answer = await client.get(f"http://127.0.0.1:{self.port}/readyz")
        assert answer.is_success


@contextmanager
def a_lock(folder: Path) -> Iterator[FolderLock]:
    lock = FolderLock(folder / "lock")
    lock.acquire()
    yield lock
    lock.release()


@asynccontextmanager
async def supervising(folder: Path, database_url: str) -> AsyncIterator[Watched]:
    """Have a supervisor, which is not started yet."""
    base_port = a_free_base_port()
    settings = folder / "immuni.toml"
    settings.write_text(
        f'base_port = {base_port}\nanalytics_database_url = "{database_url}"\n'
        f'data_dir = "{folder}"\n'
    )
    clock = ManualClock(NOON)
    with a_lock(folder) as lock:
        log = folder / "analytics.log"
        supervisor = Supervisor(
            [role_part(Role.ANALYTICS, settings_file=settings, log=log)],
            environment=os.environ,
            lock=lock,
            clock=clock,
        )
        port = Ports(base_port).of(Role.ANALYTICS)
        try:
            yield Watched(supervisor, folder, port, clock)
        finally:
            await supervisor.stop()


@pytest.fixture
async def watched(tmp_path: Path, analytics_database: AnalyticsDatabase) -> AsyncIterator[Watched]:
    async with supervising(tmp_path, analytics_database.analytics) as watched:
        yield watched


@asynccontextmanager
async def watching(supervisor: Supervisor) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(supervisor.watch())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_start_is_over_when_the_process_answers(watched: Watched) -> None:
    await watched.supervisor.start()

    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{watched.port}/readyz")
    assert answer.is_success


async def test_a_stop_ends_the_process(watched: Watched) -> None:
    await watched.supervisor.start()

    await watched.supervisor.stop()

    assert watched.pids() == set()


async def test_a_process_that_does_not_come_up_is_named_with_its_log(tmp_path: Path) -> None:
    async with supervising(tmp_path, "postgresql://nobody@127.0.0.1:1/nothing") as watched:
        with pytest.raises(RoleFailedError) as failed:
            await watched.supervisor.start()

        assert str(failed.value) == (
            f"analytics did not come up; see {watched.folder / 'analytics.log'}"
        )
        assert watched.tells("the database does not answer")
        assert watched.pids() == set()


async def test_a_process_that_falls_now_and_then_is_started_again_and_again(
    watched: Watched,
) -> None:
    await watched.supervisor.start()
    async with watching(watched.supervisor) as watch:
        for _ in range(6):
            watched.clock.advance(timedelta(seconds=20))
            await watched.fall()

        await watched.answers()
        assert not watch.done()


async def test_a_process_that_falls_six_times_in_a_minute_is_given_up(watched: Watched) -> None:
    await watched.supervisor.start()
    async with watching(watched.supervisor) as watch:
        for _ in range(6):
            watched.clock.advance(timedelta(seconds=11))
            await watched.fall()
        async with asyncio.timeout(WITHIN_SECONDS):
            with pytest.raises(RoleFailedError, match="analytics fell 6 times in a minute; see /"):
                await watch


async def test_a_process_that_does_not_come_up_again_is_tried_once_more(watched: Watched) -> None:
    await watched.supervisor.start()
    async with watching(watched.supervisor) as watch:
        await watched.fall()
        with socket.create_server(("127.0.0.1", watched.port)):
            told = partial(watched.tells, "address already in use")
            await asyncio.to_thread(eventually, told, within_seconds=WITHIN_SECONDS)

        await watched.answers()
        assert not watch.done()


async def test_the_folder_stays_locked_for_as_long_as_a_process_lives(watched: Watched) -> None:
    await watched.supervisor.start()
    # As when the supervisor is killed: only the processes hold the lock.
    lock = watched.supervisor._lock
    os.close(lock.fileno())
    lock._descriptor = None

    another = FolderLock(watched.folder / "lock")
    with pytest.raises(FolderInUseError):
        another.acquire()
    await watched.supervisor.stop()
    another.acquire()
    another.release()
