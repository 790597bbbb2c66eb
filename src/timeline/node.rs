//! The compiled tree: as large as the script, however long it runs and however much it sends.

use super::dd::Dd;
use super::jitter::Jitter;
use super::num::Num;
use super::shape::Shape;

/// A part of a timeline. Its times are from its own start.
#[derive(Clone, Debug)]
pub struct Node {
    /// Nanoseconds; `None` is forever.
    pub length: Option<Num>,
    /// Jobs; `None` if it lasts forever.
    pub total: Option<Num>,
    /// What rates occur in it.
    pub range: Range,
    /// How many nodes it is made of.
    pub parts: usize,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of parts.
#[derive(Clone, Debug)]
pub enum Kind {
    /// One shape.
    Piece(Shape),
    /// All its jobs at one instant.
    Jump,
    /// One after another.
    Sequence(Sequence),
    /// The same so many times, or for ever.
    Repeat {
        /// What.
        body: Box<Node>,
        /// How often.
        times: Option<u64>,
    },
    /// The sum of its members, which start together.
    Together {
        /// The members.
        members: Vec<Node>,
        /// The sum as pieces, where a cap or a floor has changed it.
        flat: Option<Box<Node>>,
    },
    /// Noise around a body.
    Jitter(Box<Jitter>),
    /// A place to report.
    Mark {
        /// Its name.
        id: u32,
        /// What is there.
        body: Box<Node>,
    },
}

/// Parts one after another, with what comes before each.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// The parts.
    pub items: Vec<Node>,
    /// When each starts.
    pub starts: Vec<Dd>,
    /// Jobs before each.
    pub sums: Vec<Dd>,
    /// Ranges of the items from index `items.len()` on, joined in pairs towards index 1.
    pub ranges: Vec<Range>,
}

/// The rates that occur over some time of positive length, in jobs per nanosecond, and whether
/// there are jumps.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The lowest.
    pub low: Dd,
    /// The highest.
    pub high: Dd,
    /// Whether jobs fall due all at once somewhere.
    pub jumps: bool,
}

impl Range {
    /// Of nothing.
    pub const EMPTY: Range =
        Range { low: Dd::new(f64::INFINITY), high: Dd::new(f64::NEG_INFINITY), jumps: false };
    /// Of a rate of 0.
    pub const REST: Range = Range { low: Dd::ZERO, high: Dd::ZERO, jumps: false };

    /// Of both.
    pub fn join(self, other: Range) -> Range {
        Range {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            jumps: self.jumps || other.jumps,
        }
    }

    /// Of the sum of two.
    pub fn plus(self, other: Range) -> Range {
        Range {
            low: self.low + other.low,
            high: self.high + other.high,
            jumps: self.jumps || other.jumps,
        }
    }

    /// As it is, or of a rate of 0 if it is of nothing.
    pub fn or_rest(self) -> Range {
        let jumps = self.jumps;
        if self.low > self.high { Range { jumps, ..Range::REST } } else { self }
    }
}

impl Node {
    /// A shape over a length.
    pub fn piece(shape: Shape, length: Option<Num>) -> Node {
        let total = length.map(|length| shape.total(length).max(Num::zero()));
        let range = match length {
            Some(length) if !length.is_positive() => Range::EMPTY,
            _ => shape_range(&shape, length),
        };
        Node { length, total, range, parts: 1, kind: Kind::Piece(shape) }
    }

    /// Nothing, for no time.
    pub fn nothing() -> Node {
        Node::sequence(Vec::new())
    }

    /// Jobs at one instant.
    pub fn jump(jobs: Num) -> Node {
        let range = Range { jumps: jobs.is_positive(), ..Range::EMPTY };
        Node { length: Some(Num::zero()), total: Some(jobs), range, parts: 1, kind: Kind::Jump }
    }

    /// One after another; what follows one that lasts forever is never reached.
    pub fn sequence(mut items: Vec<Node>) -> Node {
        if let Some(endless) = items.iter().position(|item| item.length.is_none()) {
            items.truncate(endless + 1);
        }
        let count = items.len();
        let (mut starts, mut sums) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let (mut length, mut total) = (Some(Num::zero()), Some(Num::zero()));
        let mut ranges = vec![Range::EMPTY; 2 * count];
        for (i, item) in items.iter().enumerate() {
            starts.push(length.map_or(Dd::ZERO, Num::dd));
            sums.push(total.map_or(Dd::ZERO, Num::dd));
            length = length.zip(item.length).map(|(a, b)| a.plus(b));
            total = total.zip(item.total).map(|(a, b)| a.plus(b));
            ranges[count + i] = item.range;
        }
        for i in (1..count).rev() {
            ranges[i] = ranges[2 * i].join(ranges[2 * i + 1]);
        }
        let range = ranges.get(1).copied().unwrap_or(Range::EMPTY);
        let parts = 1 + items.iter().map(|item| item.parts).sum::<usize>();
        let kind = Kind::Sequence(Sequence { items, starts, sums, ranges });
        Node { length, total, range, parts, kind }
    }

    /// The same again and again.
    pub fn repeat(body: Node, times: Option<u64>) -> Node {
        if times == Some(0) {
            return Node::nothing();
        }
        if times == Some(1) || body.length.is_none() {
            return body;
        }
        let body = if times.is_none() { grouped(body) } else { body };
        let whole = |one: Option<Num>| Some(one?.times(Num::whole(times?)));
        let (length, total) = (whole(body.length), whole(body.total));
        Node {
            length,
            total,
            range: body.range,
            parts: 1 + body.parts,
            kind: Kind::Repeat { body: Box::new(body), times },
        }
    }

    /// The sum.
    pub fn together(members: Vec<Node>) -> Node {
        let total =
            members.iter().try_fold(Num::zero(), |sum, member| Some(sum.plus(member.total?)));
        let length = members
            .iter()
            .try_fold(Num::zero(), |longest, member| Some(longest.max(member.length?)));
        let padded = |member: &Node| {
            let ends_early = match (member.length, length) {
                (Some(own), Some(whole)) => own.order(whole).is_lt(),
                (own, _) => own.is_some(),
            };
            let range = member.range.or_rest();
            if ends_early { range.join(Range::REST) } else { range }
        };
        let range = members.iter().map(padded).fold(Range::REST, Range::plus);
        let range = match length {
            Some(length) if !length.is_positive() => Range { jumps: range.jumps, ..Range::EMPTY },
            _ => range,
        };
        let parts = 1 + members.iter().map(|member| member.parts).sum::<usize>();
        Node { length, total, range, parts, kind: Kind::Together { members, flat: None } }
    }

    /// Noise, which holds as many jobs as its body.
    pub fn jitter(jitter: Jitter) -> Node {
        let (length, total, range) =
            (jitter.body.length, jitter.body.total, jitter.range(jitter.body.range));
        let parts = 1 + jitter.body.parts;
        Node { length, total, range, parts, kind: Kind::Jitter(Box::new(jitter)) }
    }

    /// A marked part.
    pub fn mark(id: u32, body: Node) -> Node {
        let (length, total, range) = (body.length, body.total, body.range);
        let parts = 1 + body.parts;
        Node { length, total, range, parts, kind: Kind::Mark { id, body: Box::new(body) } }
    }

    /// Whether x is at or past the end.
    #[inline]
    pub fn is_over(&self, x: Dd) -> bool {
        self.length.as_ref().is_some_and(|length| x >= length.dd())
    }

    /// Whether it takes any time.
    pub fn lasts(&self) -> bool {
        self.length.is_none_or(Num::is_positive)
    }
}

/// Several passes as one, if a pass is shorter than a nanosecond: so that passes can be counted for
/// as long as nanoseconds can.
fn grouped(body: Node) -> Node {
    const PASSES: u64 = 1 << 40;
    let short = |length: Num| (1e-200..1.0).contains(&length.dd().hi);
    if body.length.is_some_and(short) {
        return grouped(Node::repeat(body, Some(PASSES)));
    }
    body
}

fn shape_range(shape: &Shape, length: Option<Num>) -> Range {
    let (low, high) = match (length, shape) {
        (Some(length), _) => shape.bounds(Dd::ZERO, length.dd()),
        (None, Shape::Sine(sine)) => {
            let height = sine.amp.dd().abs();
            (sine.base.dd() - height, sine.base.dd() + height)
        }
        (None, Shape::Course(course)) => course.limits(),
        (None, _) => (shape.rate(Dd::ZERO), shape.rate(Dd::ZERO)),
    };
    Range { low, high, jumps: false }
}
