"""The key schedule of the final generation: a typed face over the Rust core."""

from typing import Final, NewType

from immuni import _core
from immuni.crypto.metadata import BluetoothMetadata
from immuni.keys import ENIntervalNumber, TemporaryExposureKey

RPIK = NewType("RPIK", bytes)
"""Rolling Proximity Identifier Key, 16 bytes; as secret as its TEK."""
RPI = NewType("RPI", bytes)
"""Rolling Proximity Identifier, 16 bytes; broadcast for one interval."""
AEMK = NewType("AEMK", bytes)
"""Associated Encrypted Metadata Key, 16 bytes; as secret as its TEK."""
AEM = NewType("AEM", bytes)
"""Associated Encrypted Metadata, 4 bytes; broadcast beside its RPI."""

_RPI_LENGTH: Final = 16


def derive_rpik(tek: TemporaryExposureKey) -> RPIK:
    """Derive the key that makes the identifiers of `tek`.

    Privacy:
        Whoever holds it can link every identifier of `tek`. Never store it.

    Source:
        Cryptography Specification v1.2, "Rolling Proximity Identifier Key".
    """
    return RPIK(_core.derive_rpik(tek.key_data))


def derive_aemk(tek: TemporaryExposureKey) -> AEMK:
    """Derive the key that encrypts the metadata beside the identifiers of `tek`.

    Source:
        Cryptography Specification v1.2, "Associated Encrypted Metadata Key".
    """
    return AEMK(_core.derive_aemk(tek.key_data))


def generate_rpi(rpik: RPIK, interval: ENIntervalNumber) -> RPI:
    """Encrypt `interval` into the identifier broadcast during it.

    Raises:
        ValueError: `rpik` is not 16 bytes long or `interval` does not fit 32 bits.

    Layout:
        PaddedData, one AES block, little-endian: 0..5 b"EN-RPI", 6..11 zero, 12..15 interval.

    Privacy:
        Unlinkable to any other identifier without `rpik`.

    Source:
        Cryptography Specification v1.2, "Rolling Proximity Identifier".
    """
    return RPI(_core.derive_rpis(rpik, interval, 1))


def generate_rpis(rpik: RPIK, first: ENIntervalNumber, count: int) -> list[RPI]:
    """Return the identifiers of `count` intervals from `first` on, at most a day's 144.

    Raises:
        ValueError: `count` is not in 0..144, or an interval does not fit 32 bits.

    Source:
        Cryptography Specification v1.2, "Rolling Proximity Identifier".
    """
    packed = _core.derive_rpis(rpik, first, count)
    return [RPI(packed[at : at + _RPI_LENGTH]) for at in range(0, len(packed), _RPI_LENGTH)]


def decrypt_rpi(rpik: RPIK, rpi: RPI) -> ENIntervalNumber | None:
    """Return the interval for which `rpik` made `rpi`, or None when another key made it.

    Source:
        Cryptography Specification v1.2, "Rolling Proximity Identifier".
    """
    interval = _core.decrypt_rpi(rpik, rpi)
    return None if interval is None else ENIntervalNumber(interval)


def encrypt_metadata(aemk: AEMK, rpi: RPI, metadata: BluetoothMetadata) -> AEM:
    """Encrypt the metadata that is broadcast beside `rpi`.

    Privacy:
        Nobody reads it, nor links senders by it, before the TEK is published.

    Source:
        Cryptography Specification v1.2, "Associated Encrypted Metadata".
    """
    return AEM(_core.encrypt_metadata(aemk, rpi, metadata.encode()))


def decrypt_metadata(aemk: AEMK, rpi: RPI, aem: AEM) -> BluetoothMetadata:
    """Decrypt the metadata heard beside `rpi`.

    Nothing authenticates an AEM: whoever replays an identifier may have flipped its bits. Hence a
    result is only a claim, and an error is part of normal life.

    Raises:
        ValueError: A length is wrong.
        InvalidMetadataError: What was decrypted is no metadata of major version 1.

    Source:
        Cryptography Specification v1.2, "Associated Encrypted Metadata".
    """
    return BluetoothMetadata.decode(_core.encrypt_metadata(aemk, rpi, aem))
