//! Published keys as the records of `export.bin`, in the order of their bytes.

use crate::bytes::{blocks, check_packed};
use crate::error::Error;
use crate::export::{KEYS, KeyColumns, REVISED_KEYS, UNKNOWN_ONSET};
use crate::keys::KEY_LENGTH;
use crate::wire::{LENGTH_DELIMITED, VARINT};

/// Which of the two lists of a `TemporaryExposureKeyExport` keys stand in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyList {
    /// Keys that are published for the first time.
    Keys,
    /// Keys whose report type has changed.
    RevisedKeys,
}

/// What a real key takes, tag and length included: room for it is asked for beforehand.
const USUAL_KEY_BYTES: usize = 36;

/// Writes keys as the repeated records of one list, with every field but an onset that is unknown.
///
/// They are sorted by key data, which are random: neighbours say nothing about who uploaded
/// together. Equal ones stay in the order in which they came.
///
/// # Errors
///
/// [`Error::Packed`] or [`Error::Entries`] if the columns disagree in length, and
/// [`Error::FieldOverflow`] if a number does not fit the 32 bits of its field.
pub fn serialise_keys(keys: &KeyColumns, list: KeyList) -> Result<Vec<u8>, Error> {
    check_lengths(keys)?;
    let mut rows: Vec<Row> = rows(keys).collect();
    rows.sort_by_key(|row| row.key_data);
    let mut records = Vec::with_capacity(rows.len().saturating_mul(USUAL_KEY_BYTES));
    for row in rows {
        put_bytes(&mut records, list.field(), &row.record()?);
    }
    Ok(records)
}

impl KeyList {
    fn field(self) -> u32 {
        match self {
            Self::Keys => KEYS,
            Self::RevisedKeys => REVISED_KEYS,
        }
    }
}

/// One key, with its numbers beside it.
struct Row {
    key_data: [u8; KEY_LENGTH],
    rolling_start: u32,
    rolling_period: u8,
    transmission_risk_level: u8,
    report_type: u8,
    onset: i64,
}

impl Row {
    /// The message `TemporaryExposureKey`.
    fn record(&self) -> Result<Vec<u8>, Error> {
        let start = i32::try_from(self.rolling_start)
            .map_err(|_| Error::FieldOverflow("rolling_start_interval_number"))?;
        let mut record = Vec::with_capacity(USUAL_KEY_BYTES);
        put_bytes(&mut record, 1, &self.key_data);
        put_number(&mut record, 2, self.transmission_risk_level.into());
        put_number(&mut record, 3, start.unsigned_abs());
        put_number(&mut record, 4, self.rolling_period.into());
        put_number(&mut record, 5, self.report_type.into());
        if self.onset != UNKNOWN_ONSET {
            let onset = i32::try_from(self.onset)
                .map_err(|_| Error::FieldOverflow("days_since_onset_of_symptoms"))?;
            put_number(&mut record, 6, zigzag(onset));
        }
        Ok(record)
    }
}

fn rows(keys: &KeyColumns) -> impl Iterator<Item = Row> {
    blocks(&keys.key_data)
        .zip(keys.rolling_starts.iter().zip(&keys.rolling_periods))
        .zip(keys.transmission_risk_levels.iter().zip(&keys.report_types))
        .zip(&keys.onsets)
        .map(
            |(((key_data, (&rolling_start, &rolling_period)), (&level, &kind)), &onset)| Row {
                key_data,
                rolling_start,
                rolling_period,
                transmission_risk_level: level,
                report_type: kind,
                onset,
            },
        )
}

fn check_lengths(keys: &KeyColumns) -> Result<(), Error> {
    let expected = keys.rolling_starts.len();
    check_packed("key_data", &keys.key_data, "keys", expected)?;
    let columns = [
        ("rolling_periods", keys.rolling_periods.len()),
        (
            "transmission_risk_levels",
            keys.transmission_risk_levels.len(),
        ),
        ("report_types", keys.report_types.len()),
        ("onsets", keys.onsets.len()),
    ];
    match columns.iter().find(|(_, actual)| *actual != expected) {
        Some(&(what, actual)) => Err(Error::Entries {
            what,
            expected,
            actual,
        }),
        None => Ok(()),
    }
}

fn put_bytes(record: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    put_varint(record, field << 3 | LENGTH_DELIMITED);
    // A record here has some dozens of bytes, far from what 32 bits can count.
    put_varint(record, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    record.extend_from_slice(bytes);
}

fn put_number(record: &mut Vec<u8>, field: u32, number: u32) {
    put_varint(record, field << 3 | VARINT);
    put_varint(record, number);
}

fn put_varint(record: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        record.push(low_seven(number) | 0x80);
        number >>= 7;
    }
    record.push(low_seven(number));
}

fn low_seven(number: u32) -> u8 {
    let [lowest, ..] = number.to_le_bytes();
    lowest & 0x7f
}

/// The number with its sign in the lowest bit, as `sint32` is written.
fn zigzag(number: i32) -> u32 {
    let doubled = u32::from_le_bytes(number.to_le_bytes()) << 1;
    if number < 0 { !doubled } else { doubled }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::parse_export;

    fn two_keys() -> KeyColumns {
        KeyColumns {
            key_data: [[2; 16], [1; 16]].concat(),
            rolling_starts: vec![2_649_888, 0],
            rolling_periods: vec![144, 7],
            transmission_risk_levels: vec![8, 0],
            report_types: vec![1, 5],
            onsets: vec![-2, UNKNOWN_ONSET],
        }
    }

    #[test]
    fn keys_are_written_in_the_order_of_their_bytes() {
        let written = serialise_keys(&two_keys(), KeyList::Keys).unwrap();

        let read = parse_export(&written).unwrap();
        assert_eq!(read.keys.key_data, [[1; 16], [2; 16]].concat());
        assert_eq!(read.keys.rolling_starts, [0, 2_649_888]);
        assert_eq!(read.keys.rolling_periods, [7, 144]);
        assert_eq!(read.keys.transmission_risk_levels, [0, 8]);
        assert_eq!(read.keys.report_types, [5, 1]);
        assert_eq!(read.keys.onsets, [UNKNOWN_ONSET, -2]);
        assert_eq!(read.revised_keys, KeyColumns::default());
    }

    #[test]
    fn revised_keys_have_a_field_of_their_own() {
        let written = serialise_keys(&two_keys(), KeyList::RevisedKeys).unwrap();

        assert_eq!(parse_export(&written).unwrap().revised_keys.onsets.len(), 2);
    }

    #[test]
    fn a_number_beyond_its_field_is_refused() {
        let mut late = two_keys();
        late.rolling_starts = vec![0, 1 << 31];
        let mut far = two_keys();
        far.onsets = vec![0, (1 << 31) + 1];

        for (keys, field) in [
            (late, "rolling_start_interval_number"),
            (far, "days_since_onset_of_symptoms"),
        ] {
            let refused = serialise_keys(&keys, KeyList::Keys);
            assert_eq!(refused, Err(Error::FieldOverflow(field)));
        }
    }

    #[test]
    fn columns_that_disagree_in_length_are_refused() {
        let shorten: [fn(&mut KeyColumns); 6] = [
            |keys| keys.key_data.truncate(31),
            |keys| keys.rolling_starts.truncate(1),
            |keys| keys.rolling_periods.truncate(1),
            |keys| keys.transmission_risk_levels.truncate(1),
            |keys| keys.report_types.truncate(1),
            |keys| keys.onsets.truncate(1),
        ];
        for shorten in shorten {
            let mut keys = two_keys();
            shorten(&mut keys);
            assert!(serialise_keys(&keys, KeyList::Keys).is_err());
        }
    }
}
