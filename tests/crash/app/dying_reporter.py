"""A phone that reports in July: run as a process of its own, which is killed before it sends."""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from immuni.api import Platform
from immuni.app.analytics.ports import Vouchers
from tests.integration.app.servers import Servers
from tests.integration.app.serving import listening
from tests.integration.app.vouching import Patient, ReadyAttestor
from tests.integration.app.world import CHIETI, START, World

JULY: Final = datetime(2020, 7, 1, tzinfo=UTC)
_SOON: Final = timedelta(hours=11)
"""At least two detections find the window of a month open."""


class DeadlyAttestor:
    """Kills its process when it is asked: the decision is stored, and nothing is sent."""

    async def attest(self, nonce: bytes) -> str:  # noqa: ARG002 - the interface has it
        """End."""
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


async def report(folder: Path, since: datetime, until: datetime, attestor: str) -> None:
    """Let background sessions follow each other.

    Print when each begins, and how many reports were attested before.

    Args:
        folder: Of the phone's files.
        since: When the phone's process begins.
        until: When it ends.
        attestor: ``deadly``, or one that works.
    """
    servers = Servers(START)
    servers.settings = {"operational_info_without_exposure_sampling_rate": 1.0}
    ready = ReadyAttestor()
    async with listening(lambda _port: servers.app()) as port:
        world = World(folder, url=f"http://127.0.0.1:{port}", servers=servers)
        vouchers = Vouchers(attestor=DeadlyAttestor() if attestor == "deadly" else ready)
        phone = await world.add(
            "alice", platform=Platform.ANDROID, vouchers=vouchers, entropy=Patient("alice")
        )
        if phone.next_onboarding_step() is not None:
            await phone.set_up(CHIETI)
        world.pass_over(since - world.clock.now())
        while world.clock.now() < until:
            print(world.clock.now().isoformat(), len(ready.nonces), flush=True)  # noqa: T201 - read by the test
            await phone.background_session()
            world.pass_over(_SOON)
        await world.close()


if __name__ == "__main__":
    folder, since, until, attestor = sys.argv[1:]
    asyncio.run(
        report(Path(folder), datetime.fromisoformat(since), datetime.fromisoformat(until), attestor)
    )
