"""Files that unpack to much, read one after the other in a process of their own.

Run with the limit in bytes; writes as JSON what each came to, and by how many bytes the process
grew at most.
"""

import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

from immuni.export import ExportError, read_unverified_export
from tests.unit.export.chunks import Entry, a_plain_zip, a_zip

HEADER = b"EK Export v1    "
WINDOW = b"\x09" + (1).to_bytes(8, "little") + b"\x11" + (2).to_bytes(8, "little")
KEY = b"\x3a\x12\x0a\x10ABCDEFGHIJKLMNOP"


def bombs(limit: int) -> Iterator[tuple[str, bytes]]:
    """Yield files that are as large inside as `limit` allows, and larger."""

    def filled(record: bytes) -> bytes:
        room = limit - len(HEADER + WINDOW)
        return a_plain_zip(HEADER + WINDOW + record * (room // len(record)))

    yield "zeros", a_plain_zip(bytes(limit))
    yield "keys", filled(KEY)
    yield "empty keys", filled(b"\x3a\x00")
    yield "empty signature infos", filled(b"\x32\x00")
    yield "unknown numbers", filled(b"\xa0\x06\x01")
    yield "groups", filled(b"\x53")
    yield "a key of groups", a_plain_zip(HEADER + WINDOW + a_record(b"\x53" * (limit - 64)))
    yield (
        "a key of fields",
        a_plain_zip(HEADER + WINDOW + a_record(b"\x50\x00" * (limit // 2 - 64))),
    )
    yield "more than it may", a_plain_zip(bytes(limit + 1))
    yield (
        "more than it says",
        a_zip(Entry(b"export.bin", bytes(4 * limit), declared_size=10), Entry(b"export.sig", b"")),
    )
    yield (
        "both at once",
        a_zip(Entry(b"export.bin", bytes(limit)), Entry(b"export.sig", bytes(limit))),
    )


def a_record(content: bytes) -> bytes:
    """Return a key with `content` before its bytes."""
    content += KEY[2:]
    length, digits = len(content), bytearray()
    while length >= 0x80:
        digits.append(length & 0x7F | 0x80)
        length >>= 7
    return b"\x3a" + bytes([*digits, length]) + content


def peak_bytes() -> int:
    """Return the largest resident size that this process ever had."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (peak,) = [line for line in lines if line.startswith("VmHWM")]
    return int(peak.split()[1]) * 1024


def outcome(data: bytes, limit: int) -> str:
    """Return what came of a file."""
    try:
        return f"{len(read_unverified_export(data, max_bytes=limit).keys)} keys"
    except ExportError as error:
        return type(error).__name__


def main() -> None:
    """Read them all; they are made before the measuring, and packed again while they wait."""
    limit = int(sys.argv[1])
    packed = [(name, zlib.compress(data)) for name, data in bombs(limit)]
    # Ask the kernel to forget what making them took.
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_bytes()
    outcomes = {name: outcome(zlib.decompress(data), limit) for name, data in packed}
    answer = {"outcomes": outcomes, "grown_bytes": peak_bytes() - before}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
