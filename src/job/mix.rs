//! Which of a stream's jobs each of its numbers is.

use crate::job::random::{Filler, Key, Kind};

/// Cycles up to this long are shuffled, longer ones go through a Feistel network.
const SHUFFLED: usize = 64;
/// Rounds of the Feistel network: as a Luby-Rackoff cipher needs four, twice that.
const ROUNDS: u64 = 8;

/// A weighted choice among jobs that is exact: the weights' sum W is the length of a cycle, in each
/// cycle of W job numbers a job of weight w comes w times, and the order is drawn anew for each.
///
/// A function of (seed, load's name, job number) with random access; its cost does not grow with
/// the number, and with W only up to 64.
#[derive(Clone, Debug)]
pub struct Mix {
    key: Key,
    /// Where each job's slots end.
    ends: Vec<u64>,
    /// The number of slots; at least 1.
    cycle: u64,
    /// Half the bits that a slot's number has, rounded up.
    half_bits: u32,
}

impl Mix {
    /// A mix of jobs with these weights for the stream of `load`, or of the one outside any load. A
    /// weight of 0 is a job that never comes; without any weight above 0, all are job 0.
    pub fn new(weights: &[u32], seed: u64, load: Option<&str>) -> Mix {
        let add = |sum: &mut u64, weight: &u32| {
            *sum += u64::from(*weight);
            Some(*sum)
        };
        let mut ends: Vec<u64> = weights.iter().scan(0, add).collect();
        if ends.last().copied().unwrap_or(0) == 0 {
            ends = vec![1];
        }
        let cycle = ends.last().copied().unwrap_or(1);
        let bits = u64::BITS - (cycle - 1).leading_zeros();
        let key = Key::stream(seed, load).derive(Kind::Mix, &[]);
        Mix { key, ends, cycle, half_bits: bits.div_ceil(2) }
    }

    /// Which job (an index into the weights) the one with this number, from 1, is.
    pub fn job_of(&self, number: u64) -> usize {
        if self.ends.len() == 1 {
            return 0;
        }
        let index = number.saturating_sub(1);
        let seed = self.key.word(index / self.cycle);
        let position = index % self.cycle;
        let slot = if self.cycle <= SHUFFLED as u64 {
            self.shuffled(seed, position as usize)
        } else {
            self.permuted(seed, position)
        };
        self.ends.partition_point(|end| *end <= slot)
    }

    /// What a Fisher-Yates shuffle puts at a position; later ones need not be shuffled.
    fn shuffled(&self, seed: u64, position: usize) -> u64 {
        let mut slots: [u8; SHUFFLED] = std::array::from_fn(|slot| slot as u8);
        let mut filler = Filler::new(seed);
        for place in 0..=position {
            let left = self.cycle - place as u64;
            let step = (u128::from(filler.word()) * u128::from(left)) >> 64;
            slots.swap(place, place + step as usize);
        }
        u64::from(slots[position])
    }

    /// A Feistel network permutes the numbers of an even number of bits; what falls outside the
    /// cycle goes through it again until it is inside ("cycle walking": J. Black, P. Rogaway,
    /// "Ciphers with arbitrary finite domains", 2002). There are less than four times as many
    /// numbers as slots, so that takes less than four passes on average.
    fn permuted(&self, seed: u64, position: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let mut slot = position;
        loop {
            let (mut left, mut right) = (slot >> self.half_bits, slot & mask);
            for round in 0..ROUNDS {
                let mixed = Filler::new(seed ^ (round << 56 | right)).word();
                (left, right) = (right, left ^ (mixed & mask));
            }
            slot = left << self.half_bits | right;
            if slot < self.cycle {
                return slot;
            }
        }
    }
}
