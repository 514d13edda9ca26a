"""The Rust core: derivation and matching in batches.

The native module is built from `crates/`; `immuni._core.reference` holds the same functions in
readable Python, against which the native ones are tested.
"""

from immuni._core._native import (
    decrypt_rpi,
    derive_aemk,
    derive_rpik,
    derive_rpis,
    encrypt_metadata,
    match_keys,
)

__all__ = [
    "decrypt_rpi",
    "derive_aemk",
    "derive_rpik",
    "derive_rpis",
    "encrypt_metadata",
    "match_keys",
]
