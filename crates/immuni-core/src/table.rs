//! What was heard in one stretch of time, found by identifier.

use std::ops::RangeInclusive;

use crate::identifiers::Rpi;

/// Sightings for each bucket, roughly: a bucket is then one or two lines of the cache.
const BUCKET_SIZE: usize = 2;

/// A sighting. Orders by identifier, then interval, then place.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Record {
    /// Two numbers, since one of 128 bits would be aligned to more bytes than it has.
    rpi: [u64; 2],
    pub(crate) interval: u32,
    pub(crate) place: u32,
}

impl Record {
    pub(crate) fn new(rpi: &Rpi, interval: u32, place: u32) -> Self {
        Self {
            rpi: halves(rpi),
            interval,
            place,
        }
    }

    pub(crate) fn rpi(&self) -> Rpi {
        let [high, low] = self.rpi;
        (u128::from(high) << u64::BITS | u128::from(low)).to_be_bytes()
    }
}

fn halves(rpi: &Rpi) -> [u64; 2] {
    let half = |bytes: Option<&[u8; 8]>| bytes.copied().map(u64::from_be_bytes).unwrap_or_default();
    [half(rpi.first_chunk()), half(rpi.last_chunk())]
}

/// Records in ascending order, with the place of the first for each value of their highest bits.
///
/// Identifiers are as good as random, so that each bucket is small. Somebody who broadcasts others
/// can make one large; since it is sorted as well, finding something in it takes a few steps more.
#[derive(Default)]
pub(crate) struct Table {
    records: Vec<Record>,
    /// Where each bucket begins, and where the last one ends.
    starts: Vec<u32>,
    /// By how many bits the first half of an identifier is shifted to become a bucket.
    shift: u32,
}

impl Table {
    /// Sorts `records`.
    pub(crate) fn new(records: &[Record]) -> Self {
        let buckets = (records.len() / BUCKET_SIZE).max(2).next_power_of_two();
        let mut table = Self {
            records: vec![Record::default(); records.len()],
            starts: vec![0; buckets.saturating_add(1)],
            shift: u64::BITS.saturating_sub(buckets.trailing_zeros()),
        };
        table.count(records);
        table.distribute(records);
        table.sort_buckets();
        table
    }

    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// The sightings of `rpi` that were heard during `intervals`, in ascending order.
    pub(crate) fn sightings(
        &self,
        rpi: &Rpi,
        intervals: &RangeInclusive<u32>,
    ) -> impl Iterator<Item = &Record> + use<'_> {
        let rpi = halves(rpi);
        let last = *intervals.end();
        let bucket = self.bucket(&rpi);
        let first = bucket
            .partition_point(|record| (record.rpi, record.interval) < (rpi, *intervals.start()));
        bucket
            .iter()
            .skip(first)
            .take_while(move |record| record.rpi == rpi && record.interval <= last)
    }

    /// The memory that it takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        let records = size_of_val(self.records.as_slice());
        records.saturating_add(size_of_val(self.starts.as_slice()))
    }

    fn bucket_of(&self, rpi: &[u64; 2]) -> usize {
        let [high, _] = rpi;
        usize::try_from(high.wrapping_shr(self.shift)).unwrap_or_default()
    }

    fn bucket(&self, rpi: &[u64; 2]) -> &[Record] {
        let bounds = self.starts.get(self.bucket_of(rpi)..);
        let range = bounds
            .and_then(<[u32]>::first_chunk)
            .map(|&[from, to]| range(from, to));
        range
            .and_then(|range| self.records.get(range))
            .unwrap_or_default()
    }

    /// Makes of `starts` the place after each bucket.
    fn count(&mut self, records: &[Record]) {
        for record in records {
            let bucket = self.bucket_of(&record.rpi);
            if let Some(count) = self.starts.get_mut(bucket) {
                *count = count.wrapping_add(1);
            }
        }
        let mut total = 0_u32;
        for start in &mut self.starts {
            total = total.wrapping_add(*start);
            *start = total;
        }
    }

    /// Puts each record into its bucket, from the end: `starts` says where each begins afterwards.
    fn distribute(&mut self, records: &[Record]) {
        for record in records {
            let bucket = self.bucket_of(&record.rpi);
            let Some(start) = self.starts.get_mut(bucket) else {
                continue;
            };
            *start = start.wrapping_sub(1);
            let place = usize::try_from(*start).unwrap_or(usize::MAX);
            if let Some(free) = self.records.get_mut(place) {
                *free = *record;
            }
        }
    }

    fn sort_buckets(&mut self) {
        let mut rest = self.records.as_mut_slice();
        for bounds in self.starts.windows(2) {
            let &[from, to] = bounds else { continue };
            let length = range(from, to).len();
            let Some((bucket, later)) = rest.split_at_mut_checked(length) else {
                return;
            };
            bucket.sort_unstable();
            rest = later;
        }
    }
}

fn range(from: u32, to: u32) -> std::ops::Range<usize> {
    let place = |number| usize::try_from(number).unwrap_or(usize::MAX);
    place(from)..place(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records of which many share an identifier, or the beginning or the end of one.
    fn alike(count: u32) -> Vec<Record> {
        let rpi = |number: u32| {
            let [low, high, ..] = number.wrapping_mul(7).to_le_bytes();
            let mut rpi = [7; 16];
            (rpi[0], rpi[15]) = (low % 3, high % 2);
            rpi
        };
        (0..count)
            .map(|place| Record::new(&rpi(place), place % 5, place))
            .collect()
    }

    #[test]
    fn records_are_sorted_however_alike_they_are() {
        for count in [0, 1, 2, 3, 1000] {
            let mut records = alike(count);
            let table = Table::new(&records);

            records.sort_unstable();
            assert_eq!(table.records(), records);
        }
    }

    #[test]
    fn exactly_the_sightings_of_an_identifier_within_the_intervals_are_found() {
        let records = alike(1000);
        let table = Table::new(&records);

        for record in &records {
            let expected = table
                .records()
                .iter()
                .filter(|other| other.rpi == record.rpi && (1..=3).contains(&other.interval));
            assert!(table.sightings(&record.rpi(), &(1..=3)).eq(expected));
        }
        assert_eq!(table.sightings(&[9; 16], &(0..=u32::MAX)).count(), 0);
        assert_eq!(
            Table::default()
                .sightings(&[9; 16], &(0..=u32::MAX))
                .count(),
            0
        );
    }
}
