//! Which of a phone's sightings come from published keys.

use std::cell::Cell;
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
    /// milliseconds or so, and at the end; it says whether to go on.
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
            let told = Cell::new(0);
            let mut all = work(&|done| {
                told.set(done);
                (self.watch)(done)
            });
            for other in others {
                match other.join() {
                    Ok(more) => all.extend(more),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            // Another thread may have been the last: whoever watches is told of the end as well.
            let is_whole = shared.done.load(Ordering::Relaxed) == batch.len();
            if is_whole && told.get() != batch.len() && (self.watch)(batch.len()).is_break() {
                shared.stopped.store(true, Ordering::Relaxed);
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
#[expect(clippy::arithmetic_side_effects, reason = "a test may fail")]
mod properties;
#[cfg(test)]
mod tests;
