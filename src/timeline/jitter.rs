//! `jitter`: a factor for each second, drawn pair by pair.
//!
//! Of each two seconds the first has the factor 1 + e and the second the one that gives the pair the
//! jobs it would have had without: 1 − e·A/B, where A and B are the jobs of the two. e is uniform in
//! ±amount, less where the second of them holds fewer jobs, so that both factors stay within ±amount
//! of 1. So the count at the end of each pair is that of the body, and any instant is found without
//! what came before: a year takes no more room than a minute. Over a steady rate the factor of each
//! second is uniform, and pairs know nothing of each other.

use super::build::Fault;
use super::dd::Dd;
use super::hours::split;
use super::inverse::first_time;
use super::locate::{Side, slack};
use super::node::{Kind, Node, Range};
use super::num::Num;
use super::transform::scaled;
use crate::random::Key;

/// How many steps are looked at to find the highest rate; of more, its bound has to do.
const PEAK_STEPS: u64 = 20_000;
/// How many steps a jitter may be laid out to, where a cap or a floor needs that.
const MAX_STEPS: usize = 200_000;
/// Distance of neighbouring floats below 1 that have 53 bits after the point.
const FLOAT_STEP: f64 = 1.0 / (1_u64 << 53) as f64;

/// A body and its noise.
#[derive(Clone, Debug)]
pub struct Jitter {
    /// What is jittered.
    pub body: Node,
    /// How far from 1 a factor may be, at most 1.
    pub amount: f64,
    /// How long a factor holds, in nanoseconds.
    pub step: Num,
    key: Key,
}

/// Two steps and their factors.
struct Pair {
    middle: Dd,
    /// The body's count before it.
    before: Dd,
    /// The body's jobs in the first step.
    first: Dd,
    /// What the factors are off 1.
    off: (f64, f64),
}

impl Jitter {
    /// A body with factors that hold for `step` nanoseconds each.
    pub fn new(body: Node, amount: f64, step: Num, key: Key) -> Jitter {
        Jitter { body, amount, step, key }
    }

    /// The same noise around another body, in steps of another length.
    pub fn around(&self, body: Node, pace: Num) -> Jitter {
        Jitter { body, step: self.step.over(pace), ..self.clone() }
    }

    /// The rates that may occur, where those of the body are known.
    pub fn range(&self, body: Range) -> Range {
        let (low, high) = (Dd::new(1.0 - self.amount), Dd::new(1.0 + self.amount));
        if body.low > body.high {
            return body;
        }
        Range { low: body.low * low, high: body.high * high, jumps: body.jumps }
    }

    fn index(&self, x: Dd) -> u64 {
        (x / self.step.dd().scale_by_power(2.0)).floor_u64()
    }

    fn pair(&self, index: u64) -> Pair {
        let step = self.step.dd();
        let start = step.scale_by_power(2.0) * Dd::from_u64(index);
        let (middle, end) = (start + step, start + step + step);
        let count = |t: Dd| self.body.area(t, slack(t));
        let (before, half) = (count(start), count(middle));
        let (first, second) = ((half - before).hi.max(0.0), (count(end) - half).hi.max(0.0));
        let unit = ((self.key.word(index) >> 11) as f64 + 0.5) * FLOAT_STEP * 2.0 - 1.0;
        let room = if second < first { second / first } else { 1.0 };
        let off = unit * self.amount * room;
        let other = if second > 0.0 { -off * (first / second) } else { 0.0 };
        Pair { middle, before, first: half - before, off: (off, other) }
    }

    /// The count at a time.
    pub fn area(&self, x: Dd, slack: f64) -> Dd {
        let pair = self.pair(self.index(x));
        let inside = self.body.area(x, slack) - pair.before;
        let (first, second) = (Dd::new(1.0 + pair.off.0), Dd::new(1.0 + pair.off.1));
        if x < pair.middle {
            return pair.before + inside * first;
        }
        pair.before + pair.first * first + (inside - pair.first) * second
    }

    /// The rate at a time.
    pub fn rate(&self, x: Dd, slack: f64, side: Side) -> Dd {
        let at = if side == Side::Right { x + Dd::new(slack) } else { x - Dd::new(slack) };
        self.body.rate(x, slack, side) * Dd::new(1.0 + self.off(at.max(Dd::ZERO)))
    }

    fn off(&self, x: Dd) -> f64 {
        let pair = self.pair(self.index(x));
        if x < pair.middle { pair.off.0 } else { pair.off.1 }
    }

    /// Times between which the count first reaches a number: of the pair in which the body's does, and
    /// the one before.
    pub fn bracket(&self, count: Dd) -> (Dd, Dd) {
        let reached = self.body.spot_of(count).map(|spot| Dd::from_u64(first_time(&spot, count)));
        let end = || self.body.length.map_or(Dd::ZERO, |length| length.dd());
        let index = self.index(reached.unwrap_or_else(end));
        let two = self.step.dd().scale_by_power(2.0);
        (two * Dd::from_u64(index.saturating_sub(1)), two * Dd::from_u64(index + 1))
    }

    /// The end of the step that holds a time.
    pub fn next_border(&self, x: Dd) -> Dd {
        let step = self.step.dd();
        step * (Dd::new(1.0) + ((x + Dd::new(slack(x))) / step).floor())
    }

    /// The supremum of its rate, or for very many steps a bound of it.
    pub fn peak(&self, whole: Range) -> Dd {
        let steps = self.body.length.map(|length| length.dd() / self.step.dd());
        let few = steps.is_some_and(|steps| steps.hi < PEAK_STEPS as f64);
        let (Some(steps), true) = (steps, few) else { return whole.or_rest().high };
        let step = self.step.dd();
        let mut best = Dd::ZERO;
        for index in 0..steps.ceil_u64() {
            let from = step * Dd::from_u64(index);
            let to = from + step;
            let high = self.body.range_between(from, to, -slack(to)).high;
            best = best.max(high * Dd::new(1.0 + self.off(from + Dd::new(slack(from)))));
        }
        best
    }

    /// Step by step, each with its factor. Marks within are left out.
    pub fn laid_out(&self) -> Result<Node, Fault> {
        let length = self.body.length.ok_or(Fault::TooComplex)?;
        let (mut rest, mut at, mut steps) = (unmarked(self.body.clone()), Num::zero(), Vec::new());
        while at.order(length).is_lt() {
            if steps.len() == MAX_STEPS {
                return Err(Fault::TooComplex);
            }
            let now = at.dd() + Dd::new(slack(at.dd()));
            let factor = Num::about(Dd::new(1.0 + self.off(now)));
            let next = at.plus(self.step);
            if next.order(length).is_ge() {
                steps.push(scaled(rest, factor));
                break;
            }
            let (first, second) = split(rest, self.step)?;
            steps.push(scaled(first, factor));
            (rest, at) = (second, next);
        }
        Ok(Node::sequence(steps))
    }
}

/// A tree without its marks.
fn unmarked(node: Node) -> Node {
    match node.kind {
        Kind::Mark { body, .. } => unmarked(*body),
        Kind::Sequence(sequence) => {
            Node::sequence(sequence.items.into_iter().map(unmarked).collect())
        }
        Kind::Repeat { body, times } => Node::repeat(unmarked(*body), times),
        Kind::Together { flat: Some(flat), .. } => unmarked(*flat),
        Kind::Together { members, .. } => {
            Node::together(members.into_iter().map(unmarked).collect())
        }
        Kind::Jitter(jitter) => {
            let body = unmarked(jitter.body.clone());
            Node::jitter(jitter.around(body, Num::whole(1)))
        }
        Kind::Piece(_) | Kind::Jump => node,
    }
}
