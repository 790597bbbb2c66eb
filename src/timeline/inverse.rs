//! Λ⁻¹: the first nanosecond at which a count is reached.
//!
//! The answer is defined by Λ itself, as the smallest whole t with Λ(t) ≥ the count, and Λ only
//! grows. So a formula or a few steps of Newton's may guess, and a bracketed search always ends.

use super::NANOS;
use super::dd::Dd;
use super::locate::{Side, Spot, slack};
use super::node::{Kind, Node};
use super::shape::{Line, Shape};

/// A root is trusted without a look at its neighbours if it is this far from a whole nanosecond, by
/// a step of Newton's that is proven to be off by less than half as much.
const MARGIN: f64 = 0.02;
/// A rate this small against the terms it is the difference of is not known well enough for that.
const CANCELLED: f64 = 1e-6;
/// What rounding may take from a count, or a time, relative, with much room.
const ROUNDING: f64 = 1e-29;
/// The same for a line, where it has to stay well below the tolerance of counts.
const LINE_ROUNDING: f64 = 2e-31;

/// The first nanosecond at which the count in the spot's leaf is `count`.
#[inline]
pub fn first_time(spot: &Spot<'_>, count: Dd) -> u64 {
    if let Kind::Piece(Shape::Line(line)) = &spot.leaf.kind
        && let Some(time) = on_line(spot, line, count)
    {
        return time;
    }
    let first = (spot.start - Dd::new(slack(spot.start))).ceil_u64();
    let is_curve =
        matches!(&spot.leaf.kind, Kind::Piece(_) | Kind::Together { .. } | Kind::Jitter(_));
    if !is_curve || (count - spot.before).hi <= 0.0 {
        return first;
    }
    if let Kind::Piece(Shape::Course(course)) = &spot.leaf.kind {
        let (start, before, segment) = course.segment_of(count - spot.before);
        let (start, before) = (spot.start + start, spot.before + before);
        return first_time(&Spot { leaf: &segment, start, before }, count).max(first);
    }
    let end = spot.leaf.length.map(|length| (spot.start + length.dd()).ceil_u64());
    let above = end.unwrap_or(u64::MAX).max(first);
    if let Kind::Jitter(jitter) = &spot.leaf.kind {
        let (from, to) = jitter.bracket(count - spot.before);
        let (from, to) = ((spot.start + from).floor_u64(), (spot.start + to).ceil_u64());
        return search(spot, count, from.max(first), to.min(above));
    }
    search(spot, count, first, above)
}

/// The root of `from·x + slope·x²/2 = rest`: in plain numbers, and then one step of Newton's from the
/// precise residual. `None` where that does not tell the nanosecond for certain.
///
/// A tie is a root that lies before a whole nanosecond by the tolerance of counts, which is well
/// above what rounding does to the residual.
#[inline]
pub fn on_line(spot: &Spot<'_>, line: &Line, count: Dd) -> Option<u64> {
    let rest = count - spot.before;
    let (from, slope) = (line.from.dd().hi, line.slope.dd().hi);
    let (near, off) = if slope == 0.0 {
        let near = rest.hi / from;
        (near, rest.residual(line.from.dd(), near))
    } else {
        let discriminant = from * from + 2.0 * slope * rest.hi;
        let near = 2.0 * rest.hi / (from + discriminant.max(0.0).sqrt());
        let mean = line.from.dd() + line.slope.dd() * (near / 2.0);
        (near, rest.residual(mean, near))
    };
    let rate = from + slope * near;
    let step = off / rate;
    let (whole, distance) = spot.start.whole_and_rest(near, step);
    // A start that is not a whole nanosecond may itself be rounded.
    let start = if spot.start.lo == 0.0 { 0.0 } else { spot.start.hi };
    let doubt = (slope * step * step).abs() / rate
        + step.abs() * 1e-15
        + count.hi / rate * LINE_ROUNDING
        + start * LINE_ROUNDING;
    let fits = (0.0..9e18).contains(&(spot.start.hi + near));
    let sure = distance.abs() > doubt && rate > CANCELLED * from && fits;
    sure.then(|| u64::try_from(whole).unwrap_or(0) + u64::from(distance > 0.0))
}

/// Newton's method on whole nanoseconds within a bracket that shrinks at every step, by half at
/// least every fourth one.
fn search(spot: &Spot<'_>, count: Dd, first: u64, mut above: u64) -> u64 {
    // At `above` the count is reached; at `below`, before the leaf, it is not.
    let Some(mut below) = first.checked_sub(1).or_else(|| spot.misses(0, count).then_some(0))
    else {
        return first;
    };
    let mut guess = match &spot.leaf.kind {
        Kind::Jitter(_) => below + (above - below) / 2,
        _ => spot.first_guess(count, below, above),
    };
    if let Some(time) = spot.root_near(guess.clamp(below, above), count) {
        return time.clamp(below + 1, above);
    }
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
        let doubt = count.hi * ROUNDING;
        if let Some(time) = spot.root_from(t, step, rate, doubt) {
            return time.clamp(below + 1, above);
        }
        steps += 1;
        guess = if steps.is_multiple_of(4) || !step.is_finite() {
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
    /// Whether the count is not reached at t, in whole nanoseconds.
    fn misses(&self, t: u64, count: Dd) -> bool {
        let t = Dd::from_u64(t);
        // Only of a sum is anything due at its very start.
        let at_start = matches!(self.leaf.kind, Kind::Piece(_)) && t <= self.start;
        if at_start { self.before < count } else { self.area(t, slack(t)) < count }
    }

    /// How many jobs are missing at t, and the rate there.
    fn off_and_rate(&self, t: u64, count: Dd) -> (Dd, f64) {
        let t = Dd::from_u64(t);
        let slack = slack(t);
        let rate = match &self.leaf.kind {
            Kind::Piece(shape) => shape.aim(self.local(t).hi).1,
            _ => self.leaf.rate(self.local(t), slack, Side::Right).hi,
        };
        (count - self.area(t, slack), rate)
    }

    /// One step of Newton's from t, if that is sure to give the right nanosecond.
    fn root_near(&self, t: u64, count: Dd) -> Option<u64> {
        let Kind::Piece(shape) = &self.leaf.kind else { return None };
        let near = shape.near(self.local(Dd::from_u64(t)));
        let off = (count - self.before - near.area).hi;
        self.root_from(t, off / near.rate, near.rate, near.doubt + count.hi * ROUNDING)
    }

    /// The nanosecond that a step from t leads to, if it is sure that its error and a doubt of so
    /// many jobs lead to no other.
    fn root_from(&self, t: u64, step: f64, rate: f64, doubt: f64) -> Option<u64> {
        let x = self.local(Dd::from_u64(t));
        let steepest = self.leaf.steepest_around(x, step.abs() + 1.0)?;
        let root = Dd::from_u64(t) + Dd::new(step);
        let doubt = (steepest * step * step + doubt) / rate;
        let above_whole = (root - root.floor()).hi;
        let sure = doubt < MARGIN / 2.0
            && steepest * step.abs() < rate / 2.0
            && (MARGIN..1.0 - MARGIN).contains(&above_whole);
        sure.then(|| root.ceil_u64())
    }

    /// Where to start: as if the rate were the mean one, then a few steps in plain numbers.
    fn first_guess(&self, count: Dd, below: u64, above: u64) -> u64 {
        let rest = (count - self.before).hi;
        let (length, mean) = match (&self.leaf.length, &self.leaf.total) {
            (Some(length), Some(total)) => (length.dd().hi, total.dd().hi / length.dd().hi),
            _ => (f64::INFINITY, (self.leaf.range.low.hi + self.leaf.range.high.hi) / 2.0),
        };
        let steepest = match &self.leaf.kind {
            Kind::Piece(shape) => shape.steepest(self.leaf.range.high.hi),
            _ => self.leaf.range.high.hi / NANOS,
        };
        // Short of the end, where there is still a rate to follow.
        let last = length * (1.0 - 1e-9);
        let mut x = (rest / mean).clamp(0.0, last);
        for _ in 0..12 {
            let (area, rate) = self.leaf.aim(x);
            let next = (x + (rest - area) / rate).clamp(0.0, last);
            if !next.is_finite() {
                break;
            }
            // What this step leaves, and what the next one would leave of that.
            let bend = steepest / rate;
            let left = bend * (next - x) * (next - x);
            x = next;
            if bend * left * left < MARGIN / 10.0 {
                break;
            }
        }
        if !x.is_finite() {
            return below + (above - below) / 2;
        }
        (self.start + Dd::new(x)).ceil_u64()
    }
}

impl Node {
    /// Λ and the rate at x in plain precision, to aim with.
    fn aim(&self, x: f64) -> (f64, f64) {
        let end = self.length.as_ref().map_or(f64::INFINITY, |length| length.dd().hi);
        if x >= end {
            return (self.total.as_ref().map_or(0.0, |total| total.dd().hi), 0.0);
        }
        match &self.kind {
            Kind::Piece(shape) => shape.aim(x),
            Kind::Jump => (0.0, 0.0),
            Kind::Mark { body, .. } => body.aim(x),
            Kind::Together { flat: Some(flat), .. } => flat.aim(x),
            Kind::Jitter(jitter) => {
                let (at, slack) = (Dd::new(x), slack(Dd::new(x)));
                (jitter.area(at, slack).hi, jitter.rate(at, slack, Side::Right).hi)
            }
            Kind::Together { members, .. } => members.iter().fold((0.0, 0.0), |sum, member| {
                let (area, rate) = member.aim(x);
                (sum.0 + area, sum.1 + rate)
            }),
            Kind::Sequence(_) | Kind::Repeat { .. } => {
                let spot = self.spot_at(Dd::new(x), 0.0, Side::Right);
                let here = matches!(
                    spot.leaf.kind,
                    Kind::Piece(_) | Kind::Together { .. } | Kind::Jitter(_)
                );
                let (area, rate) = if here { spot.leaf.aim(x - spot.start.hi) } else { (0.0, 0.0) };
                (spot.before.hi + area, rate)
            }
        }
    }

    /// A bound of how fast the rate changes within `reach` of x, or `None` if it may jump there.
    fn steepest_around(&self, x: Dd, reach: f64) -> Option<f64> {
        let inside = |start: f64, end: Option<Dd>| {
            x.hi - reach >= start && end.is_none_or(|end| x.hi + reach <= end.hi)
        };
        match &self.kind {
            Kind::Piece(shape) => {
                let inside = inside(0.0, self.length.as_ref().map(|length| length.dd()));
                inside.then(|| shape.steepest(self.range.high.hi))
            }
            Kind::Mark { body, .. } => body.steepest_around(x, reach),
            Kind::Jitter(_) => None,
            Kind::Together { flat: Some(flat), .. } => flat.steepest_around(x, reach),
            Kind::Together { members, .. } => members.iter().try_fold(0.0, |sum, member| {
                let over = member.is_over(x - Dd::new(reach));
                Some(sum + if over { 0.0 } else { member.steepest_around(x, reach)? })
            }),
            Kind::Jump | Kind::Sequence(_) | Kind::Repeat { .. } => {
                let spot = self.spot_at(x, slack(x), Side::Right);
                match &spot.leaf.kind {
                    Kind::Piece(_) | Kind::Together { .. } => {
                        spot.leaf.steepest_around(x - spot.start, reach)
                    }
                    _ => None,
                }
            }
        }
    }
}
