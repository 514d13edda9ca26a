"""TEK Chunks for tests: the real sample, made ones, and ways to damage them."""

import struct
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256

from immuni.export import Export, VerificationKey
from immuni.keys import (
    DiagnosisKey,
    ENIntervalNumber,
    PackedKeys,
    ReportType,
    TemporaryExposureKey,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "files"
SAMPLE = (VECTORS / "sample_diagnosis_key_file.zip").read_bytes()
SAMPLE_PEM = (VECTORS / "sample_310-v1.pem").read_bytes()
SAMPLE_KEY = VerificationKey.from_pem(SAMPLE_PEM, key_id="310", key_version="v1")

START = datetime(2020, 6, 1, 8, tzinfo=UTC)
END = datetime(2020, 6, 1, 12, tzinfo=UTC)


@dataclass
class Signer:
    """A private key in memory, whose signatures do not vary."""

    key_id: str = "222"
    key_version: str = "v1"
    private_key: EllipticCurvePrivateKey = field(
        default_factory=lambda: generate_private_key(SECP256R1())
    )

    def sign(self, data: bytes) -> bytes:
        return self.private_key.sign(data, ECDSA(SHA256(), deterministic_signing=True))

    @property
    def verification_key(self) -> VerificationKey:
        return VerificationKey(self.key_id, self.key_version, self.private_key.public_key())


SIGNER = Signer()


def a_key(
    first_byte: int = 1, *, report_type: ReportType = ReportType.CONFIRMED_TEST, level: int = 4
) -> DiagnosisKey:
    """Return a diagnosis key whose bytes begin with `first_byte`."""
    return DiagnosisKey(
        TemporaryExposureKey(bytes([first_byte]) * 16, ENIntervalNumber(2_650_000 // 144 * 144)),
        level,
        report_type,
        2,
    )


def an_export(*keys: DiagnosisKey, revised: tuple[DiagnosisKey, ...] = ()) -> Export:
    """Return an export of `keys`."""
    return Export(
        start=START,
        end=END,
        region="222",
        keys=PackedKeys(keys),
        revised_keys=PackedKeys(revised),
    )


@dataclass
class Entry:
    """One entry of a zip that is built byte by byte, each of them open to be wrong."""

    name: bytes
    content: bytes
    method: int = 8
    flags: int = 0
    local_name: bytes | None = None
    local_numbers: tuple[int, int, int] | None = None
    extra: bytes = b""
    declared_size: int | None = None
    crc: int | None = None
    descriptor: bytes | None = None
    before: bytes = b""
    after_stream: bytes = b""

    def packed(self) -> bytes:
        if self.method != 8:
            return self.content
        deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
        return deflater.compress(self.content) + deflater.flush() + self.after_stream

    @property
    def numbers(self) -> tuple[int, int, int]:
        crc = zlib.crc32(self.content) if self.crc is None else self.crc
        size = len(self.content) if self.declared_size is None else self.declared_size
        return crc, len(self.packed()), size

    def local(self) -> bytes:
        name = self.name if self.local_name is None else self.local_name
        numbers = (0, 0, 0) if self.flags & 8 else self.numbers
        header = struct.pack(
            "<4s5H3I2H",
            b"PK\x03\x04",
            20,
            self.flags,
            self.method,
            0,
            0x21,
            *(numbers if self.local_numbers is None else self.local_numbers),
            len(name),
            len(self.extra),
        )
        after = b""
        if self.flags & 8:
            standard = b"PK\x07\x08" + struct.pack("<3I", *self.numbers)
            after = standard if self.descriptor is None else self.descriptor
        return header + name + self.extra + self.packed() + after

    def central(self, offset: int) -> bytes:
        header = struct.pack(
            "<4s6H3I5H2I",
            b"PK\x01\x02",
            20,
            20,
            self.flags,
            self.method,
            0,
            0x21,
            *self.numbers,
            len(self.name),
            len(self.extra),
            0,
            0,
            0,
            0,
            offset,
        )
        return header + self.name + self.extra


def a_zip(*entries: Entry, gap: bytes = b"", comment: bytes = b"") -> bytes:
    """Build a zip of `entries`, with `gap` between the last of them and the directory."""
    body, directory = b"", b""
    for entry in entries:
        body += entry.before
        directory += entry.central(len(body))
        body += entry.local()
    body += gap
    end = struct.pack(
        "<4s4H2IH",
        b"PK\x05\x06",
        0,
        0,
        len(entries),
        len(entries),
        len(directory),
        len(body),
        len(comment),
    )
    return body + directory + end + comment


def a_plain_zip(export_bin: bytes, export_sig: bytes = b"") -> bytes:
    """Build a faultless zip around any two contents."""
    return a_zip(Entry(b"export.bin", export_bin), Entry(b"export.sig", export_sig))
