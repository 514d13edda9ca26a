//! Published keys with the time for which each is valid.

use std::ops::Range;

use crate::bytes::unpack;
use crate::derivation::derive_rpik;
use crate::error::Error;
use crate::identifiers::{MAX_ROLLING_PERIOD, Rpi, encrypt_intervals};
use crate::keys::Tek;

/// A Temporary Exposure Key that was published, with its rolling period.
pub struct DiagnosisKey {
    tek: Tek,
    validity: Range<u32>,
}

impl DiagnosisKey {
    /// Joins a key and its rolling period.
    ///
    /// # Errors
    ///
    /// [`Error::RollingPeriod`] if the period is not in `1..=144`, and [`Error::RollingEnd`] if it
    /// ends after what 32 bits can number.
    pub fn new(tek: Tek, rolling_start_number: u32, rolling_period: u32) -> Result<Self, Error> {
        if !(1..=MAX_ROLLING_PERIOD).contains(&rolling_period) {
            return Err(Error::RollingPeriod(rolling_period));
        }
        let rolling_end = rolling_start_number
            .checked_add(rolling_period)
            .ok_or(Error::RollingEnd)?;
        Ok(Self {
            tek,
            validity: rolling_start_number..rolling_end,
        })
    }

    /// The identifiers of the key's own rolling period, no more, each with its interval.
    pub(crate) fn identifiers(&self) -> impl Iterator<Item = (u32, Rpi)> {
        let rpis = encrypt_intervals(&derive_rpik(&self.tek), self.validity.clone());
        self.validity.clone().zip(rpis)
    }
}

/// Reads a batch of keys: packed key data and the numbers of each.
///
/// # Errors
///
/// [`Error::Packed`] or [`Error::Entries`] if the three disagree in length, and the errors of
/// [`DiagnosisKey::new`] for the first key that breaks a limit.
pub fn parse_keys(
    key_data: &[u8],
    rolling_starts: &[u32],
    rolling_periods: &[u32],
) -> Result<Vec<DiagnosisKey>, Error> {
    let teks = unpack("key_data", key_data, "keys", rolling_starts.len())?;
    if rolling_periods.len() != rolling_starts.len() {
        return Err(Error::Entries {
            what: "rolling_periods",
            expected: rolling_starts.len(),
            actual: rolling_periods.len(),
        });
    }
    teks.zip(rolling_starts.iter().zip(rolling_periods))
        .map(|(tek, (&start, &period))| DiagnosisKey::new(tek.into(), start, period))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(start: u32, period: u32) -> Option<Error> {
        DiagnosisKey::new(Tek::from([1; 16]), start, period).err()
    }

    #[test]
    fn a_rolling_period_is_at_least_one_interval_and_at_most_a_day() {
        assert_eq!(refusal(0, 0), Some(Error::RollingPeriod(0)));
        assert_eq!(refusal(0, 1), None);
        assert_eq!(refusal(0, 144), None);
        assert_eq!(refusal(0, 145), Some(Error::RollingPeriod(145)));
        assert_eq!(refusal(0, u32::MAX), Some(Error::RollingPeriod(u32::MAX)));
    }

    #[test]
    fn a_rolling_period_ends_within_32_bits() {
        assert_eq!(refusal(u32::MAX - 144, 144), None);
        assert_eq!(refusal(u32::MAX - 143, 144), Some(Error::RollingEnd));
        assert_eq!(refusal(u32::MAX, 1), Some(Error::RollingEnd));
    }

    #[test]
    fn a_key_has_the_identifiers_of_its_own_period_only() {
        let key = DiagnosisKey::new(Tek::from([1; 16]), 1000, 3).unwrap();

        let intervals: Vec<u32> = key.identifiers().map(|(interval, _)| interval).collect();

        assert_eq!(intervals, [1000, 1001, 1002]);
    }

    #[test]
    fn batches_that_disagree_in_length_are_refused() {
        assert!(parse_keys(&[0; 32], &[0, 0], &[1, 1]).is_ok());
        assert!(parse_keys(&[0; 31], &[0, 0], &[1, 1]).is_err());
        assert!(parse_keys(&[0; 32], &[0], &[1]).is_err());
        assert!(parse_keys(&[0; 32], &[0, 0], &[1]).is_err());
        assert!(parse_keys(&[0; 32], &[0, 0], &[1, 1, 1]).is_err());
    }
}
