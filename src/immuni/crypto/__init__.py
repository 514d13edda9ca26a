"""What a key becomes on the air: identifiers and encrypted metadata.

The final generation stands here; `immuni.crypto.preliminary` holds that of April 2020.
"""

from immuni.crypto.final import (
    AEM,
    AEMK,
    RPI,
    RPIK,
    decrypt_metadata,
    decrypt_rpi,
    derive_aemk,
    derive_rpik,
    encrypt_metadata,
    generate_rpi,
    generate_rpis,
)
from immuni.crypto.metadata import (
    DEFAULT_METADATA_VERSION,
    BluetoothMetadata,
    CalibrationConfidence,
    InvalidMetadataError,
)

__all__ = [
    "AEM",
    "AEMK",
    "DEFAULT_METADATA_VERSION",
    "RPI",
    "RPIK",
    "BluetoothMetadata",
    "CalibrationConfidence",
    "InvalidMetadataError",
    "decrypt_metadata",
    "decrypt_rpi",
    "derive_aemk",
    "derive_rpik",
    "encrypt_metadata",
    "generate_rpi",
    "generate_rpis",
]
