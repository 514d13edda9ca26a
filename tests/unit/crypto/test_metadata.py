"""Metadata: the version byte is read bit by bit, the power as a signed byte, the rest ignored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.crypto import BluetoothMetadata, CalibrationConfidence, InvalidMetadataError


def test_the_default_version_is_major_one_minor_zero() -> None:
    metadata = BluetoothMetadata(tx_power_dbm=8)

    assert metadata.encode() == bytes.fromhex("40080000")
    assert (metadata.major, metadata.minor) == (1, 0)


@given(st.integers(0x40, 0x7F), st.integers(-128, 127))
def test_decoding_gives_back_what_was_encoded(version: int, tx_power_dbm: int) -> None:
    metadata = BluetoothMetadata(version=version, tx_power_dbm=tx_power_dbm)

    assert BluetoothMetadata.decode(metadata.encode()) == metadata


@given(st.integers(0x40, 0x7F), st.integers(-128, 127), st.binary(min_size=2, max_size=2))
def test_reserved_bytes_are_ignored(version: int, tx_power_dbm: int, reserved: bytes) -> None:
    metadata = BluetoothMetadata(version=version, tx_power_dbm=tx_power_dbm)

    assert BluetoothMetadata.decode(metadata.encode()[:2] + reserved) == metadata


@pytest.mark.parametrize(("version", "minor"), [(0x40, 0), (0x5C, 1), (0x6B, 2), (0x7F, 3)])
def test_any_minor_version_is_accepted(version: int, minor: int) -> None:
    assert BluetoothMetadata(version=version, tx_power_dbm=0).minor == minor


@pytest.mark.parametrize(
    ("version", "confidence"),
    [
        (0x40, None),
        (0x4F, None),
        (0x50, CalibrationConfidence.LOWEST),
        (0x54, CalibrationConfidence.LOW),
        (0x5B, CalibrationConfidence.MEDIUM),
        (0x7F, CalibrationConfidence.HIGH),
    ],
)
def test_calibration_confidence_exists_from_minor_version_one(
    version: int, confidence: CalibrationConfidence | None
) -> None:
    assert BluetoothMetadata(version=version, tx_power_dbm=0).calibration_confidence is confidence


@pytest.mark.parametrize("version", [0x00, 0x3F, 0x80, 0xFF])
def test_another_major_version_is_refused(version: int) -> None:
    with pytest.raises(InvalidMetadataError, match="major version"):
        BluetoothMetadata.decode(bytes([version, 8, 0, 0]))


@pytest.mark.parametrize("version", [-1, 0x140])
def test_a_version_is_one_byte(version: int) -> None:
    with pytest.raises(InvalidMetadataError, match="one byte"):
        BluetoothMetadata(version=version, tx_power_dbm=0)


@pytest.mark.parametrize("tx_power_dbm", [-129, 128])
def test_a_transmit_power_is_one_signed_byte(tx_power_dbm: int) -> None:
    with pytest.raises(InvalidMetadataError, match=r"-128\.\.127"):
        BluetoothMetadata(tx_power_dbm=tx_power_dbm)


@pytest.mark.parametrize("length", [0, 3, 5])
def test_metadata_has_four_bytes(length: int) -> None:
    with pytest.raises(InvalidMetadataError, match=f"4 bytes, got {length}"):
        BluetoothMetadata.decode(bytes(length))
