//! What `benchmarks/matching.py` measures: matching, and the least that it could cost.
//!
//! Arguments: rounds, keys, threads, in how many of each hundred intervals anything is heard, and
//! numbers of sightings. One line is printed for each measurement; rounds go through all of them,
//! so that all suffer alike from what else the machine does.
#![allow(
    clippy::unwrap_used,
    reason = "whoever runs a measurement wants to see it stop"
)]

use std::fs::read_to_string;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Instant;

use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use aes::{Aes128Enc, Block};
use hkdf::Hkdf;
use immuni_core::{DiagnosisKeys, Index, Search, derive_rpik, derive_rpis};
use sha2::Sha256;

const START: u32 = 2_642_976;
const DAY: u32 = 144;
const DAYS: u32 = 14;
const TOLERANCE: u32 = 12;
const PLANTED: usize = 50;

/// Numbers that are the same in every run.
struct Drawn(u64);

impl Drawn {
    fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: u32) -> u32 {
        let high = u32::try_from(self.number() >> 32).unwrap();
        high.checked_rem(limit).unwrap()
    }

    fn block(&mut self) -> [u8; 16] {
        (u128::from(self.number()) << 64 | u128::from(self.number())).to_le_bytes()
    }

    fn day(&mut self) -> u32 {
        START.wrapping_add(self.below(DAYS).wrapping_mul(DAY))
    }
}

struct Keys {
    data: Vec<u8>,
    starts: Vec<u32>,
    periods: Vec<u8>,
}

impl Keys {
    fn drawn(drawn: &mut Drawn, count: usize) -> Self {
        Self {
            data: (0..count).flat_map(|_| drawn.block()).collect(),
            starts: (0..count).map(|_| drawn.day()).collect(),
            periods: vec![144; count],
        }
    }

    fn batch(&self) -> DiagnosisKeys<'_> {
        DiagnosisKeys::new(&self.data, &self.starts, &self.periods).unwrap()
    }

    fn each(&self) -> impl Iterator<Item = ([u8; 16], u32)> {
        let keys = self
            .data
            .chunks_exact(16)
            .map(|key| key.try_into().unwrap());
        keys.zip(self.starts.iter().copied())
    }
}

struct Heard {
    rpis: Vec<u8>,
    intervals: Vec<u32>,
}

impl Heard {
    /// Strangers in as many of the intervals as are `occupied`, from eight in the morning on, and
    /// some that are not.
    fn drawn(drawn: &mut Drawn, count: usize, occupied: u32, keys: &Keys) -> Self {
        let open = DAY.wrapping_mul(occupied).div_ceil(100).max(1);
        let begin = (DAY / 3).min(DAY.saturating_sub(open));
        let during = |drawn: &mut Drawn| begin.wrapping_add(drawn.below(open));
        let step = (keys.starts.len() / PLANTED).max(1);
        let mut heard: Vec<([u8; 16], u32)> = Vec::new();
        for (key, start) in keys.each().step_by(step).take(PLANTED.min(count)) {
            let at = start.wrapping_add(during(drawn));
            let rpi = derive_rpis(&derive_rpik(&key.into()), at, 1).unwrap();
            heard.extend(rpi.first().map(|&rpi| (rpi, at)));
        }
        while heard.len() < count {
            let at = drawn.day().wrapping_add(during(drawn));
            heard.push((drawn.block(), at));
        }
        // A phone keeps what it hears in the order of time.
        heard.sort_unstable_by_key(|&(rpi, at)| (at, rpi));
        Self {
            rpis: heard.iter().flat_map(|(rpi, _)| *rpi).collect(),
            intervals: heard.iter().map(|&(_, at)| at).collect(),
        }
    }

    fn index(&self) -> Index {
        Index::new(&self.rpis, &self.intervals, TOLERANCE).unwrap()
    }
}

/// Deriving all keys, and encrypting all their intervals, by the libraries alone.
fn bound(keys: &Keys) {
    let blocks = [Block::default(); DAY as usize];
    let mut identifiers = blocks;
    for (key, _) in keys.each() {
        let mut rpik = [0; 16];
        Hkdf::<Sha256>::new(None, &key)
            .expand(b"EN-RPIK", &mut rpik)
            .unwrap();
        let cipher = Aes128Enc::new(&Array::from(rpik));
        cipher
            .encrypt_blocks_b2b(black_box(&blocks), &mut identifiers)
            .unwrap();
        black_box(&identifiers);
    }
}

/// Prints what `work` takes, in seconds by the clock and of this thread's processor time.
fn measure<T>(what: &str, sightings: usize, size: usize, work: impl FnOnce() -> T) -> T {
    let (begin, processor) = (Instant::now(), processor_nanoseconds());
    let result = work();
    let taken = processor_nanoseconds().saturating_sub(processor);
    println!(
        "{what} {sightings} {size} {} {taken}",
        begin.elapsed().as_nanos()
    );
    result
}

fn processor_nanoseconds() -> u64 {
    let told = read_to_string("/proc/thread-self/schedstat").unwrap();
    told.split(' ').next().unwrap().parse().unwrap()
}

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|number| number.parse::<usize>().unwrap());
    let mut next = || arguments.next().unwrap();
    let (rounds, count, threads, occupied) = (next(), next(), next(), next());
    let occupied = u32::try_from(occupied).unwrap();
    let threads = NonZeroUsize::new(threads).unwrap();
    let mut drawn = Drawn(88_172_645_463_325_252);
    let keys = Keys::drawn(&mut drawn, count);
    let heard: Vec<_> = arguments
        .map(|sightings| Heard::drawn(&mut drawn, sightings, occupied, &keys))
        .map(|heard| (heard.index(), heard))
        .collect();
    let batch = keys.batch();
    for _ in 0..rounds {
        measure("bound", 0, 0, || bound(&keys));
        for (index, heard) in &heard {
            measure("build", index.len(), index.size(), || {
                black_box(heard.index())
            });
            let search = || {
                Search::new(index)
                    .in_threads(threads)
                    .matches(&batch)
                    .unwrap()
            };
            let found = measure("match", index.len(), index.size(), search);
            assert_eq!(
                found.len(),
                PLANTED.min(count),
                "planted keys are found, and no other"
            );
        }
    }
}
