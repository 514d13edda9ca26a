"""What is written is what is read."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from immuni.export import Export, read_export, write_export
from immuni.keys import DiagnosisKey, ENIntervalNumber, ReportType, TemporaryExposureKey
from tests.unit.export.chunks import SIGNER

instants = st.integers(1, 253_402_300_799).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
diagnosis_keys = st.builds(
    DiagnosisKey,
    st.builds(
        TemporaryExposureKey,
        st.binary(min_size=16, max_size=16),
        st.integers(0, 422_337_024).map(ENIntervalNumber),
        st.integers(1, 144),
    ),
    st.integers(0, 8),
    st.sampled_from(ReportType),
    st.none() | st.integers(-(2**31), 2**31 - 1),
)


@st.composite
def exports(draw: st.DrawFn) -> Export:
    """Return any export that the format can hold."""
    start, end = sorted([draw(instants), draw(instants)])
    size = draw(st.integers(1, 2**31 - 1))
    return Export(
        start=start,
        end=end,
        region=draw(st.text(max_size=255).filter(str.isprintable)),
        batch_num=draw(st.integers(1, size)),
        batch_size=size,
        keys=draw(st.lists(diagnosis_keys)),
        revised_keys=draw(st.lists(diagnosis_keys)),
    )


def by_bytes(key: DiagnosisKey) -> bytes:
    """Return that by which the file sorts."""
    return key.tek.key_data


@given(exports())
def test_an_export_survives_writing_and_reading(export: Export) -> None:
    read = read_export(write_export(export, [SIGNER]), [SIGNER.verification_key])

    assert (read.start, read.end) == (export.start, export.end)
    assert (read.region, read.batch_num) == (export.region, export.batch_num)
    assert read.batch_size == export.batch_size
    assert list(read.keys) == sorted(export.keys, key=by_bytes)
    assert list(read.revised_keys) == sorted(export.revised_keys, key=by_bytes)
