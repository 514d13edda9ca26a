"""What the encrypted metadata says about the way of the signal."""

import pytest

from immuni.crypto import AEM, BluetoothMetadata, derive_aemk
from immuni.matching import attenuation_db, plausible_metadata
from tests.unit.matching.contacts import a_key, heard

AEMK = derive_aemk(a_key().tek)


@pytest.mark.parametrize(
    ("tx_power_dbm", "rssi_dbm", "loss"),
    [(-10, -64, 54), (0, 0, 0), (-20, -5, 0), (-50, -127, 77), (20, -127, 147)],
)
def test_attenuation_is_power_less_received_strength_and_never_negative(
    tx_power_dbm: int, rssi_dbm: int, loss: int
) -> None:
    metadata = BluetoothMetadata(tx_power_dbm=tx_power_dbm)

    assert attenuation_db(metadata, rssi_dbm=rssi_dbm) == loss


@pytest.mark.parametrize("tx_power_dbm", [-50, -10, 20])
def test_a_power_that_radios_of_phones_have_is_believed(tx_power_dbm: int) -> None:
    sighting = heard(a_key(), tx_power_dbm=tx_power_dbm)

    assert plausible_metadata(AEMK, sighting.rpi, sighting.aem) == BluetoothMetadata(
        tx_power_dbm=tx_power_dbm
    )


@pytest.mark.parametrize("tx_power_dbm", [-128, -51, 21, 127])
def test_a_power_that_no_phone_has_is_not_believed(tx_power_dbm: int) -> None:
    sighting = heard(a_key(), tx_power_dbm=tx_power_dbm)

    assert plausible_metadata(AEMK, sighting.rpi, sighting.aem) is None


def test_no_metadata_says_nothing() -> None:
    assert plausible_metadata(AEMK, heard(a_key()).rpi, None) is None


def test_metadata_of_another_major_version_says_nothing() -> None:
    sighting = heard(a_key())
    assert sighting.aem is not None
    flipped = AEM(bytes([sighting.aem[0] ^ 0x80]) + sighting.aem[1:])

    assert plausible_metadata(AEMK, sighting.rpi, flipped) is None
