//! A sum as pieces, which is what it takes to cap or floor one.
//!
//! Between two neighbouring borders of the members everything is one shape. Where all members come
//! round, the pieces of one common round are enough.

use super::build::Fault;
use super::level::{Bound, bounded_piece};
use super::node::{Kind, Node};
use super::num::Num;
use super::shape::{Line, Shape};
use super::transform::cut_repeat;

/// How many pieces a sum may come to.
const MAX_PIECES: usize = 200_000;

/// A part of a member, from the sum's start.
#[derive(Clone, Copy)]
struct Atom<'a> {
    start: Num,
    length: Option<Num>,
    node: &'a Node,
}

impl Atom<'_> {
    fn end(&self) -> Option<Num> {
        Some(self.start.plus(self.length?))
    }

    /// The time after which it is as before: 0 for a constant rate; `None` if it never is.
    fn period(&self) -> Option<Num> {
        match &self.node.kind {
            Kind::Piece(Shape::Line(line)) if line.slope.is_zero() => Some(Num::zero()),
            Kind::Piece(Shape::Sine(sine)) => Some(sine.period),
            Kind::Repeat { body, .. } => body.length,
            _ => None,
        }
    }
}

/// The sum as a sequence of pieces, each held by the bound.
pub fn flattened(sum: &Node, bound: Bound) -> Result<Node, Fault> {
    let mut atoms = Vec::new();
    collect(sum, Num::zero(), &mut atoms);
    let mut borders = borders(&atoms, sum.length);
    borders.dedup_by(|a, b| same(*a, *b));
    let mut flat = Flat { bound, pieces: 0 };
    let mut parts = Vec::new();
    for (i, start) in borders.iter().enumerate() {
        let end = borders.get(i + 1).copied();
        if end.is_none() && sum.length.is_some() {
            flat.jumps_at(&atoms, *start, &mut parts);
            break;
        }
        let active: Vec<Atom> = atoms.iter().filter(|atom| covers(atom, *start)).copied().collect();
        parts.push(flat.segment(&active, *start, end)?);
    }
    Ok(Node::sequence(parts))
}

/// Whether two times are one but for rounding.
fn same(a: Num, b: Num) -> bool {
    a.order(b).is_eq() || (a.dd() - b.dd()).hi.abs() <= (a.dd().hi.abs() + 1.0) * 1e-28
}

/// Whether the atom is there just after a time, or jumps at it.
fn covers(atom: &Atom<'_>, time: Num) -> bool {
    let begun = same(atom.start, time) || atom.start.order(time).is_lt();
    let over = atom.end().is_some_and(|end| same(end, time) || end.order(time).is_lt());
    begun && (!over || (is_instant(atom) && same(atom.start, time)))
}

fn is_instant(atom: &Atom<'_>) -> bool {
    atom.length.is_some_and(|length| !length.is_positive())
}

/// The parts of a tree that are not further divided: pieces, jumps and repeats.
fn collect<'a>(node: &'a Node, start: Num, atoms: &mut Vec<Atom<'a>>) {
    match &node.kind {
        Kind::Mark { body, .. } => collect(body, start, atoms),
        Kind::Together { flat: Some(flat), .. } => collect(flat, start, atoms),
        Kind::Together { members, .. } => {
            members.iter().for_each(|member| collect(member, start, atoms));
        }
        Kind::Sequence(sequence) => {
            let mut start = start;
            for item in &sequence.items {
                collect(item, start, atoms);
                start = start.plus(item.length.unwrap_or(Num::zero()));
            }
        }
        Kind::Piece(_) | Kind::Jump | Kind::Repeat { .. } => {
            if node.lasts() || node.range.jumps {
                atoms.push(Atom { start, length: node.length, node });
            }
        }
    }
}

/// Where anything starts or ends, in order.
fn borders(atoms: &[Atom<'_>], length: Option<Num>) -> Vec<Num> {
    let edges = atoms.iter().flat_map(|atom| [Some(atom.start), atom.end()]).flatten();
    let mut borders: Vec<Num> = edges.chain([Num::zero()]).chain(length).collect();
    borders.sort_by(|a, b| a.order(*b));
    borders
}

struct Flat {
    bound: Bound,
    pieces: usize,
}

impl Flat {
    /// What a set of atoms comes to between two of their borders.
    fn segment(
        &mut self,
        active: &[Atom<'_>],
        start: Num,
        end: Option<Num>,
    ) -> Result<Node, Fault> {
        let length = end.map(|end| end.minus(start));
        let lasting = active.iter().filter(|atom| !is_instant(atom));
        let round = lasting.map(Atom::period).try_fold(Num::zero(), common_period);
        let rounds = round.filter(|round| {
            let twice = round.plus(*round);
            length.is_none_or(|length| twice.order(length).is_le())
        });
        match (rounds, length) {
            (Some(round), length) if round.is_positive() => {
                let mut parts = Vec::new();
                self.jumps_at(active, start, &mut parts);
                let lasting: Vec<Atom> =
                    active.iter().filter(|atom| !is_instant(atom)).copied().collect();
                let one = self.stretch(&lasting, start, start.plus(round))?;
                parts.push(match length {
                    Some(length) => cut_repeat(one, None, length)?,
                    None => Node::repeat(one, None),
                });
                Ok(Node::sequence(parts))
            }
            (_, Some(length)) => self.stretch(active, start, start.plus(length)),
            (Some(_), None) => {
                let mut parts = Vec::new();
                self.jumps_at(active, start, &mut parts);
                let steady = active.iter().filter(|atom| !is_instant(atom));
                let shape = summed(steady.filter_map(|atom| shape_from(atom, start)).collect());
                parts.push(bounded_piece(shape, None, self.bound)?);
                Ok(Node::sequence(parts))
            }
            (None, None) => Err(Fault::TooComplex),
        }
    }

    fn jumps_at(&self, atoms: &[Atom<'_>], time: Num, parts: &mut Vec<Node>) {
        let here = atoms.iter().filter(|atom| is_instant(atom) && same(atom.start, time));
        let jobs =
            here.filter_map(|atom| atom.node.total).fold(Num::zero(), |sum, total| sum.plus(total));
        if jobs.is_positive() {
            parts.push(Node::jump(jobs));
        }
    }

    /// Every piece between two times, repeats unrolled.
    fn stretch(&mut self, atoms: &[Atom<'_>], start: Num, end: Num) -> Result<Node, Fault> {
        let mut pieces = Vec::new();
        for atom in atoms {
            self.unroll(atom.node, atom.start, start, end, &mut pieces)?;
        }
        let mut borders: Vec<Num> = borders(&pieces, None)
            .into_iter()
            .filter(|time| time.order(start).is_gt() && time.order(end).is_lt())
            .collect();
        borders.insert(0, start);
        borders.push(end);
        borders.dedup_by(|a, b| same(*a, *b));
        pieces.sort_by(|a, b| a.start.order(b.start));
        let mut waiting = pieces.into_iter().peekable();
        let mut active: Vec<Atom> = Vec::new();
        let mut parts = Vec::new();
        for (i, from) in borders.iter().enumerate() {
            while let Some(atom) =
                waiting.next_if(|atom| same(atom.start, *from) || atom.start.order(*from).is_lt())
            {
                active.push(atom);
            }
            active.retain(|atom| covers(atom, *from));
            self.jumps_at(&active, *from, &mut parts);
            let Some(to) = borders.get(i + 1) else { break };
            let shapes = active.iter().filter_map(|atom| shape_from(atom, *from)).collect();
            let node = bounded_piece(summed(shapes), Some(to.minus(*from)), self.bound)?;
            self.spend(1)?;
            parts.push(node);
        }
        Ok(Node::sequence(parts))
    }

    fn spend(&mut self, pieces: usize) -> Result<(), Fault> {
        self.pieces += pieces;
        if self.pieces > MAX_PIECES { Err(Fault::TooComplex) } else { Ok(()) }
    }

    /// The pieces and jumps of a node that overlap a window.
    fn unroll<'a>(
        &mut self,
        node: &'a Node,
        start: Num,
        from: Num,
        to: Num,
        pieces: &mut Vec<Atom<'a>>,
    ) -> Result<(), Fault> {
        let mut atoms = Vec::new();
        collect(node, start, &mut atoms);
        for atom in atoms {
            let early = atom.end().is_some_and(|end| end.order(from).is_lt());
            if early || atom.start.order(to).is_gt() {
                continue;
            }
            self.spend(1)?;
            let Kind::Repeat { body, times } = &atom.node.kind else {
                pieces.push(atom);
                continue;
            };
            let one = body.length.unwrap_or(Num::zero());
            if !one.is_positive() {
                pieces.push(atom);
                continue;
            }
            let passed = from.minus(atom.start).max(Num::zero()).over(one);
            let mut pass = passed.floor().ok_or(Fault::TooComplex)?.saturating_sub(1);
            while times.is_none_or(|times| pass < times) {
                let begin = atom.start.plus(one.times(Num::whole(pass)));
                if begin.order(to).is_ge() {
                    break;
                }
                self.unroll(body, begin, from, to, pieces)?;
                pass += 1;
            }
        }
        Ok(())
    }
}

/// A piece's shape from a time on.
fn shape_from(atom: &Atom<'_>, time: Num) -> Option<Shape> {
    match &atom.node.kind {
        Kind::Piece(shape) if !is_instant(atom) => {
            Some(shape.after(time.minus(atom.start).max(Num::zero())))
        }
        _ => None,
    }
}

/// One shape for several: lines added up, the rest side by side.
fn summed(shapes: Vec<Shape>) -> Shape {
    let mut line = Line { from: Num::zero(), slope: Num::zero() };
    let mut rest = Vec::new();
    for shape in shapes {
        match shape {
            Shape::Line(more) => {
                line.from = line.from.plus(more.from);
                line.slope = line.slope.plus(more.slope);
            }
            Shape::Sum(terms) => rest.extend(terms),
            other => rest.push(other),
        }
    }
    let flat = line.from.is_zero() && line.slope.is_zero();
    match (rest.len(), flat) {
        (0, _) => Shape::Line(line),
        (1, true) => rest.remove(0),
        _ => {
            rest.push(Shape::Line(line));
            Shape::Sum(rest)
        }
    }
}

/// The least common multiple of two exact periods, where 0 is any.
fn common_period(one: Num, other: Option<Num>) -> Option<Num> {
    let other = other?;
    if one.is_zero() {
        return Some(other);
    }
    if other.is_zero() {
        return Some(one);
    }
    let (a, b) = (one.exact()?, other.exact()?);
    let numer = (a.numer() / gcd(*a.numer(), *b.numer())).checked_mul(*b.numer())?;
    Some(Num::of(crate::exact::fraction(numer, gcd(*a.denom(), *b.denom()))))
}

fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.abs(), b.abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}
