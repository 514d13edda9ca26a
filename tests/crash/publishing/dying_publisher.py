"""Publishers that are killed: run as a process of its own by the crash tests.

The process reads a wish a line, forks a publisher for each, and answers with how it ended. A
publisher dies before or after any of its effects: whatever goes to PostgreSQL or comes from it,
whatever is done to the chunk store, each sync and rename of a file. They are counted as they
happen, so that an effect which somebody adds is one more moment to die at.
"""

import asyncio
import json
import os
import select
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, cast

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from immuni.backend.chunks import ChunkName, FolderChunkStore
from immuni.backend.infectiousness import DEFAULT_INFECTIOUSNESS
from immuni.backend.publishing.publisher import Publisher
from immuni.backend.publishing.rules import PublicationRules
from immuni.backend.publishing.settings import PublishingSettings
from immuni.backend.publishing.store import PublishingStore
from immuni.clock import ManualClock
from immuni.database import Pool
from immuni.deployment.databases import ServicesDatabase
from immuni.entropy import SystemEntropy
from tests.publishing import NOW, Press

SETTINGS: Final = PublishingSettings(
    padding_noise=2.0, min_keys_per_chunk=10, publish_empty_runs=False, max_keys_per_chunk=100
)
"""Several chunks in a run, and simulated people, some of whose keys wait."""

P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class Fuse:
    """Counts the moments before and after effects, and kills the process at one of them.

    Attributes:
        last: The moment to die at; 0 for never.
        burnt: How many there were.
    """

    last: int
    burnt: int = 0

    def burn(self) -> None:
        """Come to the next moment."""
        self.burnt += 1
        if self.burnt == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


FUSE: Final = Fuse(0)


def deadly(effect: Callable[P, R]) -> Callable[P, R]:
    """Return an effect before and after which the process may die."""

    def around(*args: P.args, **kwargs: P.kwargs) -> R:
        FUSE.burn()
        done = effect(*args, **kwargs)
        FUSE.burn()
        return done

    return around


class DyingConnection(AsyncConnection[TupleRow]):
    """Dies around each exchange with the server: statements, begin, commit, copied data."""

    async def wait(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever psycopg says
        FUSE.burn()
        done = await super().wait(*args, **kwargs)
        FUSE.burn()
        return done


class DyingStore(FolderChunkStore):
    """Dies around what is done to the store."""

    async def write(self, name: ChunkName, data: bytes) -> None:
        FUSE.burn()
        await super().write(name, data)
        FUSE.burn()

    async def delete(self, name: ChunkName) -> None:
        FUSE.burn()
        await super().delete(name)
        FUSE.burn()


async def publish(database: ServicesDatabase, folder: Path) -> None:
    """Publish once, as far as the fuse lets it."""
    press = Press(folder, database)
    os.fsync = deadly(os.fsync)
    Path.replace = deadly(Path.replace)  # type: ignore[method-assign]  # counted, then done
    pool = AsyncConnectionPool(
        database.jobs, connection_class=DyingConnection, min_size=1, max_size=1, open=False
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
            clock=ManualClock(NOW),
            entropy=SystemEntropy(),
        )
        await publisher.publish()


def run_one(database: ServicesDatabase, folder: Path, wish: dict[str, float]) -> dict[str, int]:
    """Fork a publisher, and tell how it ended and how many moments it had."""
    told, tells = os.pipe()
    child = os.fork()
    if child == 0:
        FUSE.last = int(wish.get("moment", 0))
        asyncio.run(publish(database, folder))
        os.write(tells, str(FUSE.burnt).encode())
        os._exit(0)
    os.close(tells)
    if "seconds" in wish:
        # Not by SIGCHLD: the one of an earlier publisher would still be there, and end the wait.
        ending = os.pidfd_open(child)
        select.select([ending], [], [], wish["seconds"])
        os.close(ending)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with os.fdopen(told, "rb") as pipe:
        burnt = int(pipe.read() or 0)
    return {"code": os.waitstatus_to_exitcode(status), "moments": burnt}


def main(urls: str, folder: str, wishes: Iterable[str]) -> None:
    """Answer wishes until there are no more."""
    database = ServicesDatabase(**json.loads(urls))
    for wish in wishes:
        answer = run_one(database, Path(folder), json.loads(wish))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:], wishes=sys.stdin)  # type: ignore[misc]  # the two that are given
