//! The table of checkpoints, and how a step between two of them is found.

use super::{Segment, Track};
use crate::timeline::build::Fault;
use crate::timeline::dd::Dd;
use crate::timeline::level::Bound;
use crate::timeline::num::Num;
use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

/// How many steps a track may take, and all those of a timeline together. One without end takes so
/// many and then keeps its level.
pub const MAX_STEPS: u64 = 50_000_000;
/// About how many checkpoints a table has: at least this many steps of [`MAX_STEPS`] are between two.
const CHECKPOINTS: u64 = 1 << 14;
/// The fewest steps between two checkpoints; a power of two, as is every number of them.
const FEWEST: u64 = 256;

/// The straight parts that a step consists of, in order: one, or where a bound holds it up to three.
pub struct Parts {
    /// The parts, of which the first `count` are there.
    pub parts: [Segment; 3],
    /// How many.
    pub count: usize,
}

impl Parts {
    /// One part.
    pub fn one(segment: Segment) -> Parts {
        Parts { parts: [segment; 3], count: 1 }
    }

    /// All that are there.
    pub fn all(&self) -> &[Segment] {
        &self.parts[..self.count]
    }
}

/// A rule by which one step follows another.
pub trait Steps: Clone + Debug + Send + Sync + 'static {
    /// All there is to know at the start of a step, area before it included.
    type State: Copy + Debug + Send + Sync;

    /// The first step.
    fn first(&self) -> Self::State;

    /// How many steps came before.
    fn index(&self, state: &Self::State) -> u64;

    /// So many steps on, and the lowest and highest mark on the way: of levels gone through.
    fn advance(&self, state: &mut Self::State, steps: u64) -> (i64, i64);

    /// The rate that a mark stands for, held by the bounds.
    fn level(&self, mark: i64) -> Dd;

    /// When the step starts, in nanoseconds.
    fn start(&self, state: &Self::State) -> Dd;

    /// The area before it.
    fn before(&self, state: &Self::State) -> Dd;

    /// The step itself.
    fn parts(&self, state: &Self::State) -> Parts;

    /// The area to a time in the step, exact where it can be.
    fn total(&self, state: &Self::State, t: Num) -> Num;

    /// About how many steps there are to a time.
    fn about_steps(&self, t: Dd) -> f64;

    /// The lowest and highest rate that may ever occur.
    fn limits(&self) -> (Dd, Dd);

    /// The same rule with every rate held by a bound.
    fn held(&self, bound: Bound) -> Self;
}

/// Steps with a table.
#[derive(Debug)]
pub struct Stepped<S: Steps> {
    steps: S,
    /// As far as it is asked for; `None` is forever.
    length: Option<Num>,
    table: OnceLock<Table<S::State>>,
}

#[derive(Debug)]
struct Table<T> {
    /// Steps from one checkpoint to the next.
    block: u64,
    checkpoints: Vec<T>,
    /// The marks of each block from index `checkpoints.len()` on, joined in pairs towards index 1.
    extents: Vec<(i64, i64)>,
}

const NO_EXTENT: (i64, i64) = (i64::MAX, i64::MIN);

fn join(a: (i64, i64), b: (i64, i64)) -> (i64, i64) {
    (a.0.min(b.0), a.1.max(b.1))
}

impl<S: Steps> Stepped<S> {
    /// A rule, as far as a length.
    ///
    /// # Errors
    ///
    /// `TooComplex` if that takes more than [`MAX_STEPS`].
    pub fn new(steps: S, length: Option<Num>) -> Result<Stepped<S>, Fault> {
        let length = length.map(|length| length.max(Num::zero()));
        if length.is_some_and(|length| steps.about_steps(length.dd()) > MAX_STEPS as f64) {
            return Err(Fault::TooComplex);
        }
        Ok(Stepped { steps, length, table: OnceLock::new() })
    }

    /// How many steps it takes, about; 0 if it has no end and is still to be cut.
    pub fn about_steps(&self) -> u64 {
        self.length.map_or(0, |length| self.steps.about_steps(length.dd()) as u64)
    }

    /// Made when first asked for: what has no end is most often cut before.
    fn table(&self) -> &Table<S::State> {
        self.table.get_or_init(|| self.walked())
    }

    fn walked(&self) -> Table<S::State> {
        let end = self.length.map(Num::dd);
        let about = end.map_or(MAX_STEPS as f64, |end| self.steps.about_steps(end));
        let block = (about as u64 / CHECKPOINTS).next_power_of_two().max(FEWEST);
        let mut state = self.steps.first();
        let (mut checkpoints, mut blocks) = (Vec::new(), Vec::new());
        loop {
            checkpoints.push(state);
            blocks.push(self.steps.advance(&mut state, block));
            let over = end.is_some_and(|end| self.steps.start(&state) >= end);
            if over || self.steps.index(&state) >= MAX_STEPS {
                break;
            }
        }
        let count = blocks.len();
        let mut extents = vec![NO_EXTENT; count];
        extents.extend(blocks);
        for i in (1..count).rev() {
            extents[i] = join(extents[2 * i], extents[2 * i + 1]);
        }
        Table { block, checkpoints, extents }
    }

    /// The last step for which `holds` is true, which it is for the first ones, or the first step.
    fn last(&self, holds: impl Fn(&S::State) -> bool) -> S::State {
        let table = self.table();
        let found = table.checkpoints.partition_point(&holds).saturating_sub(1);
        let mut state = table.checkpoints[found];
        let mut stride = table.block / 2;
        while stride > 0 {
            let mut next = state;
            self.steps.advance(&mut next, stride);
            if holds(&next) {
                state = next;
            }
            stride /= 2;
        }
        state
    }

    fn step_at(&self, t: Dd) -> S::State {
        self.last(|state| self.steps.start(state) <= t)
    }

    /// The marks from one step to that of an index, both included.
    fn extent(&self, mut from: S::State, last: u64) -> (i64, i64) {
        let table = self.table();
        let first = self.steps.index(&from);
        let (first_block, last_block) = (first / table.block, last / table.block);
        if first_block == last_block {
            return self.steps.advance(&mut from, last - first + 1);
        }
        let mut extent = self.steps.advance(&mut from, (first_block + 1) * table.block - first);
        let mut begin = table.checkpoints[last_block as usize];
        let within = self.steps.advance(&mut begin, last % table.block + 1);
        extent = join(extent, within);
        let count = table.checkpoints.len();
        let (mut left, mut right) = (first_block as usize + 1 + count, last_block as usize + count);
        while left < right {
            if left % 2 == 1 {
                extent = join(extent, table.extents[left]);
                left += 1;
            }
            if right % 2 == 1 {
                right -= 1;
                extent = join(extent, table.extents[right]);
            }
            left /= 2;
            right /= 2;
        }
        extent
    }

    /// The rates of one step between two times.
    fn rates_within(&self, state: &S::State, from: Dd, to: Dd) -> (Dd, Dd) {
        let parts = self.steps.parts(state);
        let mut bounds: Option<(Dd, Dd)> = None;
        for part in parts.all() {
            if part.end <= from || part.start >= to && bounds.is_some() {
                continue;
            }
            let (a, b) = (part.rate(from.max(part.start)), part.rate(to.min(part.end)));
            let (low, high) = bounds.unwrap_or((a, a));
            bounds = Some((low.min(a).min(b), high.max(a).max(b)));
        }
        let last = parts.parts[parts.count - 1];
        bounds.unwrap_or_else(|| (last.rate(last.end), last.rate(last.end)))
    }
}

impl<S: Steps> Track for Stepped<S> {
    fn segment_at(&self, t: Dd) -> Segment {
        let parts = self.steps.parts(&self.step_at(t));
        let later = parts.all().iter().rev().find(|part| part.start <= t);
        *later.unwrap_or(&parts.parts[0])
    }

    fn segment_before(&self, t: Dd) -> Segment {
        let parts = self.steps.parts(&self.last(|state| self.steps.start(state) < t));
        let earlier = parts.all().iter().rev().find(|part| part.start < t);
        *earlier.unwrap_or(&parts.parts[0])
    }

    fn segment_of(&self, area: Dd) -> Segment {
        let parts = self.steps.parts(&self.last(|state| self.steps.before(state) < area));
        let reached = parts.all().iter().find(|part| part.area(part.end) >= area);
        *reached.unwrap_or(&parts.parts[parts.count - 1])
    }

    fn total(&self, t: Num) -> Num {
        if !t.is_positive() {
            return Num::zero();
        }
        self.steps.total(&self.step_at(t.dd()), t)
    }

    fn bounds(&self, from: Dd, to: Dd) -> (Dd, Dd) {
        let to = to.max(from);
        let first = self.step_at(from);
        let last = self.last(|state| self.steps.start(state) < to);
        let (first_index, last_index) = (self.steps.index(&first), self.steps.index(&last));
        let mut bounds = self.rates_within(&first, from, to);
        if last_index > first_index {
            let (low, high) = self.rates_within(&last, from, to);
            bounds = (bounds.0.min(low), bounds.1.max(high));
        }
        if last_index > first_index + 1 {
            let mut begin = first;
            self.steps.advance(&mut begin, 1);
            let (low, high) = self.extent(begin, last_index - 1);
            bounds = (bounds.0.min(self.steps.level(low)), bounds.1.max(self.steps.level(high)));
        }
        bounds
    }

    fn limits(&self) -> (Dd, Dd) {
        self.steps.limits()
    }

    fn held(&self, bound: Bound) -> Arc<dyn Track> {
        let (steps, length) = (self.steps.held(bound), self.length);
        Arc::new(Stepped { steps, length, table: OnceLock::new() })
    }

    fn until(self: Arc<Self>, length: Num) -> Result<Arc<dyn Track>, Fault> {
        Ok(Arc::new(Stepped::new(self.steps.clone(), Some(length))?))
    }
}
