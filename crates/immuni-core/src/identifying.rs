//! From keys of one validity to those of their identifiers that may have been heard.

use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128Dec, Aes128Enc, Block};

use crate::authentication::{Digest, Keyed, first_half};
use crate::derivation::Derivation;
use crate::identifiers::{Rpi, interval_in};
use crate::keys::KEY_LENGTH;
use crate::plan::{Candidate, Plan};
use crate::preliminary::authenticate_intervals;

/// How keys of one generation are turned into identifiers. Holds memory that is used again.
pub trait Generation: Default {
    /// Whether a key that decrypts an identifier of its own sees so.
    const DECRYPTS: bool;

    /// Calls `each` with the place of a key among `keys`, and an identifier of its that may have
    /// been heard.
    fn identify(
        &mut self,
        keys: &[[u8; KEY_LENGTH]],
        plan: &Plan<'_>,
        each: impl FnMut(usize, Candidate),
    );
}

/// Temporary Exposure Keys.
#[derive(Default)]
pub struct Final {
    derivation: Derivation,
    rpiks: Vec<[u8; KEY_LENGTH]>,
    ciphers: Vec<Aes128Enc>,
    blocks: Vec<Block>,
}

impl Generation for Final {
    const DECRYPTS: bool = true;

    fn identify(
        &mut self,
        keys: &[[u8; KEY_LENGTH]],
        plan: &Plan<'_>,
        mut each: impl FnMut(usize, Candidate),
    ) {
        self.rpiks.clear();
        self.rpiks.extend(self.derivation.derive_rpiks(keys));
        if !plan.blocks.is_empty() {
            self.encrypt(plan, &mut each);
        }
        if !plan.decryptions.is_empty() {
            self.decrypt(plan, &mut each);
        }
    }
}

impl Final {
    fn encrypt(&mut self, plan: &Plan<'_>, each: &mut impl FnMut(usize, Candidate)) {
        let Self {
            rpiks,
            ciphers,
            blocks,
            ..
        } = self;
        ciphers.clear();
        ciphers.extend(rpiks.iter().map(|rpik| Aes128Enc::new(rpik.into())));
        blocks.resize(plan.blocks.len(), Block::default());
        for (place, cipher) in ciphers.iter().enumerate() {
            // They are of one length: it was just made so.
            if cipher.encrypt_blocks_b2b(&plan.blocks, blocks).is_ok() {
                plan.look_up(blocks.iter().map(|block| &block.0), |found| {
                    each(place, found);
                });
            }
        }
    }

    fn decrypt(&mut self, plan: &Plan<'_>, each: &mut impl FnMut(usize, Candidate)) {
        let Self { rpiks, blocks, .. } = self;
        for (place, rpik) in rpiks.iter().enumerate() {
            let cipher = Aes128Dec::new(rpik.into());
            for (intervals, heard) in &plan.decryptions {
                blocks.clear();
                blocks.extend(heard.iter().map(|&rpi| Block::from(rpi)));
                cipher.decrypt_blocks(blocks);
                for (block, rpi) in blocks.iter().zip(*heard) {
                    let hidden = interval_in(&block.0);
                    if let Some(interval) = hidden.filter(|interval| intervals.contains(interval)) {
                        each(place, (interval, *rpi));
                    }
                }
            }
        }
    }
}

/// Daily Tracing Keys of the preliminary generation.
#[derive(Default)]
pub struct Preliminary {
    keyed: Vec<Keyed>,
    digests: Vec<Digest>,
    rpis: Vec<Rpi>,
}

impl Generation for Preliminary {
    const DECRYPTS: bool = false;

    fn identify(
        &mut self,
        keys: &[[u8; KEY_LENGTH]],
        plan: &Plan<'_>,
        mut each: impl FnMut(usize, Candidate),
    ) {
        let Self {
            keyed,
            digests,
            rpis,
        } = self;
        keyed.clear();
        keyed.extend(keys.iter().map(Keyed::new));
        for (place, keyed) in keyed.iter().enumerate() {
            authenticate_intervals(keyed, plan.intervals_of_day(), digests);
            rpis.clear();
            rpis.extend(digests.iter().map(first_half));
            plan.look_up(rpis.iter(), |found| each(place, found));
        }
    }
}
