"""What is written is what is read, and what the protobuf library would have written."""

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from immuni.export import Export, read_export, write_export
from immuni.export.container import read_container
from immuni.export.proto.export_pb2 import TemporaryExposureKey as KeyMessage
from immuni.export.proto.export_pb2 import TemporaryExposureKeyExport as ExportMessage
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


@given(exports())
def test_the_protobuf_library_writes_the_same_bytes(export: Export) -> None:
    written = read_container(write_export(export, [SIGNER])).export_bin

    message = ExportMessage.FromString(written[16:])
    del message.keys[:], message.revised_keys[:]
    head = message.SerializeToString(deterministic=True)
    keys = ExportMessage(keys=as_messages(export.keys))
    revised_keys = ExportMessage(revised_keys=as_messages(export.revised_keys))
    assert written[16:] == (
        head
        + keys.SerializeToString(deterministic=True)
        + revised_keys.SerializeToString(deterministic=True)
    )


def as_messages(keys: Sequence[DiagnosisKey]) -> list[KeyMessage]:
    return [
        KeyMessage(
            key_data=key.tek.key_data,
            transmission_risk_level=key.transmission_risk_level,
            rolling_start_interval_number=key.tek.rolling_start_number,
            rolling_period=key.tek.rolling_period,
            report_type=KeyMessage.ReportType.ValueType(key.report_type),
            days_since_onset_of_symptoms=key.days_since_onset_of_symptoms,
        )
        for key in sorted(keys, key=by_bytes)
    ]
