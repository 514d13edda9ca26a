//! How time is parted: into days, or longer stretches where the tolerance is longer.

use std::ops::{Range, RangeInclusive};

use crate::identifiers::MAX_ROLLING_PERIOD;

/// The tolerance, and the stretches into which time is parted so that what lies within the
/// tolerance of an interval is spread over two of them at most.
#[derive(Clone, Copy)]
pub(crate) struct Spans {
    tolerance: u32,
    /// Intervals of a stretch, here called a day.
    length: u32,
}

impl Spans {
    pub(crate) fn new(tolerance: u32) -> Self {
        let window = tolerance.saturating_mul(2).saturating_add(1);
        Self {
            tolerance,
            length: window.max(MAX_ROLLING_PERIOD),
        }
    }

    /// The intervals that lie within the tolerance of `interval`.
    pub(crate) fn near(self, interval: u32) -> RangeInclusive<u32> {
        let least = interval.saturating_sub(self.tolerance);
        least..=interval.saturating_add(self.tolerance)
    }

    /// The number of the day that `interval` belongs to.
    pub(crate) fn day_of(self, interval: u32) -> u32 {
        interval.checked_div(self.length).unwrap_or_default()
    }

    /// The numbers of the days to which anything near `interval` belongs.
    pub(crate) fn days_near(self, interval: u32) -> RangeInclusive<u32> {
        let near = self.near(interval);
        self.day_of(*near.start())..=self.day_of(*near.end())
    }

    /// The intervals in which an identifier of day `number` may be heard.
    pub(crate) fn heard_of(self, number: u32) -> RangeInclusive<u32> {
        let first = number.saturating_mul(self.length);
        let last = first.saturating_add(self.length.saturating_sub(1));
        first.saturating_sub(self.tolerance)..=last.saturating_add(self.tolerance)
    }

    /// Cuts `intervals` where one day ends and another begins.
    pub(crate) fn parted(self, intervals: Range<u32>) -> impl Iterator<Item = Range<u32>> {
        let mut rest = intervals;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let next = self
                .day_of(rest.start)
                .saturating_add(1)
                .saturating_mul(self.length);
            let part = rest.start..rest.end.min(next);
            rest.start = part.end;
            Some(part)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWKWARD: [u32; 7] = [0, 12, 143, 144, 1_000_003, u32::MAX - 12, u32::MAX];

    #[test]
    fn an_identifier_is_heard_in_two_days_at_most_whatever_the_tolerance() {
        for tolerance in [0, 1, 12, 71, 72, 1000, u32::MAX / 2, u32::MAX] {
            let spans = Spans::new(tolerance);
            for interval in AWKWARD {
                assert!(
                    spans.days_near(interval).count() <= 2,
                    "{tolerance} {interval}"
                );
            }
        }
    }

    #[test]
    fn a_day_hears_what_lies_within_the_tolerance_of_its_intervals() {
        let spans = Spans::new(12);

        assert_eq!(spans.heard_of(0), 0..=155);
        assert_eq!(spans.heard_of(10), 1428..=1595);
        assert_eq!(spans.near(5), 0..=17);
        assert_eq!(spans.near(u32::MAX - 5), u32::MAX - 17..=u32::MAX);
    }

    #[test]
    fn intervals_are_cut_at_the_ends_of_days() {
        let parted = |window: u32, from: u32, to: u32| -> Vec<(u32, u32)> {
            let parts = Spans::new(window / 2).parted(from..to);
            parts.map(|part| (part.start, part.end)).collect()
        };

        assert_eq!(parted(24, 144, 288), [(144, 288)]);
        assert_eq!(parted(144, 100, 300), [(100, 145), (145, 290), (290, 300)]);
        assert_eq!(parted(24, 100, 300), [(100, 144), (144, 288), (288, 300)]);
        assert_eq!(parted(24, 7, 7), []);
        let (last, end) = (u32::MAX - 1, u32::MAX);
        assert_eq!(parted(24, last, end), [(last, end)]);
        assert_eq!(parted(u32::MAX, 0, end), [(0, end)]);
    }
}
