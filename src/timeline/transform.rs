//! Scale, speed and cut, pushed down to the leaves.

use super::build::{Fault, MAX_PARTS};
use super::dd::Dd;
use super::node::{Kind, Node};
use super::num::Num;
use super::shape::Shape;

/// What rounding may have added to or taken from a length, relative.
const ROUNDING: f64 = 1e-28;

/// The same tree with other leaves, and the steps of what is jittered in 1/pace of the time.
pub fn map_leaves<E>(
    node: Node,
    pace: Num,
    piece: &mut impl FnMut(Shape, Option<Num>) -> Result<Node, E>,
    jump: &mut impl FnMut(Num) -> Result<Node, E>,
) -> Result<Node, E> {
    let length = node.length;
    Ok(match node.kind {
        Kind::Piece(shape) => piece(shape, length)?,
        Kind::Jump => jump(node.total.unwrap_or(Num::zero()))?,
        Kind::Sequence(sequence) => {
            let items = sequence.items.into_iter().map(|item| map_leaves(item, pace, piece, jump));
            Node::sequence(items.collect::<Result<_, E>>()?)
        }
        Kind::Repeat { body, times } => Node::repeat(map_leaves(*body, pace, piece, jump)?, times),
        Kind::Together { members, flat } => {
            let members = members.into_iter().map(|member| map_leaves(member, pace, piece, jump));
            let sum = Node::together(members.collect::<Result<_, E>>()?);
            match flat {
                Some(flat) => with_flat(sum, map_leaves(*flat, pace, piece, jump)?),
                None => sum,
            }
        }
        Kind::Jitter(jitter) => {
            let body = map_leaves(jitter.body.clone(), pace, piece, jump)?;
            Node::jitter(jitter.around(body, pace))
        }
        Kind::Mark { id, body } => Node::mark(id, map_leaves(*body, pace, piece, jump)?),
    })
}

/// A sum whose rates are those of `flat`, with its members kept for their marks.
pub fn with_flat(sum: Node, flat: Node) -> Node {
    let Kind::Together { members, .. } = sum.kind else { return flat };
    let (length, total, range) = (flat.length, flat.total, flat.range);
    let parts = sum.parts + flat.parts;
    let kind = Kind::Together { members, flat: Some(Box::new(flat)) };
    Node { length, total, range, parts, kind }
}

/// Every rate and jump times a factor at or above 0.
pub fn scaled(node: Node, factor: Num) -> Node {
    let mapped = map_leaves::<std::convert::Infallible>(
        node,
        Num::whole(1),
        &mut |shape, length| Ok(Node::piece(shape.scaled(factor), length)),
        &mut |jobs| Ok(Node::jump(jobs.times(factor))),
    );
    match mapped {
        Ok(node) => node,
    }
}

/// The same jobs in 1/factor of the time; the factor is above 0.
pub fn sped(node: Node, factor: Num) -> Node {
    let mapped = map_leaves::<std::convert::Infallible>(
        node,
        factor,
        &mut |shape, length| {
            let shape = shape.sped(factor).scaled(factor);
            Ok(Node::piece(shape, length.map(|length| length.over(factor))))
        },
        &mut |jobs| Ok(Node::jump(jobs)),
    );
    match mapped {
        Ok(node) => node,
    }
}

/// The same with so many jobs fewer in the jumps at its end, the last of them first, as far as they
/// have them.
pub fn shortened(node: Node, excess: Num) -> Node {
    if !excess.is_positive() {
        return node;
    }
    let (length, total, range, parts) = (node.length, node.total, node.range, node.parts);
    match node.kind {
        Kind::Jump => Node::jump(total.unwrap_or(Num::zero()).minus(excess).max(Num::zero())),
        Kind::Mark { id, body } => Node::mark(id, shortened(*body, excess)),
        Kind::Sequence(sequence) => {
            let mut left = excess;
            let mut items = sequence.items;
            for item in items.iter_mut().rev() {
                let whole = std::mem::replace(item, Node::nothing());
                let lasts = whole.lasts();
                *item = less(whole, &mut left);
                if lasts || !left.is_positive() {
                    break;
                }
            }
            Node::sequence(items)
        }
        // All passes are at one instant, and however many they are, each gives its part.
        Kind::Repeat { body, times } if !body.lasts() => {
            let whole = total.unwrap_or(Num::zero());
            let rest = whole.minus(excess).max(Num::zero());
            let factor = if whole.is_positive() { rest.over(whole) } else { whole };
            scaled(Node::repeat(*body, times), factor)
        }
        Kind::Repeat { body, times: Some(times) } if times > 1 => {
            let last = shortened((*body).clone(), excess);
            Node::sequence(vec![Node::repeat(*body, Some(times - 1)), last])
        }
        Kind::Repeat { body, times: Some(_) } => shortened(*body, excess),
        Kind::Together { members, flat } => {
            let mut left = excess;
            let mut members: Vec<Node> =
                members.into_iter().rev().map(|member| less(member, &mut left)).collect();
            members.reverse();
            let sum = Node::together(members);
            match flat {
                Some(flat) => with_flat(sum, shortened(*flat, excess)),
                None => sum,
            }
        }
        Kind::Jitter(jitter) if range.jumps => match jitter.laid_out() {
            Ok(laid_out) => {
                let sum = Node::together(vec![Node::jitter(*jitter)]);
                with_flat(sum, shortened(laid_out, excess))
            }
            Err(_) => Node::jitter(*jitter),
        },
        kind @ (Kind::Piece(_) | Kind::Jitter(_) | Kind::Repeat { times: None, .. }) => {
            Node { length, total, range, parts, kind }
        }
    }
}

/// Takes what is left to take from a node's jumps at its end.
fn less(node: Node, left: &mut Num) -> Node {
    let before = node.total;
    let node = shortened(node, *left);
    if let (Some(before), Some(after)) = (before, node.total) {
        *left = left.minus(before.minus(after)).max(Num::zero());
    }
    node
}

/// What falls due from the start to a length, jumps at that instant included.
pub fn cut(node: Node, length: Num) -> Result<Node, Fault> {
    if node.length.is_some_and(|own| own.order(length).is_le()) {
        return Ok(node);
    }
    Ok(match node.kind {
        Kind::Piece(shape) => Node::piece(shape.until(length)?, Some(length)),
        Kind::Jump => node,
        Kind::Sequence(sequence) => cut_sequence(sequence.items, length)?,
        Kind::Repeat { body, times } => cut_repeat(*body, times, length)?,
        Kind::Together { members, flat } => {
            let members = members.into_iter().map(|member| cut(member, length));
            let sum = Node::together(members.collect::<Result<_, _>>()?);
            match flat {
                Some(flat) => with_flat(sum, cut(*flat, length)?),
                None => sum,
            }
        }
        Kind::Jitter(jitter) => {
            let body = cut(jitter.body.clone(), length)?;
            Node::jitter(jitter.around(body, Num::whole(1)))
        }
        Kind::Mark { id, body } => Node::mark(id, cut(*body, length)?),
    })
}

fn cut_sequence(items: Vec<Node>, length: Num) -> Result<Node, Fault> {
    let mut kept = Vec::new();
    let mut left = length;
    for item in items {
        let goes_on = item.length.is_some_and(|own| own.order(left).is_le());
        let item = cut(item, left)?;
        left = left.minus(item.length.unwrap_or(left)).max(Num::zero());
        // Of an item that would only begin at the end, nothing is left but a jump at its start.
        if goes_on || item.lasts() || item.range.jumps {
            kept.push(item);
        }
        if !goes_on {
            break;
        }
    }
    Ok(Node::sequence(kept))
}

/// Whole passes, and what fits of one more.
pub fn cut_repeat(body: Node, times: Option<u64>, length: Num) -> Result<Node, Fault> {
    let Some(one) = body.length else { return cut(body, length) };
    // Each repeat that is cut doubles what is in it, and they may stand in one another.
    if body.parts > MAX_PARTS / 2 {
        return Err(Fault::TooComplex);
    }
    let quotient = length.over(one);
    let mut passes = quotient.floor().ok_or(Fault::Overflow)?;
    if quotient.exact().is_none() {
        let up = Num::about(quotient.dd() + Dd::new(quotient.dd().hi * ROUNDING));
        passes = up.floor().ok_or(Fault::Overflow)?;
    }
    passes = times.map_or(passes, |times| passes.min(times));
    let rest = length.minus(one.times(Num::whole(passes)));
    let rounding = rest.exact().is_none() && rest.dd().hi < length.dd().hi * ROUNDING;
    let rest = if rounding { Num::zero() } else { rest.max(Num::zero()) };
    let mut parts = Vec::new();
    if times.is_none_or(|times| passes < times) {
        let last = cut(body.clone(), rest)?;
        if last.lasts() || last.range.jumps {
            parts.push(last);
        }
    }
    if passes > 0 {
        parts.insert(0, Node::repeat(body, Some(passes)));
    }
    Ok(Node::sequence(parts))
}
