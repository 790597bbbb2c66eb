//! From an instant, or from a count, to the leaf of the tree that holds it.

use super::COUNT_TOLERANCE;
use super::dd::Dd;
use super::node::{Kind, Node, Range, Sequence};
use super::shape::Shape;

/// Times closer than this, relative, are the same: what rounding may have parted.
const TIME_TOLERANCE: f64 = 3e-30;

/// The share of a leaf's jobs from which on its end needs a closer look.
const NEARLY_ALL: f64 = 1.0 - 1e-14;

/// The part of a timeline an instant falls into, which is one shape, one jump, or a sum.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    /// The part.
    pub leaf: &'a Node,
    /// When it starts, in nanoseconds.
    pub start: Dd,
    /// Jobs before it.
    pub before: Dd,
}

/// Which of two parts an instant at their border belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The later one, jumps included.
    Right,
    /// The earlier one that takes time.
    Left,
}

/// How far apart two times around `t` may be and still be the same.
#[inline]
pub fn slack(t: Dd) -> f64 {
    (t.hi.abs() + 1.0) * TIME_TOLERANCE
}

impl Node {
    /// The leaf at a time from 0 to the end.
    #[inline]
    pub fn spot_at(&self, t: Dd, slack: f64, side: Side) -> Spot<'_> {
        let (mut node, mut start, mut before) = (self, Dd::ZERO, Dd::ZERO);
        let t = t + Dd::new(if side == Side::Right { slack } else { -slack });
        loop {
            match &node.kind {
                Kind::Mark { body, .. } => node = body,
                Kind::Together { flat: Some(flat), .. } => node = flat,
                Kind::Sequence(sequence) if !sequence.items.is_empty() => {
                    let i = sequence.index_at(t - start, side);
                    start = start + sequence.starts[i];
                    before = before + sequence.sums[i];
                    node = &sequence.items[i];
                }
                Kind::Repeat { body, times } if node.lasts() => {
                    let pass = pass_at(body, *times, t - start);
                    (start, before) = enter(body, pass, start, before);
                    node = body;
                }
                _ => return Spot { leaf: node, start, before },
            }
        }
    }

    /// The leaf in which the count first reaches `count`, which is above 0 and at most the total;
    /// `None` if it never does.
    #[inline]
    pub fn spot_of(&self, count: Dd) -> Option<Spot<'_>> {
        let (mut node, mut start, mut before) = (self, Dd::ZERO, Dd::ZERO);
        loop {
            match &node.kind {
                Kind::Mark { body, .. } => node = body,
                Kind::Together { flat: Some(flat), .. } => node = flat,
                Kind::Sequence(sequence) if !sequence.items.is_empty() => {
                    let i = sequence.index_of(count - before);
                    start = start + sequence.starts[i];
                    before = before + sequence.sums[i];
                    node = &sequence.items[i];
                }
                Kind::Repeat { body, times } if node.lasts() => {
                    let pass = pass_of(body, *times, count - before)?;
                    (start, before) = enter(body, pass, start, before);
                    node = body;
                }
                _ => return Some(Spot { leaf: node, start, before }),
            }
        }
    }

    /// Jobs due at or before x, jumps at x included.
    #[inline]
    pub fn area(&self, x: Dd, slack: f64) -> Dd {
        if x.hi < 0.0 && x.hi < -slack {
            return Dd::ZERO;
        }
        match &self.total {
            Some(total) if self.is_over(x + Dd::new(slack)) => total.dd(),
            _ => self.spot_at(x, slack, Side::Right).area(x, slack),
        }
    }

    /// The rate at x: from the right, or from the left; 0 outside.
    pub fn rate(&self, x: Dd, slack: f64, side: Side) -> Dd {
        let outside = match side {
            Side::Right => {
                x.hi < -slack || self.length.is_some_and(|end| end.dd() <= x + Dd::new(slack))
            }
            Side::Left => {
                x.hi <= slack || self.length.is_some_and(|end| end.dd() + Dd::new(slack) < x)
            }
        };
        if outside {
            return Dd::ZERO;
        }
        let spot = self.spot_at(x, slack, side);
        let local = spot.local(x);
        match &spot.leaf.kind {
            Kind::Piece(Shape::Course(course)) => course.rate(local, slack, side),
            Kind::Piece(shape) => shape.rate(local).max(Dd::ZERO),
            Kind::Together { members, .. } => {
                members.iter().fold(Dd::ZERO, |sum, member| sum + member.rate(local, slack, side))
            }
            Kind::Jitter(jitter) => jitter.rate(local, slack, side),
            _ => Dd::ZERO,
        }
    }

    /// The rates that occur from `from` to `to`, where 0 outside of it counts too. With `slack`
    /// below 0, what only begins at `to` is left out.
    pub fn range_between(&self, from: Dd, to: Dd, slack: f64) -> Range {
        let outside = from.hi < 0.0 || self.is_over(to) && self.length.is_none_or(|l| l.dd() < to);
        let inside = self.range_within(from, to, slack);
        if outside { inside.or_rest().join(Range::REST) } else { inside.or_rest() }
    }

    fn range_within(&self, from: Dd, to: Dd, slack: f64) -> Range {
        let reaches_end = self.length.is_some_and(|length| length.dd() <= to);
        if to.hi < -slack || self.length.is_some_and(|length| length.dd() + Dd::new(slack) < from) {
            return Range::EMPTY;
        }
        if from.hi <= 0.0 && reaches_end {
            return self.range;
        }
        match &self.kind {
            Kind::Mark { body, .. } => body.range_within(from, to, slack),
            Kind::Jump => self.range,
            // What ends where the time begins is not in it.
            Kind::Piece(_) if self.is_over(from + Dd::new(slack.abs())) => Range::EMPTY,
            Kind::Piece(shape) => {
                let end = match &self.length {
                    Some(length) if reaches_end => length.dd(),
                    _ => to,
                };
                let (low, high) = match shape {
                    // Bounds of a course leave its end out.
                    Shape::Course(course) if !reaches_end => course
                        .bounds(from.max(Dd::ZERO) + Dd::new(slack.abs()), end + Dd::new(slack)),
                    _ => shape.bounds(from.max(Dd::ZERO), end),
                };
                Range { low: low.max(Dd::ZERO), high: high.max(Dd::ZERO), jumps: false }
            }
            Kind::Sequence(sequence) => sequence.range_between(from, to, slack),
            Kind::Repeat { body, times } => {
                let first = pass_at(body, *times, from.max(Dd::ZERO) - Dd::new(slack));
                let last = pass_at(body, *times, to + Dd::new(slack));
                if last > first.saturating_add(1) || !body.lasts() {
                    return self.range;
                }
                let (a, _) = enter(body, first, Dd::ZERO, Dd::ZERO);
                let (b, _) = enter(body, last, Dd::ZERO, Dd::ZERO);
                body.range_within(from - a, to - a, slack).join(body.range_within(
                    from - b,
                    to - b,
                    slack,
                ))
            }
            Kind::Together { flat: Some(flat), .. } => flat.range_within(from, to, slack),
            Kind::Jitter(jitter) => jitter.range(jitter.body.range_within(from, to, slack)),
            Kind::Together { members, .. } => members
                .iter()
                .map(|member| member.range_between(from.max(Dd::ZERO), to, slack))
                .fold(Range::REST, Range::plus),
        }
    }
}

/// Start and earlier jobs of a pass.
#[inline]
fn enter(body: &Node, pass: u64, start: Dd, before: Dd) -> (Dd, Dd) {
    if pass == 0 {
        return (start, before);
    }
    let passes = Dd::from_u64(pass);
    let length = body.length.as_ref().map_or(Dd::ZERO, |length| length.dd());
    let total = body.total.as_ref().map_or(Dd::ZERO, |total| total.dd());
    (start + length * passes, before + total * passes)
}

/// The pass that x falls into, the later one at a border.
#[inline]
fn pass_at(body: &Node, times: Option<u64>, x: Dd) -> u64 {
    let last = times.map_or(u64::MAX, |times| times.saturating_sub(1));
    let Some(length) = body.length.as_ref().map(|length| length.dd()) else { return 0 };
    if x.hi <= 0.0 || length.hi <= 0.0 {
        return 0;
    }
    nearby_pass(x, length, last, |rest| rest.hi < 0.0, |rest| rest >= length)
}

/// The pass in which the count first reaches `count`.
#[inline]
fn pass_of(body: &Node, times: Option<u64>, count: Dd) -> Option<u64> {
    let last = times.map_or(u64::MAX, |times| times.saturating_sub(1));
    let total = body.total.as_ref()?.dd();
    if total.hi <= 0.0 {
        return times.map(|_| last);
    }
    Some(nearby_pass(count, total, last, |rest| rest.hi <= 0.0, |rest| rest > total))
}

/// `x / one` rounded down, set right by at most a step or two where the division has rounded.
#[inline]
fn nearby_pass(
    x: Dd,
    one: Dd,
    last: u64,
    too_late: impl Fn(Dd) -> bool,
    too_early: impl Fn(Dd) -> bool,
) -> u64 {
    let quotient = x.hi / one.hi;
    let mut pass = if quotient < 1e12 {
        Dd::new(quotient).floor_u64().min(last)
    } else {
        (x / one).floor_u64().min(last)
    };
    for _ in 0..3 {
        let rest = x - one * Dd::from_u64(pass);
        if pass > 0 && too_late(rest) {
            pass -= 1;
        } else if pass < last && too_early(rest) {
            pass += 1;
        } else {
            break;
        }
    }
    pass
}

impl Sequence {
    /// The last item that starts at or before x; before x if from the left.
    #[inline]
    fn index_at(&self, x: Dd, side: Side) -> usize {
        let started = match side {
            Side::Right => self.starts.partition_point(|start| *start <= x),
            Side::Left => self.starts.partition_point(|start| *start < x),
        };
        started.saturating_sub(1)
    }

    /// The first item at whose end the count has reached `count`.
    #[inline]
    fn index_of(&self, count: Dd) -> usize {
        let later = &self.sums[1..];
        later.partition_point(|sum| *sum < count)
    }

    fn range_between(&self, from: Dd, to: Dd, slack: f64) -> Range {
        let count = self.items.len();
        let (from_border, to_border) = (from - Dd::new(slack), to + Dd::new(slack));
        let end = self.starts.partition_point(|start| *start <= to_border);
        let mut first = self.starts.partition_point(|start| *start < from_border);
        first = first.saturating_sub(1).min(count);
        let part = |i: usize| {
            self.items[i].range_within(from - self.starts[i], to - self.starts[i], slack)
        };
        if end <= first + 2 {
            return (first..end).map(part).fold(Range::EMPTY, Range::join);
        }
        let mut range = part(first).join(part(end - 1));
        let (mut left, mut right) = (first + 1 + count, end - 1 + count);
        while left < right {
            if left % 2 == 1 {
                range = range.join(self.ranges[left]);
                left += 1;
            }
            if right % 2 == 1 {
                right -= 1;
                range = range.join(self.ranges[right]);
            }
            left /= 2;
            right /= 2;
        }
        range
    }
}

impl Spot<'_> {
    /// A time from the leaf's start, between 0 and its end.
    #[inline]
    pub fn local(&self, t: Dd) -> Dd {
        let x = (t - self.start).max(Dd::ZERO);
        match &self.leaf.length {
            Some(length) => x.min(length.dd()),
            None => x,
        }
    }

    /// Jobs due at or before t, a time in the leaf.
    ///
    /// Before the leaf's end they stay short of what they are at the end by more than the tolerance
    /// of counts: a job whose tie is the very end is due there, however flat the curve comes in.
    #[inline]
    pub fn area(&self, t: Dd, slack: f64) -> Dd {
        let x = (t - self.start).max(Dd::ZERO);
        let total = self.leaf.total.as_ref().map(|total| total.dd());
        if let Some(total) = total
            && self.leaf.is_over(x + Dd::new(slack))
        {
            return self.before + total;
        }
        let own = match &self.leaf.kind {
            Kind::Piece(shape) => shape.area(x).max(Dd::ZERO),
            Kind::Together { members, .. } => {
                members.iter().fold(Dd::ZERO, |sum, member| sum + member.area(x, slack))
            }
            Kind::Jitter(jitter) => jitter.area(x, slack),
            _ => Dd::ZERO,
        };
        match total {
            Some(total) if own.hi >= total.hi * NEARLY_ALL => {
                let end = self.before + total;
                let short = end - Dd::new(end.hi * 2.0 * COUNT_TOLERANCE);
                (self.before + own).min(short.max(self.before))
            }
            _ => self.before + own,
        }
    }
}
