//! Which of a phone's sightings come from published keys.

use std::collections::HashMap;
use std::ops::Range;

use crate::batch::Batch;
use crate::identifiers::Rpi;
use crate::index::Index;
use crate::keys::KEY_LENGTH;

/// A sighting that came from a key. Orders by key, then sighting, then interval.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Match {
    /// The key's place in its batch.
    pub key: usize,
    /// The sighting's place in the index.
    pub sighting: usize,
    /// The interval for which the key made the identifier.
    pub interval: u32,
}

/// Finds the sightings of the keys' identifiers, in the order of [`Match`].
///
/// A sighting heard at interval *s* matches the identifier of interval *i* when |s − i| is at most
/// the tolerance of the index.
///
/// # Complexity
///
/// At most one derivation and 144 look-ups for each key, however many sightings there are. None
/// for intervals around which nothing was heard.
#[must_use]
pub fn match_keys<B: Batch>(batch: &B, index: &Index) -> Vec<Match> {
    let mut matches = Vec::new();
    for (place, (key, validity)) in batch.keys().enumerate() {
        for (interval, rpi) in candidates::<B>(key, &validity, index) {
            matches.extend(index.sightings_of(&rpi, interval).map(|sighting| Match {
                key: place,
                sighting,
                interval,
            }));
        }
    }
    matches.sort_unstable();
    matches
}

/// Finds the keys that match anything: their places, ascending.
///
/// # Complexity
///
/// As [`match_keys`], and whatever is heard of an identifier is looked through once, however many
/// keys generate it: copies of a key do not multiply with its sightings.
#[must_use]
pub fn matched_keys<B: Batch>(batch: &B, index: &Index) -> Vec<usize> {
    let mut known = HashMap::new();
    let mut is_heard = |(interval, rpi): (u32, Rpi)| {
        index.latest_of(&rpi).is_some_and(|latest| {
            *known
                .entry((latest, interval))
                .or_insert_with(|| index.sightings_of(&rpi, interval).next().is_some())
        })
    };
    batch
        .keys()
        .enumerate()
        .filter(|(_, (key, validity))| candidates::<B>(*key, validity, index).any(&mut is_heard))
        .map(|(place, _)| place)
        .collect()
}

/// The identifiers of a key that may have been heard, with their intervals.
fn candidates<'a, B: Batch>(
    key: [u8; KEY_LENGTH],
    validity: &'a Range<u32>,
    index: &'a Index,
) -> impl Iterator<Item = (u32, Rpi)> + use<'a, B> {
    index
        .heard_during(validity)
        .flat_map(move |intervals| {
            let identifiers = B::identifiers(key, validity, intervals.clone());
            intervals.zip(identifiers)
        })
        .filter(|(_, rpi)| index.may_hold(rpi))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{DailyTracingKeys, DiagnosisKeys};

    const START: u32 = 2_642_976;
    const KEY: [u8; 16] = [5; 16];

    fn rpi_of(interval: u32) -> Rpi {
        rpi_from(START, interval)
    }

    fn rpi_from(start: u32, interval: u32) -> Rpi {
        let validity = start..start.saturating_add(144);
        DiagnosisKeys::identifiers(KEY, &validity, interval..interval.saturating_add(1))[0]
    }

    fn matched(start: u32, period: u8, heard: &[(Rpi, u32)]) -> Vec<(usize, u32)> {
        let (starts, periods) = ([start], [period]);
        found(&DiagnosisKeys::new(&KEY, &starts, &periods).unwrap(), heard)
    }

    fn found<B: Batch>(batch: &B, heard: &[(Rpi, u32)]) -> Vec<(usize, u32)> {
        let rpis: Vec<u8> = heard.iter().flat_map(|(rpi, _)| *rpi).collect();
        let intervals: Vec<u32> = heard.iter().map(|(_, at)| *at).collect();
        let index = Index::new(&rpis, &intervals, 12).unwrap();
        match_keys(batch, &index)
            .into_iter()
            .map(|found| (found.sighting, found.interval))
            .collect()
    }

    #[test]
    fn a_sighting_within_the_tolerance_matches_on_both_sides() {
        let at = START + 50;
        let heard = [at - 13, at - 12, at + 12, at + 13].map(|heard| (rpi_of(at), heard));

        assert_eq!(matched(START, 144, &heard), [(1, at), (2, at)]);
    }

    #[test]
    fn every_sighting_of_a_repeated_identifier_is_reported() {
        let rpi = rpi_of(START);
        let heard = [
            (rpi, START),
            ([0; 16], START),
            (rpi, START),
            (rpi, START + 1),
        ];

        assert_eq!(
            matched(START, 144, &heard),
            [(0, START), (2, START), (3, START)]
        );
    }

    #[test]
    fn identifiers_after_the_rolling_period_match_nothing() {
        let heard = [
            (rpi_of(START + 9), START + 9),
            (rpi_of(START + 10), START + 10),
        ];

        assert_eq!(matched(START, 10, &heard), [(0, START + 9)]);
    }

    #[test]
    fn intervals_at_the_ends_of_32_bits_do_not_overflow() {
        let rpi = rpi_from(u32::MAX - 1, u32::MAX - 1);
        let heard = [(rpi, u32::MAX), (rpi, 0)];

        assert_eq!(matched(u32::MAX - 1, 1, &heard), [(0, u32::MAX - 1)]);
    }

    #[test]
    fn the_keys_that_match_are_told_once_each() {
        let at = START + 50;
        let heard = [rpi_of(at), rpi_of(at), rpi_of(at + 1)].concat();
        let index = |far| Index::new(&heard, &[at + far, at + far, at + far], 12).unwrap();
        let keys = [[0; 16], KEY, KEY].concat();
        let keys = DiagnosisKeys::new(&keys, &[START; 3], &[144, 144, 50]).unwrap();

        assert_eq!(matched_keys(&keys, &index(12)), [1]);
        assert_eq!(matched_keys(&keys, &index(13)), [1]);
        assert_eq!(matched_keys(&keys, &index(14)), []);
    }

    #[test]
    fn preliminary_keys_are_found_by_the_same_rules() {
        let keys = DailyTracingKeys::new(&KEY, &[10]).unwrap();
        let last = 10 * 144 + 143;
        let rpi = DailyTracingKeys::identifiers(KEY, &(1440..1584), last..last + 1)[0];

        assert_eq!(
            found(&keys, &[(rpi, last + 13), (rpi, last - 12)]),
            [(1, last)]
        );
    }
}
