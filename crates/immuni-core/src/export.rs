//! The keys in `export.bin`, straight into columns.

use crate::keys::KEY_LENGTH;
use crate::wire::{FIXED32, FIXED64, LENGTH_DELIMITED, MessageError, Reader, VARINT, malformed};

/// Limit of all fields beside the keys; a real file has less than one thousand bytes.
const MAX_OTHER_BYTES: usize = 64 * 1024;
/// Tag and length of the record and of its `key_data`, and that: what a key takes at least.
///
/// A hostile file can declare thirty million shorter ones, each of which would fill columns.
const LEAST_KEY_BYTES: usize = 20;

/// Numbers of the two lists of keys in the message.
pub(crate) const KEYS: u32 = 7;
pub(crate) const REVISED_KEYS: u32 = 8;

const MAX_ROLLING_PERIOD: i32 = 144;
const MAX_LEVEL: i32 = 8;
const MAX_REPORT_TYPE: u8 = 5;
/// The last interval with which a day begins that ends before the year 10000.
const LAST_START: i32 = 422_337_024;

/// Stands in [`KeyColumns::onsets`] for an onset that a file does not give: one more than the
/// largest that it can mean.
pub const UNKNOWN_ONSET: i64 = 1 << 31;

/// Published keys, a column for each field.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct KeyColumns {
    /// 16 bytes each.
    pub key_data: Vec<u8>,
    /// First interval of each.
    pub rolling_starts: Vec<u32>,
    /// 1..=144 intervals each.
    pub rolling_periods: Vec<u8>,
    /// 0..=8 each.
    pub transmission_risk_levels: Vec<u8>,
    /// 0..=5 each.
    pub report_types: Vec<u8>,
    /// Days since onset of symptoms of each, or [`UNKNOWN_ONSET`].
    pub onsets: Vec<i64>,
}

/// What a `TemporaryExposureKeyExport` says.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct ExportMessage {
    /// The fields beside the keys, as a message of the same type.
    pub other: Vec<u8>,
    /// The keys, in the order of the file.
    pub keys: KeyColumns,
    /// The revised keys, likewise.
    pub revised_keys: KeyColumns,
}

/// Reads a `TemporaryExposureKeyExport`, all of it or nothing.
///
/// # Errors
///
/// [`MessageError`] for the first fault.
pub fn parse_export(message: &[u8]) -> Result<ExportMessage, MessageError> {
    let mut export = ExportMessage::default();
    let mut reader = Reader::new(message);
    while !reader.is_done() {
        let record = reader;
        let tag = reader.varint()?.exact();
        match (u32::try_from(tag >> 3), tag & 7) {
            (Ok(field @ (KEYS | REVISED_KEYS)), 2) => {
                let payload = key_record(&mut reader, record)?;
                let (name, columns) = if field == KEYS {
                    ("keys", &mut export.keys)
                } else {
                    ("revised_keys", &mut export.revised_keys)
                };
                columns.push(&parse_key(payload)?, name)?;
            }
            (_, wire_type) => {
                skip_other(&mut reader, wire_type)?;
                export.other.extend_from_slice(record.until(&reader));
                if export.other.len() > MAX_OTHER_BYTES {
                    return Err(MessageError::Malformed(format!(
                        "the fields beside keys exceed {MAX_OTHER_BYTES} bytes"
                    )));
                }
            }
        }
    }
    Ok(export)
}

/// Reads the value of a record that began at `record`, and checks what surrounds it.
fn key_record<'a>(
    reader: &mut Reader<'a>,
    mut record: Reader<'a>,
) -> Result<&'a [u8], MessageError> {
    let begin = record;
    let tag = record.tag()?;
    let payload = reader.delimited()?;
    let length = begin.until(reader).len();
    if length < LEAST_KEY_BYTES {
        return Err(MessageError::Field(format!(
            "field {} holds a key of {length} bytes, it takes {LEAST_KEY_BYTES}",
            tag.field
        )));
    }
    Ok(payload)
}

/// Passes over the value of a field that another reader will look at.
fn skip_other(reader: &mut Reader<'_>, wire_type: u128) -> Result<(), MessageError> {
    match u32::try_from(wire_type) {
        Ok(VARINT) => reader.varint().map(drop),
        Ok(FIXED64) => reader.take(8).map(drop),
        Ok(LENGTH_DELIMITED) => reader
            .varint()
            .map(|length| usize::try_from(length.exact()).unwrap_or(usize::MAX))
            .and_then(|length| reader.take(length))
            .map(drop),
        Ok(FIXED32) => reader.take(4).map(drop),
        _ => Err(malformed(&format!(
            "holds a field of unknown wire type {wire_type}"
        ))),
    }
}

/// The fields of one key, not yet vetted.
struct Record<'a> {
    key_data: &'a [u8],
    transmission_risk_level: i32,
    rolling_start: i32,
    rolling_period: i32,
    report_type: u8,
    onset: i64,
}

/// Reads a `TemporaryExposureKey`. Of a field that is repeated the last one counts; one of another
/// wire type is none of ours; a report type that is not known is as good as not given.
fn parse_key(message: &[u8]) -> Result<Record<'_>, MessageError> {
    let mut key = Record {
        key_data: &[],
        transmission_risk_level: 0,
        rolling_start: 0,
        rolling_period: MAX_ROLLING_PERIOD,
        report_type: 0,
        onset: UNKNOWN_ONSET,
    };
    let mut reader = Reader::new(message);
    while !reader.is_done() {
        let tag = reader.tag()?;
        match (tag.field, tag.wire_type) {
            (1, LENGTH_DELIMITED) => key.key_data = reader.delimited()?,
            (2, VARINT) => key.transmission_risk_level = reader.varint()?.signed_32(),
            (3, VARINT) => key.rolling_start = reader.varint()?.signed_32(),
            (4, VARINT) => key.rolling_period = reader.varint()?.signed_32(),
            (5, VARINT) => {
                if let Some(known) = report_type(reader.varint()?.low_32()) {
                    key.report_type = known;
                }
            }
            (6, VARINT) => key.onset = reader.varint()?.zigzag_32().into(),
            _ => reader.skip(tag)?,
        }
    }
    Ok(key)
}

fn report_type(number: u32) -> Option<u8> {
    u8::try_from(number)
        .ok()
        .filter(|&kind| kind <= MAX_REPORT_TYPE)
}

impl KeyColumns {
    /// Appends a key that keeps the rules.
    fn push(&mut self, key: &Record<'_>, name: &str) -> Result<(), MessageError> {
        let refused =
            |rule: String| MessageError::Field(format!("{name}[{}]: {rule}", self.onsets.len()));
        if key.key_data.len() != KEY_LENGTH {
            let length = key.key_data.len();
            return Err(refused(format!("a TEK has 16 bytes, got {length}")));
        }
        let start = u32::try_from(key.rolling_start).map_err(|_| {
            refused(format!(
                "rolling_start_number must fit 32 bits, got {}",
                key.rolling_start
            ))
        })?;
        if key.rolling_start > LAST_START {
            return Err(refused(
                "rolling_start_interval_number must lie before the year 10000".to_owned(),
            ));
        }
        let period = within(key.rolling_period, 1, MAX_ROLLING_PERIOD)
            .ok_or_else(|| refused(out_of("rolling_period", "1..144", key.rolling_period)))?;
        let level = key.transmission_risk_level;
        let level = within(level, 0, MAX_LEVEL)
            .ok_or_else(|| refused(out_of("transmission_risk_level", "0..8", level)))?;
        self.key_data.extend_from_slice(key.key_data);
        self.rolling_starts.push(start);
        self.rolling_periods.push(period);
        self.transmission_risk_levels.push(level);
        self.report_types.push(key.report_type);
        self.onsets.push(key.onset);
        Ok(())
    }
}

fn within(number: i32, least: i32, most: i32) -> Option<u8> {
    let number = (least..=most).contains(&number).then_some(number)?;
    u8::try_from(number).ok()
}

fn out_of(field: &str, range: &str, number: i32) -> String {
    format!("{field} must be in {range}, got {number}")
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test may fail")]
mod properties;
#[cfg(test)]
mod tests;
