"""The *upload* role and its database die under phones that upload.

Whatever is killed, and when: each upload is there once and whole or not at all, a code is spent
once, and every phone has its answer in the end.
"""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from immuni.app.transport import ServerAddress
from immuni.backend.sealing import OpeningKey, create_sealing_key
from immuni.clock import SystemClock
from immuni.deployment.databases import ServicesDatabase
from immuni.deployment.layout import Layout
from immuni.deployment.roles import LOOPBACK, Ports, Role
from immuni.deployment.supervisor import READY_LINE
from immuni.deployment.wiring import ANALYTICS_KEY_ID
from immuni.entropy import SystemEntropy
from tests.crash.fragile_postgres import KILLED, WAYS_TO_STOP, FragilePostgres
from tests.crash.ingestion.phones import KEYS, Kept, Phones, hand_out_codes, people_with
from tests.running import a_free_base_port, immuni

FAULTS: Final = int(os.environ.get("UPLOAD_FAULTS", "6"))
"""`make chaos` asks for more."""
PHONES: Final = 12
UPLOADS_A_FAULT: Final = 30
RIVALS_EVERY: Final = 5

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(3600)]


class UploadHost:
    """A process of the *upload* role, started again whenever it was killed."""

    def __init__(self, database: ServicesDatabase, folder: Path) -> None:
        base_port = a_free_base_port()
        self.address = ServerAddress(LOOPBACK, Ports(base_port).of(Role.UPLOAD))
        self._environment = os.environ | {
            "IMMUNI_DATA_DIR": str(folder),
            "IMMUNI_BASE_PORT": str(base_port),
            "IMMUNI_INGESTION_DATABASE_URL": database.ingestion,
            "IMMUNI_OTP_KEYS": KEYS.render(),
            # All phones have one address here, and many of them a code that somebody else used.
            "IMMUNI_OTP_CHECK_RATE": "100000",
            "IMMUNI_RESPONSE_FLOOR": "10ms",
            "IMMUNI_RESPONSE_MEAN": "1ms",
            "IMMUNI_LOG_LEVEL": "error",
        }
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            immuni("serve", Role.UPLOAD), env=self._environment, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == READY_LINE

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        self._process.kill()
        self._process.communicate()

    def restart(self) -> None:
        """Kill it, and start it again."""
        self.kill()
        self.start()


@pytest.fixture
def opening_key(tmp_path: Path) -> OpeningKey:
    layout = Layout(tmp_path)
    layout.keys.mkdir()
    create_sealing_key(layout.analytics_key, layout.analytics_public_key)
    return OpeningKey.read(layout.analytics_key, key_id=ANALYTICS_KEY_ID)


@pytest.fixture
def upload_hosts(
    fragile_database: ServicesDatabase,
    tmp_path: Path,
    opening_key: OpeningKey,  # noqa: ARG001 - its other half is what they seal with
) -> Iterator[list[UploadHost]]:
    """Run two processes on one database."""
    hosts = [UploadHost(fragile_database, tmp_path) for _ in range(2)]
    yield hosts
    for host in hosts:
        host.kill()


async def test_whatever_dies_each_upload_is_there_once_and_whole_or_not_at_all(
    upload_hosts: list[UploadHost],
    opening_key: OpeningKey,
    fragile_postgres: FragilePostgres,
    fragile_database: ServicesDatabase,
) -> None:
    now, entropy = SystemClock().now(), SystemEntropy()
    codes = hand_out_codes(fragile_database, FAULTS * UPLOADS_A_FAULT, entropy, now)
    phones = Phones(people_with(codes, now, rivals_every=RIVALS_EVERY))

    async def break_things() -> None:
        """Break something whenever some more phones were answered, and look at what is there."""
        for number in range(FAULTS):
            for _ in range(entropy.below(UPLOADS_A_FAULT)):
                await phones.one_more.acquire()
            way = WAYS_TO_STOP[number // 2 % len(WAYS_TO_STOP)]
            if number % 2:
                await asyncio.to_thread(fragile_postgres.restart, way)
            if number % 2 == 0 or way is KILLED:
                await asyncio.to_thread(upload_hosts[entropy.below(2)].restart)
            # Those who have been answered by now; the look comes after.
            accepted = set(phones.accepted)
            kept = await asyncio.to_thread(Kept.look, fragile_database, opening_key)
            kept.check(phones.people, accepted)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(break_things())
        addresses = [host.address for host in upload_hosts]
        tasks.create_task(phones.upload_all(addresses, now, at_once=PHONES))

    kept = Kept.look(fragile_database, opening_key)
    kept.check(phones.people, phones.accepted)
    assert phones.interrupted >= FAULTS
    # Everybody was answered: one of those who shared a code well, and the other not.
    assert len(phones.accepted) == len(codes) == len(kept.uploads)
    assert phones.accepted | phones.refused == phones.people.keys()
