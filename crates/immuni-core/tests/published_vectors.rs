//! The published vectors of cryptography specification v1.2, a broadcast recorded on a phone, and
//! what was computed from the text of the preliminary specification.
#![allow(
    clippy::unwrap_used,
    reason = "a broken vector file must stop the test, also in its helpers"
)]

use immuni_core::{
    Aemk, DailyTracingKey, DailyTracingKeys, Index, Rpik, Tek, decrypt_rpi, derive_aemk,
    derive_preliminary_rpis, derive_rpik, derive_rpis, encrypt_metadata, match_keys,
};
use serde_json::Value;

const VECTORS: &str = include_str!("../../../tests/vectors/crypto-v1.2.json");

const PRELIMINARY: &str = include_str!("../../../tests/vectors/crypto-v1.0.json");

fn vectors() -> Value {
    serde_json::from_str(VECTORS).unwrap()
}

fn hex<const N: usize>(text: &Value) -> [u8; N] {
    let digits = text.as_str().unwrap().as_bytes();
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
    bytes.try_into().unwrap()
}

fn interval(number: &Value) -> u32 {
    number.as_u64().unwrap().try_into().unwrap()
}

#[test]
fn the_published_keys_are_derived() {
    let published = vectors();
    for vector in [&published, &published["recorded_on_a_phone"]] {
        let tek = Tek::from(hex(&vector["tek"]));

        assert_eq!(derive_rpik(&tek).as_bytes(), &hex(&vector["rpik"]));
        assert_eq!(derive_aemk(&tek).as_bytes(), &hex(&vector["aemk"]));
    }
}

#[test]
fn the_published_day_of_identifiers_is_derived() {
    let published = vectors();
    let rpik = Rpik::from(hex(&published["rpik"]));
    let broadcasts = published["broadcasts"].as_array().unwrap();

    let rpis = derive_rpis(&rpik, interval(&published["rolling_start_number"]), 144).unwrap();

    assert_eq!(broadcasts.len(), 144);
    for (broadcast, rpi) in broadcasts.iter().zip(rpis) {
        assert_eq!(rpi, hex(&broadcast["rpi"]));
        let hidden = decrypt_rpi(&rpik, &rpi);
        assert_eq!(hidden, Some(interval(&broadcast["interval"])));
    }
}

#[test]
fn the_published_metadata_is_encrypted() {
    let published = vectors();
    let aemk = Aemk::from(hex(&published["aemk"]));
    let metadata = hex(&published["metadata"]);

    for broadcast in published["broadcasts"].as_array().unwrap() {
        let aem = encrypt_metadata(&aemk, &hex(&broadcast["rpi"]), metadata);

        assert_eq!(aem, hex(&broadcast["aem"]));
    }
}

#[test]
fn the_broadcast_recorded_on_a_phone_is_read() {
    let published = vectors();
    let recorded = &published["recorded_on_a_phone"];
    let (rpik, aemk) = (hex(&recorded["rpik"]).into(), hex(&recorded["aemk"]).into());
    let rpi = hex(&recorded["rpi"]);

    let metadata = encrypt_metadata(&aemk, &rpi, hex(&recorded["aem"]));

    assert_eq!(
        decrypt_rpi(&rpik, &rpi),
        Some(interval(&recorded["interval"]))
    );
    assert_eq!(metadata, hex(&recorded["metadata"]));
}

#[test]
fn the_preliminary_identifiers_are_derived_and_matched() {
    let computed: Value = serde_json::from_str(PRELIMINARY).unwrap();
    let (key_data, day) = (
        hex(&computed["daily_tracing_key"]),
        interval(&computed["day_number"]),
    );
    let (first, last): ([u8; 16], [u8; 16]) =
        (hex(&computed["rpi"]["0"]), hex(&computed["rpi"]["143"]));

    let rpis = derive_preliminary_rpis(&DailyTracingKey::from(key_data), 0, 144).unwrap();
    let at = day * 144 + 143;
    let index = Index::new(&[first, last].concat(), &[at, at], 12).unwrap();
    let days = [day];
    let matches = match_keys(&DailyTracingKeys::new(&key_data, &days).unwrap(), &index);

    assert_eq!((rpis[0], rpis[143]), (first, last));
    assert_eq!(matches.len(), 1);
    assert_eq!((matches[0].sighting, matches[0].interval), (1, at));
}
