"""How much of the signal was lost on its way."""

from typing import Final

from immuni.crypto import (
    AEM,
    AEMK,
    RPI,
    BluetoothMetadata,
    InvalidMetadataError,
    decrypt_metadata,
)

PLAUSIBLE_TX_POWER_DBM: Final = range(-50, 21)
"""-50..+20 dBm: what radios of phones send with. Anything else was not written by one."""


def plausible_metadata(aemk: AEMK, rpi: RPI, aem: AEM | None) -> BluetoothMetadata | None:
    """Return what a sender whose key is known told of its radio.

    Args:
        aemk: Derived from the key that generated `rpi`.
        rpi: The identifier that was heard.
        aem: What was heard beside it; None where that cannot be used.

    Returns:
        None where there is nothing plausible, so that the sighting must not be scored.

    Source:
        Bluetooth Specification v1.2, "Associated Encrypted Metadata".
    """
    if aem is None:
        return None
    try:
        metadata = decrypt_metadata(aemk, rpi, aem)
    except InvalidMetadataError:
        # Nothing authenticates an AEM: a replayed one may hold anything.
        return None
    return metadata if metadata.tx_power_dbm in PLAUSIBLE_TX_POWER_DBM else None


def attenuation_db(metadata: BluetoothMetadata, *, rssi_dbm: int) -> int:
    """Return the loss of a signal: transmit power less received strength, at least 0, in dB.

    Source:
        Bluetooth Specification v1.2, "Associated Encrypted Metadata".
    """
    return max(0, metadata.tx_power_dbm - rssi_dbm)
