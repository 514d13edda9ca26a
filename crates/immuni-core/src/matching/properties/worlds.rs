//! Worlds to match in: what was heard of drawn keys and of nobody, and what that should find.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index as Place;

use crate::batch::DiagnosisKeys;
use crate::derivation::derive_rpik;
use crate::identifiers::{Rpi, derive_rpis};
use crate::index::Index;
use crate::matching::{Match, match_keys};

pub(super) const DAY: u32 = 144;
/// More different identifiers of a day than are ever decrypted.
pub(super) const MANY: u32 = 200;
pub(super) const USUAL: u32 = 12;

#[derive(Clone, Debug)]
pub(super) struct Key {
    tek: [u8; 16],
    start: u32,
    period: u8,
}

/// Identifiers of nobody: so many, spread over so many intervals from the first one on.
#[derive(Clone, Debug)]
pub(super) struct Noise {
    pub(super) count: u32,
    pub(super) first: u32,
    pub(super) spread: u32,
}

/// What was heard of a key: for which of its intervals, and how late.
#[derive(Clone, Debug)]
pub(super) struct Encounter {
    key: Place,
    made_for: i32,
    late: i64,
    /// 0 is the identifier itself, 1 one that begins as it does, 2 one that ends so.
    likeness: u8,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) tolerance: u32,
    pub(super) keys: Vec<Key>,
    pub(super) heard: Vec<(Rpi, u32)>,
}

impl World {
    pub(super) fn new(
        tolerance: u32,
        keys: Vec<Key>,
        encounters: &[Encounter],
        noise: &[Noise],
    ) -> Self {
        let met = encounters
            .iter()
            .filter_map(|encounter| encounter.with(encounter.key.get(&keys)));
        let heard = met.chain(noise.iter().flat_map(Noise::heard)).collect();
        Self {
            tolerance,
            keys,
            heard,
        }
    }

    pub(super) fn index(&self) -> Index {
        self.index_of(&self.heard)
    }

    pub(super) fn index_of(&self, heard: &[(Rpi, u32)]) -> Index {
        let (rpis, intervals) = columns(heard);
        Index::new(&rpis, &intervals, self.tolerance).unwrap()
    }

    /// Hands on the keys as a batch.
    pub(super) fn with_batch<T>(&self, look: impl FnOnce(&DiagnosisKeys<'_>) -> T) -> T {
        let key_data: Vec<u8> = self.keys.iter().flat_map(|key| key.tek).collect();
        let starts: Vec<u32> = self.keys.iter().map(|key| key.start).collect();
        let periods: Vec<u8> = self.keys.iter().map(|key| key.period).collect();
        look(&DiagnosisKeys::new(&key_data, &starts, &periods).unwrap())
    }

    pub(super) fn found_with(&self, index: &Index) -> Vec<Match> {
        self.with_batch(|batch| match_keys(batch, index))
    }

    /// The readable way: every identifier of every key, compared with everything that was heard.
    pub(super) fn expected(&self) -> Vec<Match> {
        let mut found = Vec::new();
        for (place, key) in self.keys.iter().enumerate() {
            let rpik = derive_rpik(&key.tek.into());
            let rpis = derive_rpis(&rpik, key.start, key.period.into()).unwrap();
            found.extend(compared(place, key.start, &rpis, self));
        }
        found.sort_unstable();
        found
    }

    /// Holds the engine, whose index is built at once, against the readable way.
    pub(super) fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.found_with(&self.index()), self.expected());
        Ok(())
    }
}

pub(super) fn compared<'a>(
    key: usize,
    start: u32,
    rpis: &'a [Rpi],
    world: &'a World,
) -> impl Iterator<Item = Match> + 'a {
    (0_u32..).zip(rpis).flat_map(move |(after, rpi)| {
        let interval = start + after;
        let heard = world.heard.iter().enumerate();
        heard
            .filter(move |(_, (other, at))| {
                rpi == other && at.abs_diff(interval) <= world.tolerance
            })
            .map(move |(sighting, _)| Match {
                key,
                sighting,
                interval,
            })
    })
}

pub(super) fn columns(heard: &[(Rpi, u32)]) -> (Vec<u8>, Vec<u32>) {
    (
        heard.iter().flat_map(|(rpi, _)| *rpi).collect(),
        heard.iter().map(|(_, interval)| *interval).collect(),
    )
}

impl Noise {
    pub(super) fn heard(&self) -> impl Iterator<Item = (Rpi, u32)> + '_ {
        (0..self.count).map(|number| {
            let mixed =
                u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            let at = self.first.saturating_add(number % self.spread);
            (mixed.to_be_bytes(), at)
        })
    }
}

impl Encounter {
    /// What was heard, if there are such intervals at all.
    fn with(&self, key: &Key) -> Option<(Rpi, u32)> {
        let made_for = key.start.checked_add_signed(self.made_for)?;
        let at = u32::try_from(i64::from(made_for) + self.late).ok()?;
        let mut rpi = derive_rpis(&derive_rpik(&key.tek.into()), made_for, 1).unwrap()[0];
        match self.likeness {
            1 => rpi[15] ^= 1,
            2 => rpi[0] ^= 1,
            _ => {}
        }
        Some((rpi, at))
    }
}

/// Keys of few different secrets, so that the same one comes again.
pub(super) fn keys(
    starts: impl Strategy<Value = u32>,
    periods: impl Strategy<Value = u8>,
    most: usize,
) -> impl Strategy<Value = Vec<Key>> {
    let key = (0..6_u8, starts, periods).prop_map(|(secret, start, period)| Key {
        tek: [secret; 16],
        start: start.min(u32::MAX - u32::from(period)),
        period,
    });
    vec(key, 1..=most)
}

/// Encounters around the bounds of the rolling period and of the tolerance.
pub(super) fn encounters(tolerance: u32, most: usize) -> impl Strategy<Value = Vec<Encounter>> {
    let reach = i64::from(tolerance) + 2;
    let late = prop_oneof![-reach..=reach, Just(reach - 2), Just(2 - reach), Just(0)];
    let likeness = prop_oneof![6 => Just(0_u8), 1 => Just(1), 1 => Just(2)];
    let encounter = (any::<Place>(), -3..147_i32, late, likeness).prop_map(
        |(key, made_for, late, likeness)| Encounter {
            key,
            made_for,
            late,
            likeness,
        },
    );
    vec(encounter, 0..=most)
}

/// So much noise in each interval from before `start` on that nothing but the key itself tells
/// what can be left out.
pub(super) fn everywhere(start: u32, days: u32) -> Noise {
    Noise {
        count: MANY * (days + 2),
        first: start.saturating_sub(DAY),
        spread: DAY * (days + 2),
    }
}

/// The first interval of all, one of 2020, ones whose days end with the last of 32 bits, any.
pub(super) fn eras() -> impl Strategy<Value = u32> {
    prop_oneof![
        Just(0),
        Just(18_354 * DAY),
        (u32::MAX - 3 * DAY..=u32::MAX),
        any::<u32>()
    ]
}

pub(super) fn tolerances() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => Just(USUAL),
        2 => 0..40_u32,
        1 => prop_oneof![Just(71_u32), Just(72), Just(1000), Just(u32::MAX / 2), Just(u32::MAX)],
    ]
}

/// Worlds in which everything that makes a difference is drawn.
pub(super) fn worlds(most_keys: usize) -> impl Strategy<Value = World> {
    (eras(), tolerances())
        .prop_flat_map(move |(era, tolerance)| {
            let starts = (0..3 * DAY).prop_map(move |after| era.saturating_add(after));
            let noise = (0..2 * MANY, 0..4 * DAY, 1..2 * DAY).prop_map(move |drawn| Noise {
                count: drawn.0,
                first: era.saturating_add(drawn.1).saturating_sub(DAY),
                spread: drawn.2,
            });
            (
                Just(tolerance),
                keys(starts, 1..=144_u8, most_keys),
                encounters(tolerance, 12),
                vec(noise, 0..=2),
                0..3_usize,
            )
        })
        .prop_map(|(tolerance, keys, encounters, noise, again)| {
            let mut world = World::new(tolerance, keys, &encounters, &noise);
            world.heard = world.heard.repeat(again + 1);
            world
        })
}
