//! Associated Encrypted Metadata: four bytes that travel beside each identifier.

use aes::Aes128Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};

use crate::identifiers::Rpi;
use crate::keys::Aemk;

/// Metadata, encrypted or not.
pub type Metadata = [u8; 4];

/// Encrypts or decrypts the metadata beside `rpi`: the same operation does both.
///
/// AES-CTR with the identifier as its counter, of which four bytes need but the first block.
/// Nothing authenticates the result: whoever replays the identifier may have flipped bits.
///
/// # Source
///
/// Cryptography Specification v1.2, "Associated Encrypted Metadata".
#[must_use]
pub fn encrypt_metadata(aemk: &Aemk, rpi: &Rpi, metadata: Metadata) -> Metadata {
    let mut keystream = Array::from(*rpi);
    Aes128Enc::new(aemk.as_bytes().into()).encrypt_block(&mut keystream);
    let [k0, k1, k2, k3, ..] = keystream.0;
    let [m0, m1, m2, m3] = metadata;
    [m0 ^ k0, m1 ^ k1, m2 ^ k2, m3 ^ k3]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encrypting_twice_gives_the_metadata_back() {
        let aemk = Aemk::from([3; 16]);
        let metadata = [0x40, 0xf8, 0, 0];

        let aem = encrypt_metadata(&aemk, &[9; 16], metadata);

        assert_ne!(aem, metadata);
        assert_eq!(encrypt_metadata(&aemk, &[9; 16], aem), metadata);
    }
}
