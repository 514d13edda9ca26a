//! Which of a phone's sightings come from published keys.

use std::collections::HashMap;

use crate::bytes::unpack;
use crate::diagnosis::DiagnosisKey;
use crate::error::Error;
use crate::identifiers::Rpi;

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

/// A phone's sightings, found by identifier. Built once, then used for any number of batches.
pub struct Index {
    /// The latest sighting of each identifier. The hasher is the standard library's keyed one:
    /// whoever broadcasts chooses identifiers, and must not be able to choose collisions.
    latest: HashMap<Rpi, usize>,
    sightings: Vec<Sighting>,
}

/// When an identifier was heard, and the place of its sighting before this one.
struct Sighting {
    interval: u32,
    previous: Option<usize>,
}

impl Index {
    /// Indexes sightings: packed identifiers, which may repeat, and the interval of each.
    ///
    /// # Errors
    ///
    /// [`Error::Packed`] if `rpis` has not 16 bytes for each interval.
    pub fn new(rpis: &[u8], intervals: &[u32]) -> Result<Self, Error> {
        let mut latest = HashMap::with_capacity(intervals.len());
        let sightings = unpack("rpis", rpis, "sightings", intervals.len())?
            .zip(intervals)
            .enumerate()
            .map(|(place, (rpi, &interval))| Sighting {
                interval,
                previous: latest.insert(rpi, place),
            })
            .collect();
        Ok(Self { latest, sightings })
    }

    /// The sightings of `rpi`, latest first: the place of each and its interval.
    fn sightings_of(&self, rpi: &Rpi) -> impl Iterator<Item = (usize, u32)> {
        let mut next = self.latest.get(rpi).copied();
        std::iter::from_fn(move || {
            let place = next?;
            let sighting = self.sightings.get(place)?;
            next = sighting.previous;
            Some((place, sighting.interval))
        })
    }
}

/// Finds the sightings of the keys' identifiers, in the order of [`Match`].
///
/// A sighting heard at interval *s* matches the identifier of interval *i* when |s − i| is at most
/// `tolerance`.
///
/// # Complexity
///
/// One derivation and at most 144 look-ups for each key, however many sightings there are.
#[must_use]
pub fn match_keys(keys: &[DiagnosisKey], index: &Index, tolerance: u32) -> Vec<Match> {
    let mut matches = Vec::new();
    for (key, diagnosis) in keys.iter().enumerate() {
        for (interval, rpi) in diagnosis.identifiers() {
            matches.extend(
                index
                    .sightings_of(&rpi)
                    .filter(|(_, heard)| heard.abs_diff(interval) <= tolerance)
                    .map(|(sighting, _)| Match {
                        key,
                        sighting,
                        interval,
                    }),
            );
        }
    }
    matches.sort_unstable();
    matches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Tek;

    const START: u32 = 2_642_976;

    fn key(period: u32) -> DiagnosisKey {
        DiagnosisKey::new(Tek::from([5; 16]), START, period).unwrap()
    }

    fn rpi_of(key: &DiagnosisKey, interval: u32) -> Rpi {
        key.identifiers()
            .find_map(|(at, rpi)| (at == interval).then_some(rpi))
            .unwrap()
    }

    fn matched(key: DiagnosisKey, heard: &[(Rpi, u32)]) -> Vec<(usize, u32)> {
        let rpis: Vec<u8> = heard.iter().flat_map(|(rpi, _)| *rpi).collect();
        let intervals: Vec<u32> = heard.iter().map(|(_, at)| *at).collect();
        let index = Index::new(&rpis, &intervals).unwrap();
        match_keys(&[key], &index, 12)
            .into_iter()
            .map(|found| (found.sighting, found.interval))
            .collect()
    }

    #[test]
    fn a_sighting_within_the_tolerance_matches_on_both_sides() {
        let at = START + 50;
        let rpi = rpi_of(&key(144), at);
        let heard = [
            (rpi, at - 13),
            (rpi, at - 12),
            (rpi, at + 12),
            (rpi, at + 13),
        ];

        assert_eq!(matched(key(144), &heard), [(1, at), (2, at)]);
    }

    #[test]
    fn every_sighting_of_a_repeated_identifier_is_reported() {
        let rpi = rpi_of(&key(144), START);
        let heard = [
            (rpi, START),
            ([0; 16], START),
            (rpi, START),
            (rpi, START + 1),
        ];

        assert_eq!(
            matched(key(144), &heard),
            [(0, START), (2, START), (3, START)]
        );
    }

    #[test]
    fn identifiers_after_the_rolling_period_match_nothing() {
        let whole_day = key(144);
        let heard = [
            (rpi_of(&whole_day, START + 9), START + 9),
            (rpi_of(&whole_day, START + 10), START + 10),
        ];

        assert_eq!(matched(key(10), &heard), [(0, START + 9)]);
    }

    #[test]
    fn intervals_at_the_ends_of_32_bits_do_not_overflow() {
        let last = DiagnosisKey::new(Tek::from([5; 16]), u32::MAX - 1, 1).unwrap();
        let rpi = rpi_of(&last, u32::MAX - 1);
        let heard = [(rpi, u32::MAX), (rpi, 0)];

        assert_eq!(matched(last, &heard), [(0, u32::MAX - 1)]);
    }

    #[test]
    fn identifiers_and_intervals_that_disagree_are_refused() {
        assert!(Index::new(&[0; 16], &[1]).is_ok());
        assert!(Index::new(&[0; 17], &[1]).is_err());
        assert!(Index::new(&[0; 16], &[1, 2]).is_err());
    }
}
