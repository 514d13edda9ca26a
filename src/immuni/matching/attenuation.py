"""How much of the signal was lost on its way."""

from typing import Final

from immuni.crypto import AEM, RPI, InvalidMetadataError, decrypt_metadata, derive_aemk
from immuni.keys import TemporaryExposureKey
from immuni.matching.sighting import AEM_LENGTH

PLAUSIBLE_TX_POWER_DBM: Final = range(-50, 21)
"""-50..+20 dBm: what radios of phones send with. Anything else was not written by one."""


def attenuation_db(tek: TemporaryExposureKey, rpi: RPI, aem: AEM, *, rssi_dbm: int) -> int | None:
    """Return the attenuation of a signal whose sender's key is known.

    Args:
        tek: The key that generated `rpi`.
        rpi: The identifier that was heard.
        aem: What was heard beside it, of any length.
        rssi_dbm: Received signal strength.

    Returns:
        Transmit power less received strength, at least 0, in dB; None where `aem` does not say a
        plausible transmit power, so that the sighting must not be scored.

    Source:
        Bluetooth Specification v1.2, "Associated Encrypted Metadata".
    """
    if len(aem) != AEM_LENGTH:
        return None
    try:
        metadata = decrypt_metadata(derive_aemk(tek), rpi, aem)
    except InvalidMetadataError:
        # Nothing authenticates an AEM: a replayed one may hold anything.
        return None
    if metadata.tx_power_dbm not in PLAUSIBLE_TX_POWER_DBM:
        return None
    return max(0, metadata.tx_power_dbm - rssi_dbm)
