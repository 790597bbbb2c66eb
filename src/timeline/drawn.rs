//! What is drawn or recorded, as the builder sees it: walks, chaos and replays as courses, and repetitions that draw anew
//! in each pass.
//!
//! A pass that draws has jobs of its own number, so a repetition of it has no closed form. It is
//! written out pass by pass, as many as [`MAX_DRAWN_PASSES`], [`MAX_DRAWN_PARTS`] and
//! [`MAX_DRAWN_STEPS`] allow; after those the same passes come round again. How many that is follows
//! from the repetition alone, so that nothing outside of it can change what it draws.

use super::build::{Builder, Built, Fault};
use super::course::{Chaos, Course, MAX_STEPS, Recorded, Stepped, Walk};
use super::curve::Curve;
use super::jitter::Jitter;
use super::node::Node;
use super::num::Num;
use super::shape::Shape;
use crate::exact::{Exact, whole};
use crate::random::{Key, Kind};
use std::sync::Arc;

/// How many recorded instants there may be.
pub const MAX_MOMENTS: usize = 200_000;
/// How many passes of a repetition draw anew.
pub const MAX_DRAWN_PASSES: u64 = 4096;
/// How many parts the passes of a repetition that draws are written out to.
const MAX_DRAWN_PARTS: u64 = 1 << 16;
/// How many steps the passes of a repetition that draws may take together.
const MAX_DRAWN_STEPS: u64 = 1 << 25;
/// Fewer different passes than this, of more, are a fault rather than a repetition that comes round.
const FEWEST_DRAWN_PASSES: u64 = 16;

impl Builder {
    /// What a phrase in the passes around is drawn by.
    fn key(&self, key: u64) -> Key {
        self.passes
            .iter()
            .fold(Key::of(key), |key, pass| key.derive(Kind::Pass, &pass.to_le_bytes()))
    }

    /// A body with a factor for each second.
    pub fn jittered(&self, body: Node, amount: &Exact, key: u64) -> Node {
        let step = Num::of(whole(crate::exact::NANOS_PER_SECOND));
        let amount = crate::exact::to_f64(amount).clamp(0.0, 1.0);
        Node::jitter(Jitter::new(body, amount, step, self.key(key)))
    }

    /// A phrase that is drawn or recorded.
    pub fn drawn(&mut self, curve: &Curve) -> Built {
        match curve {
            Curve::Walk { from, by, every, within, length, key } => {
                self.rate(by)?;
                let every = self.duration(every)?;
                let (low, high) = within.map_or((whole(0), None), |(low, high)| (low, Some(high)));
                self.rate(&low)?;
                let walk = Walk::new(*from, *by, every, (low, high), self.key(*key));
                let walk = walk.map_err(|fault| self.fail(fault))?;
                self.course(length.as_ref(), |length| Stepped::new(walk, length))
            }
            Curve::Chaos { low, high, every: (shortest, longest), length, key } => {
                self.rate(low)?;
                if high < low || longest < shortest {
                    return Err(self.fail(Fault::OutOfBounds));
                }
                let (low, high) = (Num::of(*low), Num::of(*high));
                let every = (self.duration(shortest)?, self.duration(longest)?);
                let shortest = every.0.dd().ceil_u64().max(1);
                let every = (shortest, every.1.dd().floor_u64().max(shortest));
                let chaos = Chaos::new((low, high.minus(low)), every, self.key(*key));
                self.course(length.as_ref(), |length| Stepped::new(chaos, length))
            }
            Curve::Replay { points, held, length } => {
                let record = Recorded::new(points, *held).map_err(|fault| self.fail(fault))?;
                let length = length.as_ref().map(|length| self.length(length)).transpose()?;
                let course = Course::new(Arc::new(record));
                Ok(Node::piece(Shape::Course(Box::new(course)), length))
            }
            Curve::Moments { at_ns } => self.instants(at_ns),
            _ => Ok(Node::nothing()),
        }
    }

    /// Jumps, with pauses between.
    fn instants(&self, at_ns: &[u64]) -> Built {
        if at_ns.len() > MAX_MOMENTS || !at_ns.is_sorted() {
            return Err(self.fail(Fault::TooComplex));
        }
        let (mut nodes, mut before) = (Vec::new(), 0);
        for same in at_ns.chunk_by(|a, b| a == b) {
            let pause = Num::whole(same[0] - before);
            if pause.is_positive() {
                nodes.push(Node::piece(Shape::constant(Num::zero()), Some(pause)));
            }
            nodes.push(Node::jump(Num::whole(same.len() as u64)));
            before = same[0];
        }
        Ok(Node::sequence(nodes))
    }

    fn duration(&self, every: &Exact) -> Result<Num, super::CurveError> {
        self.above_zero(every)?;
        self.length(every)
    }

    fn course<S: super::course::Steps>(
        &mut self,
        length: Option<&Exact>,
        track: impl FnOnce(Option<Num>) -> Result<Stepped<S>, Fault>,
    ) -> Built {
        let length = length.map(|length| self.length(length)).transpose()?;
        let track = track(length).map_err(|fault| self.fail(fault))?;
        self.steps = self.steps.saturating_add(track.about_steps());
        if self.steps > MAX_STEPS {
            return Err(self.fail(Fault::TooComplex));
        }
        Ok(Node::piece(Shape::Course(Box::new(Course::new(Arc::new(track)))), length))
    }

    /// A repetition of what is drawn anew in each pass.
    pub fn drawn_repeat(&mut self, times: Option<u64>, body: &Curve, depth: usize) -> Built {
        let Some(different) = different_passes(times, cost(body)) else {
            return Err(self.fail(Fault::TooComplex));
        };
        let (mut passes, mut marks) = (Vec::new(), None);
        for pass in 0..different {
            self.passes.push(pass);
            let node = self.node(body, depth + 1);
            self.passes.pop();
            passes.push(node?);
            // Every mark is listed once.
            self.marks.truncate(*marks.get_or_insert(self.marks.len()));
        }
        if times == Some(different) {
            return Ok(Node::sequence(passes));
        }
        let round = Node::sequence(passes.clone());
        let Some(times) = times else {
            let lasts = round.lasts();
            return if lasts {
                Ok(Node::repeat(round, None))
            } else {
                Err(self.fail(Fault::NoLength))
            };
        };
        passes.truncate((times % different) as usize);
        let rounds = Node::repeat(round, Some(times / different));
        Ok(Node::sequence(vec![rounds, Node::sequence(passes)]))
    }
}

/// Whether anything in a curve is drawn.
pub fn draws(curve: &Curve) -> bool {
    match curve {
        Curve::Walk { .. } | Curve::Chaos { .. } | Curve::Jitter { .. } => true,
        Curve::Constant { .. }
        | Curve::Ramp { .. }
        | Curve::Sine { .. }
        | Curve::Replay { .. }
        | Curve::Moments { .. }
        | Curve::AtOnce { .. } => false,
        Curve::Sequence(parts) | Curve::Together(parts) => parts.iter().any(draws),
        Curve::Repeat { body, .. }
        | Curve::Scale { body, .. }
        | Curve::Cap { body, .. }
        | Curve::Floor { body, .. }
        | Curve::Speed { body, .. }
        | Curve::Total { body, .. }
        | Curve::Cut { body, .. }
        | Curve::Hours { body, .. }
        | Curve::Arrivals { body, .. }
        | Curve::Mark { body, .. } => draws(body),
    }
}

/// What one pass takes.
#[derive(Clone, Copy, Default)]
pub(super) struct Cost {
    parts: u64,
    steps: u64,
}

impl Cost {
    fn plus(self, other: Cost) -> Cost {
        Cost {
            parts: self.parts.saturating_add(other.parts),
            steps: self.steps.saturating_add(other.steps),
        }
    }

    fn times(self, times: u64) -> Cost {
        Cost { parts: self.parts.saturating_mul(times), steps: self.steps.saturating_mul(times) }
    }
}

pub(super) fn cost(curve: &Curve) -> Cost {
    let one = Cost { parts: 1, steps: 0 };
    let steps = |length: &Option<Exact>, mean: Exact| {
        let steps = length
            .map_or(0.0, |length| crate::exact::to_f64(&length) / crate::exact::to_f64(&mean));
        Cost { parts: 1, steps: steps as u64 }
    };
    match curve {
        Curve::Walk { every, length, .. } => steps(length, *every),
        Curve::Chaos { every: (_, longest), length, .. } => steps(length, *longest),
        Curve::Constant { .. }
        | Curve::Ramp { .. }
        | Curve::Sine { .. }
        | Curve::Replay { .. }
        | Curve::Moments { .. }
        | Curve::AtOnce { .. } => one,
        Curve::Sequence(parts) | Curve::Together(parts) => {
            parts.iter().map(cost).fold(one, Cost::plus)
        }
        Curve::Repeat { times, body } if draws(body) => {
            let body = cost(body);
            one.plus(body.times(different_passes(*times, body).unwrap_or(1)))
        }
        Curve::Repeat { body, .. }
        | Curve::Scale { body, .. }
        | Curve::Cap { body, .. }
        | Curve::Floor { body, .. }
        | Curve::Speed { body, .. }
        | Curve::Total { body, .. }
        | Curve::Cut { body, .. }
        | Curve::Jitter { body, .. }
        | Curve::Arrivals { body, .. }
        | Curve::Hours { body, .. }
        | Curve::Mark { body, .. } => one.plus(cost(body)),
    }
}

/// How many passes draw anew; `None` if that would be too few of them.
pub(super) fn different_passes(times: Option<u64>, one: Cost) -> Option<u64> {
    let affordable = (MAX_DRAWN_PARTS / one.parts.max(1)).min(MAX_DRAWN_STEPS / one.steps.max(1));
    let wanted = times.unwrap_or(u64::MAX).min(MAX_DRAWN_PASSES);
    let different = wanted.min(affordable.max(1));
    (different >= wanted.min(FEWEST_DRAWN_PASSES)).then_some(different)
}
