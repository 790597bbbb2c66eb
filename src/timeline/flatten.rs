//! A sum as pieces, which is what it takes to cap or floor one.
//!
//! Between two neighbouring borders of the members everything is one shape. Where all members come
//! round, the pieces of one common round are enough.

use super::build::Fault;
use super::dd::Dd;
use super::level::{Bound, Effort, bounded_piece};
use super::node::{Kind, Node};
use super::num::Num;
use super::shape::{Line, Shape};
use super::transform::cut_repeat;

/// How many pieces a sum may come to.
const MAX_PIECES: usize = 100_000;

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

/// What is there between two neighbouring borders of a sum's members; at the end of the sum only
/// what is there for an instant.
struct Segment<'a> {
    start: Num,
    length: Option<Num>,
    active: Vec<Atom<'a>>,
}

impl Segment<'_> {
    /// The round that all its atoms share, 0 if they are constant; `None` if there is none or it
    /// does not fit in twice.
    fn round(&self) -> Option<Num> {
        let lasting = self.active.iter().filter(|atom| !is_instant(atom));
        let round = lasting.map(Atom::period).try_fold(Num::zero(), common_period)?;
        let twice = round.plus(round);
        let fits = self.length.is_none_or(|length| twice.order(length).is_le());
        fits.then_some(round)
    }
}

/// The sum as a sequence of pieces, each held by the bound.
pub fn flattened(sum: &Node, bound: Bound, effort: &mut Effort) -> Result<Node, Fault> {
    let mut flat = Flat { bound, effort, pieces: 0 };
    let parts = segments(sum).into_iter().map(|segment| flat.segment(&segment));
    Ok(Node::sequence(parts.collect::<Result<_, _>>()?))
}

/// Stretches of a sum in which all its rates occur: of what comes round, one round.
pub fn telling_stretches(sum: &Node) -> Vec<(Num, Option<Num>)> {
    let stretch = |segment: &Segment<'_>| {
        let round = segment.round().filter(|round| round.is_positive());
        (segment.start, round.or(segment.length).map(|length| segment.start.plus(length)))
    };
    segments(sum).iter().map(stretch).collect()
}

/// The stretches in which all of a sum comes round: start, end and the length of a round.
pub fn rounds(sum: &Node) -> Vec<(Dd, Option<Dd>, Dd)> {
    let coming_round = |segment: &Segment<'_>| {
        let round = segment.round().filter(|round| round.is_positive())?;
        let end = segment.length.map(|length| segment.start.plus(length).dd());
        Some((segment.start.dd(), end, round.dd()))
    };
    segments(sum).iter().filter_map(coming_round).collect()
}

fn segments(sum: &Node) -> Vec<Segment<'_>> {
    let mut atoms = Vec::new();
    collect(sum, Num::zero(), &mut atoms);
    let mut borders = borders(&atoms, sum.length);
    borders.dedup_by(|a, b| same(*a, *b));
    let mut sweep = Sweep::new(atoms);
    let mut segments = Vec::new();
    for (i, start) in borders.iter().enumerate() {
        let end = borders.get(i + 1);
        let is_end = end.is_none() && sum.length.is_some();
        let length = if is_end { Some(Num::zero()) } else { end.map(|end| end.minus(*start)) };
        segments.push(Segment { start: *start, length, active: sweep.at(*start).to_vec() });
    }
    segments
}

/// Goes through atoms by time.
struct Sweep<'a> {
    waiting: std::iter::Peekable<std::vec::IntoIter<Atom<'a>>>,
    active: Vec<Atom<'a>>,
}

impl<'a> Sweep<'a> {
    fn new(mut atoms: Vec<Atom<'a>>) -> Sweep<'a> {
        atoms.sort_by(|a, b| a.start.order(b.start));
        Sweep { waiting: atoms.into_iter().peekable(), active: Vec::new() }
    }

    /// What is there at a time, which is not before the last one asked for.
    fn at(&mut self, time: Num) -> &[Atom<'a>] {
        let begun = |atom: &Atom<'_>| same(atom.start, time) || atom.start.order(time).is_lt();
        while let Some(atom) = self.waiting.next_if(|atom| begun(atom)) {
            self.active.push(atom);
        }
        self.active.retain(|atom| covers(atom, time));
        &self.active
    }
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
        Kind::Piece(_) | Kind::Jump | Kind::Jitter(_) | Kind::Repeat { .. } => {
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

struct Flat<'e> {
    bound: Bound,
    effort: &'e mut Effort,
    pieces: usize,
}

impl Flat<'_> {
    /// What a segment comes to.
    fn segment(&mut self, segment: &Segment<'_>) -> Result<Node, Fault> {
        let Segment { start, length, active } = segment;
        let mut parts = Vec::new();
        self.jumps_at(active, *start, &mut parts);
        let lasting: Vec<Atom> = active.iter().filter(|atom| !is_instant(atom)).copied().collect();
        parts.push(match (segment.round(), length) {
            (_, Some(length)) if !length.is_positive() => Node::nothing(),
            (Some(round), length) if round.is_positive() => {
                let one = self.stretch(&lasting, *start, start.plus(round))?;
                match length {
                    Some(length) => cut_repeat(one, None, *length)?,
                    None => Node::repeat(one, None),
                }
            }
            (_, Some(length)) => self.stretch(&lasting, *start, start.plus(*length))?,
            (Some(_), None) => {
                let steady = lasting.iter().filter_map(|atom| shape_from(atom, *start));
                bounded_piece(summed(steady.collect()), None, self.bound, self.effort)?
            }
            (None, None) => return Err(Fault::TooComplex),
        });
        Ok(Node::sequence(parts))
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
        let mut sweep = Sweep::new(pieces);
        let mut parts = Vec::new();
        for (i, from) in borders.iter().enumerate() {
            let active = sweep.at(*from);
            self.jumps_at(active, *from, &mut parts);
            let Some(to) = borders.get(i + 1) else { break };
            let shapes = active.iter().filter_map(|atom| shape_from(atom, *from)).collect();
            let node =
                bounded_piece(summed(shapes), Some(to.minus(*from)), self.bound, self.effort)?;
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
