//! A small answer to a large question: was this identifier never heard?

use std::hash::{BuildHasher, RandomState};

use crate::identifiers::Rpi;

/// Bits for each identifier at least, before they are rounded up to a power of two.
const BITS_EACH: usize = 16;
const WORD_BITS: usize = 64;
/// Bits of a word that an identifier sets.
const BITS_SET: usize = 3;

/// Says of nearly all identifiers that were not added that they were not, in one look at memory.
///
/// Each identifier sets three bits of one word: a Bloom filter in blocks of a word. Of those that
/// were not added one in a hundred passes, or fewer.
pub(crate) struct Filter {
    hash: Hash,
    words: Vec<u64>,
    /// By how many bits a hash is shifted to become the place of a word.
    shift: u32,
}

/// A hash that is keyed by chance: whoever broadcasts chooses identifiers, and must not be able to
/// choose those that let many others pass.
#[derive(Clone, Copy)]
pub(crate) struct Hash {
    mask: u64,
    factor: u64,
}

impl Hash {
    pub(crate) fn drawn() -> Self {
        let drawn = RandomState::new();
        Self {
            mask: drawn.hash_one(0),
            factor: drawn.hash_one(1) | 1,
        }
    }

    /// Multiplies, and folds both halves of the product into one.
    ///
    /// Half of an identifier is enough: whoever shares that with another shares its bits.
    #[inline]
    fn of(self, rpi: &Rpi) -> u64 {
        let half = rpi.first_chunk().copied().map(u64::from_le_bytes);
        let half = half.unwrap_or_default() ^ self.mask;
        let product = u128::from(half).wrapping_mul(self.factor.into());
        u64::try_from(product >> u64::BITS).unwrap_or_default() ^ half.wrapping_mul(self.factor)
    }
}

/// What is looked at for an identifier: a word, and bits in it.
type Spot = (usize, [u32; BITS_SET]);

impl Filter {
    /// An empty filter for `count` identifiers.
    pub(crate) fn new(count: usize, hash: Hash) -> Self {
        let words = (count.saturating_mul(BITS_EACH) / WORD_BITS)
            .max(2)
            .next_power_of_two();
        Self {
            hash,
            words: vec![0; words],
            shift: u64::BITS.saturating_sub(words.trailing_zeros()),
        }
    }

    pub(crate) fn add(&mut self, rpi: &Rpi) {
        let (place, bits) = self.spot(rpi);
        if let Some(word) = self.words.get_mut(place) {
            for bit in bits {
                *word |= 1_u64.rotate_left(bit);
            }
        }
    }

    /// Tells whether `rpi` may have been added.
    #[inline]
    pub(crate) fn may_hold(&self, rpi: &Rpi) -> bool {
        let (place, [first, second, third]) = self.spot(rpi);
        self.words.get(place).is_some_and(|word| {
            word.rotate_right(first) & word.rotate_right(second) & word.rotate_right(third) & 1 != 0
        })
    }

    /// The memory that it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        size_of_val(self.words.as_slice())
    }

    #[inline]
    fn spot(&self, rpi: &Rpi) -> Spot {
        let hash = self.hash.of(rpi);
        let place = usize::try_from(hash.wrapping_shr(self.shift)).unwrap_or_default();
        // A rotation looks at six bits of each.
        let [first, second, third, ..] = hash.to_le_bytes();
        (place, [first, second, third].map(u32::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rpi(number: u32) -> Rpi {
        let mixed = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        mixed.to_le_bytes()
    }

    fn filled(count: u32) -> Filter {
        let mut filter = Filter::new(count as usize, Hash::drawn());
        (0..count).for_each(|number| filter.add(&rpi(number)));
        filter
    }

    #[test]
    fn whatever_was_added_passes_and_of_all_else_not_one_in_fifty() {
        for count in [0, 1, 40, 1000, 30_000] {
            let filter = filled(count);

            assert!((0..count).all(|number| filter.may_hold(&rpi(number))));
            let strangers = count..count + 10_000;
            let passed = strangers
                .filter(|&number| filter.may_hold(&rpi(number)))
                .count();
            assert!(passed < 200, "{passed} of {count}");
        }
    }

    #[test]
    fn two_filters_are_passed_by_different_strangers() {
        let (one, other) = (filled(1000), filled(1000));
        let passing = |filter: &Filter| -> Vec<u32> {
            (1000..100_000)
                .filter(|&number| filter.may_hold(&rpi(number)))
                .collect()
        };

        assert_ne!(passing(&one), passing(&other));
    }
}
