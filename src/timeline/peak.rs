//! The supremum of the rate. Of a sequence it is the highest of its parts; of a sum it is searched
//! for, most promising stretch first, with bounds that prove what is left out.

use super::dd::Dd;
use super::flatten::telling_stretches;
use super::locate::{Side, slack};
use super::node::{Kind, Node};
use super::num::Num;
use super::shape::Shape;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// How much higher than the highest rate seen the answer may be, relative.
const TOLERANCE: f64 = 1e-9;
/// How many stretches are looked at before the proven upper bound has to do.
const MAX_STRETCHES: usize = 100_000;
/// The end of time, in nanoseconds.
const FOREVER: f64 = 18_446_744_073_709_551_616.0;

/// The supremum of the rate over what lasts, in jobs per nanosecond.
pub fn peak(node: &Node) -> Dd {
    match &node.kind {
        Kind::Piece(Shape::Sum(_)) if node.length.is_some_and(Num::is_positive) => {
            peak_of_sum(node)
        }
        Kind::Jitter(jitter) => jitter.peak(node.range),
        Kind::Piece(_) | Kind::Jump => node.range.or_rest().high,
        Kind::Mark { body, .. } | Kind::Repeat { body, .. } => peak(body),
        Kind::Sequence(sequence) => {
            let mut items: Vec<&Node> = sequence.items.iter().filter(|item| item.lasts()).collect();
            items.sort_by(|a, b| b.range.high.order(&a.range.high));
            items.into_iter().fold(Dd::ZERO, |best, item| {
                if item.range.high <= best { best } else { best.max(peak(item)) }
            })
        }
        Kind::Together { flat: Some(flat), .. } => peak(flat),
        Kind::Together { members, flat: None } => match members.as_slice() {
            _ if !node.lasts() => Dd::ZERO,
            [only] => peak(only),
            _ => peak_of_sum(node),
        },
    }
}

/// A stretch of time, not yet looked into.
struct Stretch {
    high: Dd,
    from: Dd,
    to: Dd,
}

impl Ord for Stretch {
    /// By the bound, then the shorter first, so that one high stretch is followed to the bottom.
    fn cmp(&self, other: &Stretch) -> Ordering {
        let length = |stretch: &Stretch| stretch.to - stretch.from;
        self.high.order(&other.high).then_with(|| length(other).order(&length(self)))
    }
}

impl PartialOrd for Stretch {
    fn partial_cmp(&self, other: &Stretch) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Stretch {
    fn eq(&self, other: &Stretch) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Stretch {}

fn peak_of_sum(sum: &Node) -> Dd {
    let stretch = |from: Dd, to: Dd| {
        let high = sum.range_between(from, to, -slack(to)).high;
        Stretch { high, from, to }
    };
    let mut best = Dd::ZERO;
    let whole = |(from, to): (Num, Option<Num>)| {
        let to = to.map_or(Dd::new(FOREVER), Num::dd);
        (from.dd() < to).then(|| stretch(from.dd(), to))
    };
    let mut open: BinaryHeap<Stretch> =
        telling_stretches(sum).into_iter().filter_map(whole).collect();
    // A sum of no length to speak of.
    if open.is_empty() {
        return sum.range.or_rest().high;
    }
    for _ in 0..MAX_STRETCHES {
        let Some(top) = open.pop() else { return best };
        if top.high.hi <= best.hi * (1.0 + TOLERANCE) || narrow(&top) {
            return top.high.max(best);
        }
        let middle = split(sum, &top);
        let border = slack(middle);
        best = best.max(sum.rate(middle, border, Side::Right)).max(sum.rate(
            middle,
            border,
            Side::Left,
        ));
        for half in [stretch(top.from, middle), stretch(middle, top.to)] {
            if half.high > best {
                open.push(half);
            }
        }
    }
    open.pop().map_or(best, |top| top.high)
}

fn narrow(stretch: &Stretch) -> bool {
    (stretch.to - stretch.from).hi <= stretch.to.hi * 1e-24
}

/// Where to cut a stretch: where a part ends, if one does in the later half, so that bounds of
/// neighbouring parts are not added up for ever; else in the middle.
fn split(sum: &Node, stretch: &Stretch) -> Dd {
    let middle = (stretch.from + stretch.to).scale_by_power(0.5);
    match sum.next_border(middle) {
        Some(border) if border.hi + slack(border) < stretch.to.hi => border,
        _ => middle,
    }
}

impl Node {
    /// The first end of a part after x.
    fn next_border(&self, x: Dd) -> Option<Dd> {
        let after = x + Dd::new(slack(x));
        match &self.kind {
            Kind::Piece(Shape::Course(course)) if !self.is_over(after) => {
                let border = course.next_border(after);
                Some(self.length.map_or(border, |length| border.min(length.dd())))
            }
            Kind::Piece(_) | Kind::Jump => {
                self.length.map(|length| length.dd()).filter(|end| *end > after)
            }
            Kind::Jitter(jitter) if !self.is_over(after) => {
                let border = jitter.next_border(after);
                Some(self.length.map_or(border, |length| border.min(length.dd())))
            }
            Kind::Jitter(_) => None,
            Kind::Mark { body, .. } => body.next_border(x),
            Kind::Together { flat: Some(flat), .. } => flat.next_border(x),
            Kind::Together { members, .. } => {
                members.iter().filter_map(|member| member.next_border(x)).min_by(|a, b| a.order(b))
            }
            Kind::Sequence(sequence) => {
                let next = sequence.starts.partition_point(|start| *start <= after);
                let at = next.saturating_sub(1);
                let start = *sequence.starts.get(at)?;
                let inner = sequence.items.get(at)?.next_border(x - start);
                inner.map(|border| start + border)
            }
            Kind::Repeat { body, .. } => {
                if self.is_over(after) {
                    return None;
                }
                let one = body.length.map(|length| length.dd()).filter(|one| one.hi > 0.0)?;
                let passed = one * (after / one).floor();
                let inner = body.next_border(x - passed);
                Some(passed + inner.map_or(one, |border| border))
            }
        }
    }
}
