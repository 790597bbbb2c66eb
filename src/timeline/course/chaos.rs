//! `chaos`: straight lines between uniform levels after uniform times.
//!
//! A level is the middle of one of 2³² equal parts of the range, a time a whole number of
//! nanoseconds, so that sums of areas are whole numbers of a unit.

use super::Segment;
use super::clamp::Clamp;
use super::stepped::{MAX_STEPS, Parts, Steps};
use crate::random::Key;
use crate::timeline::dd::Dd;
use crate::timeline::level::Bound;
use crate::timeline::num::Num;

/// 2³³, the half parts of the range.
const HALF_PARTS: f64 = 8_589_934_592.0;
/// The end of time, in nanoseconds, and more.
const NEVER: f64 = 1e30;

/// A chaos.
#[derive(Clone, Debug)]
pub struct Chaos {
    key: Key,
    /// Jobs per second.
    low: Num,
    /// The highest rate less the lowest.
    width: Num,
    /// The shortest and longest time, in nanoseconds.
    every: (u64, u64),
    clamp: Clamp,
}

/// A line of a chaos.
#[derive(Clone, Copy, Debug)]
pub struct ChaosState {
    index: u64,
    /// Nanoseconds before.
    start: u64,
    /// The part in which the level at its start lies.
    level: u32,
    /// The part of the level at its end.
    next: u32,
    /// Nanoseconds.
    length: u64,
    /// Of the lines before: nanoseconds times half parts above the lowest rate.
    area: u128,
    /// Of the lines before, their area as it is held; 0 where nothing is.
    held: Dd,
}

impl Chaos {
    /// Levels from `low` to `low + width` jobs per second, after times of `every` nanoseconds, both
    /// ends included and the first above 0.
    pub fn new((low, width): (Num, Num), every: (u64, u64), key: Key) -> Chaos {
        Chaos { key, low, width, every, clamp: Clamp::default() }
    }

    /// The level at the start of a line, and the line's length. After the last step nothing changes.
    fn drawn(&self, index: u64) -> (u32, u64) {
        let number = index.min(MAX_STEPS - 1);
        let [level, length] = self.key.pair(number);
        ((level >> 32) as u32, self.key.within(number, length, self.every))
    }

    fn free_level(&self, part: u32) -> Dd {
        let halves = f64::from(part) * 2.0 + 1.0;
        self.low.dd() + self.width.dd() * Dd::new(halves / HALF_PARTS)
    }

    fn line(&self, state: &ChaosState) -> Segment {
        let (start, length) = (Dd::from_u64(state.start), Dd::from_u64(state.length));
        let (from, to) = (self.free_level(state.level), self.free_level(state.next));
        let is_last = state.index + 1 >= MAX_STEPS;
        Segment {
            start,
            end: if is_last { Dd::new(NEVER) } else { start + length },
            before: self.before(state),
            from,
            slope: (to - from) / length,
        }
    }
}

impl Steps for Chaos {
    type State = ChaosState;

    fn first(&self) -> ChaosState {
        let ((level, length), (next, _)) = (self.drawn(0), self.drawn(1));
        ChaosState { index: 0, start: 0, level, next, length, area: 0, held: Dd::ZERO }
    }

    fn index(&self, state: &ChaosState) -> u64 {
        state.index
    }

    fn advance(&self, state: &mut ChaosState, steps: u64) -> (i64, i64) {
        let level = i64::from(state.level);
        let (mut lowest, mut highest) = (level, level);
        for _ in 0..steps {
            if self.clamp.is_free() {
                let halves = u128::from(state.level) + u128::from(state.next) + 1;
                state.area += halves * u128::from(state.length);
            } else {
                let parts = self.parts(state);
                let last = parts.parts[parts.count - 1];
                state.held = last.area(last.end);
            }
            state.start = state.start.saturating_add(state.length);
            state.index += 1;
            state.level = state.next;
            state.length = self.drawn(state.index).1;
            state.next = self.drawn(state.index + 1).0;
            lowest = lowest.min(i64::from(state.level));
            highest = highest.max(i64::from(state.level));
        }
        (lowest, highest)
    }

    fn level(&self, mark: i64) -> Dd {
        self.clamp.rate(self.free_level(mark as u32))
    }

    fn start(&self, state: &ChaosState) -> Dd {
        Dd::from_u64(state.start)
    }

    fn before(&self, state: &ChaosState) -> Dd {
        if !self.clamp.is_free() {
            return state.held;
        }
        // Both factors fit 64 bits each way, so nothing is lost.
        let area = Dd::from_u64((state.area >> 64) as u64).scale_by_power(2f64.powi(64))
            + Dd::from_u64(state.area as u64);
        self.low.dd() * Dd::from_u64(state.start)
            + self.width.dd() * area.scale_by_power(1.0 / HALF_PARTS)
    }

    fn parts(&self, state: &ChaosState) -> Parts {
        self.clamp.parts(self.line(state))
    }

    fn total(&self, state: &ChaosState, t: Num) -> Num {
        let parts = self.parts(state);
        let part = parts.parts[..parts.count].iter().rev().find(|part| part.start <= t.dd());
        Num::about(part.unwrap_or(&parts.parts[0]).area(t.dd()))
    }

    fn about_steps(&self, t: Dd) -> f64 {
        t.hi / ((self.every.0 as f64 + self.every.1 as f64) / 2.0)
    }

    fn limits(&self) -> (Dd, Dd) {
        let highest = self.low.dd() + self.width.dd();
        (self.clamp.rate(self.low.dd()), self.clamp.rate(highest))
    }

    fn held(&self, bound: Bound) -> Chaos {
        Chaos { clamp: self.clamp.held(bound), ..self.clone() }
    }
}
