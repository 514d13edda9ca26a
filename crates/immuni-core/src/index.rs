//! A phone's sightings, made ready to be looked up by many millions of identifiers.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use crate::bytes::{blocks, check_packed};
use crate::error::Error;
use crate::identifiers::Rpi;

/// Bits of the filter for each sighting: one look-up in sixteen or so passes it for nothing.
const FILTER_BITS: usize = 16;
const WORD_BITS: usize = 64;

/// A phone's sightings, found by identifier. Built once, then used for any number of batches.
pub struct Index {
    filter: Filter,
    /// The latest sighting of each identifier. The hasher is the standard library's keyed one:
    /// whoever broadcasts chooses identifiers, and must not be able to choose collisions.
    latest: HashMap<Rpi, usize>,
    sightings: Vec<Sighting>,
    /// Intervals near which anything was heard at all: ascending, apart from each other.
    heard: Vec<Range<u32>>,
    tolerance: u32,
}

/// When an identifier was heard, and the place of its sighting before this one.
struct Sighting {
    interval: u32,
    previous: Option<usize>,
}

impl Index {
    /// Indexes sightings: packed identifiers, which may repeat, and the interval of each.
    ///
    /// `tolerance` is the number of intervals by which a sighting may lie beside the interval of
    /// its identifier, before or after.
    ///
    /// # Errors
    ///
    /// [`Error::Packed`] if `rpis` has not 16 bytes for each interval.
    pub fn new(rpis: &[u8], intervals: &[u32], tolerance: u32) -> Result<Self, Error> {
        check_packed("rpis", rpis, "sightings", intervals.len())?;
        let mut filter = Filter::new(intervals.len());
        let mut latest = HashMap::with_capacity(intervals.len());
        let sightings = blocks(rpis)
            .zip(intervals)
            .enumerate()
            .map(|(place, (rpi, &interval))| {
                filter.add(&rpi);
                let previous = latest.insert(rpi, place);
                Sighting { interval, previous }
            })
            .collect();
        Ok(Self {
            filter,
            latest,
            sightings,
            heard: around(intervals, tolerance),
            tolerance,
        })
    }

    /// The parts of `intervals` whose identifiers could match anything.
    pub(crate) fn heard_during(
        &self,
        intervals: &Range<u32>,
    ) -> impl Iterator<Item = Range<u32>> + use<'_> {
        let intervals = intervals.clone();
        let first = self
            .heard
            .partition_point(|heard| heard.end <= intervals.start);
        self.heard
            .iter()
            .skip(first)
            .map(move |heard| heard.start.max(intervals.start)..heard.end.min(intervals.end))
            .take_while(|part| !part.is_empty())
    }

    /// Says of most identifiers that were never heard that they were not.
    pub(crate) fn may_hold(&self, rpi: &Rpi) -> bool {
        self.filter.may_hold(rpi)
    }

    /// The place of the latest sighting of `rpi`: one number for all that were heard of it.
    pub(crate) fn latest_of(&self, rpi: &Rpi) -> Option<usize> {
        self.latest.get(rpi).copied()
    }

    /// The places of those sightings of `rpi` that were heard near `interval`, latest first.
    pub(crate) fn sightings_of(&self, rpi: &Rpi, interval: u32) -> impl Iterator<Item = usize> {
        let mut next = self.latest_of(rpi);
        std::iter::from_fn(move || {
            let place = next?;
            let sighting = self.sightings.get(place)?;
            next = sighting.previous;
            Some((place, sighting.interval))
        })
        .filter(move |(_, heard)| heard.abs_diff(interval) <= self.tolerance)
        .map(|(place, _)| place)
    }
}

/// Joins what lies within `tolerance` of any of `intervals` into ascending ranges.
fn around(intervals: &[u32], tolerance: u32) -> Vec<Range<u32>> {
    let mut heard = intervals.to_vec();
    heard.sort_unstable();
    heard.dedup();
    let mut ranges: Vec<Range<u32>> = Vec::new();
    for interval in heard {
        let start = interval.saturating_sub(tolerance);
        // No key is valid in the last interval of all, so that an end may stop short of it.
        let end = interval.saturating_add(tolerance).saturating_add(1);
        match ranges.last_mut() {
            Some(last) if start <= last.end => last.end = end,
            _ => ranges.push(start..end),
        }
    }
    ranges
}

/// Says of most identifiers that were never heard that they were not, faster than a hash map.
///
/// One bit for each hash. The hash is keyed by chance, so that nobody can broadcast identifiers
/// that let many others pass.
struct Filter {
    words: Vec<u64>,
    /// An odd factor that spreads identifiers over the top bits of a product.
    factor: u64,
    /// By how many bits a product is shifted to become a place.
    shift: u32,
}

impl Filter {
    fn new(count: usize) -> Self {
        let bits = count
            .saturating_mul(FILTER_BITS)
            .max(WORD_BITS)
            .next_power_of_two();
        Self {
            words: vec![0; bits / WORD_BITS],
            factor: RandomState::new().hash_one(count) | 1,
            shift: u64::BITS.saturating_sub(bits.trailing_zeros()),
        }
    }

    fn add(&mut self, rpi: &Rpi) {
        let (word, bit) = self.place_of(rpi);
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
    }

    fn may_hold(&self, rpi: &Rpi) -> bool {
        let (word, bit) = self.place_of(rpi);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The word and the bit in it that stand for `rpi`.
    fn place_of(&self, rpi: &Rpi) -> (usize, u64) {
        let half = rpi.first_chunk().copied().map(u64::from_le_bytes);
        let hash = half.unwrap_or_default().wrapping_mul(self.factor);
        let place = usize::try_from(hash >> self.shift).unwrap_or_default();
        (place / WORD_BITS, 1 << (place % WORD_BITS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard_during(heard: &[u32], asked: Range<u32>) -> Vec<(u32, u32)> {
        let rpis = vec![[0; 16]; heard.len()].concat();
        let index = Index::new(&rpis, heard, 12).unwrap();
        let parts = index.heard_during(&asked);
        parts.map(|part| (part.start, part.end)).collect()
    }

    #[test]
    fn intervals_near_which_nothing_was_heard_are_left_out() {
        assert_eq!(heard_during(&[], 0..144), []);
        assert_eq!(heard_during(&[200], 0..144), []);
        assert_eq!(heard_during(&[50], 0..144), [(38, 63)]);
        assert_eq!(heard_during(&[100, 50, 50], 0..144), [(38, 63), (88, 113)]);
        assert_eq!(heard_during(&[50, 75], 0..144), [(38, 88)]);
        assert_eq!(heard_during(&[50, 100], 63..144), [(88, 113)]);
        assert_eq!(heard_during(&[0, 150], 100..144), [(138, 144)]);
        assert_eq!(heard_during(&[0, u32::MAX], 5..7), [(5, 7)]);
    }

    #[test]
    fn whatever_was_added_passes_the_filter_and_most_else_does_not() {
        let rpi = |number: u32| -> Rpi {
            let mixed = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            mixed.to_le_bytes()
        };
        let mut filter = Filter::new(1000);
        (0..1000).for_each(|number| filter.add(&rpi(number)));

        assert!((0..1000).all(|number| filter.may_hold(&rpi(number))));
        let passed = (1000..11_000).filter(|&number| filter.may_hold(&rpi(number)));
        assert!(passed.count() < 2_000);
    }

    #[test]
    fn identifiers_and_intervals_that_disagree_are_refused() {
        assert!(Index::new(&[0; 16], &[1], 12).is_ok());
        assert!(Index::new(&[0; 17], &[1], 12).is_err());
        assert!(Index::new(&[0; 16], &[1, 2], 12).is_err());
    }
}
