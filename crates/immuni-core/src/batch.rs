//! Published keys of either generation, many at once, with the time for which each is valid.

use crate::bytes::check_packed;
use crate::error::Error;
use crate::identifiers::MAX_ROLLING_PERIOD;
use crate::identifying::{Final, Generation, Preliminary};
use crate::keys::KEY_LENGTH;

/// Intervals of a day, for as many of which a Daily Tracing Key makes identifiers.
const DAY: u8 = 144;

/// Keys whose identifiers can be looked for.
pub trait Batch: Sync {
    /// How the keys are turned into identifiers.
    type Generation: Generation;

    /// The number of keys.
    fn len(&self) -> usize;

    /// Whether there is no key.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first interval of the key at `place`, and for how many it generated identifiers.
    fn validity(&self, place: usize) -> Option<(u32, u8)>;

    /// The key at `place`.
    fn key(&self, place: usize) -> Option<[u8; KEY_LENGTH]>;
}

/// Returns the block of 16 bytes at `place`.
fn block_at(packed: &[u8], place: usize) -> Option<[u8; KEY_LENGTH]> {
    let rest = packed.get(place.checked_mul(KEY_LENGTH)?..)?;
    rest.first_chunk().copied()
}

/// Temporary Exposure Keys that were published: packed key data and the numbers of each.
pub struct DiagnosisKeys<'a> {
    key_data: &'a [u8],
    rolling_starts: &'a [u32],
    rolling_periods: &'a [u8],
}

impl<'a> DiagnosisKeys<'a> {
    /// Joins the columns of a batch.
    ///
    /// # Errors
    ///
    /// [`Error::Packed`] or [`Error::Entries`] if the three disagree in length,
    /// [`Error::RollingPeriod`] if a period is not in `1..=144`, and [`Error::RollingEnd`] if one
    /// ends after what 32 bits can number.
    pub fn new(
        key_data: &'a [u8],
        rolling_starts: &'a [u32],
        rolling_periods: &'a [u8],
    ) -> Result<Self, Error> {
        check_packed("key_data", key_data, "keys", rolling_starts.len())?;
        if rolling_periods.len() != rolling_starts.len() {
            return Err(Error::Entries {
                what: "rolling_periods",
                expected: rolling_starts.len(),
                actual: rolling_periods.len(),
            });
        }
        for (&start, &period) in rolling_starts.iter().zip(rolling_periods) {
            if !(1..=MAX_ROLLING_PERIOD).contains(&period.into()) {
                return Err(Error::RollingPeriod(period.into()));
            }
            start.checked_add(period.into()).ok_or(Error::RollingEnd)?;
        }
        Ok(Self {
            key_data,
            rolling_starts,
            rolling_periods,
        })
    }
}

impl Batch for DiagnosisKeys<'_> {
    type Generation = Final;

    fn len(&self) -> usize {
        self.rolling_starts.len()
    }

    fn validity(&self, place: usize) -> Option<(u32, u8)> {
        let start = self.rolling_starts.get(place)?;
        Some((*start, *self.rolling_periods.get(place)?))
    }

    fn key(&self, place: usize) -> Option<[u8; KEY_LENGTH]> {
        block_at(self.key_data, place)
    }
}

/// Daily Tracing Keys of the preliminary generation: packed key data and the day of each.
pub struct DailyTracingKeys<'a> {
    key_data: &'a [u8],
    day_numbers: &'a [u32],
}

impl<'a> DailyTracingKeys<'a> {
    /// Joins the columns of a batch.
    ///
    /// # Errors
    ///
    /// [`Error::Packed`] if the two disagree in length, and [`Error::RollingEnd`] if a day ends
    /// after what 32 bits can number.
    pub fn new(key_data: &'a [u8], day_numbers: &'a [u32]) -> Result<Self, Error> {
        check_packed("key_data", key_data, "keys", day_numbers.len())?;
        for day in day_numbers {
            day.checked_add(1)
                .and_then(|next| next.checked_mul(MAX_ROLLING_PERIOD))
                .ok_or(Error::RollingEnd)?;
        }
        Ok(Self {
            key_data,
            day_numbers,
        })
    }
}

impl Batch for DailyTracingKeys<'_> {
    type Generation = Preliminary;

    fn len(&self) -> usize {
        self.day_numbers.len()
    }

    fn validity(&self, place: usize) -> Option<(u32, u8)> {
        let start = self
            .day_numbers
            .get(place)?
            .saturating_mul(MAX_ROLLING_PERIOD);
        Some((start, DAY))
    }

    fn key(&self, place: usize) -> Option<[u8; KEY_LENGTH]> {
        block_at(self.key_data, place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(start: u32, period: u8) -> Option<Error> {
        DiagnosisKeys::new(&[1; 16], &[start], &[period]).err()
    }

    #[test]
    fn a_rolling_period_is_at_least_one_interval_and_at_most_a_day() {
        assert_eq!(refusal(0, 0), Some(Error::RollingPeriod(0)));
        assert_eq!(refusal(0, 1), None);
        assert_eq!(refusal(0, 144), None);
        assert_eq!(refusal(0, 145), Some(Error::RollingPeriod(145)));
        assert_eq!(refusal(0, u8::MAX), Some(Error::RollingPeriod(255)));
    }

    #[test]
    fn a_rolling_period_ends_within_32_bits() {
        assert_eq!(refusal(u32::MAX - 144, 144), None);
        assert_eq!(refusal(u32::MAX - 143, 144), Some(Error::RollingEnd));
        assert_eq!(refusal(u32::MAX, 1), Some(Error::RollingEnd));
    }

    #[test]
    fn a_day_ends_within_32_bits() {
        let last = u32::MAX / 144 - 1;

        assert!(DailyTracingKeys::new(&[1; 16], &[last]).is_ok());
        assert!(DailyTracingKeys::new(&[1; 16], &[last + 1]).is_err());
        assert!(DailyTracingKeys::new(&[1; 16], &[u32::MAX]).is_err());
    }

    #[test]
    fn keys_come_with_the_intervals_of_their_own_period() {
        let keys = DiagnosisKeys::new(&[1; 16], &[1000], &[3]).unwrap();
        let daily = DailyTracingKeys::new(&[2; 16], &[10]).unwrap();

        assert_eq!(keys.key(0), Some([1; 16]));
        assert_eq!(keys.validity(0), Some((1000, 3)));
        assert_eq!(daily.key(0), Some([2; 16]));
        assert_eq!(daily.validity(0), Some((1440, 144)));
        assert_eq!((keys.len(), daily.len()), (1, 1));
        assert_eq!((keys.key(1), daily.validity(1)), (None, None));
    }

    #[test]
    fn batches_that_disagree_in_length_are_refused() {
        assert!(DiagnosisKeys::new(&[0; 32], &[0, 0], &[1, 1]).is_ok());
        assert!(DiagnosisKeys::new(&[0; 31], &[0, 0], &[1, 1]).is_err());
        assert!(DiagnosisKeys::new(&[0; 32], &[0], &[1]).is_err());
        assert!(DiagnosisKeys::new(&[0; 32], &[0, 0], &[1]).is_err());
        assert!(DiagnosisKeys::new(&[0; 32], &[0, 0], &[1, 1, 1]).is_err());
        assert!(DailyTracingKeys::new(&[0; 32], &[0]).is_err());
    }
}
