"""The Rust core: derivation, matching and the reading of published keys, in batches.

The native module is built from `crates/`; `immuni._core.reference` holds the same functions in
readable Python, against which the native ones are tested. What `parse_export` does, the protobuf
library does slower; the tests compare the two.
"""

from immuni._core._native import (
    MalformedMessageError,
    decrypt_rpi,
    derive_aemk,
    derive_preliminary_rpis,
    derive_rpik,
    derive_rpis,
    encrypt_metadata,
    match_keys,
    match_preliminary_keys,
    matched_keys,
    parse_export,
)

__all__ = [
    "MalformedMessageError",
    "decrypt_rpi",
    "derive_aemk",
    "derive_preliminary_rpis",
    "derive_rpik",
    "derive_rpis",
    "encrypt_metadata",
    "match_keys",
    "match_preliminary_keys",
    "matched_keys",
    "parse_export",
]
