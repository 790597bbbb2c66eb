//! Times counted coarsely, so that ten looks a second cost nothing that is felt.

/// Steps that an octave is divided into, as a power of two.
const STEP_BITS: u32 = 5;
const STEPS: u64 = 1 << STEP_BITS;
/// Times above this, in microseconds, count as this: an hour.
const LONGEST_US: u64 = 3_600_000_000;
/// Counters: [`slot`] of the longest time, and one more.
const SLOTS: usize = slot(LONGEST_US) + 1;

/// A distribution of times in 32 steps an octave: a quantile is at most 1/32 (3.1 %) above the true
/// one, and never above the largest sample. Whole microseconds, rounded up, from 0 to an hour.
///
/// Beside [`super::times::Distribution`], which is ten times as fine, it takes 7 KB and a look at it a
/// microsecond, so that each slice of a run can have its own.
#[derive(Clone, Debug)]
pub struct Sketch {
    counts: Box<[u64]>,
    count: u64,
    sum_us: u64,
    max_us: u64,
    /// Counters that may be above 0.
    used: std::ops::Range<usize>,
}

/// What is kept of a slice's times, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantiles {
    /// The median.
    pub p50: u32,
    /// 90 %
    pub p90: u32,
    /// 99 %
    pub p99: u32,
    /// The largest.
    pub max: u32,
}

/// The place of a time: up to 64 each microsecond has its own, above each octave has 32, which ends
/// with a power of two.
const fn slot(us: u64) -> usize {
    let us = us.saturating_sub(1);
    let shift = (63 - (us | 1).leading_zeros()).saturating_sub(STEP_BITS);
    (shift as u64 * STEPS + (us >> shift)) as usize
}

/// The longest time of a place.
fn upper_us(slot: usize) -> u64 {
    let shift = (slot as u64 / STEPS).saturating_sub(1);
    (slot as u64 - shift * STEPS + 1) << shift
}

impl Default for Sketch {
    fn default() -> Sketch {
        Sketch { counts: vec![0; SLOTS].into(), count: 0, sum_us: 0, max_us: 0, used: 0..0 }
    }
}

impl Sketch {
    /// Notes a time of so many jobs.
    pub fn record(&mut self, ns: u64, jobs: u64) {
        let us = ns.div_ceil(1_000).min(LONGEST_US);
        let slot = slot(us);
        self.counts[slot] += jobs;
        self.count += jobs;
        self.sum_us += us * jobs;
        self.max_us = self.max_us.max(us);
        self.widen(slot..slot + 1);
    }

    fn widen(&mut self, by: std::ops::Range<usize>) {
        if self.used.is_empty() {
            self.used = by;
        } else {
            self.used = self.used.start.min(by.start)..self.used.end.max(by.end);
        }
    }

    /// Adds the samples of another.
    pub fn add(&mut self, other: &Sketch) {
        if other.count == 0 {
            return;
        }
        let used = other.used.clone();
        for (mine, more) in self.counts[used.clone()].iter_mut().zip(&other.counts[used.clone()]) {
            *mine += more;
        }
        self.count += other.count;
        self.sum_us += other.sum_us;
        self.max_us = self.max_us.max(other.max_us);
        self.widen(used);
    }

    /// Forgets all samples.
    pub fn clear(&mut self) {
        self.counts[self.used.clone()].fill(0);
        self.used = 0..0;
        (self.count, self.sum_us, self.max_us) = (0, 0, 0);
    }

    /// How many samples there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum in microseconds, each rounded up.
    pub fn sum_us(&self) -> u64 {
        self.sum_us
    }

    /// How many samples take no longer than so many microseconds: exact for a power of two, else
    /// for the end of its step.
    pub fn count_up_to(&self, us: u64) -> u64 {
        let end = (slot(us.min(LONGEST_US)) + 1).min(self.used.end);
        self.counts.get(self.used.start..end).map_or(0, |counts| counts.iter().sum())
    }

    /// The time in microseconds that a share (0 to 1) of the samples does not exceed.
    pub fn quantile_us(&self, share: f64) -> Option<f64> {
        let rank = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut below = 0;
        let mut used = self.used.clone();
        let slot = used.find(|slot| {
            below += self.counts[*slot];
            below >= rank
        })?;
        Some(upper_us(slot).min(self.max_us) as f64)
    }

    /// The quantiles, if there is any sample.
    pub fn quantiles(&self) -> Option<Quantiles> {
        if self.count == 0 {
            return None;
        }
        let ranks =
            [0.5, 0.9, 0.99].map(|share| ((self.count as f64 * share).ceil() as u64).max(1));
        let mut found = [None; 3];
        let mut below = 0;
        for slot in self.used.clone() {
            below += self.counts[slot];
            for (rank, found) in ranks.iter().zip(&mut found) {
                if below >= *rank && found.is_none() {
                    *found = Some(upper_us(slot).min(self.max_us) as u32);
                }
            }
        }
        let max = self.max_us as u32;
        let [p50, p90, p99] = found.map(|found| found.unwrap_or(max));
        Some(Quantiles { p50, p90, p99, max })
    }
}

/// The three times of jobs, of a slice of a run.
#[derive(Clone, Debug, Default)]
pub struct SliceTimes {
    /// Sent minus intended.
    pub send_delay: Sketch,
    /// Acknowledged minus sent.
    pub service: Sketch,
    /// Acknowledged minus intended.
    pub response: Sketch,
}

impl SliceTimes {
    /// Adds the samples of another.
    pub fn add(&mut self, other: &SliceTimes) {
        self.send_delay.add(&other.send_delay);
        self.service.add(&other.service);
        self.response.add(&other.response);
    }

    /// Forgets all samples.
    pub fn clear(&mut self) {
        self.send_delay.clear();
        self.service.clear();
        self.response.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_the_step_that_ends_at_or_just_above_it() {
        let mut us = 1;
        while us < LONGEST_US {
            let upper = upper_us(slot(us));
            assert!(upper >= us && upper - us <= us / 31, "{us}: {upper}");
            assert_eq!(slot(upper), slot(us));
            assert_eq!(slot(upper + 1), slot(us) + 1);
            us += 1 + us / 50;
        }
    }

    #[test]
    fn quantiles_are_within_a_step_above_the_true_ones() {
        let mut sketch = Sketch::default();
        for us in 1..=10_000 {
            sketch.record(us * 1_000, 3);
        }
        let found = sketch.quantiles().unwrap();
        for (found, exact) in [(found.p50, 5_000), (found.p90, 9_000), (found.p99, 9_900)] {
            assert!(found >= exact && found <= exact + exact / 31, "{found} for {exact}");
        }
        assert_eq!((found.max, sketch.count()), (10_000, 30_000));
    }

    #[test]
    fn adding_is_recording_both_and_clearing_leaves_nothing() {
        let (mut one, mut both) = (Sketch::default(), Sketch::default());
        let mut other = Sketch::default();
        for ns in [0, 999, 70_000, 8_000_000_000_000] {
            one.record(ns, 2);
            other.record(ns * 3, 1);
            both.record(ns, 2);
            both.record(ns * 3, 1);
        }
        one.add(&other);
        assert_eq!(one.quantiles(), both.quantiles());
        assert_eq!((one.count(), one.sum_us()), (both.count(), both.sum_us()));
        one.clear();
        assert_eq!((one.quantiles(), one.counts.iter().sum::<u64>()), (None, 0));
        one.add(&Sketch::default());
        assert_eq!(one.count_up_to(LONGEST_US), 0);
    }

    #[test]
    fn counts_up_to_a_power_of_two_are_exact() {
        let mut sketch = Sketch::default();
        for us in [0, 5, 1_024, 1_025, 5_000_000] {
            sketch.record(us * 1_000, 1);
        }
        let upto = |us| sketch.count_up_to(us);
        assert_eq!([1, 4, 8, 1_024, 2_048, 1 << 33].map(upto), [1, 1, 2, 3, 4, 5]);
    }
}
