"""A background session that warns and reports, killed at each of its steps: run by a test.

Every try is a process of its own, on a copy of the same phone. A step is a change of the App's
memory, at which the process is killed before the change is made, or a request, at which it is
killed before the answer comes. A second process then goes on.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni.app.analytics.ports import Vouchers
from immuni.app.phone import Phone
from immuni.app.record import AppRecord
from immuni.app.storage import AppStore
from tests.integration.app.serving import listening
from tests.integration.app.vouching import Patient, ReadyAttestor
from tests.integration.app.world import World, live_two_days, uploaded_keys

REPORT: Final = "/v1/analytics/google/operational-info"
_LATER: Final = timedelta(hours=5)
"""The next check is due."""


@dataclass
class Steps:
    """Counts the steps of this process, and kills it at one of them.

    Attributes:
        deadly: Number of that step, None for a process that lives on.
    """

    deadly: int | None = None
    taken: int = 0

    def take(self) -> None:
        """Take a step, the last one perhaps."""
        self.taken += 1
        if self.taken == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)


STEPS: Final = Steps()


class DyingStore(AppStore):
    """The App's memory, whose every change is a step."""

    def update(self, change: Callable[[AppRecord], AppRecord]) -> AppRecord:
        """Take a step, then make the change."""
        STEPS.take()
        return super().update(change)


class Asked(list[str]):
    """What servers were asked, kept in a file that outlives them; each request is a step."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def append(self, path: str) -> None:
        """Keep it, then take a step."""
        with self._file.open("a", encoding="ascii") as file:
            file.write(f"{path}\n")
        STEPS.take()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a phone.

    Attributes:
        step: At which it was killed, 0 for one that was not.
        was_decided: Whether what to report had been decided by then.
        notifications: What its user was told, and of which day.
        contacts: Days of its history.
        summaries: How many there are to upload.
        last_processed: Number of the last chunk.
        reports: How many arrived.
        user: In words.
    """

    step: int
    was_decided: bool
    notifications: list[str]
    contacts: list[str]
    summaries: int
    last_processed: int | None
    reports: int
    user: str


def main(folder: Path) -> None:
    """Print an outcome for each step, the last one of a phone that was not killed."""
    world = asyncio.run(live_two_days(folder))
    asyncio.run(publish_what_bruno_sends(world))
    for step in count(1):
        copy = folder / f"killed-{step}"
        shutil.copytree(folder / "alice", copy / "alice")
        was_killed = in_a_process(lambda: session(copy, world, deadly=step)) == -signal.SIGKILL  # noqa: B023 - called here
        if in_a_process(lambda: go_on(copy, world, step if was_killed else 0)):  # noqa: B023 - called here
            raise SystemExit(f"the phone that was killed at step {step} does not go on")
        if not was_killed:
            return


def in_a_process(work: Callable[[], None]) -> int:
    """Do `work` in a copy of this process, and return how that ends."""
    pid = os.fork()
    if not pid:
        try:
            work()
            sys.stdout.flush()
        except BaseException:  # noqa: BLE001 - whatever it is, the other process must not go on
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


async def publish_what_bruno_sends(world: World) -> None:
    """Publish a chunk with the keys of the one whom alice met, and one with nobody's."""
    keys = await uploaded_keys(await world.add("bruno"))
    world.publish(1, keys)
    world.publish(2, [])
    await world.close()


def session(folder: Path, world: World, *, deadly: int | None) -> None:
    """Run one session."""
    STEPS.deadly = deadly
    asyncio.run(with_phone(folder, world, lambda phone, _world: phone.background_session()))


def go_on(folder: Path, world: World, step: int) -> None:
    """Take the phone up again, run two sessions, and print what became of it."""

    async def life(phone: Phone, living: World) -> None:
        was_decided = phone.record.analytics.exposure_drawn_in is not None
        await phone.background_session()
        living.pass_over(_LATER)
        await phone.background_session()
        record = phone.record
        outcome = Outcome(
            step=step,
            was_decided=was_decided,
            notifications=[f"{each.kind} {each.contact_day}" for each in record.notifications],
            contacts=[str(each.day) for each in record.history],
            summaries=len(record.summaries),
            last_processed=record.last_processed_chunk,
            reports=(folder / "asked").read_text(encoding="ascii").split().count(REPORT),
            user=str(record.user),
        )
        print(json.dumps(asdict(outcome)))  # noqa: T201 - read by the test

    asyncio.run(with_phone(folder, world, life))


async def with_phone(
    folder: Path, world: World, live: Callable[[Phone, World], Awaitable[None]]
) -> None:
    """Take up the phone in `folder`, with its servers."""
    servers = world.servers
    servers.asked = Asked(folder / "asked")

    async def report(request: Request) -> Response:
        servers.asked.append(request.url.path)
        return Response(status_code=204)

    app = Starlette(routes=[*servers.app().routes, Route(REPORT, report, methods=["POST"])])
    async with listening(lambda _port: app) as port:
        again = World(folder, url=f"http://127.0.0.1:{port}", servers=servers)
        again.signer, again.store_type = world.signer, DyingStore
        phone = await again.add(
            "alice", vouchers=Vouchers(attestor=ReadyAttestor()), entropy=Patient("alice")
        )
        await live(phone, again)
        await again.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
