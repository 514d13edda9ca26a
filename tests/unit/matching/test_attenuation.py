"""What the encrypted metadata says about the way of the signal."""

import pytest

from immuni.matching import attenuation_db
from tests.unit.matching.contacts import a_key, heard


@pytest.mark.parametrize(
    ("tx_power_dbm", "rssi_dbm", "loss"),
    [
        (-10, -64, 54),
        (0, 0, 0),
        (-20, -5, 0),
        (-50, -127, 77),
        (20, -127, 147),
        (-51, -60, None),
        (21, -60, None),
        (-128, -60, None),
        (127, -60, None),
    ],
)
def test_attenuation_is_plausible_power_less_received_strength_and_never_negative(
    tx_power_dbm: int, rssi_dbm: int, loss: int | None
) -> None:
    sighting = heard(a_key(), tx_power_dbm=tx_power_dbm)

    assert attenuation_db(a_key().tek, sighting.rpi, sighting.aem, rssi_dbm=rssi_dbm) == loss


@pytest.mark.parametrize("length", [0, 3, 5])
def test_metadata_of_a_wrong_length_says_nothing(length: int) -> None:
    sighting = heard(a_key(), aem=bytes(length))

    assert attenuation_db(a_key().tek, sighting.rpi, sighting.aem, rssi_dbm=-60) is None


def test_metadata_of_another_major_version_says_nothing() -> None:
    good = heard(a_key()).aem
    flipped = bytes([good[0] ^ 0x80]) + good[1:]
    sighting = heard(a_key(), aem=flipped)

    assert attenuation_db(a_key().tek, sighting.rpi, sighting.aem, rssi_dbm=-60) is None
