//! What is to be computed for all keys of one validity, so that nothing that was heard is missed.

use std::ops::Range;

use aes::Block;

use crate::filter::Filter;
use crate::identifiers::{MAX_ROLLING_PERIOD, Rpi, padded_data};
use crate::index::Index;

/// What decrypting costs beyond encrypting, in blocks: its round keys are made of the others.
const DECRYPTION_COST: usize = 16;

/// The work on keys that are valid during the same intervals.
#[derive(Default)]
pub struct Plan<'a> {
    /// The intervals whose identifiers are to be made, in ascending order.
    pub(crate) intervals: Vec<u32>,
    /// What is encrypted into these identifiers.
    pub(crate) blocks: Vec<Block>,
    /// How many of the identifiers in turn are looked up in which filter.
    lookups: Vec<(usize, &'a Filter)>,
    /// The other way round: intervals of which so few identifiers may have been heard that it
    /// takes less to decrypt them all.
    pub(crate) decryptions: Vec<(Range<u32>, &'a [Rpi])>,
}

/// An identifier that may have been heard, and the interval for which it was made.
pub(crate) type Candidate = (u32, Rpi);

impl<'a> Plan<'a> {
    /// Plans for keys that make identifiers for `validity`, and show it when they decrypt them if
    /// `decrypting`.
    pub(crate) fn make(&mut self, validity: &Range<u32>, index: &'a Index, decrypting: bool) {
        self.clear();
        for (part, candidates) in index.parts(validity) {
            match &candidates.few {
                Some(few) if decrypting && is_less(few.len(), part.len()) => {
                    self.decryptions.push((part, few));
                }
                _ => {
                    self.lookups.push((part.len(), &candidates.filter));
                    self.blocks.extend(
                        part.clone()
                            .map(|interval| Block::from(padded_data(interval))),
                    );
                    self.intervals.extend(part);
                }
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.intervals.is_empty() && self.decryptions.is_empty()
    }

    /// Calls `each` with those of the plan's identifiers that may have been heard.
    pub(crate) fn look_up<'b>(
        &self,
        identifiers: impl Iterator<Item = &'b Rpi>,
        mut each: impl FnMut(Candidate),
    ) {
        let mut identifiers = identifiers.zip(&self.intervals);
        for &(count, filter) in &self.lookups {
            for (rpi, &interval) in identifiers.by_ref().take(count) {
                if filter.may_hold(rpi) {
                    each((interval, *rpi));
                }
            }
        }
    }

    /// The intervals, numbered within the day to which they belong.
    pub(crate) fn intervals_of_day(&self) -> impl Iterator<Item = u32> {
        let within = |interval: &u32| interval.checked_rem(MAX_ROLLING_PERIOD).unwrap_or_default();
        self.intervals.iter().map(within)
    }

    fn clear(&mut self) {
        self.intervals.clear();
        self.blocks.clear();
        self.lookups.clear();
        self.decryptions.clear();
    }
}

fn is_less(decryptions: usize, encryptions: usize) -> bool {
    decryptions.saturating_add(DECRYPTION_COST) < encryptions
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Range<u32> = 1440..1584;

    /// Different identifiers, all heard at one of `intervals`.
    fn heard(count: u8, intervals: &[u32]) -> Index {
        let rpis: Vec<u8> = (0..count).flat_map(|number| [number; 16]).collect();
        let intervals: Vec<u32> = intervals
            .iter()
            .cycle()
            .take(count.into())
            .copied()
            .collect();
        Index::new(&rpis, &intervals, 12).unwrap()
    }

    /// How many intervals are encrypted and how many identifiers decrypted for a key.
    fn planned(validity: Range<u32>, index: &Index, decrypting: bool) -> (usize, usize) {
        let mut plan = Plan::default();
        plan.make(&validity, index, decrypting);
        assert_eq!(
            plan.is_empty(),
            plan.blocks.is_empty() && plan.decryptions.is_empty()
        );
        assert_eq!(plan.blocks.len(), plan.intervals.len());
        (
            plan.blocks.len(),
            plan.decryptions.iter().map(|(_, few)| few.len()).sum(),
        )
    }

    #[test]
    fn nothing_is_done_where_nothing_was_heard() {
        assert_eq!(planned(DAY, &heard(0, &[]), true), (0, 0));
        assert_eq!(planned(DAY, &heard(9, &[1300, 1700]), true), (0, 0));
        assert_eq!(planned(DAY, &heard(200, &[1500]), true), (25, 0));
        assert_eq!(planned(DAY, &heard(200, &[1500, 1535]), true), (50, 0));
    }

    #[test]
    fn a_key_is_followed_for_its_rolling_period_alone() {
        let index = heard(200, &[1440, 1460, 1480, 1500]);

        assert_eq!(planned(1440..1441, &index, true), (1, 0));
        assert_eq!(planned(1440..1450, &index, true), (10, 0));
    }

    #[test]
    fn few_identifiers_are_decrypted_and_many_intervals_encrypted() {
        let spread: Vec<u32> = DAY.step_by(20).collect();

        assert_eq!(planned(DAY, &heard(127, &spread), true), (0, 127));
        assert_eq!(planned(DAY, &heard(128, &spread), true), (144, 0));
        assert_eq!(planned(1440..1500, &heard(127, &spread), true), (60, 0));
        assert_eq!(planned(DAY, &heard(8, &spread), false), (144, 0));
    }

    #[test]
    fn each_day_of_a_key_is_planned_by_what_was_heard_in_it() {
        let mut index = heard(10, &[1440, 1460, 1480, 1500, 1520, 1540]);
        let many: Vec<u8> = (0..200).flat_map(|number| [number; 16]).collect();
        let later: Vec<u32> = (0..200).map(|number| 1600 + number % 100).collect();
        index.append(&many, &later).unwrap();

        assert_eq!(planned(1440..1728, &index, true), (124, 10));
    }
}
