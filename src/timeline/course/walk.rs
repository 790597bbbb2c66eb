//! `walk`: a rate that goes up or down by the same amount at equal times.
//!
//! Levels are whole multiples of one fraction, so that sums of millions of them are exact. Bit n of
//! the key's words says whether step n goes up, so the way can be taken up again anywhere.

use super::Segment;
use super::clamp::Clamp;
use super::stepped::{MAX_STEPS, Parts, Steps};
use crate::exact::{Exact, fraction};
use crate::random::Key;
use crate::timeline::build::Fault;
use crate::timeline::dd::Dd;
use crate::timeline::level::Bound;
use crate::timeline::num::Num;

/// The highest level in units: a word's worth of them can be added up in 64 bits.
const MAX_LEVEL: i128 = 1 << 55;
/// The end of time, in nanoseconds, and more.
const NEVER: f64 = 1e30;

/// Eight steps whose bits are known, where nothing is reflected: in steps from the level before them.
#[derive(Clone, Copy)]
struct Run {
    /// The levels gone through, added up.
    sum: i64,
    /// The lowest of them.
    low: i64,
    /// The highest.
    high: i64,
    /// Where they lead.
    net: i64,
}

/// How many steps a run has.
const RUN: u64 = 8;

/// The runs of all bits, the first step's the lowest.
static RUNS: [Run; 1 << RUN] = {
    let mut runs = [Run { sum: 0, low: 0, high: 0, net: 0 }; 1 << RUN];
    let mut bits = 0;
    while bits < runs.len() {
        let mut run = runs[bits];
        let mut step = 0;
        while step < RUN {
            run.sum += run.net;
            run.low = if run.net < run.low { run.net } else { run.low };
            run.high = if run.net > run.high { run.net } else { run.high };
            run.net += if bits >> step & 1 == 1 { 1 } else { -1 };
            step += 1;
        }
        runs[bits] = run;
        bits += 1;
    }
    runs
};

/// A walk, in whole units of a rate.
#[derive(Clone, Debug)]
pub struct Walk {
    key: Key,
    /// Units above the lowest level at the start.
    from: i64,
    /// Units up or down at each step.
    by: i64,
    /// The lowest level in units.
    low: i64,
    /// Units from the lowest to the highest level.
    height: i64,
    /// Units in a job per second.
    units: i128,
    /// Length of a step, in nanoseconds.
    every: Num,
    clamp: Clamp,
    /// Units above the lowest level: what is less, or more, is held by the clamp.
    free: (i64, i64),
}

/// A step of a walk.
#[derive(Clone, Copy, Debug)]
pub struct WalkState {
    index: u64,
    /// Units above the lowest level.
    level: i64,
    /// Of the steps before: the units of those that nothing held, above the lowest level.
    sum: i128,
    /// How many steps before were held at the clamp's lowest rate.
    held_low: u64,
    /// How many at its highest.
    held_high: u64,
}

impl Walk {
    /// A walk from `from` by `by` each `every` nanoseconds, reflected at `low` and `high`; without
    /// a `high` only at `low`.
    ///
    /// # Errors
    ///
    /// `OutOfBounds` if it starts outside of its bounds, `Overflow` if its levels have no common
    /// unit of which 2⁵⁵ are enough.
    pub fn new(
        from: Exact,
        by: Exact,
        every: Num,
        (low, high): (Exact, Option<Exact>),
        key: Key,
    ) -> Result<Walk, Fault> {
        if from < low || high.is_some_and(|high| high < from) {
            return Err(Fault::OutOfBounds);
        }
        let rates = [from, by, low, high.unwrap_or(low)];
        let units = rates.iter().try_fold(1, |units, rate| common_multiple(units, *rate.denom()));
        let units = units.ok_or(Fault::Overflow)?;
        let in_units = |rate: Exact| {
            let level = rate.numer().checked_mul(units / rate.denom())?;
            (level.abs() <= MAX_LEVEL).then_some(level as i64)
        };
        let whole = |rate: Exact| in_units(rate).ok_or(Fault::Overflow);
        let (from, by, low) = (whole(from)?, whole(by)?, whole(low)?);
        let height = match high {
            Some(high) => whole(high)? - low,
            None if i128::from(by) * i128::from(MAX_STEPS) + i128::from(from) > MAX_LEVEL => {
                return Err(Fault::Overflow);
            }
            None => MAX_LEVEL as i64,
        };
        let by = if height == 0 { 0 } else { by % (2 * height) };
        let (clamp, free) = (Clamp::default(), (0, i64::MAX));
        Ok(Walk { key, from: from - low, by, low, height, units, every, clamp, free })
    }

    /// Bits from that of a step on.
    fn bits(&self, index: u64) -> u64 {
        let words = self.key.pair(index / 128);
        words[(index / 64 % 2) as usize] >> (index % 64)
    }

    /// The levels from which no run reaches a bound or what holds it.
    fn clear(&self) -> (i64, i64) {
        if self.by < 0 {
            return (0, -1);
        }
        let reach = self.by * RUN as i64;
        (self.free.0.max(0) + reach, self.free.1.min(self.height) - reach)
    }

    /// A level, reflected at both ends as often as it takes: a step is shorter than there and back.
    #[inline]
    fn reflected(&self, level: i64) -> i64 {
        let level = level.abs();
        if level > self.height { (2 * self.height - level).abs() } else { level }
    }

    fn rate(&self, level: i64) -> Num {
        Num::of(fraction(i128::from(self.low) + i128::from(level), self.units))
    }

    /// The rate at a level as it is held.
    fn held_rate(&self, level: i64) -> Num {
        match (self.clamp.low, self.clamp.high) {
            (Some(low), _) if level < self.free.0 => low,
            (_, Some(high)) if level > self.free.1 => high,
            _ => self.rate(level),
        }
    }
}

impl Steps for Walk {
    type State = WalkState;

    fn first(&self) -> WalkState {
        WalkState { index: 0, level: self.from, sum: 0, held_low: 0, held_high: 0 }
    }

    fn index(&self, state: &WalkState) -> u64 {
        state.index
    }

    fn advance(&self, state: &mut WalkState, steps: u64) -> (i64, i64) {
        let (mut lowest, mut highest) = (i64::MAX, i64::MIN);
        let end = state.index + steps;
        let (free_from, free_to) = self.free;
        let (clear_from, clear_to) = self.clear();
        let mut level = state.level;
        while state.index < end {
            let mut bits = self.bits(state.index);
            let count = (64 - state.index % 64).min(end - state.index);
            let (mut sum, mut low, mut high) = (0, 0, 0);
            let mut left = count;
            while left > 0 {
                if left >= RUN && clear_from <= level && level <= clear_to {
                    let run = &RUNS[(bits & 0xFF) as usize];
                    lowest = lowest.min(level + self.by * run.low);
                    highest = highest.max(level + self.by * run.high);
                    sum += level * RUN as i64 + self.by * run.sum;
                    level += self.by * run.net;
                    bits >>= RUN;
                    left -= RUN;
                    continue;
                }
                lowest = lowest.min(level);
                highest = highest.max(level);
                let (is_low, is_high) = (level < free_from, level > free_to);
                sum += if is_low || is_high { 0 } else { level };
                low += u64::from(is_low);
                high += u64::from(is_high);
                let step = if bits & 1 == 1 { self.by } else { -self.by };
                level = self.reflected(level + step);
                bits >>= 1;
                left -= 1;
            }
            state.sum += i128::from(sum);
            state.held_low += low;
            state.held_high += high;
            state.index += count;
        }
        state.level = level;
        (lowest, highest)
    }

    fn level(&self, mark: i64) -> Dd {
        self.held_rate(mark).dd()
    }

    fn start(&self, state: &WalkState) -> Dd {
        self.every.dd() * Dd::from_u64(state.index)
    }

    fn before(&self, state: &WalkState) -> Dd {
        let free = state.index - state.held_low - state.held_high;
        let units = state.sum + i128::from(self.low) * i128::from(free);
        let mut rates = Dd::from_i128(units);
        if self.units > 1 {
            rates = rates / Dd::from_i128(self.units);
        }
        let held = [(&self.clamp.low, state.held_low), (&self.clamp.high, state.held_high)];
        for (rate, count) in held {
            if let (Some(rate), 1..) = (rate, count) {
                rates = rates + rate.dd() * Dd::from_u64(count);
            }
        }
        rates * self.every.dd()
    }

    fn parts(&self, state: &WalkState) -> Parts {
        let start = self.start(state);
        let is_last = state.index + 1 >= MAX_STEPS;
        let end = self.every.dd() * Dd::from_u64(state.index + 1);
        Parts::one(Segment {
            start,
            end: if is_last { Dd::new(NEVER) } else { end },
            before: self.before(state),
            from: self.level(state.level),
            slope: Dd::ZERO,
        })
    }

    fn total(&self, state: &WalkState, t: Num) -> Num {
        let free = state.index - state.held_low - state.held_high;
        let units = state.sum + i128::from(self.low) * i128::from(free);
        let mut rates = Num::of(fraction(units, self.units));
        let held = [(self.clamp.low, state.held_low), (self.clamp.high, state.held_high)];
        for (rate, count) in held {
            if let (Some(rate), 1..) = (rate, count) {
                rates = rates.plus(rate.times(Num::whole(count)));
            }
        }
        let rest = t.minus(self.every.times(Num::whole(state.index)));
        rates.times(self.every).plus(self.held_rate(state.level).times(rest))
    }

    fn about_steps(&self, t: Dd) -> f64 {
        t.hi / self.every.dd().hi
    }

    fn limits(&self) -> (Dd, Dd) {
        let reach = i128::from(self.by) * i128::from(MAX_STEPS) + i128::from(self.from);
        let highest = i128::from(self.height).min(reach);
        (self.level(0), self.level(highest as i64))
    }

    fn held(&self, bound: Bound) -> Walk {
        let clamp = self.clamp.held(bound);
        let above_lowest = |rate: Num| {
            let units = rate.times(Num::of(fraction(self.units, 1)));
            let floor = units.floor().map_or(i64::MAX / 2, |floor| floor.min(1 << 61) as i64);
            (floor - self.low, units.order(Num::whole(floor.unsigned_abs())).is_gt())
        };
        // The first level not below the lowest rate, and the last not above the highest.
        let first = clamp.low.map(above_lowest).map(|(level, more)| level + i64::from(more));
        let last = clamp.high.map(above_lowest).map(|(level, _)| level);
        let free = (first.unwrap_or(i64::MIN), last.unwrap_or(i64::MAX));
        Walk { clamp, free, ..self.clone() }
    }
}

/// The least common multiple, if it is not beyond what levels can be.
fn common_multiple(a: i128, b: i128) -> Option<i128> {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x).checked_mul(b).filter(|multiple| *multiple <= MAX_LEVEL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Many steps at once are the same as one after another.
        #[test]
        fn runs_are_steps(
            (height, by, from) in (1_i128..500, 0_i128..40, 0_i128..500),
            (before, steps) in (0_u64..200, 1_u64..700),
            hold in prop::option::of(0_i128..500),
            seed in any::<u64>(),
        ) {
            let whole = Exact::from_integer;
            let high = whole(height);
            let from = whole(from % (height + 1));
            let key = Key::of(seed);
            let walk = Walk::new(from, whole(by), Num::whole(1), (whole(0), Some(high)), key);
            let mut walk = walk.map_err(|fault| TestCaseError::fail(format!("{fault:?}")))?;
            if let Some(hold) = hold {
                walk = walk.held(Bound::AtMost(Num::of(whole(hold))));
            }
            let mut at_once = walk.first();
            walk.advance(&mut at_once, before);
            let mut singly = at_once;
            let extent = walk.advance(&mut at_once, steps);
            let mut single = (i64::MAX, i64::MIN);
            for _ in 0..steps {
                let (low, high) = walk.advance(&mut singly, 1);
                single = (single.0.min(low), single.1.max(high));
            }
            prop_assert_eq!(extent, single);
            prop_assert_eq!(format!("{at_once:?}"), format!("{singly:?}"));
        }
    }
}
