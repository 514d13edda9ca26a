"""A host with TLS, and a wire in front of it on which an observer counts records."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

APPLICATION_DATA = 23
_RECORD_HEADER_BYTES = 5


@dataclass
class Authority:
    """A certificate authority that signs for ``localhost``."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def certificate_file(self) -> Path:
        """Return the authority's own certificate, for a phone to pin."""
        name = _name("Test authority")
        builder = _builder(name, name, self.key.public_key(), days=(-10, 10))
        certificate = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        ).sign(self.key, SHA256())
        file = self.folder / "authority.pem"
        file.write_bytes(certificate.public_bytes(Encoding.PEM))
        return file

    def server_context(self, *, days: tuple[int, int] = (-1, 1)) -> ssl.SSLContext:
        """Return the TLS of a host whose certificate is valid on `days` from today."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name("localhost"), _name("Test authority"), key.public_key(), days)
        certificate = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False
        ).sign(self.key, SHA256())
        file = self.folder / "server.pem"
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(pem + certificate.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


@dataclass
class Wire:
    """What an observer saw of each connection: the lengths of the phone's records."""

    connections: list[bytearray] = field(default_factory=list)

    def records(self, connection: int) -> list[int]:
        """Return the lengths of the records with application data, in order."""
        data, place, lengths = self.connections[connection], 0, []
        while place + _RECORD_HEADER_BYTES <= len(data):
            kind, length = data[place], int.from_bytes(data[place + 3 : place + 5])
            if kind == APPLICATION_DATA:
                lengths.append(length)
            place += _RECORD_HEADER_BYTES + length
        return lengths


@asynccontextmanager
async def answering(answer: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Answer every request, once it is complete, with the same bytes; yield the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length or 0))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def observed(port: int) -> AsyncIterator[tuple[int, Wire]]:
    """Put a wire in front of a host; yield the port at which it begins, and the wire."""
    wire = Wire()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen = bytearray()
        wire.connections.append(seen)
        from_host, to_host = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.TaskGroup() as group:
            group.create_task(_copy(reader, to_host, seen))
            group.create_task(_copy(from_host, writer, bytearray()))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], wire


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: bytearray
) -> None:
    try:
        while data := await reader.read(65536):
            seen += data
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: tuple[int, int]
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)  # noqa: TID251 - TLS compares with the machine's clock
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )
