"""Keys that sign what the backend publishes: chunk files and settings.

Only a `Signer` ever touches a private key; where the key lives is its own business: a file, a
PKCS#11 token, or a signing service.
"""

from immuni.backend.signing.local import (
    LocalKeySigner,
    create_signing_key,
    read_private_file,
    write_private_file,
)
from immuni.backend.signing.signer import (
    Signer,
    SigningFailedError,
    SigningKeyError,
    public_pem,
    read_public_key,
)

__all__ = [
    "LocalKeySigner",
    "Signer",
    "SigningFailedError",
    "SigningKeyError",
    "create_signing_key",
    "public_pem",
    "read_private_file",
    "read_public_key",
    "write_private_file",
]
