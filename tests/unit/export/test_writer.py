"""What is written: sorted, signed, always the same bytes."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from immuni.export import (
    Export,
    ExportFieldError,
    SignatureInfo,
    read_export,
    write_export,
)
from immuni.export.container import read_container
from immuni.export.proto.export_pb2 import TEKSignatureList, TemporaryExposureKeyExport
from immuni.export.signatures import MAX_SIGNATURES
from immuni.keys import DiagnosisKey, ENIntervalNumber, TemporaryExposureKey
from tests.unit.export.chunks import END, SIGNER, START, Signer, a_key, an_export


def test_the_same_export_is_the_same_bytes_in_whatever_order_its_keys_come() -> None:
    keys = [a_key(number) for number in (3, 1, 2)]

    assert write_export(an_export(*keys), [SIGNER]) == write_export(
        an_export(*reversed(keys)), [SIGNER]
    )


def test_a_file_has_one_signature_and_one_info_for_each_signer_in_their_order() -> None:
    other = Signer(key_version="v2")
    container = read_container(write_export(an_export(a_key()), [SIGNER, other]))

    infos = TemporaryExposureKeyExport.FromString(container.export_bin[16:]).signature_infos
    signatures = TEKSignatureList.FromString(container.export_sig).signatures

    assert [info.verification_key_version for info in infos] == ["v1", "v2"]
    assert [entry.signature_info for entry in signatures] == list(infos)
    assert {info.signature_algorithm for info in infos} == {"1.2.840.10045.4.3.2"}


def test_keys_are_sorted_by_their_bytes() -> None:
    export = an_export(a_key(3), a_key(1), a_key(2), revised=(a_key(9), a_key(8)))

    read = read_export(write_export(export, [SIGNER]), [SIGNER.verification_key])

    assert [key.tek.key_data[0] for key in read.keys] == [1, 2, 3]
    assert [key.tek.key_data[0] for key in read.revised_keys] == [8, 9]


def test_what_is_written_is_what_is_read() -> None:
    export = an_export(a_key(1), a_key(2))
    info = SignatureInfo(
        verification_key_id="222",
        verification_key_version="v1",
        signature_algorithm="1.2.840.10045.4.3.2",
        app_bundle_id="it.example.app",
        android_package="it.example.android",
    )

    data = write_export(
        export, [SIGNER], app_bundle_id="it.example.app", android_package="it.example.android"
    )

    assert read_export(data, [SIGNER.verification_key]) == replace(export, signature_infos=(info,))


def test_a_plain_tuple_of_keys_is_written_like_a_packed_one() -> None:
    export = replace(an_export(), keys=(a_key(2), a_key(1)))

    assert write_export(export, [SIGNER]) == write_export(an_export(a_key(1), a_key(2)), [SIGNER])


def test_the_file_is_the_protobuf_that_phones_know() -> None:
    container = read_container(write_export(an_export(*map(a_key, range(5_000 % 256))), [SIGNER]))

    message = TemporaryExposureKeyExport.FromString(container.export_bin[16:])
    signatures = TEKSignatureList.FromString(container.export_sig).signatures

    assert container.export_bin[:16] == b"EK Export v1    "
    assert message.start_timestamp == int(START.timestamp())
    assert len(message.keys) == 5_000 % 256
    assert message.SerializeToString(deterministic=True) == container.export_bin[16:]
    assert [(entry.batch_num, entry.batch_size) for entry in signatures] == [(1, 1)]
    assert not message.signature_infos[0].HasField("app_bundle_id")


def test_an_export_without_keys_is_a_file() -> None:
    data = write_export(an_export(), [SIGNER])

    assert len(read_export(data, [SIGNER.verification_key]).keys) == 0


@pytest.mark.parametrize("count", [0, MAX_SIGNATURES + 1])
def test_a_chunk_has_at_least_one_signer_and_not_too_many(count: int) -> None:
    with pytest.raises(ExportFieldError, match=f"got {count}"):
        write_export(an_export(), [SIGNER] * count)


def test_a_key_that_does_not_fit_the_file_is_refused() -> None:
    late = DiagnosisKey(TemporaryExposureKey(bytes(16), ENIntervalNumber(2**31)))

    with pytest.raises(ExportFieldError, match="32 bits"):
        write_export(an_export(late), [SIGNER])


@pytest.mark.parametrize(
    ("start", "end", "rule"),
    [
        (START.replace(tzinfo=None), END, "aware"),
        (START, END.replace(microsecond=1), "whole seconds"),
        (END, START, "must not be after"),
        (START - timedelta(days=36_500), END, "after 1970"),
    ],
)
def test_a_window_is_made_of_two_aware_seconds_in_order(
    start: datetime, end: datetime, rule: str
) -> None:
    with pytest.raises(ExportFieldError, match=rule):
        Export(start=start, end=end, region="222")


def test_an_export_does_not_show_its_keys() -> None:
    shown = repr(an_export(a_key(0x41)))

    assert "AAAA" not in shown
    assert "4141" not in shown
    assert "PackedKeys of 1>" in shown
