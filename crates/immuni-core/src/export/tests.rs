use super::*;

const KEY_DATA: &[u8] = b"\x0a\x10ABCDEFGHIJKLMNOP";

/// A record of field 7 with a key and further fields.
fn record(more: &[u8]) -> Vec<u8> {
    let key = [KEY_DATA, more].concat();
    let length = u8::try_from(key.len()).unwrap();
    [&[0x3a, length], key.as_slice()].concat()
}

fn refusal(message: &[u8]) -> String {
    parse_export(message).unwrap_err().to_string()
}

#[test]
fn fields_that_are_left_out_have_their_defaults() {
    let export = parse_export(&record(b"")).unwrap();

    assert_eq!(export.keys.key_data, b"ABCDEFGHIJKLMNOP");
    assert_eq!(export.keys.rolling_starts, [0]);
    assert_eq!(export.keys.rolling_periods, [144]);
    assert_eq!(export.keys.transmission_risk_levels, [0]);
    assert_eq!(export.keys.report_types, [0]);
    assert_eq!(export.keys.onsets, [UNKNOWN_ONSET]);
    assert_eq!(export.revised_keys, KeyColumns::default());
}

#[test]
fn every_field_is_read_and_of_repeated_ones_the_last() {
    let more = b"\x10\x01\x10\x08\x18\xa0\xde\xa1\x01\x20\x07\x28\x05\x28\x63\x30\x03";

    let keys = parse_export(&record(more)).unwrap().keys;

    assert_eq!(keys.transmission_risk_levels, [8]);
    assert_eq!(keys.rolling_starts, [2_649_888]);
    assert_eq!(keys.rolling_periods, [7]);
    assert_eq!(keys.report_types, [5]);
    assert_eq!(keys.onsets, [-2]);
}

#[test]
fn other_fields_are_kept_together_in_their_order() {
    let message = [b"\x20\x01".as_slice(), &record(b""), b"\x28\x01"].concat();

    assert_eq!(parse_export(&message).unwrap().other, b"\x20\x01\x28\x01");
}

#[test]
fn a_refusal_names_field_and_rule() {
    let twice = [record(b""), record(b"\x20\x91\x01")].concat();

    assert_eq!(
        refusal(&twice),
        "keys[1]: rolling_period must be in 1..144, got 145"
    );
    assert_eq!(
        refusal(b"\x42\x00"),
        "field 8 holds a key of 2 bytes, it takes 20"
    );
    assert_eq!(
        refusal(&record(b"\x10\x09")),
        "keys[0]: transmission_risk_level must be in 0..8, got 9"
    );
    assert_eq!(
        refusal(&record(b"\x18\x81\xb4\xb1\xc9\x01")),
        "keys[0]: rolling_start_interval_number must lie before the year 10000"
    );
}

#[test]
fn a_message_that_is_cut_off_anywhere_is_refused() {
    let whole = record(b"\x20\x07");

    for length in 1..whole.len() {
        assert!(parse_export(&whole[..length]).is_err());
    }
}
