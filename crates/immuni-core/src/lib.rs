//! The computing half of exposure notification: key derivation, identifiers, metadata, matching.
//!
//! Pure functions over bytes and numbers. Nothing here opens a file, reads a clock, draws
//! randomness or panics; whatever the caller got wrong comes back as an [`Error`].
//!
//! # Source
//!
//! Exposure Notification Cryptography Specification v1.2 (April 2020).
#![forbid(unsafe_code)]

mod bytes;
mod derivation;
mod diagnosis;
mod error;
mod identifiers;
mod keys;
mod matching;
mod metadata;

pub use bytes::exactly;
pub use derivation::{derive_aemk, derive_rpik};
pub use diagnosis::{DiagnosisKey, parse_keys};
pub use error::Error;
pub use identifiers::{MAX_ROLLING_PERIOD, Rpi, decrypt_rpi, derive_rpis};
pub use keys::{Aemk, KEY_LENGTH, Rpik, Tek};
pub use matching::{Index, Match, match_keys};
pub use metadata::{Metadata, encrypt_metadata};
