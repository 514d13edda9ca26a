"""The zip around a TEK Chunk: exactly two entries, read strictly, written deterministically.

The reader is our own rather than `zipfile`, which is made to find something in whatever it is
given: it accepts leading and trailing bytes, gaps, overlapping and repeated entries, and builds an
object per entry before one can count them. Here every byte of the file must belong to a structure
that was expected at that place.

What is decided: the entries come in either order (ours: ``export.bin`` first); extra fields are
skipped, as foreign writers add them; data descriptors are checked; an archive comment, bytes
before, between or after, encryption, Zip64 and methods other than stored and deflated are refused.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from immuni.export.errors import MalformedContainerError, OversizeExportError

MAX_EXPORT_BYTES: Final = 64 * 1024 * 1024
"""Default limit of the file and of what ``export.bin`` unpacks to; ``max_export_bytes``."""
MAX_SIGNATURE_BYTES: Final = 64 * 1024
"""Limit of what ``export.sig`` unpacks to: some five hundred signatures."""
BIN_NAME: Final = "export.bin"
SIG_NAME: Final = "export.sig"

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")
_DESCRIPTOR: Final = struct.Struct("<3I")
_DESCRIPTOR_MAGIC: Final = b"PK\x07\x08"
_STORED: Final = 0
_DEFLATED: Final = 8
_HAS_DESCRIPTOR: Final = 0x0008
# Bits 1 and 2 tell how hard the writer tried to compress, bit 11 that names are UTF-8.
_ALLOWED_FLAGS: Final = 0x0006 | _HAS_DESCRIPTOR | 0x0800
# The oldest time that a zip can hold: a fixed one, so that the same entries are the same bytes.
_ENTRY_TIME: Final = (1980, 1, 1, 0, 0, 0)
# Beyond it nothing is gained: keys are random.
_COMPRESSION_LEVEL: Final = 6


@dataclass(frozen=True, slots=True)
class Container:
    """What the two entries unpack to."""

    export_bin: bytes
    export_sig: bytes


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry as the central directory describes it."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    offset: int


def read_container(data: bytes, *, max_bytes: int = MAX_EXPORT_BYTES) -> Container:
    """Unpack the two entries of a TEK Chunk.

    Args:
        data: The whole file.
        max_bytes: Limit of the file and of what ``export.bin`` unpacks to, in bytes.

    Raises:
        OversizeExportError: A limit is exceeded; nothing was inflated beyond it.
        MalformedContainerError: `data` is not a plain zip of exactly the two entries.

    Source:
        PKWARE, .ZIP File Format Specification 6.3.10, 4.3 "General Format of a .ZIP file".
    """
    if len(data) > max_bytes:
        raise OversizeExportError(f"the file exceeds {max_bytes} bytes")
    entries, directory_start = _directory(data)
    limits = {BIN_NAME.encode(): max_bytes, SIG_NAME.encode(): MAX_SIGNATURE_BYTES}
    if {entry.name for entry in entries} != limits.keys():
        raise MalformedContainerError("the zip must hold export.bin and export.sig, nothing else")
    unpacked: dict[bytes, bytes] = {}
    view = memoryview(data)
    position = 0
    for entry in sorted(entries, key=lambda entry: entry.offset):
        _check_size(entry, limits)
        if entry.offset != position:
            raise MalformedContainerError("the entries overlap or leave a gap")
        start, position = _extent(data, entry)
        if position > directory_start:
            raise MalformedContainerError("an entry reaches into the central directory")
        unpacked[entry.name] = _inflate(view[start : start + entry.packed_size], entry)
    if position != directory_start:
        raise MalformedContainerError("there are bytes between the entries and their directory")
    return Container(unpacked[BIN_NAME.encode()], unpacked[SIG_NAME.encode()])


def write_container(container: Container) -> bytes:
    """Pack the two entries, ``export.bin`` first: the same entries are the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in ((BIN_NAME, container.export_bin), (SIG_NAME, container.export_sig)):
            entry = zipfile.ZipInfo(name, date_time=_ENTRY_TIME)
            # The library would note the host's operating system.
            entry.create_system = 0
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, _COMPRESSION_LEVEL)
    return buffer.getvalue()


def _directory(data: bytes) -> tuple[list[_Entry], int]:
    """Read the central directory: its two entries and where it starts."""
    if len(data) < _END.size:
        raise MalformedContainerError(f"a zip has at least {_END.size} bytes, got {len(data)}")
    end_start = len(data) - _END.size
    magic, disk, first_disk, here, total, size, start, comment = _END.unpack_from(data, end_start)
    if magic != b"PK\x05\x06" or comment:
        raise MalformedContainerError("this is no zip, or it is cut off, or bytes follow it")
    if (disk, first_disk) != (0, 0):
        raise MalformedContainerError("the zip is split over several files")
    if (here, total) != (2, 2):
        raise MalformedContainerError(f"the zip must hold two entries, it declares {total}")
    if start + size != end_start:
        raise MalformedContainerError("the central directory is not where the zip says it is")
    first, position = _central_entry(data, start, end_start)
    second, position = _central_entry(data, position, end_start)
    if position != end_start:
        raise MalformedContainerError("the central directory holds more than its entries")
    return [first, second], start


def _central_entry(data: bytes, start: int, end: int) -> tuple[_Entry, int]:
    """Read one entry of the central directory; return it and where the next one starts."""
    if start + _CENTRAL.size > end:
        raise MalformedContainerError("the central directory is cut off")
    header = _CENTRAL.unpack_from(data, start)
    magic, _, _, flags, method, _, _, crc, packed_size, size = header[:10]
    name_length, extra_length, comment_length, disk, _, _, offset = header[10:]
    name_start = start + _CENTRAL.size
    next_start = name_start + name_length + extra_length + comment_length
    if magic != b"PK\x01\x02" or next_start > end or disk:
        raise MalformedContainerError("the central directory is damaged")
    if flags & ~_ALLOWED_FLAGS:
        raise MalformedContainerError(f"an entry is encrypted or has unknown flags: {flags:#06x}")
    if method not in (_STORED, _DEFLATED):
        raise MalformedContainerError(f"an entry is packed with the unknown method {method}")
    name = data[name_start : name_start + name_length]
    return _Entry(name, flags, method, crc, packed_size, size, offset), next_start


def _check_size(entry: _Entry, limits: Mapping[bytes, int]) -> None:
    """Refuse what would unpack to too much, before anything is unpacked."""
    limit = limits[entry.name]
    if entry.size > limit:
        name = entry.name.decode()
        raise OversizeExportError(f"{name} exceeds {limit} bytes: it declares {entry.size}")


def _extent(data: bytes, entry: _Entry) -> tuple[int, int]:
    """Return where the packed content of `entry` starts, and where the entry ends.

    Raises:
        MalformedContainerError: The entry's own header or its data descriptor is damaged or
            contradicts the central directory.
    """
    if entry.offset + _LOCAL.size > len(data):
        raise MalformedContainerError("an entry lies outside the file")
    header = _LOCAL.unpack_from(data, entry.offset)
    magic, _, flags, method, _, _, *sizes, name_length, extra_length = header
    name_start = entry.offset + _LOCAL.size
    name = data[name_start : name_start + name_length]
    if magic != b"PK\x03\x04" or (name, flags, method) != (entry.name, entry.flags, entry.method):
        raise MalformedContainerError("an entry contradicts the central directory")
    expected = [entry.crc, entry.packed_size, entry.size]
    deferred = bool(flags & _HAS_DESCRIPTOR)
    if sizes != expected and not (deferred and sizes == [0, 0, 0]):
        raise MalformedContainerError("an entry's sizes contradict the central directory")
    start = name_start + name_length + extra_length
    end = start + entry.packed_size
    return start, _after_descriptor(data, end, expected) if deferred else end


def _after_descriptor(data: bytes, start: int, expected: list[int]) -> int:
    """Check the data descriptor at `start`, whose magic number is optional; return its end."""
    if data[start : start + 4] == _DESCRIPTOR_MAGIC:
        start += len(_DESCRIPTOR_MAGIC)
    end = start + _DESCRIPTOR.size
    if end > len(data) or list(_DESCRIPTOR.unpack_from(data, start)) != expected:
        raise MalformedContainerError("an entry's data descriptor is damaged")
    return end


def _inflate(packed: memoryview, entry: _Entry) -> bytes:
    """Unpack one entry to exactly the size and checksum that it declares."""
    content = bytes(packed) if entry.method == _STORED else _inflate_exactly(packed, entry.size)
    if len(content) != entry.size or zlib.crc32(content) != entry.crc:
        raise MalformedContainerError(f"{entry.name.decode()} is damaged: wrong length or checksum")
    return content


def _inflate_exactly(packed: memoryview, size: int) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        # One byte more than declared shows a stream that goes on; zero would mean "no limit".
        content = inflater.decompress(packed, size + 1)
    except zlib.error as error:
        raise MalformedContainerError("an entry is damaged: it cannot be inflated") from error
    if not inflater.eof or inflater.unused_data:
        raise MalformedContainerError("an entry does not end where it should")
    return content
