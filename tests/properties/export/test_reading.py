"""Whatever the bytes, reading gives a value or a typed error.

`tests.unit.export.test_bounds` says at what cost.
"""

from hypothesis import example, given
from hypothesis import strategies as st

from immuni.export import ExportError, read_export, read_unverified_export
from immuni.export.container import Container, read_container, write_container
from tests.unit.export.chunks import SAMPLE, SAMPLE_KEY, a_plain_zip

ORIGINAL = read_export(SAMPLE, [SAMPLE_KEY])
HEADER = b"EK Export v1    "


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Return a copy of `whole` in which up to four stretches were replaced."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        removed = draw(st.sampled_from([0, 1, 1, 1, 2, 4, 16, 256, len(data)]))
        data[start : start + removed] = draw(st.binary(max_size=16))
    return bytes(data)


def assert_value_or_error(data: bytes) -> None:
    """Read `data` without verifying it; anything but an export error fails the test."""
    try:
        export = read_unverified_export(data)
    except ExportError:
        return
    assert len(list(export.keys)) == len(export.keys)


@given(st.binary())
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    assert_value_or_error(data)


@given(st.binary(), st.binary())
def test_arbitrary_contents_of_a_faultless_zip_are_refused(head: bytes, tail: bytes) -> None:
    assert_value_or_error(a_plain_zip(HEADER + head, tail))


@given(damaged(read_container(SAMPLE).export_bin))
def test_a_damaged_export_bin_gives_a_value_or_an_error(export_bin: bytes) -> None:
    assert_value_or_error(a_plain_zip(export_bin))


@given(damaged(read_container(SAMPLE).export_sig))
def test_a_damaged_export_sig_gives_the_original_or_an_error(export_sig: bytes) -> None:
    data = write_container(Container(read_container(SAMPLE).export_bin, export_sig))

    try:
        export = read_export(data, [SAMPLE_KEY])
    except ExportError:
        return
    assert export == ORIGINAL


@given(damaged(SAMPLE))
@example(SAMPLE)
def test_a_damaged_file_that_verifies_says_what_the_original_says(data: bytes) -> None:
    try:
        export = read_export(data, [SAMPLE_KEY])
    except ExportError:
        return
    assert export == ORIGINAL
