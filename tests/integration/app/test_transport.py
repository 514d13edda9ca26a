import asyncio
import socket
import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from immuni.app.build import pinned_tls
from immuni.app.packet import Envelope, check_packet, upload_packet
from immuni.app.transport import MAX_ANSWER_BYTES, ServerAddress, ServerUnreachableError, exchange
from tests.integration.app.tls import Authority, answering, observed
from tests.unit.app.test_packet import ENVELOPE, LARGEST, SMALLEST

pytestmark = pytest.mark.anyio

PATIENCE = timedelta(seconds=20)
NO_CONTENT = b"HTTP/1.1 204 No Content\r\nDate: Mon, 08 Jun 2020 12:00:00 GMT\r\n\r\n"
UNAUTHORISED = (
    b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json; charset=utf-8\r\n"
    b'Content-Length: 17\r\n\r\n{"error_code": 1}'
)


def plain(port: int) -> ServerAddress:
    return ServerAddress("127.0.0.1", port)


def dummy() -> Envelope:
    return Envelope(
        authority=ENVELOPE.authority,
        token=ENVELOPE.token,
        client_clock=ENVELOPE.client_clock,
        size=ENVELOPE.size,
        is_dummy=True,
    )


async def test_all_kinds_of_request_are_the_same_records_on_the_wire(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = pinned_tls(authority.certificate_file)
    packets = [
        check_packet(ENVELOPE),
        check_packet(dummy()),
        upload_packet(ENVELOPE, SMALLEST),
        upload_packet(ENVELOPE, LARGEST),
        upload_packet(dummy(), SMALLEST),
        upload_packet(dummy(), LARGEST),
    ]
    async with (
        answering(NO_CONTENT, authority.server_context()) as port,
        observed(port) as (wire_port, wire),
    ):
        for packet in packets:
            address = ServerAddress("localhost", wire_port, tls)
            answer = await exchange(packet, address, within=PATIENCE)
            assert answer.status == 204
        records = [wire.records(number) for number in range(len(packets))]

    assert sum(records[0]) > ENVELOPE.size
    assert all(each == records[0] for each in records)


async def test_a_header_block_of_its_own_would_show_on_the_wire(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with (
        answering(NO_CONTENT, authority.server_context()) as port,
        observed(port) as (wire_port, wire),
    ):
        address = ServerAddress("localhost", wire_port, pinned_tls(authority.certificate_file))
        await exchange(check_packet(ENVELOPE), address, within=PATIENCE)
        await _exchange_in_two_writes(check_packet(ENVELOPE), address)

        assert wire.records(0) != wire.records(1)


async def _exchange_in_two_writes(packet: bytes, address: ServerAddress) -> None:
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=address.tls)
    head, separator, body = packet.partition(b"\r\n\r\n")
    writer.write(head + separator)
    writer.write(body)
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def test_an_answer_is_read_with_status_headers_and_body() -> None:
    async with answering(UNAUTHORISED) as port:
        answer = await exchange(check_packet(ENVELOPE), plain(port), within=PATIENCE)

    assert answer.status == 401
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.body == b'{"error_code": 1}'


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n" + b"x" * (MAX_ANSWER_BYTES + 1),
    ],
    ids=["nothing", "cut in the head", "cut in the body", "no HTTP", "too long"],
)
async def test_what_is_no_bounded_answer_counts_as_unreachable(answer: bytes) -> None:
    async with answering(answer) as port:
        with pytest.raises(ServerUnreachableError):
            await exchange(check_packet(ENVELOPE), plain(port), within=PATIENCE)


async def test_a_server_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = plain(silent.getsockname()[1])
        with pytest.raises(ServerUnreachableError):
            await exchange(check_packet(ENVELOPE), address, within=timedelta(seconds=0.2))


async def test_a_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    trusted, other = Authority(tmp_path), Authority(tmp_path / "other")
    async with answering(NO_CONTENT, other.server_context()) as port:
        address = ServerAddress("localhost", port, pinned_tls(trusted.certificate_file))
        with pytest.raises(ServerUnreachableError) as refusal:
            await exchange(check_packet(ENVELOPE), address, within=PATIENCE)

    assert isinstance(refusal.value.__cause__, ssl.SSLCertVerificationError)


async def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with answering(NO_CONTENT, authority.server_context(days=(-5, -1))) as port:
        address = ServerAddress("localhost", port, pinned_tls(authority.certificate_file))
        with pytest.raises(ServerUnreachableError) as refusal:
            await exchange(check_packet(ENVELOPE), address, within=PATIENCE)

    assert isinstance(refusal.value.__cause__, ssl.SSLCertVerificationError)


async def test_a_build_that_pins_nobody_trusts_nobody(tmp_path: Path) -> None:
    async with answering(NO_CONTENT, Authority(tmp_path).server_context()) as port:
        address = ServerAddress("localhost", port, pinned_tls(None))
        with pytest.raises(ServerUnreachableError):
            await exchange(check_packet(ENVELOPE), address, within=PATIENCE)


def test_an_address_is_read_from_a_url() -> None:
    tls = pinned_tls(None)

    assert ServerAddress.parse("http://127.0.0.1:8401", tls=tls).authority == "127.0.0.1:8401"
    assert ServerAddress.parse("https://upload.example", tls=tls) == ServerAddress(
        "upload.example", 443, tls
    )
    for wrong in ("ftp://upload.example", "upload.example", "https://"):
        with pytest.raises(ValueError, match="base URL"):
            ServerAddress.parse(wrong, tls=tls)
