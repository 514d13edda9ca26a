//! The two keys that are derived from a Temporary Exposure Key.

use std::sync::LazyLock;

use hkdf::HkdfExtract;
use sha2::Sha256;

use crate::keys::{Aemk, KEY_LENGTH, Rpik, Tek};

/// HKDF-SHA256 that has taken in its salt, which is none: what every derivation begins with.
static WITHOUT_SALT: LazyLock<HkdfExtract<Sha256>> = LazyLock::new(|| HkdfExtract::new(None));

/// Derives the Rolling Proximity Identifier Key of `tek`.
///
/// # Source
///
/// Cryptography Specification v1.2, "Rolling Proximity Identifier Key".
#[must_use]
pub fn derive_rpik(tek: &Tek) -> Rpik {
    derive(tek, b"EN-RPIK").into()
}

/// Derives the Associated Encrypted Metadata Key of `tek`.
///
/// # Source
///
/// Cryptography Specification v1.2, "Associated Encrypted Metadata Key".
#[must_use]
pub fn derive_aemk(tek: &Tek) -> Aemk {
    derive(tek, b"EN-AEMK").into()
}

/// HKDF-SHA256 without salt.
#[expect(
    clippy::expect_used,
    reason = "HKDF-SHA256 refuses only outputs of more than 8160 bytes"
)]
fn derive(tek: &Tek, info: &[u8]) -> [u8; KEY_LENGTH] {
    let mut key = [0; KEY_LENGTH];
    let mut extract = WITHOUT_SALT.clone();
    extract.input_ikm(tek.as_bytes());
    let (_, hkdf) = extract.finalize();
    hkdf.expand(info, &mut key)
        .expect("16 bytes are within HKDF's limit");
    key
}
