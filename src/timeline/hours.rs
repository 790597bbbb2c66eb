//! Factors by the hour: the shapes are cut where the factor changes.
//!
//! Times are those before any `speed`, so they are counted along the curve and not along the tree. A
//! repetition of shapes alone is cut where it must be; one of which more is to be told is written out.

use super::build::{Builder, Built, CurveError, Fault, MAX_DEPTH};
use super::curve::{Curve, FactorStep};
use super::drawn::{cost, different_passes, draws};
use super::level::Bound;
use super::node::{Kind, Node};
use super::num::Num;
use super::transform::{cut, scaled, sped};

/// How many passes of a repetition may be written out.
const MAX_PASSES: u64 = 20_000;

/// A part, and how long it takes before any speed; `None` is forever.
type Timed = Result<(Node, Option<Num>), CurveError>;

impl Builder {
    /// A curve times the factors.
    pub fn hours(&mut self, steps: &[FactorStep], body: &Curve, depth: usize) -> Built {
        Ok(self.timed(body, Num::zero(), steps, depth)?.0)
    }

    fn timed(&mut self, curve: &Curve, at: Num, steps: &[FactorStep], depth: usize) -> Timed {
        if depth > MAX_DEPTH {
            return Err(self.fail(Fault::TooDeep));
        }
        let (node, length) = match curve {
            Curve::Sequence(items) => self.timed_sequence(items, at, steps, depth)?,
            Curve::Together(members) => self.timed_sum(members, at, steps, depth)?,
            Curve::Mark { id, body } => {
                self.marks.push(*id);
                self.around.push(*id);
                let (node, length) = self.timed(body, at, steps, depth + 1)?;
                self.around.pop();
                (Node::mark(*id, node), length)
            }
            Curve::Repeat { times, body } if is_told_apart(body) => {
                self.timed_passes(*times, body, at, steps, depth)?
            }
            Curve::Scale { body, .. }
            | Curve::Speed { body, .. }
            | Curve::Cap { body, .. }
            | Curve::Floor { body, .. }
            | Curve::Total { body, .. }
            | Curve::Jitter { body, .. }
            | Curve::Arrivals { body, .. }
            | Curve::Cut { body, .. } => {
                let (node, length) = self.timed(body, at, steps, depth + 1)?;
                self.timed_block(curve, node, length)?
            }
            leaf => {
                let node = self.node(leaf, depth)?;
                let length = node.length;
                (sliced(node, at, steps).map_err(|fault| self.fail(fault))?, length)
            }
        };
        Ok((self.counted(node)?, length))
    }

    fn timed_sequence(
        &mut self,
        items: &[Curve],
        at: Num,
        steps: &[FactorStep],
        depth: usize,
    ) -> Timed {
        let (mut nodes, mut length) = (Vec::with_capacity(items.len()), Some(Num::zero()));
        for item in items {
            // What is never reached has its marks all the same.
            let now = length.map_or(at, |length| at.plus(length));
            let (node, own) = self.timed(item, now, steps, depth + 1)?;
            nodes.push(node);
            length = length.zip(own).map(|(sum, own)| sum.plus(own));
        }
        Ok((Node::sequence(nodes), length))
    }

    fn timed_sum(
        &mut self,
        members: &[Curve],
        at: Num,
        steps: &[FactorStep],
        depth: usize,
    ) -> Timed {
        let (mut nodes, mut length) = (Vec::with_capacity(members.len()), Some(Num::zero()));
        for member in members {
            let (node, own) = self.timed(member, at, steps, depth + 1)?;
            nodes.push(node);
            length = length.zip(own).map(|(longest, own)| longest.max(own));
        }
        Ok((Node::together(nodes), length))
    }

    /// What a block makes of a body that has its factors.
    fn timed_block(&mut self, block: &Curve, node: Node, length: Option<Num>) -> Timed {
        Ok(match block {
            Curve::Scale { factor, .. } => (scaled(node, self.at_least_zero(factor)?), length),
            Curve::Speed { factor, .. } => (sped(node, self.above_zero(factor)?), length),
            Curve::Cap { rate, .. } => {
                let bound = Bound::AtMost(self.rate(rate)?);
                (self.held(node, bound)?, length)
            }
            Curve::Floor { rate, .. } => {
                let bound = Bound::AtLeast(self.rate(rate)?);
                (self.held(node, bound)?, length)
            }
            Curve::Total { jobs, .. } => (self.total(*jobs, node)?, length),
            Curve::Jitter { amount, key, .. } => (self.jittered(node, amount, *key), length),
            Curve::Cut { length: end, .. } => {
                let end = self.length(end)?;
                // Where something within is sped up, what follows goes by the length that it has.
                let left = length
                    .map_or(end, |length| if length.order(end).is_lt() { length } else { end });
                (cut(node, end).map_err(|fault| self.fail(fault))?, Some(left))
            }
            _ => (node, length),
        })
    }

    /// Pass after pass, each at its own time.
    fn timed_passes(
        &mut self,
        times: Option<u64>,
        body: &Curve,
        at: Num,
        steps: &[FactorStep],
        depth: usize,
    ) -> Timed {
        let different = match draws(body) {
            true => {
                different_passes(times, cost(body)).ok_or_else(|| self.fail(Fault::TooComplex))?
            }
            false => 1,
        };
        let last = Num::whole(steps.last().map_or(0, |step| step.t_ns));
        let (mut nodes, mut length, mut marks) = (Vec::new(), Num::zero(), None);
        for pass in 0..times.unwrap_or(u64::MAX) {
            if pass == MAX_PASSES {
                return Err(self.fail(Fault::TooComplex));
            }
            self.passes.push(pass % different);
            let timed = self.timed(body, at.plus(length), steps, depth + 1);
            self.passes.pop();
            let (node, own) = timed?;
            // Every mark is listed once.
            self.marks.truncate(*marks.get_or_insert(self.marks.len()));
            let Some(own) = own else {
                nodes.push(node);
                return Ok((Node::sequence(nodes), None));
            };
            if times.is_none() && !own.is_positive() {
                return Err(self.fail(Fault::NoLength));
            }
            // From here on nothing changes any more.
            if times.is_none() && at.plus(length).order(last).is_ge() {
                nodes.push(Node::repeat(node, None));
                return Ok((Node::sequence(nodes), None));
            }
            nodes.push(node);
            length = length.plus(own);
        }
        Ok((Node::sequence(nodes), Some(length)))
    }
}

/// Whether passes of a body need be told apart: there are phrases to report in it, or blocks whose
/// meaning depends on the factors, or it draws anew in each.
fn is_told_apart(body: &Curve) -> bool {
    match body {
        Curve::Mark { .. }
        | Curve::Total { .. }
        | Curve::Cap { .. }
        | Curve::Floor { .. }
        | Curve::Speed { .. } => true,
        Curve::Sequence(parts) | Curve::Together(parts) => parts.iter().any(is_told_apart),
        Curve::Repeat { body, .. }
        | Curve::Scale { body, .. }
        | Curve::Hours { body, .. }
        | Curve::Cut { body, .. } => is_told_apart(body),
        other => draws(other),
    }
}

/// A part that begins at a time, cut where the factor changes, each piece times its own.
fn sliced(node: Node, at: Num, steps: &[FactorStep]) -> Result<Node, Fault> {
    let first = steps.partition_point(|step| Num::whole(step.t_ns).order(at).is_le());
    let factor = |index: usize| index.checked_sub(1).map(|index| Num::of(steps[index].factor));
    let (mut rest, mut begun, mut pieces) = (node, at, Vec::new());
    for (index, step) in steps.iter().enumerate().skip(first) {
        let border = Num::whole(step.t_ns);
        let left = border.minus(begun);
        if rest.length.is_some_and(|length| length.order(left).is_le()) {
            break;
        }
        let (before, after) = split(rest, left)?;
        pieces.push(times(before, factor(index)));
        (rest, begun) = (after, border);
    }
    let last = steps.partition_point(|step| Num::whole(step.t_ns).order(begun).is_le());
    pieces.push(times(rest, factor(last)));
    Ok(if pieces.len() == 1 { pieces.remove(0) } else { Node::sequence(pieces) })
}

fn times(node: Node, factor: Option<Num>) -> Node {
    match factor {
        Some(factor) if !factor.is_one() => scaled(node, factor),
        _ => node,
    }
}

/// What comes before a time within, and what comes after; jumps at that time belong to the latter.
pub fn split(node: Node, at: Num) -> Result<(Node, Node), Fault> {
    let length = node.length;
    Ok(match node.kind {
        Kind::Piece(shape) => {
            let rest = length.map(|length| length.minus(at));
            let after = Node::piece(shape.after(at), rest);
            (Node::piece(shape, Some(at)), after)
        }
        Kind::Jump => (Node::nothing(), node),
        Kind::Sequence(sequence) => split_sequence(sequence.items, at)?,
        Kind::Repeat { body, times } => split_repeat(*body, times, at)?,
        Kind::Together { flat: Some(flat), .. } => split(*flat, at)?,
        Kind::Together { members, .. } => {
            let (mut before, mut after) = (Vec::new(), Vec::new());
            for member in members {
                if member.length.is_some_and(|length| length.order(at).is_le()) {
                    before.push(member);
                    continue;
                }
                let (first, second) = split(member, at)?;
                before.push(first);
                after.push(second);
            }
            (Node::together(before), Node::together(after))
        }
        Kind::Mark { .. } | Kind::Jitter(_) => return Err(Fault::TooComplex),
    })
}

fn split_sequence(items: Vec<Node>, at: Num) -> Result<(Node, Node), Fault> {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut left = at;
    for item in items {
        let ends = item.length.is_some_and(|own| own.order(left).is_le());
        if !after.is_empty() || !left.is_positive() {
            after.push(item);
        } else if ends {
            left = left.minus(item.length.unwrap_or(left));
            before.push(item);
        } else {
            let (first, second) = split(item, left)?;
            before.push(first);
            after.push(second);
        }
    }
    Ok((Node::sequence(before), Node::sequence(after)))
}

fn split_repeat(body: Node, times: Option<u64>, at: Num) -> Result<(Node, Node), Fault> {
    let Some(one) = body.length else { return split(body, at) };
    let quotient = at.over(one);
    let passes = quotient.floor().ok_or(Fault::Overflow)?;
    let passes = times.map_or(passes, |times| passes.min(times));
    let (mut before, mut after) = (vec![Node::repeat(body.clone(), Some(passes))], Vec::new());
    let rest = at.minus(one.times(Num::whole(passes)));
    let mut left = times.map(|times| times - passes);
    if rest.is_positive() && left != Some(0) && rest.order(one).is_lt() {
        let (first, second) = split(body.clone(), rest)?;
        before.push(first);
        after.push(second);
        left = left.map(|left| left - 1);
    }
    after.push(Node::repeat(body, left));
    Ok((Node::sequence(before), Node::sequence(after)))
}
