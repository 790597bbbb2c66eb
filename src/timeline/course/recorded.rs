//! `replay`: a recorded rate, as a table of straight segments.

use super::clamp::Clamp;
use super::{Segment, Track};
use crate::timeline::build::Fault;
use crate::timeline::curve::RatePoint;
use crate::timeline::dd::Dd;
use crate::timeline::level::Bound;
use crate::timeline::num::Num;
use std::sync::Arc;

/// How many points a record may have.
const MAX_POINTS: usize = 1_000_000;
/// The end of time, in nanoseconds, and more.
const NEVER: f64 = 1e30;

/// A record.
#[derive(Debug)]
pub struct Recorded {
    /// One after another from 0 on; the last goes on for ever.
    segments: Arc<[Segment]>,
    clamp: Clamp,
    /// The segments as they are held.
    held: Vec<Segment>,
    /// The rates of each from index `held.len()` on, joined in pairs towards index 1.
    ranges: Vec<(Dd, Dd)>,
    /// The time of the last point and the area to it, in exact numbers where they are small enough.
    whole: (Num, Num),
}

fn join(a: (Dd, Dd), b: (Dd, Dd)) -> (Dd, Dd) {
    (a.0.min(b.0), a.1.max(b.1))
}

/// A range that contains none.
const NO_RATES: (Dd, Dd) = (Dd::new(f64::INFINITY), Dd::new(f64::NEG_INFINITY));

fn rates_between(segment: &Segment, from: Dd, to: Dd) -> (Dd, Dd) {
    let first = segment.rate(from.max(segment.start).min(segment.end));
    let last = if segment.slope.hi == 0.0 {
        first
    } else {
        segment.rate(to.max(segment.start).min(segment.end))
    };
    (first.min(last), first.max(last))
}

impl Recorded {
    /// The rate through some points, or held from each to the next.
    ///
    /// # Errors
    ///
    /// `OutOfBounds` if there is no point, the first is not at 0 or a time is before that of the
    /// point before it; `Negative` if a rate is; `TooComplex` for more than a million.
    pub fn new(points: &[RatePoint], held: bool) -> Result<Recorded, Fault> {
        if points.len() > MAX_POINTS {
            return Err(Fault::TooComplex);
        }
        let in_order = points.windows(2).all(|pair| pair[0].t_ns <= pair[1].t_ns);
        let Some(last) = points.last() else { return Err(Fault::OutOfBounds) };
        if !in_order || points[0].t_ns != 0 {
            return Err(Fault::OutOfBounds);
        }
        let mut segments = Vec::with_capacity(points.len());
        let mut sum = Num::zero();
        for pair in points.windows(2).filter(|pair| pair[0].t_ns < pair[1].t_ns) {
            let (start, end) = (Num::whole(pair[0].t_ns), Num::whole(pair[1].t_ns));
            let from = Num::of(pair[0].rate);
            let to = if held { from } else { Num::of(pair[1].rate) };
            let length = end.minus(start);
            let slope = to.minus(from).over(length).dd();
            let (start, end) = (start.dd(), end.dd());
            segments.push(Segment { start, end, before: sum.dd(), from: from.dd(), slope });
            let half = Num::of(crate::exact::fraction(1, 2));
            sum = sum.plus(from.plus(to).times(half).times(length));
        }
        if points.iter().any(|point| Num::of(point.rate).is_negative()) {
            return Err(Fault::Negative);
        }
        let end = Num::whole(last.t_ns);
        let (start, before, from) = (end.dd(), sum.dd(), Num::of(last.rate).dd());
        segments.push(Segment { start, end: Dd::new(NEVER), before, from, slope: Dd::ZERO });
        Ok(Recorded::with(segments.into(), Clamp::default(), (end, sum)))
    }

    fn with(segments: Arc<[Segment]>, clamp: Clamp, whole: (Num, Num)) -> Recorded {
        let mut held: Vec<Segment> = Vec::with_capacity(segments.len());
        let mut before = Dd::ZERO;
        for segment in segments.iter() {
            let segment = if clamp.is_free() { *segment } else { Segment { before, ..*segment } };
            for part in clamp.parts(segment).all() {
                held.push(*part);
                before = part.area(part.end);
            }
        }
        let count = held.len();
        let mut ranges = vec![NO_RATES; count];
        ranges
            .extend(held.iter().map(|segment| rates_between(segment, segment.start, segment.end)));
        for i in (1..count).rev() {
            ranges[i] = join(ranges[2 * i], ranges[2 * i + 1]);
        }
        Recorded { segments, clamp, held, ranges, whole }
    }

    /// The last segment for which something holds that holds for the first ones.
    fn last(&self, holds: impl Fn(&Segment) -> bool) -> usize {
        self.held.partition_point(holds).saturating_sub(1)
    }
}

impl Track for Recorded {
    fn segment_at(&self, t: Dd) -> Segment {
        self.held[self.last(|segment| segment.start <= t)]
    }

    fn segment_before(&self, t: Dd) -> Segment {
        self.held[self.last(|segment| segment.start < t)]
    }

    fn segment_of(&self, area: Dd) -> Segment {
        self.held[self.last(|segment| segment.before < area)]
    }

    fn total(&self, t: Num) -> Num {
        let (end, area) = self.whole;
        if self.clamp.is_free() && t.order(end).is_ge() {
            let rest = self.held[self.held.len() - 1].from;
            let more = t.minus(end);
            return if more.is_zero() { area } else { area.plus(Num::about(rest).times(more)) };
        }
        if t.is_positive() { Num::about(self.segment_at(t.dd()).area(t.dd())) } else { Num::zero() }
    }

    fn bounds(&self, from: Dd, to: Dd) -> (Dd, Dd) {
        let to = to.max(from);
        let first = self.last(|segment| segment.start <= from);
        let last = self.last(|segment| segment.start < to).max(first);
        let (start, end) = (&self.held[first], &self.held[last]);
        let mut bounds = join(rates_between(start, from, to), rates_between(end, from, to));
        let count = self.held.len();
        let (mut left, mut right) = (first + 1 + count, last + count);
        while left < right {
            if left % 2 == 1 {
                bounds = join(bounds, self.ranges[left]);
                left += 1;
            }
            if right % 2 == 1 {
                right -= 1;
                bounds = join(bounds, self.ranges[right]);
            }
            left /= 2;
            right /= 2;
        }
        bounds
    }

    fn limits(&self) -> (Dd, Dd) {
        let all = self.held.len();
        self.ranges[all..].iter().copied().fold(NO_RATES, join)
    }

    fn held(&self, bound: Bound) -> Arc<dyn Track> {
        let clamp = self.clamp.held(bound);
        Arc::new(Recorded::with(Arc::clone(&self.segments), clamp, self.whole))
    }

    fn until(self: Arc<Self>, _length: Num) -> Result<Arc<dyn Track>, Fault> {
        Ok(self)
    }
}
