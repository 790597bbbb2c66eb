//! A rate without a closed form. One that is recorded is a table of segments (`recorded.rs`). For one
//! that is made step by step, a `walk` or a `chaos`, a bounded table of checkpoints stands, and what
//! lies between two of them is made again when asked for.
//!
//! ```text
//! Steps (what one step is) → Stepped (table and look-up) → Track → Course (scaled, sped up, moved)
//! ```

mod chaos;
mod clamp;
mod recorded;
mod stepped;
mod walk;

use super::build::Fault;
use super::dd::Dd;
use super::level::Bound;
use super::locate::Side;
use super::node::{Kind, Node};
use super::num::Num;
use super::shape::{Line, Shape};
use super::transform::map_leaves;
use std::fmt::Debug;
use std::sync::Arc;

pub use chaos::Chaos;
pub use recorded::Recorded;
pub use stepped::{MAX_STEPS, Parts, Stepped, Steps};
pub use walk::Walk;

/// How many straight segments the courses of a capped sum may come to.
const MAX_SEGMENTS: usize = 200_000;

/// A straight part of a track. Times are in nanoseconds and rates in jobs per second, so that areas
/// are in jobs times 10⁹.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// When it starts.
    pub start: Dd,
    /// When it ends.
    pub end: Dd,
    /// The area before it.
    pub before: Dd,
    /// The rate at its start.
    pub from: Dd,
    /// The change of rate in a nanosecond.
    pub slope: Dd,
}

impl Segment {
    /// The rate at a time within.
    pub fn rate(&self, t: Dd) -> Dd {
        if self.slope.hi == 0.0 {
            return self.from;
        }
        self.from + self.slope * (t - self.start)
    }

    /// The area from the track's start to a time within.
    pub fn area(&self, t: Dd) -> Dd {
        let x = t - self.start;
        if self.slope.hi == 0.0 {
            return self.before + self.from * x;
        }
        self.before + x * (self.from + self.slope.scale_by_power(0.5) * x)
    }
}

/// A seeded or recorded rate as a pure function of time.
pub trait Track: Debug + Send + Sync {
    /// The segment that holds a time, the later one at a border.
    fn segment_at(&self, t: Dd) -> Segment;

    /// The segment that ends just before a time or holds it.
    fn segment_before(&self, t: Dd) -> Segment;

    /// The first segment at whose end the area has reached `area`.
    fn segment_of(&self, area: Dd) -> Segment;

    /// The area from the start to a time, exact where it is rational and small enough.
    fn total(&self, t: Num) -> Num;

    /// The lowest and highest rate between two times, of which the later one is left out.
    fn bounds(&self, from: Dd, to: Dd) -> (Dd, Dd);

    /// The lowest and highest rate that may ever occur.
    fn limits(&self) -> (Dd, Dd);

    /// The same, every rate held by a bound.
    fn held(&self, bound: Bound) -> Arc<dyn Track>;

    /// The same, of which no more than so long is asked for.
    fn until(self: Arc<Self>, length: Num) -> Result<Arc<dyn Track>, Fault>;
}

/// A track as a shape: `factor · track(offset + pace·x)`.
#[derive(Clone, Debug)]
pub struct Course {
    track: Arc<dyn Track>,
    factor: Num,
    pace: Num,
    offset: Num,
    /// The track's area before the offset.
    skipped: Num,
    /// `factor/pace`
    gain: Num,
}

impl Course {
    /// A track from its start, in jobs per nanosecond.
    pub fn new(track: Arc<dyn Track>) -> Course {
        let factor = Num::of(crate::exact::fraction(1, crate::exact::NANOS_PER_SECOND));
        let (pace, zero) = (Num::whole(1), Num::zero());
        Course { track, factor, pace, offset: zero, skipped: zero, gain: factor }
    }

    /// The track's time at x.
    fn inner(&self, x: Dd) -> Dd {
        self.offset.dd() + self.pace.dd() * x
    }

    fn outer(&self, t: Dd) -> Dd {
        (t - self.offset.dd()) / self.pace.dd()
    }

    /// The rate from the right or the left, where times closer than `slack` are the same.
    pub fn rate(&self, x: Dd, slack: f64, side: Side) -> Dd {
        let t = self.inner(x);
        let segment = match side {
            Side::Right => self.track.segment_at(self.inner(x + Dd::new(slack))),
            Side::Left => self.track.segment_before(self.inner(x - Dd::new(slack))),
        };
        self.factor.dd() * segment.rate(t.max(segment.start).min(segment.end))
    }

    /// The integral of the rate from 0 to x.
    pub fn area(&self, x: Dd) -> Dd {
        let t = self.inner(x);
        (self.track.segment_at(t).area(t) - self.skipped.dd()) * self.gain.dd()
    }

    /// Integral and rate at x in plain precision.
    pub fn aim(&self, x: f64) -> (f64, f64) {
        let t = self.inner(Dd::new(x));
        let segment = self.track.segment_at(t);
        let area = (segment.area(t) - self.skipped.dd()) * self.gain.dd();
        (area.hi, (self.factor.dd() * segment.rate(t)).hi)
    }

    /// The integral from 0 to a length.
    pub fn total(&self, length: Num) -> Num {
        let end = self.offset.plus(self.pace.times(length));
        self.track.total(end).minus(self.skipped).times(self.gain)
    }

    /// The lowest and highest rate between two times, the later one left out.
    pub fn bounds(&self, from: Dd, to: Dd) -> (Dd, Dd) {
        let (low, high) = self.track.bounds(self.inner(from), self.inner(to));
        (low * self.factor.dd(), high * self.factor.dd())
    }

    /// The lowest and highest rate that may ever occur.
    pub fn limits(&self) -> (Dd, Dd) {
        let (low, high) = self.track.limits();
        (low * self.factor.dd(), high * self.factor.dd())
    }

    /// Every rate times a factor above 0.
    pub fn scaled(&self, factor: Num) -> Course {
        Course { factor: self.factor.times(factor), gain: self.gain.times(factor), ..self.clone() }
    }

    /// The same rates in 1/factor of the time.
    pub fn sped(&self, factor: Num) -> Course {
        Course { pace: self.pace.times(factor), gain: self.gain.over(factor), ..self.clone() }
    }

    /// The course from a time on.
    pub fn after(&self, x: Num) -> Course {
        let offset = self.offset.plus(self.pace.times(x));
        Course { offset, skipped: self.track.total(offset), ..self.clone() }
    }

    /// The course with every rate held by a bound.
    pub fn held(&self, bound: Bound) -> Course {
        let level = |level: Num| level.over(self.factor);
        let bound = match bound {
            Bound::AtMost(rate) => Bound::AtMost(level(rate)),
            Bound::AtLeast(rate) => Bound::AtLeast(level(rate)),
        };
        let track = self.track.held(bound);
        Course { skipped: track.total(self.offset), track, ..self.clone() }
    }

    /// The course for a length.
    pub fn until(&self, length: Num) -> Result<Course, Fault> {
        let end = self.offset.plus(self.pace.times(length));
        Ok(Course { track: Arc::clone(&self.track).until(end)?, ..self.clone() })
    }

    /// The end of the segment that holds x.
    pub fn next_border(&self, x: Dd) -> Dd {
        self.outer(self.track.segment_at(self.inner(x)).end)
    }

    /// Where, and after how many jobs, the segment begins in which the integral reaches `count`,
    /// and that segment.
    pub fn segment_of(&self, count: Dd) -> (Dd, Dd, Node) {
        let area = count / self.gain.dd() + self.skipped.dd();
        let segment = self.track.segment_of(area);
        let start = segment.start.max(self.offset.dd());
        let before = (segment.area(start) - self.skipped.dd()) * self.gain.dd();
        let length = Num::about((segment.end - start) / self.pace.dd());
        (self.outer(start), before, self.node(&segment, start, Some(length)))
    }

    /// The straight segments from 0 to a length, of which there may be no more than `most`.
    pub fn unfolded(&self, length: Num, most: usize) -> Result<Vec<Node>, Fault> {
        let mut nodes = Vec::new();
        let (mut x, end) = (Num::zero(), length.dd());
        while x.order(length).is_lt() {
            if nodes.len() >= most {
                return Err(Fault::TooComplex);
            }
            let t = self.inner(x.dd());
            let segment = self.track.segment_at(t + Dd::new(super::locate::slack(t)));
            let border = self.outer(segment.end);
            let next = if border < end { Num::about(border) } else { length };
            nodes.push(self.node(&segment, t.max(segment.start), Some(next.minus(x))));
            x = next;
        }
        Ok(nodes)
    }

    fn node(&self, segment: &Segment, start: Dd, length: Option<Num>) -> Node {
        let factor = self.factor.dd();
        let from = Num::about(segment.rate(start) * factor);
        let slope = Num::about(segment.slope * factor * self.pace.dd());
        Node::piece(Shape::Line(Line { from, slope }), length)
    }
}

/// A tree with its courses as sequences of straight segments; `None` if there are none in it.
///
/// # Errors
///
/// `TooComplex` if there are more than [`MAX_SEGMENTS`], or a course without end.
pub fn unfolded(node: &Node) -> Result<Option<Node>, Fault> {
    if !has_course(node) {
        return Ok(None);
    }
    let node = &without_jitter(node.clone())?;
    let mut left = MAX_SEGMENTS;
    let mut piece = |shape: Shape, length: Option<Num>| {
        let Shape::Course(course) = &shape else { return Ok(Node::piece(shape, length)) };
        let segments = course.unfolded(length.ok_or(Fault::TooComplex)?, left)?;
        left -= segments.len();
        Ok(Node::sequence(segments))
    };
    map_leaves(node.clone(), Num::whole(1), &mut piece, &mut |jobs| Ok(Node::jump(jobs))).map(Some)
}

/// A tree in which what is jittered is laid out step by step.
fn without_jitter(node: Node) -> Result<Node, Fault> {
    Ok(match node.kind {
        Kind::Jitter(jitter) => without_jitter(jitter.laid_out()?)?,
        Kind::Sequence(sequence) => {
            let items = sequence.items.into_iter().map(without_jitter);
            Node::sequence(items.collect::<Result<_, _>>()?)
        }
        Kind::Repeat { body, times } => Node::repeat(without_jitter(*body)?, times),
        Kind::Mark { id, body } => Node::mark(id, without_jitter(*body)?),
        Kind::Together { flat: Some(flat), .. } => without_jitter(*flat)?,
        Kind::Together { members, .. } => {
            let members = members.into_iter().map(without_jitter);
            Node::together(members.collect::<Result<_, _>>()?)
        }
        Kind::Piece(_) | Kind::Jump => node,
    })
}

fn has_course(node: &Node) -> bool {
    match &node.kind {
        Kind::Piece(shape) => matches!(shape, Shape::Course(_)),
        Kind::Jump => false,
        Kind::Jitter(_) => true,
        Kind::Sequence(sequence) => sequence.items.iter().any(has_course),
        Kind::Repeat { body, .. } | Kind::Mark { body, .. } => has_course(body),
        Kind::Together { flat: Some(flat), .. } => has_course(flat),
        Kind::Together { members, .. } => members.iter().any(has_course),
    }
}
