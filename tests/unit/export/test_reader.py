"""``export.bin``: what is read, and which rule a refusal names."""

from collections.abc import Callable

import pytest

from immuni.export import (
    ExportError,
    ExportFieldError,
    MalformedExportError,
    MalformedSignatureError,
    SignatureMismatchError,
    read_export,
    read_signature_infos,
    read_unverified_export,
    write_export,
)
from immuni.export.proto.export_pb2 import (
    SignatureInfo,
    TEKSignature,
    TEKSignatureList,
    TemporaryExposureKey,
    TemporaryExposureKeyExport,
)
from immuni.export.signatures import MAX_SIGNATURES
from immuni.keys import ReportType
from tests.unit.export.chunks import SIGNER, a_key, a_plain_zip, an_export

HEADER = b"EK Export v1    "
Change = Callable[[TemporaryExposureKeyExport], object]


def a_message(change: Change = lambda _: None) -> bytes:
    """Return the protobuf of an export of two keys, after `change`."""
    message = TemporaryExposureKeyExport(
        start_timestamp=1_593_633_600,
        end_timestamp=1_593_633_900,
        region="222",
        batch_num=1,
        batch_size=1,
        keys=[
            TemporaryExposureKey(
                key_data=bytes([number]) * 16, rolling_start_interval_number=2_649_888
            )
            for number in (1, 2)
        ],
    )
    change(message)
    return message.SerializePartialToString()


def a_chunk(change: Change = lambda _: None) -> bytes:
    """Return an unsigned chunk of two keys, after `change`."""
    return a_plain_zip(HEADER + a_message(change))


def test_fields_that_a_file_may_leave_out_have_their_defaults() -> None:
    def without(message: TemporaryExposureKeyExport) -> None:
        message.ClearField("region")
        message.ClearField("batch_num")
        message.ClearField("batch_size")

    export = read_unverified_export(a_chunk(without))

    assert (export.region, export.batch_num, export.batch_size) == ("", 1, 1)
    assert export.signature_infos == ()
    assert [key.transmission_risk_level for key in export.keys] == [0, 0]
    assert [key.report_type for key in export.keys] == [ReportType.UNKNOWN] * 2


def test_an_onset_of_zero_days_is_not_an_unknown_onset() -> None:
    def on_the_day(message: TemporaryExposureKeyExport) -> None:
        message.keys[0].days_since_onset_of_symptoms = 0

    keys = read_unverified_export(a_chunk(on_the_day)).keys

    assert [key.days_since_onset_of_symptoms for key in keys] == [0, None]


def test_revised_keys_are_read_apart_from_the_others() -> None:
    revised = a_key(9, report_type=ReportType.REVOKED)
    export = an_export(a_key(1), a_key(2), revised=(revised,))

    read = read_export(write_export(export, [SIGNER]), [SIGNER.verification_key])

    assert list(read.keys) == [a_key(1), a_key(2)]
    assert list(read.revised_keys) == [revised]


def test_a_rolling_period_that_is_left_out_is_a_day() -> None:
    keys = read_unverified_export(a_chunk()).keys

    assert {key.tek.rolling_period for key in keys} == {144}


def test_a_report_type_of_the_future_is_unknown() -> None:
    # Field 5, a number, 17.
    key = TemporaryExposureKey(key_data=bytes(16)).SerializeToString() + b"\x28\x11"
    message = a_message(lambda message: message.ClearField("keys"))

    export = read_unverified_export(
        a_plain_zip(HEADER + message + b"\x3a" + bytes([len(key)]) + key)
    )

    assert [key.report_type for key in export.keys] == [ReportType.UNKNOWN]


def test_unknown_fields_are_passed_over_wherever_they_stand() -> None:
    # Field 100, of each wire type: a number, eight bytes, four bytes, bytes with a length.
    number, eight, four = b"\xa0\x06\x96\x01", b"\xa1\x06" + bytes(8), b"\xa5\x06" + bytes(4)
    few, many = b"\xa2\x06\x03abc", b"\xa2\x06\x80\x01" + bytes(128)
    unknown = number + eight + four + few + many

    export = read_unverified_export(a_plain_zip(HEADER + unknown + a_message() + unknown))

    assert len(export.keys) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda m: setattr(m, "end_timestamp", 253_402_300_799),
        lambda m: setattr(m, "start_timestamp", 1),
        lambda m: setattr(m, "end_timestamp", m.start_timestamp),
        lambda m: setattr(m, "region", "x" * 255),
        lambda m: m.MergeFrom(
            TemporaryExposureKeyExport(batch_num=2**31 - 1, batch_size=2**31 - 1)
        ),
        lambda m: setattr(m.keys[0], "rolling_start_interval_number", 422_337_024),
        lambda m: setattr(m.keys[0], "rolling_start_interval_number", 0),
        lambda m: setattr(m.keys[0], "rolling_period", 1),
        lambda m: setattr(m.keys[0], "rolling_period", 144),
        lambda m: setattr(m.keys[0], "transmission_risk_level", 8),
    ],
)
def test_the_limits_of_the_fields_are_inclusive(change: Change) -> None:
    assert len(read_unverified_export(a_chunk(change)).keys) == 2


def test_as_many_signatures_as_may_be_are_read() -> None:
    export_sig = TEKSignatureList(signatures=[TEKSignature()] * MAX_SIGNATURES)
    data = a_plain_zip(HEADER + a_message(), export_sig.SerializeToString())

    assert len(read_signature_infos(data)) == MAX_SIGNATURES == 32


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda m: setattr(m.keys[1], "key_data", bytes(15)), r"keys\[1\]: a TEK has 16 bytes"),
        (lambda m: setattr(m.keys[1], "key_data", bytes(17)), r"keys\[1\]: a TEK has 16 bytes"),
        (lambda m: m.keys[0].ClearField("key_data"), "field 7 holds a key of 7 bytes, it takes 20"),
        (lambda m: setattr(m.keys[0], "rolling_period", 0), "rolling_period must be in 1..144"),
        (lambda m: setattr(m.keys[0], "rolling_period", 145), "in 1..144, got 145"),
        (lambda m: setattr(m.keys[0], "rolling_period", -1), "in 1..144, got -1"),
        (
            lambda m: setattr(m.keys[0], "rolling_start_interval_number", -1),
            "rolling_start_number must fit 32 bits, got -1",
        ),
        (
            lambda m: setattr(m.keys[0], "rolling_start_interval_number", 422_337_025),
            r"keys\[0\]: rolling_start_interval_number must lie before the year 10000",
        ),
        (lambda m: setattr(m.keys[0], "transmission_risk_level", 9), "in 0..8, got 9"),
        (lambda m: setattr(m.keys[0], "transmission_risk_level", -1), "in 0..8, got -1"),
        (lambda m: m.revised_keys.add(key_data=bytes(17)), r"revised_keys\[0\]: a TEK has 16"),
        (lambda m: m.revised_keys.add(key_data=bytes(15)), "field 8 holds a key of 19 bytes"),
        (lambda m: m.ClearField("start_timestamp"), "start_timestamp must be given"),
        (lambda m: m.ClearField("end_timestamp"), "end_timestamp must be given"),
        (lambda m: setattr(m, "end_timestamp", 2**63), "end_timestamp must be in seconds before"),
        (lambda m: setattr(m, "end_timestamp", 253_402_300_800), "before the year 10000"),
        (lambda m: setattr(m, "start_timestamp", 1_593_633_901), "must not be after end_timestamp"),
        (lambda m: setattr(m, "batch_num", 0), "batch_num must be in 1..batch_size, got 0 of 1"),
        (lambda m: setattr(m, "batch_num", 2), "batch_num must be in 1..batch_size, got 2 of 1"),
        (lambda m: setattr(m, "region", "\x1b[2J"), "region must be printable"),
        (lambda m: setattr(m, "region", "x" * 256), "region must be .* at most 255"),
        (
            lambda m: m.signature_infos.add(verification_key_id="\n"),
            "verification_key_id must be printable",
        ),
    ],
)
def test_a_refusal_names_the_field_and_its_rule(change: Change, rule: str) -> None:
    with pytest.raises(ExportFieldError, match=rule):
        read_unverified_export(a_chunk(change))


@pytest.mark.parametrize(
    "export_bin",
    [
        b"",
        b"EK Export v1   ",
        b"EK Export v2    " + a_message(),
        HEADER + a_message()[:-1],
        HEADER + a_message() + b"\x3a",
        HEADER + b"\x00\x00",
        HEADER + b"\xff" * 11,
        HEADER + b"\x0b\x0c",
        HEADER + b"\x3a\x7fshort",
    ],
    ids=[
        "nothing",
        "half a header",
        "another version",
        "cut off within a key",
        "cut off within a tag",
        "field zero",
        "an endless number",
        "a group",
        "a length beyond the end",
    ],
)
def test_what_is_not_the_protobuf_is_refused(export_bin: bytes) -> None:
    with pytest.raises(MalformedExportError):
        read_unverified_export(a_plain_zip(export_bin))


def test_a_text_that_is_not_utf_8_is_refused() -> None:
    message = a_message().replace(b"\x1a\x03222", b"\x1a\x03\xff\xfe\xfd")

    with pytest.raises(ExportFieldError, match="region must be UTF-8"):
        read_unverified_export(a_plain_zip(HEADER + message))


def test_millions_of_empty_keys_are_refused_at_the_first() -> None:
    with pytest.raises(ExportFieldError, match="field 7 holds a key of 2 bytes"):
        read_unverified_export(a_plain_zip(HEADER + a_message(strip) + b"\x3a\x00" * 30_000_000))


def test_millions_of_signature_infos_are_refused() -> None:
    with pytest.raises(MalformedExportError, match="exceed 65536 bytes"):
        read_unverified_export(a_plain_zip(HEADER + a_message() + b"\x32\x00" * 2_000_000))


def test_more_keys_than_are_parsed_at_once_keep_their_order() -> None:
    def many(message: TemporaryExposureKeyExport) -> None:
        strip(message)
        for number in range(10_000):
            message.keys.add(key_data=number.to_bytes(16, "big"), rolling_period=1)

    keys = read_unverified_export(a_chunk(many)).keys

    assert [int.from_bytes(key.tek.key_data, "big") for key in keys] == list(range(10_000))


def test_a_fault_in_a_later_run_counts_from_the_first_key() -> None:
    def late(message: TemporaryExposureKeyExport) -> None:
        strip(message)
        for _ in range(5_000):
            message.keys.add(key_data=bytes(16))
        message.keys.add(key_data=bytes(17))

    with pytest.raises(ExportFieldError, match=r"keys\[5000\]"):
        read_unverified_export(a_chunk(late))


def test_nothing_is_parsed_before_the_signature_is_verified() -> None:
    data = a_plain_zip(b"this would not be parsed", TEKSignatureList().SerializeToString())

    with pytest.raises(SignatureMismatchError):
        read_export(data, [SIGNER.verification_key])


@pytest.mark.parametrize(
    "export_sig",
    [
        b"\xff\xff\xff",
        TEKSignatureList(
            signatures=[TEKSignature(signature=b"x")] * (MAX_SIGNATURES + 1)
        ).SerializeToString(),
        TEKSignatureList(
            signatures=[TEKSignature(signature_info=SignatureInfo(verification_key_id="\x07"))]
        ).SerializeToString(),
        b"\x0a\x05\x0a\x03\x22\x01\xff",
    ],
    ids=["no protobuf", "too many", "not printable", "not UTF-8"],
)
def test_a_damaged_list_of_signatures_is_refused_in_both_readings(export_sig: bytes) -> None:
    data = a_plain_zip(HEADER + a_message(), export_sig)

    with pytest.raises(MalformedSignatureError):
        read_export(data, [SIGNER.verification_key])
    with pytest.raises(MalformedSignatureError):
        read_unverified_export(data)


def test_every_fault_is_an_export_error_and_a_value_error() -> None:
    with pytest.raises(ExportError) as caught:
        read_unverified_export(b"")

    assert isinstance(caught.value, ValueError)


def strip(message: TemporaryExposureKeyExport) -> None:
    """Remove the keys."""
    message.ClearField("keys")
