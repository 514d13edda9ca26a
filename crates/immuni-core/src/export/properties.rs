//! Whatever the bytes, the reader reads them as they are meant or refuses them: it never panics.
//!
//! `PROPTEST_CASES` sets how many messages there are.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index as Place, select};

use super::*;
use crate::serialisation::{KeyList, serialise_keys};
use crate::wire::{END_GROUP, START_GROUP};

/// Lengths that no message has, many of which do not fit a machine's word.
const IMPOSSIBLE: [u64; 6] = [1 << 20, (1 << 31) - 1, 1 << 31, 1 << 32, 1 << 63, u64::MAX];

/// One field of a key as a file may write it.
#[derive(Clone, Debug)]
enum Field {
    Data([u8; 16]),
    Level(u8),
    Start(u32),
    Period(u8),
    Kind(u32),
    Onset(i32),
    /// One that is not known, or of a wire type that the known one has not.
    Foreign(Vec<u8>),
}

/// One record of the outer message.
#[derive(Clone, Debug)]
enum Record {
    Key(KeyList, Vec<Field>),
    Other(Vec<u8>),
}

/// A number in its shortest form, or in a longer one.
fn varint(number: u64, padding: usize) -> Vec<u8> {
    let mut rest = number;
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    bytes.push(rest.to_le_bytes()[0]);
    if padding > 0 {
        *bytes.last_mut().unwrap() |= 0x80;
        bytes.resize(bytes.len() + padding - 1, 0x80);
        bytes.push(0);
    }
    bytes
}

fn tagged(field: u32, wire_type: u32, value: &[u8]) -> Vec<u8> {
    let tag = u64::from(field) << 3 | u64::from(wire_type);
    [varint(tag, 0).as_slice(), value].concat()
}

fn delimited(field: u32, content: &[u8]) -> Vec<u8> {
    let length = varint(content.len() as u64, 0);
    tagged(field, LENGTH_DELIMITED, &[&length, content].concat())
}

impl Field {
    fn bytes(&self) -> Vec<u8> {
        let number = |field, number| tagged(field, VARINT, &varint(number, 0));
        match self {
            Self::Data(data) => delimited(1, data),
            // Longer than it need be, as a hostile file may write any number.
            Self::Level(level) => tagged(2, VARINT, &varint((*level).into(), 3)),
            Self::Start(start) => number(3, (*start).into()),
            Self::Period(period) => number(4, (*period).into()),
            Self::Kind(kind) => number(5, (*kind).into()),
            Self::Onset(onset) => number(6, ((onset << 1) ^ (onset >> 31)).cast_unsigned().into()),
            Self::Foreign(bytes) => bytes.clone(),
        }
    }
}

impl Record {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Key(list, fields) => {
                let content: Vec<u8> = fields.iter().flat_map(Field::bytes).collect();
                let number = if *list == KeyList::Keys { 7 } else { 8 };
                delimited(number, &content)
            }
            Self::Other(bytes) => bytes.clone(),
        }
    }
}

/// What a message means, told without reading its bytes: of a repeated field the last one counts.
fn meaning(records: &[Record]) -> ExportMessage {
    let mut export = ExportMessage::default();
    for record in records {
        match record {
            Record::Key(KeyList::Keys, fields) => put(&mut export.keys, fields),
            Record::Key(KeyList::RevisedKeys, fields) => put(&mut export.revised_keys, fields),
            Record::Other(bytes) => export.other.extend(bytes),
        }
    }
    export
}

fn put(columns: &mut KeyColumns, fields: &[Field]) {
    let (mut data, mut level, mut start, mut period) = ([0; 16], 0, 0, 144);
    let (mut kind, mut onset) = (0, UNKNOWN_ONSET);
    for field in fields {
        match *field {
            Field::Data(given) => data = given,
            Field::Level(given) => level = given,
            Field::Start(given) => start = given,
            Field::Period(given) => period = given,
            Field::Kind(given @ 0..=5) => kind = u8::try_from(given).unwrap(),
            Field::Onset(given) => onset = given.into(),
            Field::Kind(_) | Field::Foreign(_) => {}
        }
    }
    columns.key_data.extend(data);
    columns.rolling_starts.push(start);
    columns.rolling_periods.push(period);
    columns.transmission_risk_levels.push(level);
    columns.report_types.push(kind);
    columns.onsets.push(onset);
}

/// Values of every wire type, groups within groups included.
fn values(field: u32) -> impl Strategy<Value = Vec<u8>> {
    let flat = move |field: u32| {
        prop_oneof![
            (any::<u64>(), 0..2_usize).prop_map(move |(number, padding)| {
                let padding = if number < 1 << 48 { padding } else { 0 };
                tagged(field, VARINT, &varint(number, padding))
            }),
            any::<[u8; 8]>().prop_map(move |value| tagged(field, FIXED64, &value)),
            vec(any::<u8>(), 0..40).prop_map(move |value| delimited(field, &value)),
            any::<[u8; 4]>().prop_map(move |value| tagged(field, FIXED32, &value)),
        ]
    };
    flat(field).prop_recursive(4, 12, 3, move |inner| {
        vec(inner, 0..3).prop_map(move |inner| {
            let begin = tagged(field, START_GROUP, &inner.concat());
            [begin, tagged(field, END_GROUP, &[])].concat()
        })
    })
}

/// Fields that are none of a key's: of other numbers, or of its own in another wire type, as
/// packed numbers are.
fn foreign() -> impl Strategy<Value = Vec<u8>> {
    let unknown = prop_oneof![7..20_u32, Just((1 << 29) - 1)].prop_flat_map(values);
    let mistyped = (1..7_u32)
        .prop_flat_map(values)
        .prop_filter("mistyped", |bytes| {
            let own = if bytes[0] >> 3 == 1 {
                LENGTH_DELIMITED
            } else {
                VARINT
            };
            u32::from(bytes[0] & 7) != own
        });
    prop_oneof![unknown, mistyped]
}

fn fields() -> impl Strategy<Value = Vec<Field>> {
    let any_field = prop_oneof![
        any::<[u8; 16]>().prop_map(Field::Data),
        (0..=8_u8).prop_map(Field::Level),
        (0..=LAST_START.unsigned_abs()).prop_map(Field::Start),
        (1..=144_u8).prop_map(Field::Period),
        prop_oneof![0..9_u32, any::<u32>()].prop_map(Field::Kind),
        any::<i32>().prop_map(Field::Onset),
        foreign().prop_map(Field::Foreign),
    ];
    (any::<[u8; 16]>(), vec(any_field, 0..8), any::<Place>()).prop_map(|(data, mut fields, at)| {
        fields.insert(at.index(fields.len() + 1), Field::Data(data));
        fields
    })
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let list = select(vec![KeyList::Keys, KeyList::RevisedKeys]);
    // Neither groups, which the outer message may not hold, nor keys.
    let other = prop_oneof![1..7_u32, 9..30_u32]
        .prop_flat_map(values)
        .prop_filter("no group", |bytes| u32::from(bytes[0] & 7) != START_GROUP);
    let record = prop_oneof![
        3 => (list, fields()).prop_map(|(list, fields)| Record::Key(list, fields)),
        1 => other.prop_map(Record::Other),
    ];
    vec(record, 0..6)
}

fn written(records: &[Record]) -> Vec<u8> {
    records.iter().flat_map(Record::bytes).collect()
}

/// One of the ways in which bytes are damaged.
fn damage() -> impl Strategy<Value = (u8, Place, Place, u64)> {
    (0..6_u8, any::<Place>(), any::<Place>(), any::<u64>())
}

fn damaged(mut bytes: Vec<u8>, (kind, at, to, number): (u8, Place, Place, u64)) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    let (at, to) = (at.index(bytes.len()), to.index(bytes.len()));
    let [low, ..] = number.to_le_bytes();
    match kind {
        0 => bytes[at] ^= 1 << (low & 7),
        1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][usize::from(low % 5)],
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at.min(to)..at.max(to))),
        4 => bytes.extend_from_within(at.min(to)..at.max(to)),
        _ => drop(bytes.splice(at..=at, varint(number, 0))),
    }
    bytes
}

/// Checks that what was read keeps the rules of the format, if anything was.
fn check(read: &Result<ExportMessage, MessageError>) -> Result<(), TestCaseError> {
    let Ok(export) = read else { return Ok(()) };
    for keys in [&export.keys, &export.revised_keys] {
        let count = keys.onsets.len();
        prop_assert_eq!(keys.key_data.len(), 16 * count);
        prop_assert_eq!(keys.rolling_starts.len(), count);
        prop_assert_eq!(keys.rolling_periods.len(), count);
        prop_assert_eq!(keys.transmission_risk_levels.len(), count);
        prop_assert_eq!(keys.report_types.len(), count);
        let last = LAST_START.unsigned_abs();
        prop_assert!(keys.rolling_starts.iter().all(|&start| start <= last));
        prop_assert!(
            keys.rolling_periods
                .iter()
                .all(|period| (1..=144).contains(period))
        );
        prop_assert!(
            keys.transmission_risk_levels
                .iter()
                .all(|&level| level <= 8)
        );
        prop_assert!(keys.report_types.iter().all(|&kind| kind <= 5));
        prop_assert!(keys.onsets.iter().all(|&onset| onset <= UNKNOWN_ONSET));
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_message_is_read_as_it_is_meant_however_it_is_written(records in records()) {
        prop_assert_eq!(parse_export(&written(&records)), Ok(meaning(&records)));
    }

    #[test]
    fn any_bytes_are_read_within_the_rules_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        check(&parse_export(&bytes))?;
    }

    #[test]
    fn a_damaged_message_is_read_within_the_rules_or_refused(
        records in records(),
        damages in vec(damage(), 1..4),
    ) {
        check(&parse_export(&damages.into_iter().fold(written(&records), damaged)))?;
    }

    #[test]
    fn a_message_that_is_cut_off_holds_whole_records_or_is_refused(
        records in records(),
        at in any::<Place>(),
    ) {
        let whole = written(&records);
        let length = at.index(whole.len() + 1);
        let read = parse_export(&whole[..length]);
        let ends = (0..=records.len()).find(|&count| written(&records[..count]).len() == length);
        match ends {
            Some(count) => prop_assert_eq!(read, Ok(meaning(&records[..count]))),
            None => prop_assert!(read.is_err()),
        }
    }

    #[test]
    fn a_length_beyond_the_message_is_refused_at_any_depth(
        records in records(),
        (field, length) in (1..30_u32, select(IMPOSSIBLE.to_vec())),
        within in any::<bool>(),
    ) {
        let longer = tagged(field, LENGTH_DELIMITED, &varint(length, 0));
        let last = if within {
            delimited(KEYS, &[Field::Data([1; 16]).bytes(), longer].concat())
        } else {
            longer
        };
        prop_assert!(parse_export(&[written(&records), last].concat()).is_err());
    }

    #[test]
    fn what_is_written_is_read_again_in_the_order_of_the_keys(
        mut fields in vec(fields(), 0..6),
        list in select(vec![KeyList::Keys, KeyList::RevisedKeys]),
    ) {
        let mut keys = KeyColumns::default();
        for fields in &fields {
            put(&mut keys, fields);
        }
        let read = parse_export(&serialise_keys(&keys, list).unwrap()).unwrap();

        fields.sort_by_key(|fields| {
            let mut alone = KeyColumns::default();
            put(&mut alone, fields);
            alone.key_data
        });
        let records: Vec<Record> =
            fields.into_iter().map(|fields| Record::Key(list, fields)).collect();
        prop_assert_eq!(read, meaning(&records));
    }
}
