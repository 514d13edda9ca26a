"""Publishers whose world breaks: run as a process of its own by the crash tests.

The process reads orders, forks a publisher for each wish, and answers with how they ended. A
publisher dies, or halts, before or after any of its effects: whatever goes to PostgreSQL or comes
from it, whatever is done to the chunk store, each sync, rename and deletion of a file; and while it
waits for PostgreSQL's answer. They are counted as they happen, so that an effect which somebody
adds is one more moment to die at.
"""

import asyncio
import errno
import logging
import os
import resource
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, cast

import msgspec
import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.waiting import Wait
from psycopg_pool import AsyncConnectionPool

from immuni.backend.chunks import ChunkName, ChunkStoreError, FolderChunkStore
from immuni.backend.infectiousness import DEFAULT_INFECTIOUSNESS
from immuni.backend.publishing.publisher import Publisher
from immuni.backend.publishing.rules import PublicationRules
from immuni.backend.publishing.settings import PublishingSettings
from immuni.backend.publishing.store import PublishingStore
from immuni.clock import ManualClock
from immuni.database import Pool
from immuni.deployment.databases import ServicesDatabase
from immuni.entropy import SystemEntropy
from tests.crash.publishing.wishes import GO_ON, HALTED, Ended, Order, Trouble, Wish
from tests.publishing import Press

SETTINGS: Final = PublishingSettings(
    padding_noise=2.0, min_keys_per_chunk=10, publish_empty_runs=False, max_keys_per_chunk=100
)
"""Several chunks in a run, and simulated people, some of whose keys wait."""
KINDS: Final = {psycopg.OperationalError: "database", ChunkStoreError: "store"}
"""The errors that a publisher may end with when its world breaks."""
_POOL_SECONDS: Final = 5

P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class Fuse:
    """Counts the moments before, within and after effects, and breaks the publisher at one.

    Attributes:
        last: The moment to break at; 0 for never.
        halts: It halts, instead of dying.
        burnt: How many there were.
    """

    last: int = 0
    halts: bool = False
    burnt: int = 0

    def burn(self) -> None:
        """Come to the next moment."""
        self.burnt += 1
        if self.burnt != self.last:
            return
        if self.halts:
            os.write(sys.stdout.fileno(), HALTED)
            os.read(sys.stdin.fileno(), len(GO_ON))
        else:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Weakness:
    """Counts the accesses to the chunk store, and lets some of them fail."""

    trouble: Trouble | None = None
    accesses: int = 0

    @property
    def strikes(self) -> bool:
        """Come to the next access, and tell whether it fails."""
        self.accesses += 1
        return self.trouble is not None and (
            self.trouble.first <= self.accesses <= self.trouble.last
        )


FUSE: Final = Fuse()
WEAKNESS: Final = Weakness()


def deadly(effect: Callable[P, R]) -> Callable[P, R]:
    """Return an effect on files, before and after which the process may break or the disk fail."""

    def around(*args: P.args, **kwargs: P.kwargs) -> R:
        _access_files()
        done = effect(*args, **kwargs)
        _access_files()
        return done

    return around


def _access_files() -> None:
    FUSE.burn()
    if WEAKNESS.strikes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class DyingConnection(AsyncConnection[TupleRow]):
    """Breaks around each exchange with the server: statements, begin, commit, copied data."""

    async def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever psycopg says
        FUSE.burn()
        done = await super().wait(_breaking(gen), *args, **kwargs)
        FUSE.burn()
        return done


def _breaking(exchange: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Break when all was sent, and nothing came back yet."""
    try:
        wanted = next(exchange)
        if wanted == Wait.R:
            FUSE.burn()
        while True:
            before, wanted = wanted, exchange.send((yield wanted))
            if before != wanted == Wait.R:
                FUSE.burn()
    except StopIteration as ended:
        return ended.value


class DyingStore(FolderChunkStore):
    """Breaks, and fails, around what is done to the store."""

    async def write(self, name: ChunkName, data: bytes) -> None:
        await _accessing(super().write, name, data)

    async def read(self, name: ChunkName) -> bytes:
        return await _accessing(super().read, name)

    async def names(self) -> list[ChunkName]:
        return await _accessing(super().names)

    async def delete(self, name: ChunkName) -> None:
        await _accessing(super().delete, name)


async def _accessing(access: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
    _access_store()
    done = await access(*args, **kwargs)
    _access_store()
    return done


def _access_store() -> None:
    FUSE.burn()
    if WEAKNESS.strikes:
        raise ChunkStoreError("the store is out of order")


async def publish(database: ServicesDatabase, folder: Path, wish: Wish) -> None:
    """Publish once, as far as the wish lets it."""
    FUSE.last, FUSE.halts = wish.moment, wish.halts
    WEAKNESS.trouble = wish.trouble
    press = Press(folder, database)
    os.fsync = deadly(os.fsync)
    tempfile.mkstemp = deadly(tempfile.mkstemp)  # type: ignore[assignment]  # counted, then done
    Path.replace = deadly(Path.replace)  # type: ignore[method-assign]  # counted, then done
    Path.unlink = deadly(Path.unlink)  # type: ignore[method-assign]  # counted, then done
    if wish.file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (wish.file_bytes, resource.RLIM_INFINITY))
    pool = AsyncConnectionPool(
        database.jobs,
        connection_class=DyingConnection,
        min_size=1,
        max_size=1,
        timeout=_POOL_SECONDS,
        open=False,
    )
    async with pool:
        publisher = Publisher(
            store=PublishingStore(cast("Pool", pool)),
            chunks=DyingStore.open(folder / "chunks"),
            signers=lambda: [press.signer],
            verification_keys=lambda: [press.verification_key],
            rules=PublicationRules(
                infectiousness=DEFAULT_INFECTIOUSNESS,
                embargo=SETTINGS.embargo,
                retention=timedelta(days=14),
            ),
            settings=SETTINGS,
            clock=ManualClock(wish.now),
            entropy=SystemEntropy(),
        )
        await publisher.publish()


@dataclass(frozen=True)
class Child:
    """A publisher that runs.

    Attributes:
        pid: Its process.
        told: What it tells of its end.
        begun: When it was forked.
        deadline: When it is killed; infinite for never.
    """

    pid: int
    told: int
    begun: float
    deadline: float

    def end(self) -> Ended:
        """Wait for the end, or make it."""
        # Not by SIGCHLD: the one of an earlier publisher would still be there, and end the wait.
        ending = os.pidfd_open(self.pid)
        patience = None if self.deadline == float("inf") else self.deadline - time.monotonic()
        select.select([ending], [], [], None if patience is None else max(0, patience))
        signal.pidfd_send_signal(ending, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        os.close(ending)
        with os.fdopen(self.told, "rb") as pipe:
            told = pipe.read()
        lasted = time.monotonic() - self.begun
        code = os.waitstatus_to_exitcode(status)
        ended = msgspec.json.decode(told, type=Ended) if code >= 0 else Ended(code=code)
        return msgspec.structs.replace(ended, lasted=lasted)


def begin(database: ServicesDatabase, folder: Path, wish: Wish) -> Child:
    """Fork a publisher."""
    told, tells = os.pipe()
    begun = time.monotonic()
    pid = os.fork()
    if pid == 0:
        ended = run(database, folder, wish)
        os.write(tells, msgspec.json.encode(ended))
        os._exit(ended.code)
    os.close(tells)
    lasts = float("inf") if wish.seconds is None else wish.seconds
    return Child(pid, told, begun, begun + lasts)


def run(database: ServicesDatabase, folder: Path, wish: Wish) -> Ended:
    """Publish, and tell how it ended."""
    error = ""
    try:
        asyncio.run(publish(database, folder, wish))
    except Exception as raised:  # noqa: BLE001 - whatever it is, the test has to hear of it
        error = next(
            (kind for known, kind in KINDS.items() if isinstance(raised, known)),
            traceback.format_exc(),
        )
    return Ended(code=int(bool(error)), error=error, moments=FUSE.burnt, accesses=WEAKNESS.accesses)


def run_all(order: Order) -> list[Ended]:
    """Fork a publisher for each wish, all at once, and tell how they ended."""
    database, folder = ServicesDatabase(**order.database), Path(order.folder)
    children = [begin(database, folder, wish) for wish in order.wishes]
    ended = {child: child.end() for child in sorted(children, key=lambda each: each.deadline)}
    return [ended[child] for child in children]


def main(lines: Iterable[str]) -> None:
    """Answer orders until there are no more."""
    # The pool warns of each connection that broke, which is what it was broken for.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    for line in lines:
        answer = run_all(msgspec.json.decode(line, type=Order))
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.stdin)
