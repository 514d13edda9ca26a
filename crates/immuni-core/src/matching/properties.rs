//! Whatever the engine leaves out, it finds what deriving everything and comparing it with
//! everything finds.
//!
//! Each property says which shortcut its worlds are about; in the last ones all come together.
//! `PROPTEST_CASES` sets how many worlds there are.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index as Place, subsequence};

use super::*;
use crate::batch::{DailyTracingKeys, DiagnosisKeys};
use crate::derivation::derive_rpik;
use crate::identifiers::{Rpi, derive_rpis};
use crate::preliminary::derive_preliminary_rpis;

const DAY: u32 = 144;
/// More different identifiers of a day than are ever decrypted.
const MANY: u32 = 200;
const USUAL: u32 = 12;

#[derive(Clone, Debug)]
struct Key {
    tek: [u8; 16],
    start: u32,
    period: u8,
}

/// Identifiers of nobody: so many, spread over so many intervals from the first one on.
#[derive(Clone, Debug)]
struct Noise {
    count: u32,
    first: u32,
    spread: u32,
}

/// What was heard of a key: for which of its intervals, and how late.
#[derive(Clone, Debug)]
struct Encounter {
    key: Place,
    made_for: i32,
    late: i64,
    /// 0 is the identifier itself, 1 one that begins as it does, 2 one that ends so.
    likeness: u8,
}

#[derive(Clone, Debug)]
struct World {
    tolerance: u32,
    keys: Vec<Key>,
    heard: Vec<(Rpi, u32)>,
}

impl World {
    fn new(tolerance: u32, keys: Vec<Key>, encounters: &[Encounter], noise: &[Noise]) -> Self {
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

    fn index(&self) -> Index {
        self.index_of(&self.heard)
    }

    fn index_of(&self, heard: &[(Rpi, u32)]) -> Index {
        let (rpis, intervals) = columns(heard);
        Index::new(&rpis, &intervals, self.tolerance).unwrap()
    }

    /// Hands on the keys as a batch.
    fn with_batch<T>(&self, look: impl FnOnce(&DiagnosisKeys<'_>) -> T) -> T {
        let key_data: Vec<u8> = self.keys.iter().flat_map(|key| key.tek).collect();
        let starts: Vec<u32> = self.keys.iter().map(|key| key.start).collect();
        let periods: Vec<u8> = self.keys.iter().map(|key| key.period).collect();
        look(&DiagnosisKeys::new(&key_data, &starts, &periods).unwrap())
    }

    fn found_with(&self, index: &Index) -> Vec<Match> {
        self.with_batch(|batch| match_keys(batch, index))
    }

    /// The readable way: every identifier of every key, compared with everything that was heard.
    fn expected(&self) -> Vec<Match> {
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
    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.found_with(&self.index()), self.expected());
        Ok(())
    }
}

fn compared<'a>(
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

fn columns(heard: &[(Rpi, u32)]) -> (Vec<u8>, Vec<u32>) {
    (
        heard.iter().flat_map(|(rpi, _)| *rpi).collect(),
        heard.iter().map(|(_, interval)| *interval).collect(),
    )
}

impl Noise {
    fn heard(&self) -> impl Iterator<Item = (Rpi, u32)> + '_ {
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
fn keys(
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
fn encounters(tolerance: u32, most: usize) -> impl Strategy<Value = Vec<Encounter>> {
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
fn everywhere(start: u32, days: u32) -> Noise {
    Noise {
        count: MANY * (days + 2),
        first: start.saturating_sub(DAY),
        spread: DAY * (days + 2),
    }
}

/// The first interval of all, one of 2020, ones whose days end with the last of 32 bits, any.
fn eras() -> impl Strategy<Value = u32> {
    prop_oneof![
        Just(0),
        Just(18_354 * DAY),
        (u32::MAX - 3 * DAY..=u32::MAX),
        any::<u32>()
    ]
}

fn tolerances() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => Just(USUAL),
        2 => 0..40_u32,
        1 => prop_oneof![Just(71_u32), Just(72), Just(1000), Just(u32::MAX / 2), Just(u32::MAX)],
    ]
}

/// Worlds in which everything that makes a difference is drawn.
fn worlds(most_keys: usize) -> impl Strategy<Value = World> {
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

proptest! {
    #[test]
    fn following_a_key_for_its_rolling_period_alone_misses_nothing(
        keys in keys(Just(18_354 * DAY), 1..=144_u8, 2),
        encounters in encounters(USUAL, 12),
    ) {
        World::new(USUAL, keys, &encounters, &[everywhere(18_354 * DAY, 1)]).check()?;
    }

    #[test]
    fn leaving_out_intervals_near_which_nothing_was_heard_misses_nothing(
        keys in keys(Just(18_354 * DAY), Just(144), 1),
        encounters in encounters(USUAL, 8),
        occasion in 0..DAY,
    ) {
        // They are too many to be decrypted, and all were heard at once.
        let crowd = Noise { count: MANY, first: 18_354 * DAY + occasion, spread: 1 };
        World::new(USUAL, keys, &encounters, &[crowd]).check()?;
    }

    #[test]
    fn decrypting_few_identifiers_misses_nothing(
        keys in keys(Just(18_354 * DAY), prop_oneof![Just(144_u8), 1..=144_u8], 2),
        encounters in encounters(USUAL, 6),
        count in 0..=DAY + 2,
    ) {
        let some = Noise { count, first: 18_354 * DAY, spread: DAY };
        World::new(USUAL, keys, &encounters, &[some]).check()?;
    }

    #[test]
    fn comparing_a_key_with_what_was_heard_on_its_days_misses_nothing(
        (tolerance, encounters) in tolerances().prop_flat_map(|tolerance| {
            (Just(tolerance), encounters(tolerance, 8))
        }),
        keys in keys(18_354 * DAY..18_356 * DAY, Just(144), 2),
    ) {
        World::new(tolerance, keys, &encounters, &[everywhere(18_354 * DAY, 2)]).check()?;
    }

    #[test]
    fn taking_keys_in_another_order_misses_nothing(
        keys in keys(18_354 * DAY..18_354 * DAY + 5, 1..=3_u8, 3 * CHUNK),
        encounters in encounters(USUAL, 8),
    ) {
        World::new(USUAL, keys, &encounters, &[]).check()?;
    }

    #[test]
    fn the_filter_lets_all_pass_that_were_heard(
        heard in vec((any::<Rpi>(), 0..2 * DAY), 1..300),
        tolerance in tolerances(),
    ) {
        let (rpis, intervals) = columns(&heard);
        let index = Index::new(&rpis, &intervals, tolerance).unwrap();
        for (rpi, at) in heard {
            let near = at.saturating_sub(tolerance)..=at.saturating_add(tolerance).min(3 * DAY);
            for interval in [*near.start(), at, *near.end()] {
                let (_, candidates) = index.parts(&(interval..interval + 1)).next().unwrap();
                prop_assert!(candidates.filter.may_hold(&rpi));
                prop_assert!(candidates.few.as_ref().is_none_or(|few| few.contains(&rpi)));
            }
        }
    }

    #[test]
    fn all_shortcuts_together_miss_nothing(world in worlds(6)) {
        world.check()?;
    }

    #[test]
    fn the_keys_that_match_are_those_of_the_matches(world in worlds(6)) {
        let mut keys: Vec<usize> = world.expected().iter().map(|found| found.key).collect();
        keys.dedup();
        prop_assert_eq!(world.with_batch(|batch| matched_keys(batch, &world.index())), keys);
    }

    #[test]
    fn sightings_that_are_added_in_parts_are_found_like_all_at_once(
        (world, cuts) in worlds(4).prop_flat_map(|world| {
            let places: Vec<usize> = (0..=world.heard.len()).collect();
            let most = places.len().min(5);
            (Just(world), subsequence(places, 0..=most))
        }),
    ) {
        let mut grown = world.index_of(&[]);
        let mut from = 0;
        for to in cuts.into_iter().chain([world.heard.len()]) {
            let (rpis, intervals) = columns(&world.heard[from..to]);
            grown.append(&rpis, &intervals).unwrap();
            from = to;
        }
        prop_assert_eq!(grown.size(), world.index().size());
        prop_assert_eq!(world.found_with(&grown), world.expected());
    }

    #[test]
    fn many_threads_find_what_one_finds(
        keys in keys(18_354 * DAY..18_354 * DAY + 5, 1..=3_u8, 3 * CHUNK),
        encounters in encounters(USUAL, 8),
        threads in 1..9_usize,
    ) {
        let world = World::new(USUAL, keys, &encounters, &[]);
        let index = world.index();
        let search = Search::new(&index).in_threads(NonZeroUsize::new(threads).unwrap());
        let found = world.with_batch(|batch| search.matches(batch));
        prop_assert_eq!(found, Ok(world.expected()));
    }

    #[test]
    fn a_search_that_is_stopped_finds_nothing_and_any_other_everything(
        keys in keys(18_354 * DAY..18_354 * DAY + 5, 1..=3_u8, 3 * CHUNK),
        encounters in encounters(USUAL, 8),
        threads in 1..4_usize,
        patience in 1..8_u32,
    ) {
        let world = World::new(USUAL, keys, &encounters, &[]);
        let index = world.index();
        let (left, stopped) = (Cell::new(patience), Cell::new(false));
        let watch = |_| {
            left.set(left.get().saturating_sub(1));
            if left.get() > 0 {
                return ControlFlow::Continue(());
            }
            stopped.set(true);
            ControlFlow::Break(())
        };
        let search = Search::new(&index).in_threads(NonZeroUsize::new(threads).unwrap());
        let found = world.with_batch(|batch| search.watched_by(&watch).matches(batch));
        let expected = if stopped.get() { Err(Stopped) } else { Ok(world.expected()) };
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn preliminary_keys_are_found_as_deriving_everything_finds_them(
        day in prop_oneof![Just(0), Just(18_354), Just(u32::MAX / DAY - 1)],
        encounters in vec((0..DAY, -14..15_i64), 0..8),
        noise in 0..MANY,
    ) {
        let (tek, start) = ([9; 16], day * DAY);
        let rpis = derive_preliminary_rpis(&tek.into(), 0, DAY).unwrap();
        let met = encounters.iter().filter_map(|&(made_for, late)| {
            let at = u32::try_from(i64::from(start + made_for) + late).ok()?;
            Some((rpis[made_for as usize], at))
        });
        let noise = Noise { count: noise, first: start, spread: DAY };
        let heard = met.chain(noise.heard()).collect();
        let world = World { tolerance: USUAL, keys: Vec::new(), heard };
        let mut expected: Vec<Match> = compared(0, start, &rpis, &world).collect();
        expected.sort_unstable();

        let days = [day];
        let batch = DailyTracingKeys::new(&tek, &days).unwrap();
        prop_assert_eq!(match_keys(&batch, &world.index()), expected);
    }
}
