//! Published keys of either generation, many at once, with the time for which each is valid.

use std::ops::Range;

use crate::bytes::{blocks, check_packed};
use crate::derivation::derive_rpik;
use crate::error::Error;
use crate::identifiers::{MAX_ROLLING_PERIOD, Rpi, encrypt_intervals};
use crate::keys::{KEY_LENGTH, Tek};
use crate::preliminary::authenticate_intervals;

/// Keys whose identifiers can be looked for.
pub trait Batch {
    /// The keys, each with the intervals in which it generated identifiers.
    fn keys(&self) -> impl Iterator<Item = ([u8; KEY_LENGTH], Range<u32>)>;

    /// The identifiers of `intervals`, which are a part of the key's `validity`.
    fn identifiers(key: [u8; KEY_LENGTH], validity: &Range<u32>, intervals: Range<u32>)
    -> Vec<Rpi>;
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
    fn keys(&self) -> impl Iterator<Item = ([u8; KEY_LENGTH], Range<u32>)> {
        let validities = self
            .rolling_starts
            .iter()
            .zip(self.rolling_periods)
            .map(|(&start, &period)| start..start.saturating_add(period.into()));
        blocks(self.key_data).zip(validities)
    }

    fn identifiers(key: [u8; KEY_LENGTH], _: &Range<u32>, intervals: Range<u32>) -> Vec<Rpi> {
        encrypt_intervals(&derive_rpik(&Tek::from(key)), intervals)
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
    fn keys(&self) -> impl Iterator<Item = ([u8; KEY_LENGTH], Range<u32>)> {
        let validities = self.day_numbers.iter().map(|day| {
            let start = day.saturating_mul(MAX_ROLLING_PERIOD);
            start..start.saturating_add(MAX_ROLLING_PERIOD)
        });
        blocks(self.key_data).zip(validities)
    }

    fn identifiers(
        key: [u8; KEY_LENGTH],
        validity: &Range<u32>,
        intervals: Range<u32>,
    ) -> Vec<Rpi> {
        let within_day = intervals.map(|interval| interval.saturating_sub(validity.start));
        authenticate_intervals(&key.into(), within_day)
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

        assert!(keys.keys().eq([([1; 16], 1000..1003)]));
        assert!(daily.keys().eq([([2; 16], 1440..1584)]));
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
