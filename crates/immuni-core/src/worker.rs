//! One thread's share of a search: published keys, those of one validity after the other.

use std::ops::Range;

use crate::batch::Batch;
use crate::identifying::Generation;
use crate::index::Index;
use crate::keys::KEY_LENGTH;
use crate::plan::{Candidate, Plan};

/// Keys whose derivations take turns.
const TOGETHER: usize = 16;

/// What one thread needs, and uses again for each chunk.
pub(crate) struct Worker<'a, B: Batch> {
    batch: &'a B,
    index: &'a Index,
    generation: B::Generation,
    plan: Plan<'a>,
    order: Vec<Ordered>,
    keys: Vec<[u8; KEY_LENGTH]>,
}

/// A key's first interval, rolling period, and place within its chunk, from the highest bits down.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Ordered(u64);

impl Ordered {
    fn new((start, period): (u32, u8), place: u16) -> Self {
        Self(u64::from(start) << 32 | u64::from(period) << 16 | u64::from(place))
    }

    fn validity(self) -> Range<u32> {
        let [_, _, period, _, start @ ..] = self.0.to_le_bytes();
        let start = u32::from_le_bytes(start);
        start..start.saturating_add(period.into())
    }

    fn place(self) -> usize {
        let [low, high, ..] = self.0.to_le_bytes();
        u16::from_le_bytes([low, high]).into()
    }
}

impl<'a, B: Batch> Worker<'a, B> {
    pub(crate) fn new(batch: &'a B, index: &'a Index) -> Self {
        Self {
            batch,
            index,
            generation: B::Generation::default(),
            plan: Plan::default(),
            order: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// Searches the keys at `places`, those of one validity after the other: what they are
    /// compared with then stays in the processor's cache.
    pub(crate) fn search(&mut self, places: Range<usize>, mut found: impl FnMut(usize, Candidate)) {
        let Self { batch, .. } = *self;
        let first = places.start;
        self.order.clear();
        self.order
            .extend(places.zip(0..=u16::MAX).filter_map(|(place, within)| {
                batch
                    .validity(place)
                    .map(|validity| Ordered::new(validity, within))
            }));
        self.order.sort_unstable();
        for alike in self
            .order
            .chunk_by(|one, other| one.validity() == other.validity())
        {
            let Some(one) = alike.first() else { continue };
            self.plan
                .make(&one.validity(), self.index, B::Generation::DECRYPTS);
            if self.plan.is_empty() {
                continue;
            }
            for together in alike.chunks(TOGETHER) {
                let place = |ordered: &Ordered| first.saturating_add(ordered.place());
                self.keys.clear();
                self.keys
                    .extend(together.iter().filter_map(|key| batch.key(place(key))));
                self.generation
                    .identify(&self.keys, &self.plan, |among, candidate| {
                        if let Some(key) = together.get(among) {
                            found(place(key), candidate);
                        }
                    });
            }
        }
    }
}
