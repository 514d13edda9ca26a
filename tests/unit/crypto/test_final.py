"""The final generation makes what was published, and hides it from everybody without the key."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni import _core
from immuni.crypto import (
    AEM,
    AEMK,
    RPI,
    RPIK,
    BluetoothMetadata,
    CalibrationConfidence,
    InvalidMetadataError,
    decrypt_metadata,
    decrypt_rpi,
    derive_aemk,
    derive_rpik,
    encrypt_metadata,
    generate_rpi,
    generate_rpis,
)
from immuni.keys import MAX_INTERVAL, ENIntervalNumber, TemporaryExposureKey

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "crypto-v1.2.json").read_text(encoding="utf-8")
)
RECORDED = VECTORS["recorded_on_a_phone"]
START = ENIntervalNumber(VECTORS["rolling_start_number"])
RPIK_PUBLISHED = RPIK(bytes.fromhex(VECTORS["rpik"]))
AEMK_PUBLISHED = AEMK(bytes.fromhex(VECTORS["aemk"]))

blocks = st.binary(min_size=16, max_size=16)
intervals = st.integers(0, MAX_INTERVAL).map(ENIntervalNumber)
metadata = st.builds(
    BluetoothMetadata,
    version=st.integers(0x40, 0x7F),
    tx_power_dbm=st.integers(-128, 127),
)


@pytest.mark.parametrize("vector", [VECTORS, RECORDED], ids=["published", "recorded"])
def test_both_keys_are_derived_as_published(vector: dict[str, str]) -> None:
    tek = TemporaryExposureKey(bytes.fromhex(vector["tek"]), START)

    assert derive_rpik(tek).hex() == vector["rpik"]
    assert derive_aemk(tek).hex() == vector["aemk"]


def test_the_whole_published_day_is_generated() -> None:
    rpis = generate_rpis(RPIK_PUBLISHED, START, VECTORS["rolling_period"])

    assert [rpi.hex() for rpi in rpis] == [broadcast["rpi"] for broadcast in VECTORS["broadcasts"]]
    assert len(rpis) == 144


def test_single_identifiers_are_those_of_the_published_day() -> None:
    for broadcast in VECTORS["broadcasts"]:
        assert generate_rpi(RPIK_PUBLISHED, broadcast["interval"]).hex() == broadcast["rpi"]


def test_the_published_metadata_is_encrypted_beside_each_identifier() -> None:
    published = BluetoothMetadata.decode(bytes.fromhex(VECTORS["metadata"]))

    for broadcast in VECTORS["broadcasts"]:
        rpi = RPI(bytes.fromhex(broadcast["rpi"]))
        assert encrypt_metadata(AEMK_PUBLISHED, rpi, published).hex() == broadcast["aem"]


def test_a_broadcast_recorded_on_a_phone_is_read() -> None:
    tek = TemporaryExposureKey(bytes.fromhex(RECORDED["tek"]), START)
    rpi, aem = RPI(bytes.fromhex(RECORDED["rpi"])), AEM(bytes.fromhex(RECORDED["aem"]))

    heard = decrypt_metadata(derive_aemk(tek), rpi, aem)

    assert decrypt_rpi(derive_rpik(tek), rpi) == RECORDED["interval"]
    assert heard.encode().hex() == RECORDED["metadata"]
    assert heard.tx_power_dbm == -14


@given(blocks.map(RPIK), intervals)
def test_an_identifier_shows_its_interval_to_its_key(
    rpik: RPIK, interval: ENIntervalNumber
) -> None:
    assert decrypt_rpi(rpik, generate_rpi(rpik, interval)) == interval


@given(blocks.map(RPIK), blocks.map(RPIK), intervals)
def test_an_identifier_shows_nothing_to_another_key(
    rpik: RPIK, other: RPIK, interval: ENIntervalNumber
) -> None:
    if rpik != other:
        assert decrypt_rpi(other, generate_rpi(rpik, interval)) is None


@given(blocks.map(AEMK), blocks.map(RPI), metadata)
def test_decrypting_gives_back_what_was_encrypted(
    aemk: AEMK, rpi: RPI, sent: BluetoothMetadata
) -> None:
    assert decrypt_metadata(aemk, rpi, encrypt_metadata(aemk, rpi, sent)) == sent


def test_a_flipped_version_is_refused_rather_than_misread() -> None:
    rpi = RPI(bytes.fromhex(VECTORS["broadcasts"][0]["rpi"]))
    aem = bytearray.fromhex(VECTORS["broadcasts"][0]["aem"])
    aem[0] ^= 0x80

    with pytest.raises(InvalidMetadataError, match="major version"):
        decrypt_metadata(AEMK_PUBLISHED, rpi, AEM(bytes(aem)))


def test_no_more_identifiers_are_generated_than_a_day_has_intervals() -> None:
    assert generate_rpis(RPIK_PUBLISHED, START, 0) == []
    with pytest.raises(ValueError, match="at most 144"):
        generate_rpis(RPIK_PUBLISHED, START, 145)


@pytest.mark.parametrize("minor", range(4))
@pytest.mark.parametrize("reserved", [b"\x00\x00", b"\xff\xff"])
def test_metadata_of_any_minor_version_is_read_whatever_its_reserved_bits_hold(
    minor: int, reserved: bytes
) -> None:
    rpi = RPI(bytes.fromhex(VECTORS["broadcasts"][0]["rpi"]))
    version = 0x40 | minor << 4 | 0b1011
    aem = AEM(_core.encrypt_metadata(AEMK_PUBLISHED, rpi, bytes([version, 0xF8]) + reserved))

    heard = decrypt_metadata(AEMK_PUBLISHED, rpi, aem)

    assert heard == BluetoothMetadata(version=version, tx_power_dbm=-8)
    assert heard.minor == minor
    assert heard.calibration_confidence == (CalibrationConfidence.MEDIUM if minor else None)


def test_every_published_identifier_shows_its_interval_and_its_metadata() -> None:
    for broadcast in VECTORS["broadcasts"]:
        rpi, aem = RPI(bytes.fromhex(broadcast["rpi"])), AEM(bytes.fromhex(broadcast["aem"]))

        assert decrypt_rpi(RPIK_PUBLISHED, rpi) == broadcast["interval"]
        published = decrypt_metadata(AEMK_PUBLISHED, rpi, aem)
        assert published.encode().hex() == VECTORS["metadata"]
