"""Ten thousand requests wait at once in one process of the *upload* role.

Each sends everything but its last byte; when all have, the last bytes follow, so that they wait
together. It is `immuni serve`, over real connections, with PostgreSQL behind it; only the floor is
raised, to 8 s.

Source:
    Traffic analysis mitigation, "Equal times".
"""

import os
import resource
import selectors
import socket
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import httpx
import psycopg
import pytest

from immuni.app.packet import check_packet, upload_packet
from immuni.backend.sealing import create_sealing_key
from immuni.clock import SystemClock
from immuni.deployment.databases import ServicesDatabase
from immuni.deployment.layout import Layout
from immuni.deployment.roles import LOOPBACK, Ports, Role
from immuni.deployment.supervisor import READY_LINE
from immuni.entropy import SystemEntropy
from immuni.otp import generate_otp, otp_hash
from tests.running import a_free_base_port, eventually, immuni
from tests.traffic.test_telling_dummies_apart import (
    KEYS,
    UploadHost,
    an_upload,
    authorise,
    envelope,
)

AT_ONCE: Final = 10_000
GENUINE: Final = 100
"""They come at once, too; each has to get a connection of the database within 5 s."""
DATABASE_CONNECTIONS: Final = 10
DUMMIES: Final = AT_ONCE - GENUINE
MOST_BYTES_EACH: Final = 40_000
"""A connection, its task and its timer take some 17 kB; where a body was kept it would be 110."""
MOST_GROWTH_EACH: Final = 1000
"""A second wave takes what the first one left free; a task alone would be more than this."""
FEW_FILES: Final = 256
"""What the process may open at first: far less than it needs, far more than it takes to start."""

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Running(UploadHost):
    """The role as `immuni serve` runs it."""

    pid: int = field(kw_only=True)

    def resident_bytes(self) -> int:
        """Return how much memory the process has."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def open_files(self) -> int:
        """Return how many files the process has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def sleeps(self) -> bool:
        """Tell whether the process has nothing to do: all that was sent to it has been read."""
        stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        return stat.rpartition(")")[2].split()[0] == "S"


@pytest.fixture
def host(services_database: ServicesDatabase, tmp_path: Path) -> Iterator[Running]:
    layout, base_port = Layout(tmp_path), a_free_base_port()
    layout.keys.mkdir()
    create_sealing_key(layout.analytics_key, layout.analytics_public_key)
    environment = os.environ | {
        "IMMUNI_DATA_DIR": str(tmp_path),
        "IMMUNI_BASE_PORT": str(base_port),
        "IMMUNI_INGESTION_DATABASE_URL": services_database.ingestion,
        "IMMUNI_OTP_KEYS": KEYS.render(),
        "IMMUNI_RESPONSE_FLOOR": "8s",
        "IMMUNI_BODY_TIMEOUT": "5m",
        "IMMUNI_LOG_LEVEL": "warning",
    }
    with (
        open_files_limited_to(FEW_FILES),
        subprocess.Popen(
            immuni("serve", "upload"), env=environment, stdout=subprocess.PIPE
        ) as process,
    ):
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == READY_LINE
            port = Ports(base_port).of(Role.UPLOAD)
            yield Running(port, services_database, pid=process.pid)
        finally:
            process.terminate()


@contextmanager
def open_files_limited_to(soft: int) -> Iterator[None]:
    """Set what this process, and those that it starts, may open at first."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


def genuine(host: UploadHost) -> Iterator[bytes]:
    """Yield as many checks as uploads, each with a code of its own that is authorised."""
    now, entropy = SystemClock().now(), SystemEntropy()
    codes = [otp_hash(generate_otp(entropy)) for _ in range(GENUINE)]
    authorise(host.database, codes, now)
    for number, code in enumerate(codes):
        own = envelope(host, code, now)
        yield upload_packet(own, an_upload(number, now)) if number % 2 else check_packet(own)


def dummies(host: UploadHost) -> Iterator[bytes]:
    """Yield as many checks as uploads; a look into one would find that its code is unknown."""
    now = SystemClock().now()
    own = envelope(host, otp_hash(generate_otp(SystemEntropy())), now, is_dummy=True)
    return islice(cycle([check_packet(own), upload_packet(own, an_upload(0, now))]), DUMMIES)


class Unfinished:
    """A request of which all has been sent but the last byte, over a connection of its own."""

    def __init__(self, host: UploadHost, packet: bytes) -> None:
        self.connection = socket.create_connection((LOOPBACK, host.port))
        self.connection.sendall(packet[:-1])
        self._last = packet[-1:]

    def finish(self) -> None:
        """Send the last byte."""
        self.connection.sendall(self._last)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


class Answers:
    """The answers to requests, as they come."""

    def __init__(self, requests: Iterable[Unfinished]) -> None:
        self._selector = selectors.DefaultSelector()
        for request in requests:
            self._selector.register(request.connection, selectors.EVENT_READ, request.connection)

    def have_begun(self) -> bool:
        """Tell whether at least one has come."""
        return bool(self._selector.select(0))

    def statuses(self) -> Counter[int]:
        """Wait for all of them, and return how often each status came."""
        found: Counter[int] = Counter()
        while self._selector.get_map():
            for key, _ in self._selector.select():
                found[int(key.data.recv(4096)[9:12])] += 1
                self._selector.unregister(key.fileobj)
        return found


def uploads_kept(host: UploadHost) -> int:
    with psycopg.connect(host.database.owner) as connection:
        ((count,),) = connection.execute("SELECT count(*) FROM ingestion.upload").fetchall()
        return int(count)


def test_ten_thousand_wait_at_once_in_one_process_and_leave_nothing_behind(host: Running) -> None:
    files, idle = host.open_files(), host.resident_bytes()
    with open_files_limited_to(AT_ONCE + 1000):
        waiting = wave(host, uploads=GENUINE // 2)
        assert (waiting - idle) / AT_ONCE < MOST_BYTES_EACH

        again = wave(host, uploads=GENUINE)
        assert (again - waiting) / AT_ONCE < MOST_GROWTH_EACH

    # The database's connections stay for the next ones.
    eventually(lambda: host.open_files() <= files + DATABASE_CONNECTIONS or None)


def wave(host: Running, *, uploads: int) -> int:
    """Have ten thousand wait at once; return how much memory the process then has.

    Args:
        host: Where they go.
        uploads: How many are kept when the work of the genuine ones is done.
    """
    with ExitStack() as stack:

        def begun(packets: Iterable[bytes]) -> list[Unfinished]:
            return [stack.enter_context(closing(Unfinished(host, each))) for each in packets]

        some, most = begun(genuine(host)), begun(dummies(host))
        answers = Answers([*some, *most])
        for request in some:
            request.finish()
        eventually(lambda: uploads_kept(host) == uploads or None)
        for request in most:
            request.finish()
        eventually(lambda: host.sleeps() or None)
        alive = httpx.get(f"http://{LOOPBACK}:{host.port}/livez", trust_env=False, timeout=60)
        resident = host.resident_bytes()
        # All have arrived, the work is done, others are let in; and nobody was answered so far.
        assert not answers.have_begun()
        assert alive.is_success

        assert answers.statuses() == {204: AT_ONCE}
    return resident
