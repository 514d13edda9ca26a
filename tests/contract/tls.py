"""What an observer of the encrypted traffic sees: the sequence of TLS records."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

_APPLICATION_DATA = 23
_RECORD_HEADER = 5


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36500))
        .sign(key, SHA256())
    )
    certificate_path, key_path = folder / "certificate.pem", folder / "key.pem"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_path, key_path


class Observed:
    """A TLS connection whose incoming records are counted.

    Attributes:
        sent_at: When the last request's last byte was handed over, by `time.perf_counter`.
        answered_at: When the last record of its answer had come.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        # TLS 1.2 sends nothing by itself after the handshake; records show their lengths alike.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self._tls = context.wrap_bio(self._incoming, self._outgoing)
        self._records: list[int] = []
        self.sent_at = self.answered_at = 0.0

    async def shake_hands(self) -> None:
        """Establish the connection."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._record()
            else:
                await self._flush()
                return

    async def exchange(self, request: bytes, *, length: int) -> tuple[list[int], bytes]:
        """Send a request, and return the lengths of the records of its answer, and the answer.

        Args:
            request: The whole request.
            length: How many bytes the answer has.
        """
        self._records.clear()
        self._tls.write(request)
        await self._flush()
        self.sent_at = time.perf_counter()
        answer = b""
        while len(answer) < length:
            try:
                answer += self._tls.read(65536)
            except ssl.SSLWantReadError:
                await self._record()
                self.answered_at = time.perf_counter()
        return list(self._records), answer

    async def _flush(self) -> None:
        self._writer.write(self._outgoing.read())
        await self._writer.drain()

    async def _record(self) -> None:
        header = await self._reader.readexactly(_RECORD_HEADER)
        body = await self._reader.readexactly(int.from_bytes(header[3:5], "big"))
        if header[0] == _APPLICATION_DATA:
            self._records.append(len(body))
        self._incoming.write(header + body)


@asynccontextmanager
async def observing(host: str, port: int) -> AsyncIterator[Observed]:
    """Connect to a server, and see what an observer sees."""
    reader, writer = await asyncio.open_connection(host, port)
    observed = Observed(reader, writer)
    try:
        await observed.shake_hands()
        yield observed
    finally:
        writer.close()
        await writer.wait_closed()
