//! The identifiers of the preliminary generation, of April 2020.

use crate::authentication::{Digest, Keyed, Message, first_half};
use crate::error::Error;
use crate::identifiers::{MAX_ROLLING_PERIOD, Rpi};
use crate::keys::DailyTracingKey;

/// Returns the identifiers of `count` time intervals of the key's day, from `first` on.
///
/// # Errors
///
/// [`Error::BeyondDay`] if an interval is not in `0..144`.
///
/// # Source
///
/// Contact Tracing Cryptography Specification, preliminary, "Rolling Proximity Identifier".
pub fn derive_preliminary_rpis(
    key: &DailyTracingKey,
    first: u32,
    count: u32,
) -> Result<Vec<Rpi>, Error> {
    let end = first.checked_add(count).ok_or(Error::BeyondDay)?;
    if end > MAX_ROLLING_PERIOD {
        return Err(Error::BeyondDay);
    }
    let mut digests = Vec::new();
    authenticate_intervals(&Keyed::new(key.as_bytes()), first..end, &mut digests);
    Ok(digests.iter().map(first_half).collect())
}

/// Makes the digest of each time interval of the key's day, of which the first half identifies.
pub(crate) fn authenticate_intervals(
    key: &Keyed,
    intervals: impl Iterator<Item = u32>,
    digests: &mut Vec<Digest>,
) {
    let messages = intervals.map(|interval| {
        let [time_interval_number, ..] = interval.to_le_bytes();
        Message::new(&[b'C', b'T', b'-', b'R', b'P', b'I', time_interval_number])
    });
    Keyed::authenticate(std::iter::repeat(key), messages, digests);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_144_identifiers_and_no_more() {
        let key = DailyTracingKey::from([1; 16]);

        let day = derive_preliminary_rpis(&key, 0, 144).unwrap();

        assert_eq!(day.len(), 144);
        assert_eq!(derive_preliminary_rpis(&key, 143, 1).unwrap(), day[143..]);
        for (first, count) in [(0, 145), (144, 1), (u32::MAX, 1)] {
            assert_eq!(
                derive_preliminary_rpis(&key, first, count),
                Err(Error::BeyondDay)
            );
        }
    }
}
