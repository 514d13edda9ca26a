"""The *analytics* role dies under authorisations, at each of their steps.

Real processes on a real database, and the stand-in for Apple over real HTTP. Whatever is killed,
and when: no device is blacklisted, each authorisation ends, and what was written is known.
"""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, LiteralString

import httpx
import psycopg
import pytest

from immuni.clock import SystemClock
from immuni.deployment.databases import AnalyticsDatabase
from immuni.deployment.roles import LOOPBACK, Ports, Role
from immuni.deployment.supervisor import READY_LINE
from immuni.testing.apple import Fault, Mischief, When, device_token
from tests.apple import KEY_ID, TEAM_ID, Apple, answering_apple
from tests.running import a_free_base_port, immuni

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

TOKEN_PATH: Final = "/v1/analytics/apple/token"
# The calls of an authorisation, in their order, and what becomes of a phone whose process was
# killed there: only a mark that was made is taken back.
KILLED_AT: Final[dict[str, tuple[int, When, bool]]] = {
    "first-look": (1, When.BEFORE, True),
    "second-look": (2, When.BEFORE, True),
    "mark-unmade": (3, When.BEFORE, True),
    "mark-made": (3, When.AFTER, False),
    "check": (4, When.BEFORE, True),
    "clear-undone": (5, When.BEFORE, True),
    "clear-done": (5, When.AFTER, True),
}


class AnalyticsHost:
    """A process of the *analytics* role that can be killed and started again."""

    def __init__(self, database: AnalyticsDatabase, apple: Apple, folder: Path) -> None:
        base_port = a_free_base_port()
        self.url = f"http://{LOOPBACK}:{Ports(base_port).of(Role.ANALYTICS)}"
        self._environment = os.environ | {
            "IMMUNI_DATA_DIR": str(folder),
            "IMMUNI_BASE_PORT": str(base_port),
            "IMMUNI_ANALYTICS_DATABASE_URL": database.analytics,
            "IMMUNI_DEVICE_CHECK_URL": apple.url.rstrip("/"),
            "IMMUNI_DEVICE_CHECK_KEY_FILE": str(apple.write_key(folder)),
            "IMMUNI_DEVICE_CHECK_KEY_ID": KEY_ID,
            "IMMUNI_DEVICE_CHECK_TEAM_ID": TEAM_ID,
            "IMMUNI_DEVICE_CHECK_TIMEOUT": "1s",
            "IMMUNI_MAX_READ_TIME": "50ms",
            "IMMUNI_CHECK_TIME": "2050ms",
            "IMMUNI_LOG_LEVEL": "error",
        }
        self.apple = apple
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        process = subprocess.Popen(
            immuni("serve", Role.ANALYTICS), env=self._environment, stdout=subprocess.PIPE
        )
        self._process = process
        assert process.stdout is not None
        assert process.stdout.readline() == READY_LINE

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    async def ask(self, device: str) -> int:
        """Ask for the token of a phone, and return the status."""
        body = {
            "analytics_token": device.encode().hex().zfill(128),
            "device_token": device_token(device),
        }
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=20) as http:
            return (await http.post(TOKEN_PATH, json=body)).status_code


@asynccontextmanager
async def a_host(database: AnalyticsDatabase, folder: Path) -> AsyncIterator[AnalyticsHost]:
    """Start a process that asks a stand-in of its own."""
    async with answering_apple(SystemClock()) as apple:
        host = AnalyticsHost(database, apple, folder)
        try:
            await asyncio.to_thread(host.start)
            yield host
        finally:
            await asyncio.to_thread(host.kill)


async def rows(database: AnalyticsDatabase, query: LiteralString) -> list[Any]:
    """Return what the owner of the database sees."""
    async with await psycopg.AsyncConnection.connect(database.owner) as owner:
        return await (await owner.execute(query)).fetchall()


async def all_ended(database: AnalyticsDatabase) -> None:
    """Wait until no authorisation runs."""
    async with asyncio.timeout(120):
        while await rows(database, "SELECT FROM analytics.authorisation"):  # noqa: ASYNC110 - the database has no event for it
            await asyncio.sleep(0.1)


def bits(apple: Apple, device: str) -> tuple[bool, bool]:
    """Return (bit1, bit0) of a device; those of one that has none are the default ones."""
    found = apple.server.devices.query(device)
    return (False, False) if found is None else (found.bit1, found.bit0)


async def test_killed_at_each_step_it_is_resumed_and_nobody_is_blacklisted(
    analytics_database: AnalyticsDatabase, tmp_path: Path
) -> None:
    async with a_host(analytics_database, tmp_path) as host:
        server = host.apple.server
        server.faults.add(
            Fault(mischief=Mischief.HANG, when=when, device=device, number=number)
            for device, (number, when, _) in KILLED_AT.items()
        )
        for number in range(1, 6):
            devices = [device for device, (call, *_) in KILLED_AT.items() if call == number]
            for device in devices:
                assert await host.ask(device) == HTTPStatus.ACCEPTED
            async with asyncio.timeout(60):
                while any(server.calls[device] < number for device in devices):  # noqa: ASYNC110 - another process makes the calls
                    await asyncio.sleep(0.01)
            await asyncio.to_thread(host.kill)
            await asyncio.to_thread(host.start)
            # The next kill must not meet those of this one at another of their steps.
            await all_ended(analytics_database)

        statuses = {device: await host.ask(device) for device in KILLED_AT}
        assert statuses == {
            device: HTTPStatus.CREATED if is_authorised else HTTPStatus.ACCEPTED
            for device, (_, _, is_authorised) in KILLED_AT.items()
        }
        await all_ended(analytics_database)
        assert {bits(host.apple, device) for device in KILLED_AT} == {(False, False)}
