//! Which of a phone's sightings come from published keys.

use std::num::NonZeroUsize;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::batch::Batch;
use crate::index::Index;
use crate::plan::Candidate;
use crate::worker::Worker;

/// Keys that are put in order and searched at a time, at most: their places fit 16 bits. The more,
/// the less often memory is asked for what was heard on a day.
const CHUNK: usize = if cfg!(test) { 1 << 6 } else { 1 << 16 };
/// As many at least, if there are: fewer would not be worth the order.
const LEAST_CHUNK: usize = CHUNK / 4;

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

/// Whoever watched a search stopped it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stopped;

/// A search for published keys among a phone's sightings.
///
/// A sighting heard at interval *s* matches the identifier of interval *i* when |s − i| is at most
/// the tolerance of the index.
///
/// # Complexity
///
/// At most one derivation and 144 look-ups for each key, however many sightings there are. None
/// for intervals around which nothing was heard, and where so few identifiers were heard that it
/// takes less, these are decrypted instead. Memory for the matches alone.
pub struct Search<'a> {
    index: &'a Index,
    threads: NonZeroUsize,
    watch: &'a (dyn Fn(usize) -> ControlFlow<()> + 'a),
}

impl<'a> Search<'a> {
    /// A search in one thread that nobody watches.
    #[must_use]
    pub fn new(index: &'a Index) -> Self {
        Self {
            index,
            threads: NonZeroUsize::MIN,
            watch: &|_| ControlFlow::Continue(()),
        }
    }

    /// Shares the work among so many threads, of which the caller's is one.
    #[must_use]
    pub fn in_threads(self, threads: NonZeroUsize) -> Self {
        Self { threads, ..self }
    }

    /// Calls `watch` in the caller's thread with the number of keys that are done, every fifty
    /// milliseconds or so; it says whether to go on.
    #[must_use]
    pub fn watched_by(self, watch: &'a (dyn Fn(usize) -> ControlFlow<()> + 'a)) -> Self {
        Self { watch, ..self }
    }

    /// Finds the sightings of the keys' identifiers, in the order of [`Match`].
    ///
    /// # Errors
    ///
    /// [`Stopped`] if the one who watches said so.
    pub fn matches<B: Batch>(&self, batch: &B) -> Result<Vec<Match>, Stopped> {
        let index = self.index;
        self.run(batch, |found, key, (interval, rpi)| {
            found.extend(index.sightings_of(&rpi, interval).map(|sighting| Match {
                key,
                sighting,
                interval,
            }));
        })
    }

    /// Finds the keys that match anything: their places, ascending.
    ///
    /// # Complexity
    ///
    /// However often an identifier was heard, and however many keys make it, each look-up takes
    /// the same time: copies of a key do not multiply with its sightings.
    ///
    /// # Errors
    ///
    /// As [`Search::matches`].
    pub fn keys<B: Batch>(&self, batch: &B) -> Result<Vec<usize>, Stopped> {
        let index = self.index;
        let mut keys = self.run(batch, |found, key, (interval, rpi)| {
            if found.last() != Some(&key) && index.sightings_of(&rpi, interval).next().is_some() {
                found.push(key);
            }
        })?;
        keys.dedup();
        Ok(keys)
    }

    /// How many of `count` keys are searched at a time, so that all threads end together.
    fn chunk(&self, count: usize) -> usize {
        let shares = self.threads.get().saturating_mul(2);
        count.div_ceil(shares).clamp(LEAST_CHUNK, CHUNK)
    }

    /// Searches all chunks, in all threads, and returns what was found in ascending order.
    fn run<B: Batch, T: Ord + Send>(
        &self,
        batch: &B,
        found: impl Fn(&mut Vec<T>, usize, Candidate) + Sync,
    ) -> Result<Vec<T>, Stopped> {
        let shared = Shared::default();
        let chunk = self.chunk(batch.len());
        let chunks = || Chunks {
            shared: &shared,
            chunk,
            count: batch.len(),
        };
        let work = |watch: &dyn Fn(usize) -> ControlFlow<()>| {
            let mut worker = Worker::new(batch, self.index);
            let mut all = Vec::new();
            for places in chunks() {
                let count = places.len();
                worker.search(places, |key, candidate| found(&mut all, key, candidate));
                if watch(shared.add_done(count)).is_break() {
                    shared.stopped.store(true, Ordering::Relaxed);
                }
            }
            all
        };
        let mut all = thread::scope(|scope| {
            let others: Vec<_> = (1..self.threads.get().min(batch.len().div_ceil(chunk)))
                .map_while(|_| {
                    // Where the system has no further thread to give, those that there are do it.
                    let alone = || work(&|_| ControlFlow::Continue(()));
                    thread::Builder::new().spawn_scoped(scope, alone).ok()
                })
                .collect();
            let mut all = work(self.watch);
            for other in others {
                match other.join() {
                    Ok(more) => all.extend(more),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            all
        });
        if shared.stopped.into_inner() {
            return Err(Stopped);
        }
        all.sort_unstable();
        Ok(all)
    }
}

/// What the threads of a search know of each other.
#[derive(Default)]
struct Shared {
    next: AtomicUsize,
    done: AtomicUsize,
    stopped: AtomicBool,
}

impl Shared {
    fn add_done(&self, count: usize) -> usize {
        self.done
            .fetch_add(count, Ordering::Relaxed)
            .saturating_add(count)
    }
}

/// The parts of a batch that no other thread has taken.
struct Chunks<'a> {
    shared: &'a Shared,
    chunk: usize,
    count: usize,
}

impl Iterator for Chunks<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        if self.shared.stopped.load(Ordering::Relaxed) {
            return None;
        }
        let start = self.shared.next.fetch_add(self.chunk, Ordering::Relaxed);
        let end = start.saturating_add(self.chunk).min(self.count);
        (start < end).then_some(start..end)
    }
}

/// Finds the sightings of the keys' identifiers: [`Search::matches`] in one thread.
#[must_use]
pub fn match_keys<B: Batch>(batch: &B, index: &Index) -> Vec<Match> {
    Search::new(index).matches(batch).unwrap_or_default()
}

/// Finds the keys that match anything: [`Search::keys`] in one thread.
#[must_use]
pub fn matched_keys<B: Batch>(batch: &B, index: &Index) -> Vec<usize> {
    Search::new(index).keys(batch).unwrap_or_default()
}

#[cfg(test)]
mod tests {
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
}
