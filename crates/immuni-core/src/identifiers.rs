//! Rolling Proximity Identifiers: what a phone broadcasts, one for each interval.

use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128Dec, Aes128Enc};

use crate::error::Error;
use crate::keys::{KEY_LENGTH, Rpik};

/// A Rolling Proximity Identifier. It was broadcast, so it is no secret.
pub type Rpi = [u8; KEY_LENGTH];

/// The largest number of intervals during which one key is valid: those of a day.
pub const MAX_ROLLING_PERIOD: u32 = 144;

/// Returns the identifiers of `count` intervals from `first_interval` on.
///
/// # Errors
///
/// [`Error::TooManyIdentifiers`] if `count` is more than a key generates, and
/// [`Error::IntervalOverflow`] if the last interval does not fit 32 bits.
///
/// # Source
///
/// Cryptography Specification v1.2, "Rolling Proximity Identifier".
pub fn derive_rpis(rpik: &Rpik, first_interval: u32, count: u32) -> Result<Vec<Rpi>, Error> {
    if count > MAX_ROLLING_PERIOD {
        return Err(Error::TooManyIdentifiers(count));
    }
    let Some(steps) = count.checked_sub(1) else {
        return Ok(Vec::new());
    };
    let last_interval = first_interval
        .checked_add(steps)
        .ok_or(Error::IntervalOverflow)?;
    Ok(encrypt_intervals(rpik, first_interval..=last_interval))
}

/// Returns the interval for which `rpik` made `rpi`, or `None` when another key made it.
///
/// # Source
///
/// Cryptography Specification v1.2, "Rolling Proximity Identifier".
#[must_use]
pub fn decrypt_rpi(rpik: &Rpik, rpi: &Rpi) -> Option<u32> {
    let mut block = Array::from(*rpi);
    Aes128Dec::new(rpik.as_bytes().into()).decrypt_block(&mut block);
    interval_in(&block.0)
}

/// Encrypts each interval into its identifier, in order.
fn encrypt_intervals(rpik: &Rpik, intervals: impl Iterator<Item = u32>) -> Vec<Rpi> {
    let mut blocks: Vec<Rpi> = intervals.map(padded_data).collect();
    Aes128Enc::new(rpik.as_bytes().into())
        .encrypt_blocks(Array::cast_slice_from_core_mut(&mut blocks));
    blocks
}

/// The block that is encrypted into the identifier of `interval`.
///
/// # Layout
///
/// `0..=5` "EN-RPI", `6..=11` zero, `12..=15` the interval, little-endian.
pub(crate) fn padded_data(interval: u32) -> [u8; KEY_LENGTH] {
    let [a, b, c, d] = interval.to_le_bytes();
    [
        b'E', b'N', b'-', b'R', b'P', b'I', 0, 0, 0, 0, 0, 0, a, b, c, d,
    ]
}

/// The interval that a decrypted identifier names, or `None` when another key encrypted it.
pub(crate) fn interval_in(block: &[u8; KEY_LENGTH]) -> Option<u32> {
    let [.., a, b, c, d] = *block;
    let interval = u32::from_le_bytes([a, b, c, d]);
    (padded_data(interval) == *block).then_some(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rpik() -> Rpik {
        Rpik::from([7; KEY_LENGTH])
    }

    #[test]
    fn a_batch_holds_what_single_calls_return() {
        let batch = derive_rpis(&rpik(), 2_642_976, MAX_ROLLING_PERIOD).unwrap();

        for (interval, rpi) in (2_642_976..).zip(&batch) {
            assert_eq!(derive_rpis(&rpik(), interval, 1).unwrap(), [*rpi]);
        }
        assert_eq!(batch.len(), 144);
    }

    #[test]
    fn an_identifier_shows_its_interval_to_its_own_key_only() {
        for interval in [0, 1, 2_642_976, u32::MAX] {
            let rpis = derive_rpis(&rpik(), interval, 1).unwrap();

            for rpi in rpis {
                assert_eq!(decrypt_rpi(&rpik(), &rpi), Some(interval));
                assert_eq!(decrypt_rpi(&Rpik::from([8; KEY_LENGTH]), &rpi), None);
            }
        }
    }

    #[test]
    fn the_last_interval_may_be_the_largest_number_but_not_beyond() {
        assert_eq!(derive_rpis(&rpik(), u32::MAX, 1).unwrap().len(), 1);
        assert_eq!(
            derive_rpis(&rpik(), u32::MAX, 2),
            Err(Error::IntervalOverflow)
        );
    }

    #[test]
    fn no_identifiers_are_derived_beyond_a_day() {
        assert_eq!(derive_rpis(&rpik(), 0, 0), Ok(Vec::new()));
        assert_eq!(
            derive_rpis(&rpik(), 0, 145),
            Err(Error::TooManyIdentifiers(145))
        );
        assert_eq!(
            derive_rpis(&rpik(), 0, u32::MAX),
            Err(Error::TooManyIdentifiers(u32::MAX))
        );
    }
}
