//! The computing half of exposure notification: key derivation, identifiers, metadata, matching,
//! and the keys in an export file.
//!
//! Pure functions over bytes and numbers. Nothing here opens a file, reads a clock, draws
//! randomness or panics; whatever the caller got wrong comes back as an [`Error`].
//!
//! # Source
//!
//! Exposure Notification Cryptography Specification v1.2 (April 2020), and its preliminary form of
//! the same month.
#![forbid(unsafe_code)]

mod authentication;
mod batch;
mod bytes;
mod derivation;
mod error;
mod export;
mod filter;
mod identifiers;
mod identifying;
mod index;
mod keys;
mod matching;
mod metadata;
mod plan;
mod preliminary;
mod serialisation;
mod spans;
mod table;
mod wire;
mod worker;

pub use batch::{Batch, DailyTracingKeys, DiagnosisKeys};
pub use bytes::exactly;
pub use derivation::{derive_aemk, derive_rpik};
pub use error::Error;
pub use export::{ExportMessage, KeyColumns, UNKNOWN_ONSET, parse_export};
pub use identifiers::{MAX_ROLLING_PERIOD, Rpi, decrypt_rpi, derive_rpis};
pub use index::Index;
pub use keys::{Aemk, DailyTracingKey, KEY_LENGTH, Rpik, Tek};
pub use matching::{Match, Search, Stopped, match_keys, matched_keys};
pub use metadata::{Metadata, encrypt_metadata};
pub use preliminary::derive_preliminary_rpis;
pub use serialisation::{KeyList, serialise_keys};
pub use wire::MessageError;
