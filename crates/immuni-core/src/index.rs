//! A phone's sightings, made ready to be looked up by many millions of identifiers.

use std::ops::{Range, RangeInclusive};

use crate::bytes::{blocks, check_packed};
use crate::error::Error;
use crate::filter::{Filter, Hash};
use crate::identifiers::{MAX_ROLLING_PERIOD, Rpi};
use crate::spans::Spans;
use crate::table::{Record, Table};

/// Up to so many different identifiers of a day are kept in a list as well.
const FEW: usize = MAX_ROLLING_PERIOD as usize;

/// A phone's sightings, found by identifier. Built once, then used for any number of batches.
///
/// They are parted by day, so that what a key is compared with is small enough for the processor's
/// cache.
pub struct Index {
    spans: Spans,
    hash: Hash,
    days: Vec<Day>,
    /// Intervals near which anything was heard at all: ascending, apart from each other.
    heard: Vec<Range<u32>>,
    /// The place of the sighting that comes next.
    next: u32,
}

/// A stretch of time: what was heard in it, and what identifiers of it were.
struct Day {
    number: u32,
    /// What was heard during the day.
    table: Table,
    /// The identifiers that may have been made for one of the day's intervals.
    candidates: Candidates,
}

/// The identifiers that may have been made for an interval of one day.
pub(crate) struct Candidates {
    pub(crate) filter: Filter,
    /// The identifiers themselves, each once, where they are few.
    pub(crate) few: Option<Vec<Rpi>>,
}

impl Index {
    /// Indexes sightings: packed identifiers, which may repeat, and the interval of each.
    ///
    /// `tolerance` is the number of intervals by which a sighting may lie beside the interval of
    /// its identifier, before or after.
    ///
    /// # Errors
    ///
    /// [`Error::Packed`] if `rpis` has not 16 bytes for each interval, and
    /// [`Error::TooManySightings`] if they are more than 32 bits can number.
    pub fn new(rpis: &[u8], intervals: &[u32], tolerance: u32) -> Result<Self, Error> {
        let mut index = Self {
            spans: Spans::new(tolerance),
            hash: Hash::drawn(),
            days: Vec::new(),
            heard: Vec::new(),
            next: 0,
        };
        index.append(rpis, intervals)?;
        Ok(index)
    }

    /// Adds further sightings, whose places follow those that are there.
    ///
    /// # Errors
    ///
    /// As [`Index::new`]; nothing was added.
    ///
    /// # Complexity
    ///
    /// Grows with the sightings of the days that are touched, not with those of others.
    pub fn append(&mut self, rpis: &[u8], intervals: &[u32]) -> Result<(), Error> {
        check_packed("rpis", rpis, "sightings", intervals.len())?;
        let next = u32::try_from(intervals.len())
            .ok()
            .and_then(|more| self.next.checked_add(more))
            .ok_or(Error::TooManySightings)?;
        let occasions = occasions(intervals);
        self.add_days(&occasions);
        let touched = self.distribute(rpis, intervals);
        self.renew_candidates(&touched);
        self.hear(&occasions);
        self.next = next;
        Ok(())
    }

    /// Forgets the sightings of before `interval`; the places of the others stay theirs.
    ///
    /// # Complexity
    ///
    /// Grows with the number of days, and with what was heard on the day of `interval`.
    pub fn forget_before(&mut self, interval: u32) {
        let mut touched = Vec::new();
        for (place, day) in self.days.iter_mut().enumerate() {
            if day.forget_before(interval) {
                touched.push(place);
            }
        }
        self.renew_candidates(&touched);
        self.days.retain(|day| !day.is_empty());
        // Of what lies near forgotten sightings alone some is left: there is nothing to be found.
        let first = *self.spans.near(interval).start();
        for range in &mut self.heard {
            range.start = range.start.max(first);
        }
        self.heard.retain(|range| !range.is_empty());
    }

    /// The number of sightings.
    #[must_use]
    pub fn len(&self) -> usize {
        self.days
            .iter()
            .map(|day| day.table.records().len())
            .fold(0, usize::saturating_add)
    }

    /// Whether there are no sightings.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory that the sightings take, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.days
            .iter()
            .map(Day::size)
            .chain([size_of_val(self.heard.as_slice())])
            .fold(0, usize::saturating_add)
    }

    /// The parts of `intervals` whose identifiers could match anything, none of which reaches
    /// beyond a day, each with the identifiers that may be among them.
    pub(crate) fn parts(
        &self,
        intervals: &Range<u32>,
    ) -> impl Iterator<Item = (Range<u32>, &Candidates)> {
        self.heard_during(intervals)
            .flat_map(|part| self.spans.parted(part))
            .filter_map(|part| {
                let day = self.day(self.spans.day_of(part.start))?;
                Some((part, &day.candidates))
            })
    }

    /// The places of those sightings of `rpi` that were heard near `interval`.
    pub(crate) fn sightings_of(
        &self,
        rpi: &Rpi,
        interval: u32,
    ) -> impl Iterator<Item = usize> + use<'_> {
        let near = self.spans.near(interval);
        let rpi = *rpi;
        self.days_of(&near)
            .iter()
            .flat_map(move |day| day.table.sightings(&rpi, &near))
            .map(|record| usize::try_from(record.place).unwrap_or(usize::MAX))
    }

    fn heard_during(&self, intervals: &Range<u32>) -> impl Iterator<Item = Range<u32>> + use<'_> {
        let intervals = intervals.clone();
        let first = self
            .heard
            .partition_point(|heard| heard.end <= intervals.start);
        self.heard
            .iter()
            .skip(first)
            .map(move |heard| heard.start.max(intervals.start)..heard.end.min(intervals.end))
            .take_while(|part| !part.is_empty())
    }

    fn day(&self, number: u32) -> Option<&Day> {
        let place = self.place_of(number)?;
        self.days.get(place)
    }

    fn place_of(&self, number: u32) -> Option<usize> {
        self.days
            .binary_search_by_key(&number, |day| day.number)
            .ok()
    }

    /// The days that have a part of `intervals`.
    fn days_of(&self, intervals: &RangeInclusive<u32>) -> &[Day] {
        let [first, last] = [intervals.start(), intervals.end()].map(|at| self.spans.day_of(*at));
        let from = self.days.partition_point(|day| day.number < first);
        let to = self.days.partition_point(|day| day.number <= last);
        self.days.get(from..to).unwrap_or_default()
    }

    /// Makes room for the days in which anything was heard or identifiers of it were made.
    fn add_days(&mut self, occasions: &[u32]) {
        let mut numbers: Vec<u32> = occasions
            .iter()
            .flat_map(|&interval| self.spans.days_near(interval))
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        // Whether a day is there is asked before any is added: only in order are they found.
        numbers.retain(|&number| self.place_of(number).is_none());
        let hash = self.hash;
        self.days
            .extend(numbers.into_iter().map(|number| Day::new(number, hash)));
        self.days.sort_unstable_by_key(|day| day.number);
    }

    /// Puts sightings into the tables of their days, and returns the places of these.
    fn distribute(&mut self, rpis: &[u8], intervals: &[u32]) -> Vec<usize> {
        let mut records: Vec<Vec<Record>> = self.days.iter().map(|_| Vec::new()).collect();
        let places = self.next..;
        for ((rpi, &interval), place) in blocks(rpis).zip(intervals).zip(places) {
            let day = self.place_of(self.spans.day_of(interval));
            if let Some(records) = day.and_then(|day| records.get_mut(day)) {
                records.push(Record::new(&rpi, interval, place));
            }
        }
        let mut touched = Vec::new();
        for (place, (day, mut records)) in self.days.iter_mut().zip(records).enumerate() {
            if !records.is_empty() {
                records.extend_from_slice(day.table.records());
                day.table = Table::new(&records);
                touched.push(place);
            }
        }
        touched
    }

    /// Makes anew what is known of the identifiers of days that lie near changed ones.
    fn renew_candidates(&mut self, touched: &[usize]) {
        let mut near: Vec<usize> = touched
            .iter()
            .flat_map(|&place| place.saturating_sub(1)..place.saturating_add(2))
            .collect();
        near.sort_unstable();
        near.dedup();
        for place in near {
            let Some(day) = self.days.get(place) else {
                continue;
            };
            let candidates = self.candidates(day.number);
            if let Some(day) = self.days.get_mut(place) {
                day.candidates = candidates;
            }
        }
    }

    fn candidates(&self, number: u32) -> Candidates {
        let intervals = self.spans.heard_of(number);
        let records = || {
            self.days_of(&intervals)
                .iter()
                .flat_map(|day| day.table.records())
                .filter(|record| intervals.contains(&record.interval))
        };
        let mut filter = Filter::new(records().count(), self.hash);
        let mut few = Vec::new();
        for record in records() {
            let rpi = record.rpi();
            filter.add(&rpi);
            if few.len() <= FEW && few.last() != Some(&rpi) {
                few.push(rpi);
            }
        }
        // What is cut off is no complete list, however short it becomes without what repeats.
        let few = (few.len() <= FEW).then(|| {
            few.sort_unstable();
            few.dedup();
            few
        });
        Candidates { filter, few }
    }

    /// Adds what lies near any of `occasions` to what is heard.
    fn hear(&mut self, occasions: &[u32]) {
        let near = occasions.iter().map(|&interval| {
            let near = self.spans.near(interval);
            // No key is valid in the last interval of all, so that an end may stop short of it.
            *near.start()..near.end().saturating_add(1)
        });
        let mut all: Vec<Range<u32>> = near.chain(self.heard.iter().cloned()).collect();
        all.sort_unstable_by_key(|range| range.start);
        self.heard = joined(all);
    }
}

impl Day {
    fn new(number: u32, hash: Hash) -> Self {
        Self {
            number,
            table: Table::default(),
            candidates: Candidates {
                filter: Filter::new(0, hash),
                few: Some(Vec::new()),
            },
        }
    }

    /// Forgets what was heard before `interval`, and tells whether there was any.
    fn forget_before(&mut self, interval: u32) -> bool {
        let records = self.table.records();
        let later = records.iter().filter(|record| record.interval >= interval);
        let later: Vec<Record> = later.copied().collect();
        let some = later.len() < records.len();
        if some {
            self.table = Table::new(&later);
        }
        some
    }

    /// Whether nothing was heard that could belong to the day.
    fn is_empty(&self) -> bool {
        let nothing = self.candidates.few.as_ref().is_some_and(Vec::is_empty);
        nothing && self.table.records().is_empty()
    }

    fn size(&self) -> usize {
        let Candidates { filter, few } = &self.candidates;
        let few = few.as_deref().map(size_of_val).unwrap_or_default();
        size_of::<Self>()
            .saturating_add(self.table.size())
            .saturating_add(filter.size())
            .saturating_add(few)
    }
}

/// The different intervals, ascending.
fn occasions(intervals: &[u32]) -> Vec<u32> {
    let mut occasions = intervals.to_vec();
    occasions.sort_unstable();
    occasions.dedup();
    occasions
}

/// Joins ranges that touch; they come in the order in which they start.
fn joined(ranges: Vec<Range<u32>>) -> Vec<Range<u32>> {
    let mut joined: Vec<Range<u32>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests;
