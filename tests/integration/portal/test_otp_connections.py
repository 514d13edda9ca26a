"""The connections to the OTP Service: kept, few, and trusted no further than they should be."""

import asyncio
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import pytest

from immuni.api import OtpAuthorisation
from immuni.clock import SystemClock
from immuni.deployment.certificates import InternalCertificates, ensure_certificates
from immuni.portal.audit.events import Outcome
from immuni.portal.authorising.otp_service import OtpServiceClient
from immuni.web import MutualTls
from tests.integration.portal.world import World, client_of

pytestmark = pytest.mark.anyio

AUTHORISATION: Final = OtpAuthorisation(otp="AAAAAAAAAA", symptoms_started_on=date(2020, 6, 18))
AUTHORISED: Final = b"HTTP/1.1 204 No Content\r\n\r\n"

Service = Callable[[StreamReader, StreamWriter], Awaitable[None]]


@pytest.fixture
def files(certificates: Path) -> InternalCertificates:
    return ensure_certificates(certificates, clock=SystemClock())


@asynccontextmanager
async def asking(
    service: Service, files: InternalCertificates, *, patience: timedelta = timedelta(seconds=10)
) -> AsyncIterator[OtpServiceClient]:
    """Yield a client of a service that answers as the test wants."""
    tls = MutualTls(files.trusted, files.server.certificate, files.server.key)
    context = tls.context(ssl.Purpose.CLIENT_AUTH)
    async with await asyncio.start_server(service, "127.0.0.1", 0, ssl=context) as server:
        client = OtpServiceClient.over_mutual_tls(
            f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}",
            tls=MutualTls(files.trusted, files.client.certificate, files.client.key),
            timeout=patience,
        )
        try:
            yield client
        finally:
            await client.close()


async def asked(reader: StreamReader) -> bool:
    """Read one request; tell whether there was one."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, OSError):
        return False
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    return True


def saying(answer: bytes) -> Service:
    """Return a service that says the same to everybody and goes."""

    async def service(reader: StreamReader, writer: StreamWriter) -> None:
        if await asked(reader):
            writer.write(answer)
        writer.close()

    return service


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (AUTHORISED, Outcome.AUTHORISED),
        (b"HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\n\r\n{}", Outcome.ALREADY_AUTHORISED),
        (b"HTTP/1.1 400 Bad\r\ncontent-length: 2\r\n\r\n{}", Outcome.REFUSED),
        (b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n", Outcome.UNAVAILABLE),
        (b"HTTP/1.1 100 Continue\r\n\r\n", Outcome.UNAVAILABLE),
        (b"", Outcome.UNAVAILABLE),
        (b"220 mail ready\r\n", Outcome.UNAVAILABLE),
        (b"HTTP/1.1 204 No Content\r\nX: y", Outcome.UNAVAILABLE),
        (b"HTTP/1.1 409 Conflict\r\ncontent-length: 9\r\n\r\n{}", Outcome.UNAVAILABLE),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", Outcome.UNAVAILABLE),
    ],
)
async def test_what_is_no_whole_answer_says_nothing_about_the_code(
    files: InternalCertificates, answer: bytes, outcome: Outcome
) -> None:
    async with asking(saying(answer), files) as client:
        assert await client.authorise(AUTHORISATION, request_id="1") is outcome


async def test_a_service_that_is_silent_is_not_waited_for(files: InternalCertificates) -> None:
    requests = 0

    async def silent(reader: StreamReader, writer: StreamWriter) -> None:
        nonlocal requests
        requests += await asked(reader)
        await reader.read()
        writer.close()

    async with asking(silent, files, patience=timedelta(milliseconds=500)) as client:
        outcome = await client.authorise(AUTHORISATION, request_id="1")

    assert (outcome, requests) == (Outcome.UNAVAILABLE, 2)


async def test_an_answer_that_comes_too_late_is_not_taken_for_another(
    files: InternalCertificates,
) -> None:
    arrived, late = asyncio.Event(), asyncio.Event()

    async def service(reader: StreamReader, writer: StreamWriter) -> None:
        while await asked(reader):
            if not arrived.is_set():
                arrived.set()
                await late.wait()
                writer.write(b"HTTP/1.1 409 Conflict\r\ncontent-length: 0\r\n\r\n")
            else:
                writer.write(AUTHORISED)
        writer.close()

    async with asking(service, files) as client:
        gone = asyncio.create_task(client.authorise(AUTHORISATION, request_id="1"))
        await arrived.wait()
        gone.cancel()
        await asyncio.wait([gone])
        second = asyncio.create_task(client.authorise(AUTHORISATION, request_id="2"))
        await asyncio.sleep(0)
        late.set()

        assert await second is Outcome.AUTHORISED


async def test_many_at_once_share_a_few_connections_that_are_kept(
    world: World, files: InternalCertificates
) -> None:
    client = client_of(world.wire, files)

    for _ in range(2):
        outcomes = await asyncio.gather(
            *(
                client.authorise(
                    OtpAuthorisation(otp=world.code(), symptoms_started_on=date(2020, 6, 18)),
                    request_id="1",
                )
                for _ in range(40)
            )
        )
        assert set(outcomes) == {Outcome.AUTHORISED}

    assert world.wire.connections <= 8
    await client.close()


async def test_a_connection_that_was_cut_while_idle_costs_nobody_an_answer(
    files: InternalCertificates,
) -> None:
    connections = 0

    async def service(reader: StreamReader, writer: StreamWriter) -> None:
        nonlocal connections
        connections += 1
        if await asked(reader):
            writer.write(AUTHORISED)
        writer.close()

    async with asking(service, files) as client:
        outcomes = [await client.authorise(AUTHORISATION, request_id=each) for each in "123"]

    assert outcomes == [Outcome.AUTHORISED] * 3
    assert connections == 3
