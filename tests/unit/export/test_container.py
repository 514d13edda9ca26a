"""The zip: what is read, and what is refused."""

import struct
import zipfile
from dataclasses import replace
from io import BytesIO

import pytest

from immuni.export import MalformedContainerError, OversizeExportError
from immuni.export.container import (
    MAX_SIGNATURE_BYTES,
    Container,
    read_container,
    write_container,
)
from tests.unit.export.chunks import SAMPLE, Entry, a_zip

BIN = Entry(b"export.bin", b"EK Export v1    and then some, and then some")
SIG = Entry(b"export.sig", b"signed")
CONTENT = Container(BIN.content, SIG.content)

DESCRIBED = 0x0008
UTF_8 = 0x0800


@pytest.mark.parametrize(
    "data",
    [
        a_zip(BIN, SIG),
        a_zip(SIG, BIN),
        a_zip(replace(BIN, method=0), SIG),
        a_zip(replace(BIN, extra=b"UT\x05\x00\x03abcd"), SIG),
        a_zip(replace(BIN, flags=DESCRIBED), replace(SIG, flags=DESCRIBED | UTF_8)),
        a_zip(replace(BIN, flags=DESCRIBED, descriptor=struct.pack("<3I", *BIN.numbers)), SIG),
        a_zip(replace(BIN, flags=DESCRIBED, local_numbers=BIN.numbers), SIG),
    ],
    ids=[
        "ours",
        "other order",
        "stored",
        "extra field",
        "descriptors",
        "descriptor without magic",
        "sizes said twice",
    ],
)
def test_what_writers_of_other_systems_do_is_read(data: bytes) -> None:
    assert read_container(data) == CONTENT


def test_an_empty_entry_is_read() -> None:
    assert read_container(a_zip(BIN, replace(SIG, content=b""))).export_sig == b""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a zip",
        a_zip(BIN),
        a_zip(BIN, SIG, SIG),
        a_zip(BIN, BIN),
        a_zip(BIN, SIG, Entry(b"readme.txt", b"hello")),
        a_zip(BIN, replace(SIG, name=b"export.SIG")),
        a_zip(BIN, replace(SIG, name=b"../export.sig")),
        a_zip(BIN, replace(SIG, local_name=b"other.file")),
        a_zip(BIN, SIG, comment=b"hello"),
        a_zip(BIN, SIG, gap=b"hidden"),
        a_zip(BIN, replace(SIG, before=b"hidden")),
        a_zip(replace(BIN, before=b"hidden"), SIG),
        a_zip(replace(BIN, after_stream=b"hidden"), SIG),
        b"before" + a_zip(BIN, SIG),
        a_zip(BIN, SIG) + b"after",
        a_zip(replace(BIN, flags=0x0001), SIG),
        a_zip(replace(BIN, flags=0x2000), SIG),
        a_zip(replace(BIN, method=12), SIG),
        a_zip(replace(BIN, crc=1), SIG),
        a_zip(replace(BIN, declared_size=3), SIG),
        a_zip(replace(BIN, declared_size=300), SIG),
        a_zip(replace(BIN, method=0, declared_size=3), SIG),
        a_zip(replace(BIN, flags=DESCRIBED, descriptor=b"PK\x07\x08" + bytes(12)), SIG),
        a_zip(replace(BIN, flags=DESCRIBED, descriptor=b""), SIG),
        a_zip(replace(BIN, flags=DESCRIBED, local_numbers=(1, 2, 3)), SIG),
        a_zip(replace(BIN, local_numbers=(0, 0, 0)), SIG),
    ],
    ids=[
        "nothing",
        "text",
        "one entry",
        "three entries",
        "an entry twice",
        "an entry too many",
        "a name in capitals",
        "a name with a path",
        "a name that differs locally",
        "a comment",
        "a gap before the directory",
        "a gap between the entries",
        "a gap before the entries",
        "bytes after a stream",
        "bytes before",
        "bytes after",
        "encrypted",
        "masked headers",
        "unknown method",
        "wrong checksum",
        "declares too little",
        "declares too much",
        "stored and declares too little",
        "wrong descriptor",
        "no descriptor",
        "local sizes that differ beside a descriptor",
        "no local sizes and no descriptor",
    ],
)
def test_everything_but_a_plain_zip_of_the_two_entries_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedContainerError):
        read_container(data)


def test_entries_that_share_their_bytes_are_refused() -> None:
    body = BIN.local()
    directory = BIN.central(0) + replace(BIN, name=b"export.sig").central(0)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 2, 2, len(directory), len(body), 0)

    with pytest.raises(MalformedContainerError, match="overlap"):
        read_container(body + directory + end)


def test_encrypted_entries_are_refused_as_such() -> None:
    with pytest.raises(MalformedContainerError, match="encrypted"):
        read_container(a_zip(replace(BIN, flags=0x0001), SIG))


@pytest.mark.parametrize(
    ("from_end", "change"),
    [
        (22, 0xFF),  # the end record's magic number
        (2, 0x01),  # the length of a comment that is not there
        (22 + 2 * 56, 0xFF),  # the magic number of the directory's first entry
        (22 + 56, 0xFF),  # and of its second
        (22 + 56 - 34, 0x01),  # the number of the disk on which the second lies
        (22 + 56 - 32, 0x01),  # the length of its comment
        (6, 0x01),  # where the directory starts
        (10, 0x01),  # its size
    ],
)
def test_a_damaged_directory_is_refused(from_end: int, change: int) -> None:
    data = bytearray(a_zip(BIN, SIG))
    data[-from_end] ^= change

    with pytest.raises(MalformedContainerError):
        read_container(bytes(data))


def test_an_archive_over_several_files_is_refused() -> None:
    data = bytearray(a_zip(BIN, SIG))
    data[-18] = 1

    with pytest.raises(MalformedContainerError, match="several files"):
        read_container(bytes(data))


def test_every_shortened_copy_of_the_sample_is_refused() -> None:
    for length in range(len(SAMPLE)):
        with pytest.raises(MalformedContainerError):
            read_container(SAMPLE[:length])


def test_an_entry_that_declares_too_much_is_refused_before_it_is_inflated() -> None:
    bomb = a_zip(replace(BIN, content=bytes(1_000_000)), SIG)

    with pytest.raises(OversizeExportError, match=r"exceeds 999999 bytes: it declares 1000000"):
        read_container(bomb, max_bytes=999_999)


def test_an_entry_that_lies_about_its_size_is_inflated_no_further() -> None:
    bomb = a_zip(replace(BIN, content=bytes(10_000_000), declared_size=10), SIG)

    with pytest.raises(MalformedContainerError, match="does not end where it should"):
        read_container(bomb)


def test_the_limits_are_inclusive() -> None:
    data = a_zip(
        replace(BIN, content=bytes(1000)), replace(SIG, content=bytes(MAX_SIGNATURE_BYTES))
    )

    assert len(read_container(data, max_bytes=1000).export_bin) == 1000
    with pytest.raises(OversizeExportError):
        read_container(data, max_bytes=999)
    with pytest.raises(OversizeExportError, match=r"export\.sig"):
        read_container(a_zip(BIN, replace(SIG, content=bytes(MAX_SIGNATURE_BYTES + 1))))


def test_a_file_of_just_the_limit_is_read() -> None:
    data = a_zip(BIN, SIG)

    assert read_container(data, max_bytes=len(data)) == CONTENT
    with pytest.raises(OversizeExportError, match="the file exceeds"):
        read_container(data, max_bytes=len(data) - 1)


def test_a_file_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(OversizeExportError, match="the file exceeds"):
        read_container(bytes(101), max_bytes=100)


def test_what_is_written_is_read_and_always_the_same_bytes() -> None:
    data = write_container(CONTENT)

    assert read_container(data) == CONTENT
    assert data == write_container(CONTENT)


def test_other_programs_read_what_is_written() -> None:
    with zipfile.ZipFile(BytesIO(write_container(CONTENT))) as archive:
        assert archive.namelist() == ["export.bin", "export.sig"]
        assert archive.read("export.bin") == CONTENT.export_bin
        assert archive.read("export.sig") == CONTENT.export_sig
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
