"""The native reader accepts what the protobuf library accepts, and understands the same."""

from hypothesis import example, given
from hypothesis import strategies as st

from immuni.export import Export, ExportError, read_unverified_export
from immuni.export.container import read_container
from tests.properties.export.test_reading import damaged
from tests.unit.export.chunks import SAMPLE, a_plain_zip
from tests.unit.export.reference_reader import parse_by_the_library

HEADER = b"EK Export v1    "
# Timestamps that every message needs to be an export.
WINDOW = b"\x09" + (1).to_bytes(8, "little") + b"\x11" + (2).to_bytes(8, "little")
KEY_DATA = b"\x0a\x10ABCDEFGHIJKLMNOP"

numbers = st.one_of(
    st.integers(0, 200),
    st.sampled_from([2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1, 2**64, 2**70 - 1]),
    st.integers(422_337_020, 422_337_030),
    st.integers(0, 2**70 - 1),
)


@st.composite
def varints(draw: st.DrawFn, values: st.SearchStrategy[int] = numbers) -> bytes:
    """Write a number, some of them longer than they need to be."""
    value = draw(values)
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F)
    groups += [0] * draw(st.sampled_from([0, 0, 0, 1, 4, 9]))
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


def tags(fields: st.SearchStrategy[int], wire_type: int) -> st.SearchStrategy[bytes]:
    return varints(fields.map(lambda field: field << 3 | wire_type))


@st.composite
def fields(draw: st.DrawFn, known: st.SearchStrategy[int]) -> bytes:
    """Write one field of any number and type, perhaps of a length that is not true."""
    numbered = known | st.integers(0, 20) | st.just(2**29 - 1) | st.just(2**29)
    wire_type = draw(st.sampled_from([0, 0, 0, 1, 2, 2, 3, 4, 5, 6, 7]))
    tag = draw(tags(numbered, wire_type))
    if wire_type == 0:
        return tag + draw(varints())
    if wire_type == 2:
        content = draw(st.binary(max_size=20))
        off_by = draw(st.sampled_from([0, 0, 0, 0, 1]))
        return tag + draw(varints(st.just(len(content) + off_by))) + content
    if wire_type == 3:
        inner = b"".join(draw(st.lists(fields(known), max_size=2)))
        return tag + inner + draw(st.just(b"") | tags(numbered, 4))
    return tag + bytes({1: 8, 5: 4}.get(wire_type, 0))


@st.composite
def keys(draw: st.DrawFn) -> bytes:
    """Write a record of a key, most of them with faultless key data."""
    parts = draw(st.lists(fields(st.integers(1, 6)), max_size=4))
    parts.insert(draw(st.integers(0, len(parts))), draw(st.just(KEY_DATA) | st.just(b"")))
    content = b"".join(parts)
    tag = draw(tags(st.sampled_from([7, 7, 8]), 2))
    return tag + draw(varints(st.just(len(content)))) + content


messages = st.lists(st.one_of(keys(), keys(), fields(st.integers(1, 8))), max_size=6).map(b"".join)


def understood(export_bin: bytes) -> Export | None:
    """Return what the native reader reads, None where it refuses."""
    try:
        return read_unverified_export(a_plain_zip(export_bin))
    except ExportError:
        return None


def understood_by_the_library(export_bin: bytes) -> Export | None:
    """Return what the reference reads, None where it refuses."""
    try:
        return parse_by_the_library(export_bin)
    except ExportError:
        return None


@given(messages)
@example(b"\x3a\x14" + KEY_DATA + b"\x28\x11")
@example(b"\x3a\x16" + KEY_DATA + b"\x53\x54\x28\x05")
@example(b"\x3a" + bytes([18 + 198, 1]) + KEY_DATA + b"\x53" * 99 + b"\x54" * 99)
@example(b"\x3a" + bytes([18 + 200, 1]) + KEY_DATA + b"\x53" * 100 + b"\x54" * 100)
def test_odd_encodings_mean_the_same_to_both(message: bytes) -> None:
    export_bin = HEADER + WINDOW + message

    assert understood(export_bin) == understood_by_the_library(export_bin)


@given(damaged(read_container(SAMPLE).export_bin))
def test_a_damaged_sample_means_the_same_to_both(export_bin: bytes) -> None:
    assert understood(export_bin) == understood_by_the_library(export_bin)


def test_the_sample_means_the_same_to_both() -> None:
    export_bin = read_container(SAMPLE).export_bin

    export = understood(export_bin)

    assert export is not None
    assert export == understood_by_the_library(export_bin)
