//! From the curve as data to the tree.

use super::curve::Curve;
use super::drawn::draws;
use super::level::{Bound, Effort, bounded};
use super::node::Node;
use super::num::Num;
use super::shape::{Exponential, Line, Shape, Sine, Way};
use super::transform::{cut, scaled, sped};
use crate::ast::RampCurve;
use crate::exact::{self, Exact, NANOS_PER_SECOND, whole};

/// The longest timeline, in nanoseconds: what fits a `u64`, less the last value.
const MAX_NANOS: f64 = 18_446_744_073_709_549_568.0;
/// The most jobs of one timeline: 2⁶².
const MAX_JOBS: f64 = 4_611_686_018_427_387_904.0;
/// The highest rate in jobs per nanosecond.
const MAX_RATE: f64 = 1e12;
/// How deep blocks may stand in one another.
const MAX_DEPTH: usize = 128;
/// How many parts a timeline may have.
pub const MAX_PARTS: usize = 500_000;

/// Why a curve has no timeline. `mark` is the nearest marked part around the fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CurveError {
    /// Longer than 584 years, more than 2⁶² jobs, or a rate above 10²¹ per second.
    #[error("too long or too many jobs to count")]
    Overflow {
        /// Where.
        mark: Option<u32>,
    },
    /// Blocks nested too deep, a cap or floor over a sum that never comes round, or too many steps
    /// of something drawn.
    #[error("too many parts")]
    TooComplex {
        /// Where.
        mark: Option<u32>,
    },
    /// `total` of something that holds no job at all.
    #[error("there is nothing to scale: no job falls due here")]
    EmptyTotal {
        /// Where.
        mark: Option<u32>,
    },
    /// `total` of something without an end.
    #[error("what lasts forever has no total")]
    TotalForever {
        /// Where.
        mark: Option<u32>,
    },
    /// An end of an exponential, a period or a speed that is not above 0.
    #[error("must be above 0")]
    NotPositive {
        /// Where.
        mark: Option<u32>,
    },
    /// A rate, a length or a factor below 0.
    #[error("must not be below 0")]
    Negative {
        /// Where.
        mark: Option<u32>,
    },
    /// A repetition for ever of something that takes no time.
    #[error("repeats forever what takes no time")]
    NoLength {
        /// Where.
        mark: Option<u32>,
    },
    /// A range whose ends are the wrong way round, or a walk that starts outside of its range.
    #[error("outside of its bounds")]
    OutOfBounds {
        /// Where.
        mark: Option<u32>,
    },
    /// Jobs at one instant, which no cap can hold.
    #[error("jobs that fall due at one instant cannot be capped")]
    CappedJump {
        /// Where.
        mark: Option<u32>,
    },
}

/// A fault before it is known where.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    Overflow,
    TooComplex,
    EmptyTotal,
    TotalForever,
    NotPositive,
    Negative,
    NoLength,
    OutOfBounds,
    CappedJump,
}

impl Fault {
    fn at(self, mark: Option<u32>) -> CurveError {
        match self {
            Fault::Overflow => CurveError::Overflow { mark },
            Fault::TooComplex => CurveError::TooComplex { mark },
            Fault::EmptyTotal => CurveError::EmptyTotal { mark },
            Fault::TotalForever => CurveError::TotalForever { mark },
            Fault::NotPositive => CurveError::NotPositive { mark },
            Fault::Negative => CurveError::Negative { mark },
            Fault::NoLength => CurveError::NoLength { mark },
            Fault::OutOfBounds => CurveError::OutOfBounds { mark },
            Fault::CappedJump => CurveError::CappedJump { mark },
        }
    }
}

/// Builds the tree, and lists every mark of the curve on the way, reached or not.
#[derive(Default)]
pub struct Builder {
    /// The marks met, in the order of the curve.
    pub marks: Vec<u32>,
    /// Those around what is in hand.
    pub(super) around: Vec<u32>,
    pub(super) parts: usize,
    effort: Effort,
    /// The passes of the repetitions around that draw anew in each.
    pub passes: Vec<u64>,
    /// Steps taken by what is drawn.
    pub steps: u64,
}

/// A node, or why there is none.
pub type Built = Result<Node, CurveError>;

impl Builder {
    /// The tree of a whole curve.
    pub fn build(&mut self, curve: &Curve) -> Built {
        let node = self.node(curve, 0)?;
        self.counted(node)
    }

    /// A fault with its place.
    pub fn fail(&self, fault: Fault) -> CurveError {
        fault.at(self.around.last().copied())
    }

    /// A node, if its length and count can be.
    pub(super) fn counted(&self, node: Node) -> Built {
        let short = node.length.is_none_or(|length| length.dd().hi <= MAX_NANOS);
        let few = node.total.is_none_or(|total| total.dd().hi <= MAX_JOBS);
        let range = node.range;
        let slow = range.low > range.high || range.high.hi <= MAX_RATE;
        if node.parts > MAX_PARTS {
            return Err(self.fail(Fault::TooComplex));
        }
        if short && few && slow { Ok(node) } else { Err(self.fail(Fault::Overflow)) }
    }

    /// The tree of a part.
    pub fn node(&mut self, curve: &Curve, depth: usize) -> Built {
        self.parts += 1;
        if depth > MAX_DEPTH || self.parts > MAX_PARTS {
            return Err(self.fail(Fault::TooComplex));
        }
        let node = self.part(curve, depth)?;
        self.counted(node)
    }

    /// The tree of a part by its kind. What an arm needs is in a function of its own: all of it would
    /// be part of every level's stack.
    fn part(&mut self, curve: &Curve, depth: usize) -> Built {
        match curve {
            Curve::Sequence(items) => self.nodes(items, depth).map(Node::sequence),
            Curve::Together(members) => self.nodes(members, depth).map(Node::together),
            Curve::Mark { id, body } => self.marked(*id, body, depth),
            Curve::Constant { .. }
            | Curve::Ramp { .. }
            | Curve::Sine { .. }
            | Curve::AtOnce { .. }
            | Curve::Walk { .. }
            | Curve::Chaos { .. }
            | Curve::Replay { .. }
            | Curve::Moments { .. } => self.leaf(curve),
            Curve::Arrivals { body, .. } => self.node(body, depth + 1),
            Curve::Hours { steps, body } => self.hours(steps, body, depth + 1),
            Curve::Repeat { times, body } if draws(body) => self.drawn_repeat(*times, body, depth),
            Curve::Repeat { body, .. }
            | Curve::Scale { body, .. }
            | Curve::Speed { body, .. }
            | Curve::Cap { body, .. }
            | Curve::Floor { body, .. }
            | Curve::Total { body, .. }
            | Curve::Jitter { body, .. }
            | Curve::Cut { body, .. } => self.around(curve, body, depth),
        }
    }

    fn marked(&mut self, id: u32, body: &Curve, depth: usize) -> Built {
        self.marks.push(id);
        self.around.push(id);
        let body = self.node(body, depth + 1)?;
        self.around.pop();
        Ok(Node::mark(id, body))
    }

    fn around(&mut self, block: &Curve, body: &Curve, depth: usize) -> Built {
        let body = self.node(body, depth + 1)?;
        self.changed(block, body)
    }

    fn nodes(&mut self, curves: &[Curve], depth: usize) -> Result<Vec<Node>, CurveError> {
        // A loop and not `collect`, whose frames would be part of every level's stack.
        let mut nodes = Vec::with_capacity(curves.len());
        for curve in curves {
            nodes.push(self.node(curve, depth + 1)?);
        }
        Ok(nodes)
    }

    /// What a block makes of its body.
    fn changed(&mut self, block: &Curve, body: Node) -> Built {
        match block {
            Curve::Repeat { times: None, .. } if !body.lasts() => Err(self.fail(Fault::NoLength)),
            Curve::Repeat { times, .. } => Ok(Node::repeat(body, *times)),
            Curve::Scale { factor, .. } => Ok(scaled(body, self.at_least_zero(factor)?)),
            Curve::Speed { factor, .. } => Ok(sped(body, self.above_zero(factor)?)),
            Curve::Cap { rate, .. } => self.held(body, Bound::AtMost(self.rate(rate)?)),
            Curve::Floor { rate, .. } => self.held(body, Bound::AtLeast(self.rate(rate)?)),
            Curve::Total { jobs, .. } => self.total(*jobs, body),
            Curve::Jitter { amount, key, .. } => Ok(self.jittered(body, amount, *key)),
            Curve::Cut { length, .. } => {
                cut(body, self.length(length)?).map_err(|fault| self.fail(fault))
            }
            _ => Ok(body),
        }
    }

    pub(super) fn held(&mut self, body: Node, bound: Bound) -> Built {
        bounded(body, bound, &mut self.effort).map_err(|fault| self.fail(fault))
    }

    fn leaf(&mut self, curve: &Curve) -> Built {
        match curve {
            Curve::Constant { rate, length } => {
                let length = length.as_ref().map(|length| self.length(length)).transpose()?;
                Ok(Node::piece(Shape::constant(self.rate(rate)?), length))
            }
            Curve::Ramp { from, to, over, curve, mirrored } => {
                let (from, to) = (self.rate(from)?, self.rate(to)?);
                self.ramp(from, to, self.length(over)?, *curve, *mirrored)
            }
            Curve::Sine { base, amp, period, phase, length } => {
                let length = length.as_ref().map(|length| self.length(length)).transpose()?;
                let (base, amp) = (per_nano(base), per_nano(amp));
                let period = self.above_zero(period)?.times(nanos());
                self.sine(Sine::new(base, amp, period, Num::of(*phase)), length)
            }
            Curve::AtOnce { jobs } => Ok(Node::jump(Num::whole(*jobs))),
            drawn => self.drawn(drawn),
        }
    }

    fn ramp(&self, from: Num, to: Num, over: Num, curve: RampCurve, mirrored: bool) -> Built {
        if curve == RampCurve::Exponential && !(from.is_positive() && to.is_positive()) {
            return Err(self.fail(Fault::NotPositive));
        }
        if !over.is_positive() {
            return Ok(Node::piece(Shape::constant(from), Some(over)));
        }
        let way = Way { from, to, over, offset: Num::zero(), mirrored };
        // But for the logarithm, the way back is the way from the other end.
        let (a, b) = if mirrored { (to, from) } else { (from, to) };
        let shape = match curve {
            _ if from.order(to).is_eq() => Shape::constant(from),
            RampCurve::Linear => Shape::Line(Line { from: a, slope: b.minus(a).over(over) }),
            RampCurve::Smooth => Shape::Smooth(Way { from: a, to: b, mirrored: false, ..way }),
            RampCurve::Exponential => Shape::Exponential(Exponential::between(a, b, over)),
            RampCurve::Logarithmic => Shape::Logarithmic(way),
        };
        Ok(Node::piece(shape, Some(over)))
    }

    fn sine(&mut self, sine: Sine, length: Option<Num>) -> Built {
        let sizes = [sine.base.dd(), sine.amp.dd(), sine.period.dd()];
        if sizes.iter().any(|size| size.hi.abs() > 1e30) {
            return Err(self.fail(Fault::Overflow));
        }
        if sine.amp.is_zero() {
            return Ok(Node::piece(Shape::constant(sine.base.max(Num::zero())), length));
        }
        let dips =
            sine.base.minus(sine.amp).is_negative() || sine.base.plus(sine.amp).is_negative();
        let node = Node::piece(Shape::Sine(Box::new(sine)), length);
        if !dips {
            return Ok(node);
        }
        self.held(node, Bound::AtLeast(Num::zero()))
    }

    /// Scales to so many jobs.
    pub(super) fn total(&self, jobs: u64, body: Node) -> Built {
        let Some(total) = body.total else { return Err(self.fail(Fault::TotalForever)) };
        if !total.is_positive() || total.dd().hi < f64::MIN_POSITIVE {
            return Err(self.fail(Fault::EmptyTotal));
        }
        Ok(scaled(body, Num::whole(jobs).over(total)))
    }

    /// A rate in jobs per nanosecond.
    pub fn rate(&self, value: &Exact) -> Result<Num, CurveError> {
        if *value.numer() < 0 {
            return Err(self.fail(Fault::Negative));
        }
        Ok(per_nano(value))
    }

    /// A length in nanoseconds.
    pub fn length(&self, value: &Exact) -> Result<Num, CurveError> {
        if *value.numer() < 0 {
            return Err(self.fail(Fault::Negative));
        }
        let exact = Num::step(value, &whole(NANOS_PER_SECOND), exact::times);
        let length = exact.map_or_else(|| Num::of(*value).times(nanos()), Num::of);
        if length.dd().hi <= MAX_NANOS { Ok(length) } else { Err(self.fail(Fault::Overflow)) }
    }

    pub(super) fn at_least_zero(&self, value: &Exact) -> Result<Num, CurveError> {
        let value = Num::of(*value);
        if value.is_negative() { Err(self.fail(Fault::Negative)) } else { Ok(value) }
    }

    /// A number that must be above 0.
    pub fn above_zero(&self, value: &Exact) -> Result<Num, CurveError> {
        let value = Num::of(*value);
        if value.is_positive() { Ok(value) } else { Err(self.fail(Fault::NotPositive)) }
    }
}

fn nanos() -> Num {
    Num::of(whole(NANOS_PER_SECOND))
}

/// Jobs per second as jobs per nanosecond.
fn per_nano(rate: &Exact) -> Num {
    let exact = Num::step(rate, &whole(NANOS_PER_SECOND), exact::over);
    exact.map_or_else(|| Num::of(*rate).over(nanos()), Num::of)
}
