"""The Rust core: derivation, matching, and published keys in a file's form, in batches.

The native module is built from `crates/`; `immuni._core.reference` holds the same functions in
readable Python, against which the native ones are tested. What `parse_export` and `serialise_keys`
do, the protobuf library does slower; the tests compare the two.
"""

from immuni._core._native import (
    Index,
    MalformedMessageError,
    decrypt_rpi,
    derive_aemk,
    derive_preliminary_rpis,
    derive_rpik,
    derive_rpis,
    encrypt_metadata,
    parse_export,
    serialise_keys,
)

__all__ = [
    "Index",
    "MalformedMessageError",
    "decrypt_rpi",
    "derive_aemk",
    "derive_preliminary_rpis",
    "derive_rpik",
    "derive_rpis",
    "encrypt_metadata",
    "parse_export",
    "serialise_keys",
]
