"""Whoever sees the encrypted traffic cannot tell genuine requests from dummies.

Genuine and simulated checks and uploads go, in random order and many at a time, to the *upload*
role as a process of its own, over TLS, with PostgreSQL behind it. The answers' times must have the
same distribution, their TLS records must be the same.

Two samples of 5 000 from one distribution are farther apart than 0.04 once in 1 500 times, two of
2 500 farther than 0.06 once in 4 000; one fresh repeat makes that once in a million. Answers that
are 5 ms late are 1 - exp(-5/50) = 0.095 apart.

The controls: 5 ms are added to the times that were measured, and by a server that is at fault. For
the latter 2 000 of each are enough: without the fault they are farther apart than 0.06 once in 650
times, with it their distance has a standard deviation of 0.0066, so it is five of them above.

Source:
    Traffic analysis mitigation, "Equal times".
"""

import asyncio
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
import pytest

from immuni.api import Tek, Upload
from immuni.app.packet import Envelope, check_packet, upload_packet
from immuni.backend.otp_keys import OtpKeys
from immuni.backend.sealing import create_sealing_key
from immuni.clock import SystemClock
from immuni.deployment.databases import ServicesDatabase
from immuni.deployment.layout import Layout
from immuni.deployment.roles import LOOPBACK, Ports, Role
from immuni.entropy import SystemEntropy
from immuni.otp import OtpHash, generate_otp, otp_hash
from tests.contract.tls import make_certificate
from tests.publishing import keys_of_days
from tests.running import a_free_base_port
from tests.traffic.observer import Seen, Sent, distance, observe
from tests.traffic.upload_host import LATE, LATE_SECONDS, READY

OF_EACH_KIND: Final = 2500
"""5 000 genuine requests and 5 000 dummies in all."""
OF_EACH_KIND_IN_CONTROL: Final = 1000
AT_ONCE: Final = 40
"""Some 190 requests a second: more than half the peak of a large country, on one process."""
WRONG_CODES: Final = 20
"""Fewer than what one source may send in a minute."""
MOST: Final = 0.04
MOST_OF_ONE_KIND: Final = 0.06
MOST_IN_CONTROL: Final = 0.06
PACKET_BYTES: Final = 110_000
CLOSE, KEEP = b"Connection: close", b"Connection: keep-alive"
KEYS: Final = OtpKeys({"traffic": bytes(range(32))})

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class UploadHost:
    """A running *upload* role."""

    port: int
    database: ServicesDatabase


@pytest.fixture
async def upload_host(
    services_database: ServicesDatabase, tmp_path: Path
) -> AsyncIterator[UploadHost]:
    async with running_upload_host(services_database, tmp_path) as host:
        yield host


@asynccontextmanager
async def running_upload_host(
    database: ServicesDatabase, folder: Path, *faults: str
) -> AsyncIterator[UploadHost]:
    base_port = a_free_base_port()
    layout = Layout(folder)
    layout.keys.mkdir()
    create_sealing_key(layout.analytics_key, layout.analytics_public_key)
    variables = {
        "IMMUNI_DATA_DIR": str(folder),
        "IMMUNI_BASE_PORT": str(base_port),
        "IMMUNI_INGESTION_DATABASE_URL": database.ingestion,
        "IMMUNI_OTP_KEYS": KEYS.render(),
    }
    certificate = [str(path) for path in make_certificate(folder)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.traffic.upload_host",
        json.dumps(variables),
        *certificate,
        *faults,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert (await process.stdout.readline()).decode().strip() == READY
        yield UploadHost(Ports(base_port).of(Role.UPLOAD), database)
    finally:
        process.terminate()
        await process.wait()


def authorise(database: ServicesDatabase, codes: Sequence[OtpHash], now: datetime) -> None:
    """Authorise many codes at once, behind the OTP Service's back."""
    onset = now.date() - timedelta(days=3)
    with psycopg.connect(database.owner) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ingestion.otp (key_id, keyed_hash, onset_on, authorised_at, expires_at)"
            " VALUES (%s, %s, %s, %s, %s)",
            [
                (KEYS.current_id, KEYS.keyed(code)[0], onset, now, now + timedelta(hours=1))
                for code in codes
            ],
        )


def traffic(host: UploadHost, count: int) -> list[Sent]:
    """Return `count` requests of each kind, in random order; the genuine ones all succeed."""
    entropy, now = SystemEntropy(), SystemClock().now()
    codes = [otp_hash(generate_otp(entropy)) for _ in range(count + 1)]
    authorise(host.database, codes, now)
    checked, *spent = codes
    unknown = otp_hash(generate_otp(entropy))
    wrong = Sent("wrong code", check_packet(envelope(host, unknown, now)))
    requests = [wrong] * WRONG_CODES
    for number, code in enumerate(spent):
        upload = an_upload(number, now)
        requests += [
            Sent("check", check_packet(envelope(host, checked, now))),
            Sent("dummy check", check_packet(envelope(host, unknown, now, is_dummy=True))),
            Sent("upload", upload_packet(envelope(host, code, now), upload)),
            Sent(
                "dummy upload", upload_packet(envelope(host, unknown, now, is_dummy=True), upload)
            ),
        ]
    random.shuffle(requests)
    return [replace(each, packet=each.packet.replace(CLOSE, KEEP)) for each in requests]


def envelope(
    host: UploadHost, token: OtpHash, now: datetime, *, is_dummy: bool = False
) -> Envelope:
    return Envelope(
        authority=f"{LOOPBACK}:{host.port}",
        token=token,
        client_clock=now,
        size=PACKET_BYTES,
        is_dummy=is_dummy,
    )


def an_upload(number: int, now: datetime) -> Upload:
    keys = keys_of_days(now.date() - timedelta(days=1), days=13, seed=str(number))
    return Upload(teks=tuple(map(Tek.of, keys)), province="RM")


def times_of(seen: Sequence[Seen]) -> dict[str, list[float]]:
    times = defaultdict(list)
    for each in seen:
        times[each.kind].append(each.seconds)
    return times


async def test_neither_times_nor_records_tell_genuine_requests_from_dummies(
    upload_host: UploadHost,
) -> None:
    apart = await measured(upload_host)
    if not apart.is_little:
        apart = await measured(upload_host)

    assert apart.is_little, apart


async def test_a_server_whose_genuine_answers_are_5_ms_late_is_found_out(
    services_database: ServicesDatabase, tmp_path: Path
) -> None:
    async with running_upload_host(services_database, tmp_path, LATE) as late_host:
        apart = await measured(late_host, of_each_kind=OF_EACH_KIND_IN_CONTROL)

    assert apart.all_kinds > MOST_IN_CONTROL, apart


@dataclass(frozen=True)
class Apart:
    """How far genuine requests and dummies are apart."""

    all_kinds: float
    checks: float
    uploads: float

    @property
    def is_little(self) -> bool:
        one_kind = max(self.checks, self.uploads)
        return self.all_kinds <= MOST and one_kind <= MOST_OF_ONE_KIND


async def measured(host: UploadHost, *, of_each_kind: int = OF_EACH_KIND) -> Apart:
    seen = await observe(LOOPBACK, host.port, traffic(host, of_each_kind), at_once=AT_ONCE)
    assert Counter(each.status for each in seen) == {204: 4 * of_each_kind, 401: WRONG_CODES}
    assert len({each.records for each in seen}) == 1
    times = times_of(seen)
    genuine = times["check"] + times["upload"]
    dummies = times["dummy check"] + times["dummy upload"]
    # The control: were genuine answers 5 ms late, it would show.
    assert distance([seconds + LATE_SECONDS for seconds in genuine], dummies) > MOST
    return Apart(
        distance(genuine, dummies),
        distance(times["check"], times["dummy check"]),
        distance(times["upload"], times["dummy upload"]),
    )
