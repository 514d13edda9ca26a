use super::*;

fn heard_during(heard: &[u32], asked: Range<u32>) -> Vec<(u32, u32)> {
    let rpis = vec![[0; 16]; heard.len()].concat();
    let index = Index::new(&rpis, heard, 12).unwrap();
    let parts = index.heard_during(&asked);
    parts.map(|part| (part.start, part.end)).collect()
}

#[test]
fn intervals_near_which_nothing_was_heard_are_left_out() {
    assert_eq!(heard_during(&[], 0..144), []);
    assert_eq!(heard_during(&[200], 0..144), []);
    assert_eq!(heard_during(&[50], 0..144), [(38, 63)]);
    assert_eq!(heard_during(&[100, 50, 50], 0..144), [(38, 63), (88, 113)]);
    assert_eq!(heard_during(&[50, 75], 0..144), [(38, 88)]);
    assert_eq!(heard_during(&[50, 100], 63..144), [(88, 113)]);
    assert_eq!(heard_during(&[0, 150], 100..144), [(138, 144)]);
    assert_eq!(heard_during(&[0, u32::MAX], 5..7), [(5, 7)]);
}

/// Packed identifiers, none like another, and an interval of each within `days`.
fn drawn(count: u32, days: u32) -> (Vec<u8>, Vec<u32>) {
    let rpi = |number: u32| {
        let mixed = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        mixed.to_be_bytes()
    };
    let within = days.saturating_mul(144);
    let interval = |number: u32| number.wrapping_mul(7919).checked_rem(within).unwrap();
    let rpis = (1..=count).flat_map(rpi).collect();
    (rpis, (1..=count).map(interval).collect())
}

#[test]
fn an_identifier_is_found_where_it_was_heard_and_may_have_been_made() {
    let index = Index::new(&[[1; 16], [1; 16], [2; 16]].concat(), &[140, 150, 150], 12).unwrap();
    let places = |rpi, interval| index.sightings_of(&rpi, interval).collect::<Vec<_>>();

    assert_eq!(places([1; 16], 127), []);
    assert_eq!(places([1; 16], 128), [0]);
    assert_eq!(places([1; 16], 143), [0, 1]);
    assert_eq!(places([1; 16], 152), [0, 1]);
    assert_eq!(places([1; 16], 153), [1]);
    assert_eq!(places([2; 16], 153), [2]);
    assert_eq!(places([3; 16], 143), []);
}

#[test]
fn what_may_have_been_made_in_a_day_passes_the_filter_of_that_day() {
    let (rpis, intervals) = drawn(3000, 3);
    let index = Index::new(&rpis, &intervals, 12).unwrap();

    for (rpi, &heard) in blocks(&rpis).zip(&intervals) {
        for made in [heard.saturating_sub(12), heard, heard + 12] {
            let (_, candidates) = index.parts(&(made..made + 1)).next().unwrap();
            assert!(candidates.filter.may_hold(&rpi));
        }
    }
}

#[test]
fn few_identifiers_of_a_day_are_listed_once_each_and_many_not_at_all() {
    let few = |count: u32| {
        let (rpis, intervals) = drawn(count, 1);
        let index = Index::new(&rpis.repeat(3), &intervals.repeat(3), 12).unwrap();
        let (_, candidates) = index.parts(&(0..144)).next().unwrap();
        candidates.few.as_ref().map(Vec::len)
    };

    assert_eq!(few(1), Some(1));
    assert_eq!(few(144), Some(144));
    assert_eq!(few(145), None);
}

#[test]
fn a_list_that_was_cut_off_counts_as_none_however_many_were_heard_on_two_days() {
    let (rpis, _) = drawn(120, 1);
    let late = [vec![143; 80], vec![144; 120]].concat();
    let twice = [&rpis[..16 * 80], &rpis].concat();
    let index = Index::new(&twice, &late, 12).unwrap();

    let (_, candidates) = index.parts(&(140..144)).next().unwrap();
    assert_eq!(candidates.few, None);
}

#[test]
fn appending_bit_by_bit_comes_to_the_same_as_all_at_once() {
    let (rpis, intervals) = drawn(2000, 4);
    let whole = Index::new(&rpis, &intervals, 12).unwrap();
    let mut grown = Index::new(&[], &[], 12).unwrap();
    for (rpis, intervals) in rpis.chunks(16 * 301).zip(intervals.chunks(301)) {
        grown.append(rpis, intervals).unwrap();
    }

    assert_eq!((grown.len(), grown.is_empty()), (2000, false));
    assert_eq!(grown.heard, whole.heard);
    for (one, other) in grown.days.iter().zip(&whole.days) {
        assert_eq!(one.number, other.number);
        assert_eq!(one.table.records(), other.table.records());
        assert_eq!(one.candidates.few, other.candidates.few);
    }
    assert_eq!(grown.size(), whole.size());
}

#[test]
fn an_index_that_forgot_holds_what_was_heard_since_at_its_places() {
    let (rpis, intervals) = drawn(2000, 4);
    for from in [0, 1, 140, 144, 156, 300, 575, 576, 577] {
        let mut index = Index::new(&rpis, &intervals, 12).unwrap();
        index.forget_before(from);

        let kept = blocks(&rpis).zip(&intervals).enumerate();
        let kept: Vec<_> = kept.filter(|(_, (_, heard))| **heard >= from).collect();
        assert_eq!(index.len(), kept.len());
        assert_eq!(index.is_empty(), kept.is_empty());
        for (place, (rpi, &heard)) in kept {
            assert!(index.sightings_of(&rpi, heard).eq([place]));
        }
        let asked = (0..576).filter(|&made| index.parts(&(made..made + 1)).count() > 0);
        let first = if from < 576 {
            from.saturating_sub(12)
        } else {
            576
        };
        assert!(asked.eq(first..576));
    }
}

#[test]
fn what_comes_after_forgetting_takes_the_places_that_follow() {
    let mut index = Index::new(&[[1; 16], [2; 16]].concat(), &[10, 300], 12).unwrap();
    let emptied = |index: &Index| index.days.iter().map(|day| day.number).collect::<Vec<_>>();
    index.forget_before(200);
    assert_eq!(emptied(&index), [2]);

    index.append(&[1; 16], &[301]).unwrap();
    assert!(index.sightings_of(&[1; 16], 300).eq([2]));
    assert!(index.sightings_of(&[2; 16], 300).eq([1]));

    index.forget_before(u32::MAX);
    assert_eq!((index.len(), index.size(), index.days.len()), (0, 0, 0));
}

#[test]
fn what_was_heard_earlier_may_be_added_later() {
    // 288 begins a day, so that the day before, of which nothing was known, is needed as well.
    for (first, later) in [(358, 288), (502, 431)] {
        let mut grown = Index::new(&[1; 16], &[first], 12).unwrap();
        grown.append(&[2; 16], &[later]).unwrap();

        for (number, made) in [(1, first), (2, later - 1)] {
            let (_, candidates) = grown.parts(&(made..made + 1)).next().unwrap();
            assert!(candidates.filter.may_hold(&[number; 16]));
            assert!(candidates.few.as_ref().unwrap().contains(&[number; 16]));
            assert_eq!(grown.sightings_of(&[number; 16], made).count(), 1);
        }
    }
}

#[test]
fn a_sighting_takes_no_more_than_32_bytes_in_all() {
    for count in [20_000, 100_000, 150_000, 200_000] {
        let (rpis, intervals) = drawn(count, 14);
        let size = Index::new(&rpis, &intervals, 12).unwrap().size();

        assert!(size <= 32 * intervals.len(), "{size} bytes for {count}");
    }
}

#[test]
fn identifiers_and_intervals_that_disagree_are_refused_and_change_nothing() {
    let mut index = Index::new(&[0; 16], &[1], 12).unwrap();

    assert!(Index::new(&[0; 17], &[1], 12).is_err());
    assert!(index.append(&[0; 16], &[1, 2]).is_err());
    assert_eq!(index.len(), 1);
}
