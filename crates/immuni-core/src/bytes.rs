//! From slices of any length to arrays of the right one.

use crate::error::Error;
use crate::keys::KEY_LENGTH;

/// Copies `bytes` into an array.
///
/// `what` names the kind of value for the message, with its article: "an RPI".
///
/// # Errors
///
/// [`Error::Length`] if `bytes` has not exactly `N` bytes.
pub fn exactly<const N: usize>(what: &'static str, bytes: &[u8]) -> Result<[u8; N], Error> {
    bytes.try_into().map_err(|_| Error::Length {
        what,
        expected: N,
        actual: bytes.len(),
    })
}

/// Checks that `packed` holds 16 bytes for each of `count` owners.
///
/// # Errors
///
/// [`Error::Packed`] if it does not.
pub(crate) fn check_packed(
    what: &'static str,
    packed: &[u8],
    owners: &'static str,
    count: usize,
) -> Result<(), Error> {
    if count.checked_mul(KEY_LENGTH) == Some(packed.len()) {
        return Ok(());
    }
    Err(Error::Packed {
        what,
        owners,
        count,
        actual: packed.len(),
    })
}

/// Returns the blocks of 16 bytes in `packed`, one by one.
pub(crate) fn blocks(mut packed: &[u8]) -> impl Iterator<Item = [u8; KEY_LENGTH]> {
    std::iter::from_fn(move || {
        let (block, rest) = packed.split_first_chunk()?;
        packed = rest;
        Some(*block)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_length_is_told_with_the_right_one() {
        let error = exactly::<16>("an RPI", &[0; 15]).unwrap_err();

        assert_eq!(error.to_string(), "an RPI has 16 bytes, got 15");
    }

    #[test]
    fn blocks_come_out_in_order() {
        let packed = [[1; 16], [2; 16]].concat();

        assert!(blocks(&packed).eq([[1; 16], [2; 16]]));
    }

    #[test]
    fn a_batch_that_disagrees_with_its_owners_is_refused() {
        assert!(check_packed("rpis", &[0; 32], "sightings", 2).is_ok());
        for count in [0, 1, 3, usize::MAX] {
            assert!(check_packed("rpis", &[0; 32], "sightings", count).is_err());
        }
        assert!(check_packed("rpis", &[0; 31], "sightings", 2).is_err());
    }
}
