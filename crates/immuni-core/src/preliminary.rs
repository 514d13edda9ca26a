//! The identifiers of the preliminary generation, of April 2020.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

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
    Ok(authenticate_intervals(key, first..end))
}

/// Makes the identifier of each time interval of the key's day, in order.
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
pub(crate) fn authenticate_intervals(
    key: &DailyTracingKey,
    intervals: impl Iterator<Item = u32>,
) -> Vec<Rpi> {
    let keyed = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length is accepted");
    intervals
        .map(|interval| {
            let [time_interval_number, ..] = interval.to_le_bytes();
            let mut mac = keyed.clone();
            mac.update(b"CT-RPI");
            mac.update(&[time_interval_number]);
            first_half(mac.finalize().into_bytes().into())
        })
        .collect()
}

/// Cuts a digest to the length of an identifier.
fn first_half(digest: [u8; 32]) -> Rpi {
    let mut rpi = Rpi::default();
    rpi.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    rpi
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
