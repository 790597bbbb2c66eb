//! Λ⁻¹: the first nanosecond at which a count is reached.
//!
//! The answer is defined by Λ itself, as the smallest whole t with Λ(t) ≥ the count, and Λ only
//! grows. So a formula or a few steps of Newton's may guess, and a bracketed search always ends.

use super::dd::Dd;
use super::locate::{Spot, slack};
use super::node::Kind;
use super::shape::{Line, Shape};

/// A root is trusted without a look at its neighbours if it is this far from a whole nanosecond, by
/// a step of Newton's that is proven to be off by less than half as much.
const MARGIN: f64 = 0.02;
/// A rate this small against the terms it is the difference of is not known well enough for that.
const CANCELLED: f64 = 1e-6;
/// What rounding may take from a count, or a time, relative.
const ROUNDING: f64 = 1e-29;

/// The first nanosecond, at or after `earliest`, at which the count in the spot's leaf is `count`.
#[inline]
pub fn first_time(spot: &Spot<'_>, count: Dd, earliest: u64) -> u64 {
    let margin = Dd::new(slack(spot.start));
    let first = (spot.start - margin).ceil_u64().max(earliest);
    let Some(rest) = above_zero(count - spot.before) else { return first };
    match &spot.leaf.kind {
        Kind::Piece(Shape::Line(line)) => {
            if let Some(time) = on_line(spot, line, count, rest, first) {
                return time;
            }
        }
        Kind::Piece(Shape::Course(course)) => {
            let (start, before, segment) = course.segment_of(rest);
            let (start, before) = (spot.start + start, spot.before + before);
            return first_time(&Spot { leaf: &segment, start, before }, count, first);
        }
        Kind::Piece(_) | Kind::Together { .. } => {}
        _ => return first,
    }
    search(spot, count, first)
}

fn above_zero(rest: Dd) -> Option<Dd> {
    (rest.hi > 0.0).then_some(rest)
}

/// The root of `from·x + slope·x²/2 = rest`, in plain numbers and then one step of Newton's.
#[inline]
fn on_line(spot: &Spot<'_>, line: &Line, count: Dd, rest: Dd, first: u64) -> Option<u64> {
    let (from, slope) = (line.from.dd().hi, line.slope.dd().hi);
    let near = if slope == 0.0 {
        rest.hi / from
    } else {
        let discriminant = from * from + 2.0 * slope * rest.hi;
        2.0 * rest.hi / (from + discriminant.max(0.0).sqrt())
    };
    let rate = from + slope * near;
    let off = (rest - spot.leaf_area(Dd::new(near))).hi;
    let step = off / rate;
    let root = Dd::new(near) + Dd::new(step);
    // What one step leaves, and the rounding of the counts, in nanoseconds.
    let doubt =
        (slope * step * step).abs() / rate + count.hi * ROUNDING / rate + root.hi * ROUNDING;
    if !(rate > CANCELLED * from && doubt < 0.1 && root.hi > -1.0) {
        return None;
    }
    let time = spot.start + root;
    if time.hi >= 1.8e19 {
        return None;
    }
    let nearest = (time + Dd::new(0.5)).floor();
    let distance = (time - nearest).hi;
    let whole = nearest.floor_u64();
    if distance.abs() > doubt + 1e-9 {
        return Some((whole + u64::from(distance > 0.0)).max(first));
    }
    let reached = whole >= first && spot.reaches(whole, count);
    Some(if reached { whole } else { (whole + 1).max(first) })
}

/// Newton's method on whole nanoseconds within a bracket that shrinks at every step, by half at
/// least every third one.
fn search(spot: &Spot<'_>, count: Dd, first: u64) -> u64 {
    let end = spot.leaf.length.map(|length| (spot.start + length.dd()).ceil_u64());
    // `below` is not reached, `above` is.
    let (mut below, mut above) = (first, end.unwrap_or(u64::MAX));
    if above <= first || spot.reaches(first, count) {
        return first;
    }
    let steepest = match &spot.leaf.kind {
        Kind::Piece(shape) => Some(shape.steepest(spot.leaf.range.high.hi)),
        _ => None,
    };
    let mut guess = spot.first_guess(count, below, above);
    let mut steps = 0u32;
    while above - below > 1 {
        let t = guess.clamp(below + 1, above - 1);
        let (off, rate) = spot.off_and_rate(t, count);
        if off.hi > 0.0 {
            below = t;
        } else {
            above = t;
        }
        let step = off.hi / rate;
        let root = Dd::from_u64(t) + Dd::new(step);
        if let Some(steepest) = steepest {
            let doubt = (steepest * step * step + count.hi * ROUNDING) / rate;
            let above_whole = (root - root.floor()).hi;
            if doubt < MARGIN / 2.0
                && steepest * step.abs() < rate / 2.0
                && (MARGIN..1.0 - MARGIN).contains(&above_whole)
            {
                return root.ceil_u64().clamp(below + 1, above);
            }
        }
        steps += 1;
        guess = if steps.is_multiple_of(3) || !step.is_finite() {
            below + (above - below) / 2
        } else if step >= 0.0 {
            root.ceil_u64()
        } else {
            // From above, aim at the nanosecond before, to close the bracket from below.
            root.ceil_u64().saturating_sub(u64::from(above - below > 2 && step > -1.0))
        };
    }
    above
}

impl Spot<'_> {
    /// Whether the count is reached at t, in whole nanoseconds, as it is at the end.
    #[inline]
    fn reaches(&self, t: u64, count: Dd) -> bool {
        let t = Dd::from_u64(t);
        self.leaf.is_over(t - self.start) || self.area(t, slack(t)) >= count
    }

    #[inline]
    fn leaf_area(&self, x: Dd) -> Dd {
        match &self.leaf.kind {
            Kind::Piece(shape) => shape.area(x),
            _ => Dd::ZERO,
        }
    }

    /// How many jobs are missing at t, and the rate there.
    fn off_and_rate(&self, t: u64, count: Dd) -> (Dd, f64) {
        let t = Dd::from_u64(t);
        let slack = slack(t);
        let rate = match &self.leaf.kind {
            Kind::Piece(shape) => shape.rate_near(self.local(t)),
            _ => self.leaf.rate(self.local(t), slack, super::locate::Side::Right).hi,
        };
        (count - self.area(t, slack), rate)
    }

    /// Where to start: as if the rate were the mean one, then a few steps in plain numbers.
    fn first_guess(&self, count: Dd, below: u64, above: u64) -> u64 {
        let rest = (count - self.before).hi;
        let (length, mean) = match (&self.leaf.length, &self.leaf.total) {
            (Some(length), Some(total)) => (length.dd().hi, total.dd().hi / length.dd().hi),
            _ => (f64::INFINITY, (self.leaf.range.low.hi + self.leaf.range.high.hi) / 2.0),
        };
        let mut x = (rest / mean).clamp(0.0, length);
        if let Kind::Piece(shape) = &self.leaf.kind {
            for _ in 0..4 {
                let Some((area, rate)) = shape.near(x) else { break };
                let next = (x + (rest - area) / rate).clamp(0.0, length);
                if !next.is_finite() {
                    break;
                }
                let step = next - x;
                x = next;
                if step.abs() < 100.0 {
                    break;
                }
            }
        }
        if !x.is_finite() {
            return below + (above - below) / 2;
        }
        (self.start + Dd::new(x)).ceil_u64()
    }
}
