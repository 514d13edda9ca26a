//! The published vectors of cryptography specification v1.2, and a broadcast recorded on a phone.
#![allow(
    clippy::unwrap_used,
    reason = "a broken vector file must stop the test, also in its helpers"
)]

use immuni_core::{
    Aemk, Rpik, Tek, decrypt_rpi, derive_aemk, derive_rpik, derive_rpis, encrypt_metadata,
};
use serde_json::Value;

const VECTORS: &str = include_str!("../../../tests/vectors/crypto-v1.2.json");

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
