//! The two keys that are derived from a Temporary Exposure Key.

use std::sync::LazyLock;

use crate::authentication::{Digest, Keyed, Message, first_half};
use crate::keys::{Aemk, KEY_LENGTH, Rpik, Tek};

/// What the key is for, and the number of the first part of HKDF's output: there is no other.
type Info = [u8; 8];

const RPIK_INFO: Info = *b"EN-RPIK\x01";
const AEMK_INFO: Info = *b"EN-AEMK\x01";

/// HMAC under the salt of HKDF, which is none: what every derivation begins with.
static WITHOUT_SALT: LazyLock<Keyed> = LazyLock::new(|| Keyed::new(&[0; 0]));

/// Derives the Rolling Proximity Identifier Key of `tek`.
///
/// # Source
///
/// Cryptography Specification v1.2, "Rolling Proximity Identifier Key".
#[must_use]
pub fn derive_rpik(tek: &Tek) -> Rpik {
    derive(tek, RPIK_INFO).into()
}

/// Derives the Associated Encrypted Metadata Key of `tek`.
///
/// # Source
///
/// Cryptography Specification v1.2, "Associated Encrypted Metadata Key".
#[must_use]
pub fn derive_aemk(tek: &Tek) -> Aemk {
    derive(tek, AEMK_INFO).into()
}

fn derive(tek: &Tek, info: Info) -> [u8; KEY_LENGTH] {
    let mut derivation = Derivation::default();
    derivation
        .derive(&[*tek.as_bytes()], info)
        .next()
        .unwrap_or_default()
}

/// Derives keys many at once, in memory that is used again.
#[derive(Default)]
pub(crate) struct Derivation {
    keyed: Vec<Keyed>,
    digests: Vec<Digest>,
}

impl Derivation {
    /// Derives the Rolling Proximity Identifier Key of each of `teks`.
    pub(crate) fn derive_rpiks(
        &mut self,
        teks: &[[u8; KEY_LENGTH]],
    ) -> impl Iterator<Item = [u8; KEY_LENGTH]> {
        self.derive(teks, RPIK_INFO)
    }

    /// HKDF-SHA256 without salt.
    ///
    /// # Source
    ///
    /// RFC 5869.
    fn derive(
        &mut self,
        teks: &[[u8; KEY_LENGTH]],
        info: Info,
    ) -> impl Iterator<Item = [u8; KEY_LENGTH]> {
        let Self { keyed, digests } = self;
        let without_salt = std::iter::repeat(&*WITHOUT_SALT);
        let extracted = teks.iter().map(Message::new);
        Keyed::authenticate(without_salt, extracted, digests);
        keyed.clear();
        keyed.extend(digests.iter().map(Keyed::new));
        let expanded = Message::new(&info);
        Keyed::authenticate(keyed.iter(), std::iter::repeat(expanded), digests);
        digests.iter().map(first_half)
    }
}

#[cfg(test)]
mod tests {
    use hkdf::Hkdf;
    use sha2::Sha256;

    use super::*;

    #[test]
    fn many_keys_at_once_are_derived_as_hkdf_derives_each() {
        let teks: Vec<_> = (0..100).map(|byte| [byte; KEY_LENGTH]).collect();
        let derived = |tek: &[u8; KEY_LENGTH], info| {
            let mut key = [0; KEY_LENGTH];
            Hkdf::<Sha256>::new(None, tek)
                .expand(info, &mut key)
                .unwrap();
            key
        };
        let mut derivation = Derivation::default();

        for count in [100, 31, 2, 1, 0] {
            let many: Vec<_> = derivation.derive_rpiks(&teks[..count]).collect();
            let each = teks[..count].iter().map(|tek| derived(tek, b"EN-RPIK"));
            assert!(each.eq(many));
        }
        for tek in teks {
            assert_eq!(
                derive_aemk(&tek.into()).as_bytes(),
                &derived(&tek, b"EN-AEMK")
            );
        }
    }
}
