//! Which of a stream's jobs each of its numbers is.

use crate::random::{Filler, Key, Kind};

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

    /// Which of a job's own numbers this one is, from 1, if all of its numbers are counted in order.
    /// In a cycle longer than 64 their order is another, but each has its own turn all the same, and
    /// those of a cycle come before those of the next.
    pub fn turn_of(&self, number: u64, job: usize) -> u64 {
        let start = job.checked_sub(1).map_or(0, |before| self.ends[before]);
        let weight = self.ends.get(job).map_or(0, |end| end - start);
        let index = number.saturating_sub(1);
        let (cycle, position) = (index / self.cycle, index % self.cycle);
        let seed = self.key.word(cycle);
        let within = if self.cycle <= SHUFFLED as u64 {
            let slots = self.shuffle(seed, position as usize);
            let own = |slot: &&u8| (start..start + weight).contains(&u64::from(**slot));
            slots[..position as usize].iter().filter(own).count() as u64
        } else {
            self.permuted(seed, position).saturating_sub(start)
        };
        cycle.saturating_mul(weight).saturating_add(within).saturating_add(1)
    }

    /// How many of the numbers 1 to `numbers` are this job's.
    pub fn count_of(&self, job: usize, numbers: u64) -> u64 {
        let start = job.checked_sub(1).map_or(0, |before| self.ends[before]);
        let weight = self.ends.get(job).map_or(0, |end| end - start);
        let whole = numbers / self.cycle;
        let rest = (whole * self.cycle + 1..=numbers).filter(|number| self.job_of(*number) == job);
        whole * weight + rest.count() as u64
    }

    /// What a Fisher-Yates shuffle puts at a position; later ones need not be shuffled.
    fn shuffled(&self, seed: u64, position: usize) -> u64 {
        u64::from(self.shuffle(seed, position)[position])
    }

    /// The slots of a cycle in their order, as far as a position.
    fn shuffle(&self, seed: u64, position: usize) -> [u8; SHUFFLED] {
        let mut slots: [u8; SHUFFLED] = std::array::from_fn(|slot| slot as u8);
        let mut filler = Filler::new(seed);
        for place in 0..=position {
            let left = self.cycle - place as u64;
            let step = (u128::from(filler.word()) * u128::from(left)) >> 64;
            slots.swap(place, place + step as usize);
        }
        slots
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

#[cfg(test)]
mod tests {
    use super::*;

    fn cycle(mix: &Mix, length: u64, cycle: u64) -> Vec<usize> {
        (1..=length).map(|position| mix.job_of(cycle * length + position)).collect()
    }

    #[test]
    fn shares_are_exact_over_each_cycle() {
        let mixes: [&[u32]; 9] = [
            &[1],
            &[3, 2],
            &[1, 1, 1],
            &[40, 60],
            &[0, 5, 0, 2],
            &[63, 1],
            &[64, 1],
            &[1_000, 3, 21],
            &[4_095, 1],
        ];
        for weights in mixes {
            let length: u32 = weights.iter().sum();
            let mix = Mix::new(weights, 7, Some("night"));
            for index in [0, 1, 2, 1_000_000_007] {
                let mut counts = vec![0; weights.len()];
                for job in cycle(&mix, u64::from(length), index) {
                    counts[job] += 1;
                }
                assert_eq!(counts, weights, "cycle {index}");
            }
        }
    }

    #[test]
    fn turns_count_each_job_by_itself() {
        for (weights, rounds) in
            [(vec![1], 5), (vec![3, 2], 40), (vec![20, 44], 3), (vec![0, 300, 500], 3)]
        {
            let mix = Mix::new(&weights, 7, Some("night"));
            let length = u64::from(weights.iter().sum::<u32>());
            let numbers = length * rounds + length / 3;
            let mut turns = vec![Vec::new(); weights.len()];
            for number in 1..=numbers {
                let job = mix.job_of(number);
                turns[job].push(mix.turn_of(number, job));
            }
            for (job, mut turns) in turns.into_iter().enumerate() {
                assert_eq!(mix.count_of(job, numbers), turns.len() as u64);
                if length <= 64 {
                    assert!(turns.is_sorted());
                    assert!(turns.iter().zip(1..).all(|(turn, place)| *turn == place));
                }
                turns.sort_unstable();
                turns.dedup();
                assert_eq!(mix.count_of(job, numbers), turns.len() as u64);
                let whole = u64::from(weights[job]) * rounds;
                assert!((1..=whole).all(|turn| turns.binary_search(&turn).is_ok()));
            }
        }
    }

    #[test]
    fn orders_differ_between_cycles_seeds_and_loads() {
        for weights in [[20, 20], [300, 500]] {
            let length = u64::from(weights[0] + weights[1]);
            let mix = Mix::new(&weights, 7, None);
            let first = cycle(&mix, length, 0);
            assert_eq!(first, cycle(&Mix::new(&weights, 7, None), length, 0));
            assert_ne!(first, cycle(&mix, length, 1));
            assert_ne!(first, cycle(&Mix::new(&weights, 8, None), length, 0));
            assert_ne!(first, cycle(&Mix::new(&weights, 7, Some("a")), length, 0));
        }
    }

    #[test]
    fn every_order_of_a_short_cycle_comes_alike() {
        let mix = Mix::new(&[1, 1, 1], 1, None);
        let mut counts = std::collections::BTreeMap::new();
        for index in 0..6_000 {
            *counts.entry(cycle(&mix, 3, index)).or_insert(0_i32) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|count| (count - 1_000).abs() < 150), "{counts:?}");
    }

    #[test]
    fn a_place_of_a_long_cycle_is_any_job_by_weight() {
        let mix = Mix::new(&[30, 70], 1, None);
        for position in [1, 2, 50, 100] {
            let jobs = (0..10_000).filter(|index| mix.job_of(index * 100 + position) == 0).count();
            assert!((2_770..3_230).contains(&jobs), "{jobs} at {position}");
        }
        // Neighbours in a cycle: both the first job with 0.3 · 29/99.
        let both = (0..10_000)
            .filter(|index| mix.job_of(index * 100 + 7) == 0 && mix.job_of(index * 100 + 8) == 0);
        let both = both.count();
        assert!((740..1_020).contains(&both), "{both}");
    }

    #[test]
    fn odd_weights_do_no_harm() {
        assert_eq!(Mix::new(&[], 1, None).job_of(5), 0);
        assert_eq!(Mix::new(&[0, 0], 1, None).job_of(0), 0);
        let large = Mix::new(&[u32::MAX, u32::MAX, 1], 1, None);
        assert!((1..1_000).all(|number| large.job_of(u64::MAX - number) < 3));
    }
}
