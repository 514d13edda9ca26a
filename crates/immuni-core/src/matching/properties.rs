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
use proptest::sample::subsequence;

use self::worlds::*;
use super::*;
use crate::batch::DailyTracingKeys;
use crate::identifiers::Rpi;
use crate::preliminary::derive_preliminary_rpis;

mod worlds;

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
