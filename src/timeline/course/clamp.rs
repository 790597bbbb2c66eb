//! Caps and floors one after another come to a lowest and a highest rate.

use super::{Parts, Segment};
use crate::timeline::dd::Dd;
use crate::timeline::level::Bound;
use crate::timeline::num::Num;

/// `max(low, min(r, high))`, where low is not above high.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clamp {
    /// The lowest rate, in jobs per second.
    pub low: Option<Num>,
    /// The highest.
    pub high: Option<Num>,
}

impl Clamp {
    /// The clamp with a bound around it.
    pub fn held(self, bound: Bound) -> Clamp {
        match bound {
            Bound::AtMost(level) => Clamp {
                low: self.low.map(|low| low.min(level)),
                high: Some(self.high.map_or(level, |high| high.min(level))),
            },
            Bound::AtLeast(level) => Clamp {
                low: Some(self.low.map_or(level, |low| low.max(level))),
                high: self.high.map(|high| high.max(level)),
            },
        }
    }

    /// Whether it changes nothing.
    pub fn is_free(&self) -> bool {
        self.low.is_none() && self.high.is_none()
    }

    /// A rate as it is held.
    pub fn rate(&self, rate: Dd) -> Dd {
        let rate = self.high.as_ref().map_or(rate, |high| rate.min(high.dd()));
        self.low.as_ref().map_or(rate, |low| rate.max(low.dd()))
    }

    /// A straight line as it is held: cut where it crosses a level.
    pub fn parts(&self, line: Segment) -> Parts {
        if self.is_free() || line.slope.hi == 0.0 {
            let (from, slope) = (self.rate(line.from), line.slope);
            return Parts::one(Segment { from, slope, ..line });
        }
        let crossing = |level: Option<Num>| {
            let at = level.map(|level| line.start + (level.dd() - line.from) / line.slope);
            at.unwrap_or(line.end).max(line.start).min(line.end)
        };
        let (a, b) = (crossing(self.low), crossing(self.high));
        let borders = [line.start, a.min(b), a.max(b), line.end];
        let mut parts = Parts { parts: [line; 3], count: 0 };
        let mut before = line.before;
        for border in borders.windows(2) {
            let (start, end) = (border[0], border[1]);
            if start < end {
                let (from, to) = (self.rate(line.rate(start)), self.rate(line.rate(end)));
                let slope = (to - from) / (end - start);
                let part = Segment { start, end, before, from, slope };
                before = part.area(end);
                parts.parts[parts.count] = part;
                parts.count += 1;
            }
        }
        if parts.count == 0 { Parts::one(line) } else { parts }
    }
}
