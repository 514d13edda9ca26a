use std::cell::RefCell;

use super::*;
use crate::batch::{DailyTracingKeys, DiagnosisKeys};
use crate::derivation::derive_rpik;
use crate::identifiers::{Rpi, derive_rpis};
use crate::preliminary::derive_preliminary_rpis;

const START: u32 = 2_642_976;
const KEY: [u8; 16] = [5; 16];

fn rpi_of(interval: u32) -> Rpi {
    derive_rpis(&derive_rpik(&KEY.into()), interval, 1).unwrap()[0]
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
    let rpi = rpi_of(u32::MAX - 1);
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

/// More keys than are searched at a time, of which the first, some within and the last match.
fn with_many_keys<T>(look: impl FnOnce(&DiagnosisKeys<'_>, &Index) -> T) -> T {
    let mut keys = vec![[0; 16]; CHUNK * 2 + 5];
    for place in [0, 9, CHUNK - 1, CHUNK, CHUNK * 2 + 4] {
        keys[place] = KEY;
    }
    let (starts, periods) = (vec![START; keys.len()], vec![1; keys.len()]);
    let index = Index::new(&rpi_of(START), &[START], 12).unwrap();
    look(
        &DiagnosisKeys::new(keys.as_flattened(), &starts, &periods).unwrap(),
        &index,
    )
}

#[test]
fn many_threads_find_the_same_in_the_same_order_as_one() {
    with_many_keys(|keys, index| {
        let expected = [0, 9, CHUNK - 1, CHUNK, CHUNK * 2 + 4];

        for threads in [1, 2, 3, 100] {
            let search = Search::new(index).in_threads(NonZeroUsize::new(threads).unwrap());
            assert_eq!(search.keys(keys), Ok(expected.to_vec()));
            let matches = search.matches(keys).unwrap();
            assert!(matches.iter().map(|found| found.key).eq(expected));
        }
    });
}

#[test]
fn whoever_is_last_the_end_is_told() {
    with_many_keys(|keys, index| {
        for _ in 0..200 {
            let seen = RefCell::new(Vec::new());
            let note = |done| {
                seen.borrow_mut().push(done);
                ControlFlow::Continue(())
            };
            let search = Search::new(index).in_threads(NonZeroUsize::new(3).unwrap());

            search.watched_by(&note).matches(keys).unwrap();

            let seen = seen.take();
            assert_eq!(seen.last(), Some(&(CHUNK * 2 + 5)));
            assert!(seen.is_sorted_by(|one, next| one < next));
        }
    });
}

#[test]
fn who_watches_sees_the_work_done_and_can_stop_it() {
    with_many_keys(|keys, index| {
        let seen = RefCell::new(Vec::new());
        let until = |enough: usize| {
            let seen = &seen;
            move |done: usize| {
                seen.borrow_mut().push(done);
                if done < enough {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            }
        };
        let (all, one) = (until(usize::MAX), until(1));

        assert_eq!(
            Search::new(index)
                .watched_by(&all)
                .matches(keys)
                .unwrap()
                .len(),
            5
        );
        assert_eq!(seen.take(), [CHUNK, CHUNK * 2, CHUNK * 2 + 5]);
        assert_eq!(
            Search::new(index).watched_by(&one).matches(keys),
            Err(Stopped)
        );
        assert_eq!(seen.take(), [CHUNK]);
    });
}

#[test]
fn preliminary_keys_are_found_by_the_same_rules() {
    let keys = DailyTracingKeys::new(&KEY, &[10]).unwrap();
    let last = 10 * 144 + 143;
    let rpi = derive_preliminary_rpis(&KEY.into(), 143, 1).unwrap()[0];

    assert_eq!(
        found(&keys, &[(rpi, last + 13), (rpi, last - 12)]),
        [(1, last)]
    );
}
