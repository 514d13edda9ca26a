"""``immuni export``."""

import zipfile
from pathlib import Path

import pytest

from immuni.export import write_export
from immuni.export.proto.export_pb2 import TemporaryExposureKeyExport
from immuni.keys import DiagnosisKey, ENIntervalNumber, TemporaryExposureKey
from tests.unit.cli.command_line import immuni
from tests.unit.export.chunks import (
    SAMPLE,
    SIGNER,
    VECTORS,
    Entry,
    a_plain_zip,
    a_zip,
    an_export,
)

FILE = VECTORS / "sample_diagnosis_key_file.zip"
PEM = VECTORS / "sample_310-v1.pem"


def test_show_tells_what_the_sample_says_and_that_it_did_not_verify() -> None:
    outcome = immuni("export", "show", FILE)

    assert outcome.code == 0
    assert outcome.err == ""
    for told in ("2020-07-01T20:00:00", "US", "310 v1", "140", "2020-06-17: 10", "UNKNOWN: 140"):
        assert told in outcome.out
    assert "Nothing was verified" in outcome.out


def test_show_tells_machines_the_same() -> None:
    description = immuni("export", "show", FILE, "--json").json

    assert list(description) == [
        "verified", "start", "end", "region", "batch_num", "batch_size", "signatures",
        "key_count", "revised_key_count", "days", "transmission_risk_levels", "report_types",
        "rolling_periods",
    ]  # fmt: skip
    assert description["verified"] is False
    assert description["key_count"] == 140
    assert description["transmission_risk_levels"] == {
        "3": 28, "4": 56, "5": 14, "6": 14, "7": 14, "8": 14,
    }  # fmt: skip
    assert description["rolling_periods"] == {"144": 140}
    assert description["signatures"][0]["key_id"] == "310"


def test_show_sums_up_what_has_a_great_many_values(tmp_path: Path) -> None:
    many = tmp_path / "many.zip"
    keys = [
        DiagnosisKey(TemporaryExposureKey(bytes(16), ENIntervalNumber(144 * day)))
        for day in range(145)
    ]
    many.write_bytes(write_export(an_export(*keys), [SIGNER]))

    outcome = immuni("export", "show", many)

    assert "145 different ones, from 1970-01-01 to 1970-05-25" in outcome.out
    assert len(immuni("export", "show", many, "--json").json["days"]) == 145


def test_show_never_prints_a_key() -> None:
    key_data = TemporaryExposureKeyExport.FromString(_export_bin()[16:]).keys[0].key_data

    assert key_data.hex() not in immuni("export", "show", FILE).out
    assert key_data.hex() not in immuni("export", "show", FILE, "--json").out


def test_verify_answers_yes_to_the_key_that_signed() -> None:
    outcome = immuni("export", "verify", FILE, "--key", PEM)

    assert outcome.code == 0
    assert "The signature is good" in outcome.out
    assert immuni("export", "verify", FILE, "--key", PEM, "--json").json["verified"] is True


def test_verify_answers_no_to_a_changed_file(tmp_path: Path) -> None:
    changed = tmp_path / "changed.zip"
    export_bin = bytearray(_export_bin())
    export_bin[200] ^= 1
    changed.write_bytes(
        a_zip(Entry(b"export.bin", bytes(export_bin)), Entry(b"export.sig", _entry("export.sig")))
    )

    outcome = immuni("export", "verify", changed, "--key", PEM)
    told = immuni("export", "verify", changed, "--key", PEM, "--json")

    assert (outcome.code, told.code) == (1, 1)
    assert outcome.err == "immuni: export.bin is not signed by a trusted key\n"
    assert told.json == {"verified": False, "reason": "export.bin is not signed by a trusted key"}


@pytest.mark.parametrize(
    "data",
    [b"", SAMPLE[:1000], SAMPLE + b"x", a_plain_zip(b"EK Export v1    \x3a\x00"), b"\0" * 10_000],
    ids=["nothing", "cut off", "something after", "a key without bytes", "zeros"],
)
@pytest.mark.parametrize(
    "command", [["show"], ["verify", "--key", str(PEM)]], ids=["show", "verify"]
)
def test_a_damaged_file_ends_in_one_line_and_exit_code_1(
    command: list[str], data: bytes, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(data)

    outcome = immuni("export", *command, damaged)

    assert outcome.code == 1
    assert outcome.out == ""
    assert outcome.err.startswith("immuni: ")
    assert outcome.err.count("\n") == 1


def test_a_file_without_end_is_refused() -> None:
    outcome = immuni("export", "show", "/dev/zero")

    assert outcome.code == 1
    assert outcome.err == "immuni: the file exceeds 67108864 bytes\n"


def test_a_key_file_that_holds_no_key_is_named() -> None:
    outcome = immuni("export", "verify", FILE, "--key", FILE)

    assert outcome.code == 1
    assert "sample_diagnosis_key_file.zip: this is not a public key in PEM" in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [["show"], ["show", "absent.zip"], ["verify", str(FILE)], ["show", str(VECTORS)]],
    ids=["no file", "an absent file", "no key", "a folder"],
)
def test_wrong_use_is_exit_code_2(arguments: list[str]) -> None:
    assert immuni("export", *arguments).code == 2


def test_texts_of_a_file_are_shown_as_they_are(tmp_path: Path) -> None:
    message = TemporaryExposureKeyExport.FromString(_export_bin()[16:])
    message.region = "[red]"
    shown = tmp_path / "shown.zip"
    shown.write_bytes(a_plain_zip(_export_bin()[:16] + message.SerializeToString()))

    assert "[red]" in immuni("export", "show", shown).out


def _export_bin() -> bytes:
    return _entry("export.bin")


def _entry(name: str) -> bytes:
    with zipfile.ZipFile(FILE) as archive:
        return archive.read(name)
