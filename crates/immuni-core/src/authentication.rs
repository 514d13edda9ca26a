//! HMAC-SHA256 of short messages under many keys at once.
//!
//! A processor that has instructions for SHA-256 works on two compressions that do not wait for
//! each other nearly as fast as on one. So whatever is computed here goes step by step, each step
//! for all keys. What HMAC does first with a key that is always the same is done once.
//!
//! # Source
//!
//! RFC 2104 and FIPS 180-4.

use sha2::block_api::compress256;

use crate::keys::KEY_LENGTH;

const BLOCK_LENGTH: usize = 64;
const DIGEST_LENGTH: usize = 32;
/// Where a message ends, its length follows in so many bytes.
const LENGTH_LENGTH: usize = 8;

const INNER_PAD: u8 = 0x36;
const OUTER_PAD: u8 = 0x5c;

type Block = [u8; BLOCK_LENGTH];
pub(crate) type Digest = [u8; DIGEST_LENGTH];

/// What SHA-256 has made of the blocks that it was given.
type State = [u32; 8];

/// The state before the first block: FIPS 180-4, section 5.3.3.
const INITIAL: State = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// HMAC-SHA256 that has taken in its key.
#[derive(Clone, Copy)]
pub(crate) struct Keyed {
    inner: State,
    outer: State,
}

impl Keyed {
    /// Takes in a key; one that is shorter than a block is as good as filled up with zeros.
    pub(crate) fn new<const N: usize>(key: &[u8; N]) -> Self {
        let [inner, outer] = [INNER_PAD, OUTER_PAD].map(|pad| {
            let mut state = INITIAL;
            compress256(&mut state, &[padded_key(key, pad)]);
            state
        });
        Self { inner, outer }
    }

    /// Authenticates a message with each of `keyed`.
    pub(crate) fn authenticate<'a>(
        keyed: impl Iterator<Item = &'a Self> + Clone,
        messages: impl Iterator<Item = Message>,
        digests: &mut Vec<Digest>,
    ) {
        digests.clear();
        let inner = keyed.clone().zip(messages);
        digests.extend(inner.map(|(keyed, message)| compressed(keyed.inner, &message)));
        for (keyed, digest) in keyed.zip(digests) {
            *digest = compressed(keyed.outer, &Message::new(digest));
        }
    }
}

/// The last block of what is hashed: a short message after a key, and the padding of both.
#[derive(Clone, Copy)]
pub(crate) struct Message(Block);

impl Message {
    /// Pads `message`, of at most 55 bytes.
    pub(crate) fn new<const N: usize>(message: &[u8; N]) -> Self {
        const {
            assert!(
                N < BLOCK_LENGTH - LENGTH_LENGTH,
                "the padding must fit the block"
            );
        };
        let mut block = [0; BLOCK_LENGTH];
        if let Some((content, padding)) = block.split_first_chunk_mut() {
            *content = *message;
            padding.iter_mut().take(1).for_each(|end| *end = 0x80);
        }
        if let Some(length) = block.last_chunk_mut() {
            *length = const { ((BLOCK_LENGTH + N) as u64 * 8).to_be_bytes() };
        }
        Self(block)
    }
}

fn padded_key<const N: usize>(key: &[u8; N], pad: u8) -> Block {
    let mut block = [pad; BLOCK_LENGTH];
    for (to, from) in block.iter_mut().zip(key) {
        *to ^= from;
    }
    block
}

fn compressed(mut state: State, message: &Message) -> Digest {
    compress256(&mut state, &[message.0]);
    let mut digest = [0; DIGEST_LENGTH];
    for (to, word) in digest.chunks_exact_mut(4).zip(state) {
        to.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

/// The first half of a digest: as long as a key or an identifier.
pub(crate) fn first_half(digest: &Digest) -> [u8; KEY_LENGTH] {
    digest.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;

    use super::*;

    fn authenticated<const N: usize>(key: &[u8], message: &[u8; N]) -> Digest {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    fn assert_agrees<const K: usize, const N: usize>() {
        let keys: Vec<_> = (0..20).map(|byte| [byte; K]).collect();
        let keyed: Vec<_> = keys.iter().map(Keyed::new).collect();
        let messages: Vec<_> = (100..120).map(|byte| [byte; N]).collect();
        let mut digests = vec![[0; DIGEST_LENGTH]; 50];

        Keyed::authenticate(
            keyed.iter(),
            messages.iter().map(Message::new),
            &mut digests,
        );

        let expected = keys
            .iter()
            .zip(&messages)
            .map(|(key, message)| authenticated(key, message));
        assert!(expected.eq(digests));
    }

    #[test]
    fn what_hmac_says_of_each_message_is_said_of_all() {
        assert_agrees::<0, 16>();
        assert_agrees::<16, 7>();
        assert_agrees::<32, 8>();
        assert_agrees::<64, 0>();
        assert_agrees::<1, 55>();
    }
}
