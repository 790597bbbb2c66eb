//! Cap and floor: a level that the rates are held below or above.

use super::build::Fault;
use super::course::unfolded;
use super::dd::Dd;
use super::flatten::flattened;
use super::node::{Kind, Node, Range};
use super::num::Num;
use super::shape::{Line, Shape};
use super::transform::{cut_repeat, with_flat};

/// Rates within this of each other, relative, are the same: what rounding may have parted.
const RATE_TOLERANCE: f64 = 1e-28;
/// An interval this short against the whole holds no crossing, at most a touch.
const NARROWEST: f64 = 1.0 / (1u64 << 44) as f64;

/// How many stretches of curves may be looked at while a timeline is compiled.
const MOST_EFFORT: usize = 1_000_000;

/// What is left of the work that caps and floors may cost.
pub struct Effort {
    left: usize,
}

impl Default for Effort {
    fn default() -> Effort {
        Effort { left: MOST_EFFORT }
    }
}

impl Effort {
    /// Takes some, if there is.
    pub fn spend(&mut self, amount: usize) -> Result<(), Fault> {
        self.left = self.left.checked_sub(amount).ok_or(Fault::TooComplex)?;
        Ok(())
    }
}

/// Which side of a level is kept.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// A cap.
    AtMost(Num),
    /// A floor.
    AtLeast(Num),
}

impl Bound {
    fn level(self) -> Num {
        match self {
            Bound::AtMost(level) | Bound::AtLeast(level) => level,
        }
    }

    fn tolerance(self, low: Dd, high: Dd) -> Dd {
        let size = self.level().dd().hi.abs().max(low.hi.abs()).max(high.hi.abs());
        Dd::new(size * RATE_TOLERANCE)
    }

    /// Whether all rates of a range are as they may be.
    fn allows(self, low: Dd, high: Dd) -> bool {
        let (level, tolerance) = (self.level().dd(), self.tolerance(low, high));
        match self {
            Bound::AtMost(_) => high <= level + tolerance,
            Bound::AtLeast(_) => low >= level - tolerance,
        }
    }

    /// Whether none is.
    fn forbids(self, low: Dd, high: Dd) -> bool {
        let (level, tolerance) = (self.level().dd(), self.tolerance(low, high));
        match self {
            Bound::AtMost(_) => low >= level - tolerance,
            Bound::AtLeast(_) => high <= level + tolerance,
        }
    }
}

/// A tree with every rate held by a bound.
pub fn bounded(node: Node, bound: Bound, effort: &mut Effort) -> Result<Node, Fault> {
    let Range { low, high, jumps } = node.range;
    if jumps && matches!(bound, Bound::AtMost(_)) {
        return Err(Fault::CappedJump);
    }
    if low > high || bound.allows(low, high) {
        return Ok(node);
    }
    let length = node.length;
    Ok(match node.kind {
        Kind::Piece(shape) => bounded_piece(shape, length, bound, effort)?,
        Kind::Jump => node,
        Kind::Sequence(sequence) => {
            let items = sequence.items.into_iter().map(|item| bounded(item, bound, effort));
            Node::sequence(items.collect::<Result<_, _>>()?)
        }
        Kind::Repeat { body, times } => Node::repeat(bounded(*body, bound, effort)?, times),
        Kind::Mark { id, body } => Node::mark(id, bounded(*body, bound, effort)?),
        Kind::Jitter(jitter) => {
            let laid_out = jitter.laid_out()?;
            let sum = Node::together(vec![Node::jitter(*jitter)]);
            with_flat(sum, bounded(laid_out, bound, effort)?)
        }
        Kind::Together { members, flat: Some(flat) } => {
            with_flat(Node::together(members), bounded(*flat, bound, effort)?)
        }
        Kind::Together { .. } => {
            let flat = flattened_unfolded(&node, bound, effort)?;
            with_flat(node, flat)
        }
    })
}

/// A sum as pieces, courses and all.
fn flattened_unfolded(node: &Node, bound: Bound, effort: &mut Effort) -> Result<Node, Fault> {
    match unfolded(node)? {
        Some(unfolded) => flattened(&unfolded, bound, effort),
        None => flattened(node, bound, effort),
    }
}

/// One piece, held by a bound: pieces of the shape and of the level in turn.
pub fn bounded_piece(
    shape: Shape,
    length: Option<Num>,
    bound: Bound,
    effort: &mut Effort,
) -> Result<Node, Fault> {
    let Range { low, high, .. } = Node::piece(shape.clone(), length).range;
    if low > high || bound.allows(low, high) {
        return Ok(Node::piece(shape, length));
    }
    if bound.forbids(low, high) {
        return Ok(Node::piece(Shape::constant(bound.level()), length));
    }
    match (&shape, length) {
        (Shape::Course(course), length) => {
            Ok(Node::piece(Shape::Course(Box::new(course.held(bound))), length))
        }
        (Shape::Sine(sine), length) if length.is_none_or(|l| l.order(sine.period).is_gt()) => {
            let wave = bounded_stretch(&shape, sine.period, bound, effort)?;
            match length {
                Some(length) => cut_repeat(wave, None, length),
                None => Ok(Node::repeat(wave, None)),
            }
        }
        (Shape::Line(line), Some(length)) => Ok(bounded_line(*line, length, bound)),
        (_, Some(length)) => bounded_stretch(&shape, length, bound, effort),
        (_, None) => Err(Fault::TooComplex),
    }
}

/// A straight line that crosses the level once, at an exact place.
fn bounded_line(line: Line, length: Num, bound: Bound) -> Node {
    let crossing = bound.level().minus(line.from).over(line.slope);
    let crossing = crossing.max(Num::zero()).min(length);
    let shape = Shape::Line(line);
    let held = Shape::constant(bound.level());
    let rest = length.minus(crossing);
    let rises = line.slope.is_positive();
    let starts_free = rises == matches!(bound, Bound::AtMost(_));
    let (first, last) = if starts_free {
        (shape, held)
    } else {
        // The free part starts on the level exactly.
        let free = Shape::Line(Line { from: bound.level(), slope: line.slope });
        (held, free)
    };
    Node::sequence(vec![Node::piece(first, Some(crossing)), Node::piece(last, Some(rest))])
}

/// Any shape over a length, cut where it crosses the level.
fn bounded_stretch(
    shape: &Shape,
    length: Num,
    bound: Bound,
    effort: &mut Effort,
) -> Result<Node, Fault> {
    let mut stretches = Stretches { shape, bound, effort, found: Vec::new() };
    stretches.find(Dd::ZERO, length.dd(), length.dd().hi * NARROWEST)?;
    let last = stretches.found.len().saturating_sub(1);
    let mut parts: Vec<Node> = Vec::new();
    let mut start = Num::zero();
    for (i, (end, free)) in stretches.found.into_iter().enumerate() {
        let end = if i == last { length } else { Num::about(end) };
        let part = end.minus(start);
        if part.is_positive() {
            let shape = if free { shape.after(start) } else { Shape::constant(bound.level()) };
            parts.push(Node::piece(shape, Some(part)));
            start = end;
        }
    }
    Ok(Node::sequence(parts))
}

/// The stretches in which a shape is free, or held at the level, in turn.
struct Stretches<'a> {
    shape: &'a Shape,
    bound: Bound,
    effort: &'a mut Effort,
    /// The end of each, and whether it is free.
    found: Vec<(Dd, bool)>,
}

impl Stretches<'_> {
    /// An interval is done with when the rates in it are all on one side, or when they only rise
    /// or only fall; else it is halved.
    fn find(&mut self, from: Dd, to: Dd, narrowest: f64) -> Result<(), Fault> {
        self.effort.spend(1)?;
        let (low, high) = self.shape.bounds(from, to);
        if self.bound.allows(low, high) {
            self.add(to, true);
            return Ok(());
        }
        if self.bound.forbids(low, high) {
            self.add(to, false);
            return Ok(());
        }
        let middle = (from + to).scale_by_power(0.5);
        if (to - from).hi <= narrowest {
            self.add(to, self.is_free_at(middle));
            return Ok(());
        }
        let (least, most) = self.shape.slope_bounds(from, to);
        if least > 0.0 || most < 0.0 {
            if let Some(at) = crossing(self.shape, self.bound.level().dd(), from, to) {
                self.add(at, self.is_free_at(from));
            }
            self.add(to, self.is_free_at(to));
            return Ok(());
        }
        self.find(from, middle, narrowest)?;
        self.find(middle, to, narrowest)
    }

    fn is_free_at(&self, x: Dd) -> bool {
        let rate = self.shape.rate(x);
        self.bound.allows(rate, rate)
    }

    /// A stretch from where the last one ended, or more of the last.
    fn add(&mut self, end: Dd, free: bool) {
        match self.found.last_mut() {
            Some(last) if last.1 == free => last.0 = end,
            _ => self.found.push((end, free)),
        }
    }
}

/// The crossing of a rising or falling stretch: false position, and halving when that is slow.
fn crossing(shape: &Shape, level: Dd, from: Dd, to: Dd) -> Option<Dd> {
    let (mut low, mut high) = (from, to);
    let (mut low_off, mut high_off) = (shape.rate(from) - level, shape.rate(to) - level);
    if (low_off.hi > 0.0) == (high_off.hi > 0.0) {
        return None;
    }
    for step in 0..220 {
        let width = high - low;
        if width.hi <= to.hi.abs() * 1e-31 {
            break;
        }
        let by_position = low - low_off * width / (high_off - low_off);
        let halving = step % 3 == 2 || !(low < by_position && by_position < high);
        let middle = if halving { (low + high).scale_by_power(0.5) } else { by_position };
        let off = shape.rate(middle) - level;
        if off.hi == 0.0 || middle == low || middle == high {
            return Some(middle);
        }
        if (off.hi > 0.0) == (low_off.hi > 0.0) {
            (low, low_off) = (middle, off);
        } else {
            (high, high_off) = (middle, off);
        }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use crate::exact::whole;
    use crate::timeline::{Timeline, curve::Curve};

    /// ∫ of one wave's upper half is amp·period/π.
    #[test]
    fn a_wave_that_meets_the_level_where_it_is_halved_is_cut_there() {
        for amp in [500, -500] {
            let (zero, minutes) = (whole(0), whole(600));
            let sine = |base| Curve::Sine {
                base,
                amp: whole(amp),
                period: minutes,
                phase: zero,
                length: Some(minutes),
            };
            let half = 500.0 * 600.0 / std::f64::consts::PI;
            let timeline = Timeline::new(&sine(zero)).unwrap();
            assert_eq!(timeline.jobs(), Some((half + 0.5) as u64));
            let capped = Curve::Cap { rate: whole(500), body: Box::new(sine(whole(500))) };
            let timeline = Timeline::new(&capped).unwrap();
            assert_eq!(timeline.jobs(), Some((500.0 * 600.0 - half + 0.5) as u64));
        }
    }
}
