//! What a run was like, instant by instant, in bounded memory however long it takes.
//!
//! The run is cut into slices ten times a second. Slices are kept in levels: the first has those as
//! they come, each further one has slices ten times as long as the level before, and each level
//! keeps its last ones only. So the last minutes are known finely, the last hours more coarsely, and
//! the whole run at the finest level that still reaches back to its start.

mod slice;

pub use slice::{Sample, Slice};

use super::sketch::SliceTimes;
use slice::Growing;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Slices of a level that make one of the next.
const RATIO: u64 = 10;
/// Levels: with the usual interval and size the last reaches back over a hundred years.
const LEVELS: usize = 8;
/// Queues whose depth is kept apart.
pub const QUEUES: usize = 16;

/// How fine a history is and how much it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grain {
    /// From one slice of the finest level to the next, in nanoseconds; above 0.
    pub every_ns: u64,
    /// The most slices that a level keeps; above 0.
    pub slices: usize,
}

impl Default for Grain {
    fn default() -> Grain {
        Grain { every_ns: 100_000_000, slices: 3_600 }
    }
}

/// The history of a run. See the module.
#[derive(Clone, Debug)]
pub struct History {
    grain: Grain,
    queues: Vec<String>,
    levels: Vec<Level>,
    last: Sample,
    totals: SliceTimes,
}

#[derive(Clone, Debug)]
struct Level {
    every_ns: u64,
    slices: VecDeque<Slice>,
    /// Whether it has let a slice go.
    cut: bool,
    growing: Growing,
}

impl History {
    /// A history over these queues, of which the first [`QUEUES`] are kept.
    pub fn new(grain: Grain, mut queues: Vec<String>) -> History {
        queues.truncate(QUEUES);
        let every = |level: usize| grain.every_ns.max(1).saturating_mul(RATIO.pow(level as u32));
        let level = |level| Level {
            every_ns: every(level),
            slices: VecDeque::new(),
            cut: false,
            growing: Growing::default(),
        };
        History {
            grain,
            queues,
            levels: (0..LEVELS).map(level).collect(),
            last: Sample::default(),
            totals: SliceTimes::default(),
        }
    }

    /// How fine it is.
    pub fn grain(&self) -> Grain {
        self.grain
    }

    /// The queues whose depths are in [`Slice::depths`], in that order.
    pub fn queues(&self) -> &[String] {
        &self.queues
    }

    /// All times since the run's start.
    pub fn totals(&self) -> &SliceTimes {
        &self.totals
    }

    /// The state at the end of the last slice.
    pub fn last(&self) -> &Sample {
        &self.last
    }

    /// Ends a slice at the sample's instant, with the times that came since the one before.
    pub fn push(&mut self, sample: Sample, times: &SliceTimes) {
        self.totals.add(times);
        let Some(slice) = Slice::between(&self.last, &sample, self.queues.len(), times) else {
            return;
        };
        let end_ns = sample.at_ns;
        self.last = sample;
        let (first, mut rest) = match self.levels.split_first_mut() {
            Some(split) => split,
            None => return,
        };
        first.keep(slice.clone(), self.grain.slices);
        first.growing.add(&slice, times);
        let mut below = first;
        // What a level has gathered becomes a slice of the next when that one's interval is over.
        while let Some((level, more)) = rest.split_first_mut() {
            if end_ns / level.every_ns == below.growing.start_ns() / level.every_ns {
                break;
            }
            let Some((slice, times)) = below.growing.finish() else { break };
            level.growing.add(&slice, &times);
            level.keep(slice, self.grain.slices);
            (below, rest) = (level, more);
        }
    }

    /// The whole run at one fineness: the finest whose slices reach back to the start.
    pub fn whole(&self) -> Vec<Slice> {
        let level = self.levels.iter().position(|level| !level.cut);
        self.from_level(level.unwrap_or(LEVELS - 1), 0)
    }

    /// What came after an instant, at the finest level that reaches back to it, or the coarsest
    /// there is.
    pub fn since(&self, from_ns: u64) -> Vec<Slice> {
        let reaches = |level: &Level| {
            !level.cut || level.slices.front().is_some_and(|slice| slice.start_ns() <= from_ns)
        };
        let level = self.levels.iter().position(reaches).unwrap_or(LEVELS - 1);
        self.from_level(level, from_ns)
    }

    /// The slices of a level that end after an instant, and what the levels below have of the time
    /// after its last.
    fn from_level(&self, level: usize, from_ns: u64) -> Vec<Slice> {
        let kept = &self.levels[level].slices;
        let first = kept.partition_point(|slice| slice.end_ns <= from_ns);
        let mut slices: Vec<Slice> = kept.range(first..).cloned().collect();
        let mut tail = Growing::default();
        for lower in self.levels[..level].iter().rev() {
            if let Some((slice, times)) = lower.growing.clone().finish() {
                tail.add(&slice, &times);
            }
        }
        slices.extend(tail.finish().map(|(slice, _)| slice));
        slices
    }

    /// Bytes that it takes, about.
    pub fn bytes(&self) -> usize {
        let of_level = |level: &Level| {
            level.slices.capacity() * size_of::<Slice>()
                + level.slices.iter().map(|slice| slice.depths.capacity() * 16).sum::<usize>()
        };
        self.levels.iter().map(of_level).sum::<usize>() + (LEVELS * 3 + 3) * 8 * 1_024
    }
}

impl Level {
    fn keep(&mut self, slice: Slice, most: usize) {
        while self.slices.len() >= most.max(1) {
            self.slices.pop_front();
            self.cut = true;
        }
        self.slices.push_back(slice);
    }
}

/// A history that a run writes and others read. Readers copy what they want and let go: the run
/// never waits for them, it goes on with a longer slice.
#[derive(Clone, Debug)]
pub struct SharedHistory(Arc<Mutex<History>>);

impl SharedHistory {
    /// Shares a history.
    pub fn new(history: History) -> SharedHistory {
        SharedHistory(Arc::new(Mutex::new(history)))
    }

    /// Looks at it; whoever looks is to be quick.
    pub fn look<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        look(&self.lock())
    }

    /// Begins anew, with other queues.
    pub fn begin(&self, grain: Grain, queues: Vec<String>) {
        *self.lock() = History::new(grain, queues);
    }

    /// Ends a slice, unless somebody is looking; says whether it did.
    pub fn try_push(&self, sample: impl FnOnce() -> Sample, times: &SliceTimes) -> bool {
        let history = self.0.try_lock();
        match history {
            Ok(mut history) => history.push(sample(), times),
            Err(std::sync::TryLockError::Poisoned(poisoned)) => {
                poisoned.into_inner().push(sample(), times);
            }
            Err(std::sync::TryLockError::WouldBlock) => return false,
        }
        true
    }

    /// Ends the last slice.
    pub fn push(&self, sample: Sample, times: &SliceTimes) {
        self.lock().push(sample, times);
    }

    fn lock(&self) -> MutexGuard<'_, History> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for SharedHistory {
    fn default() -> SharedHistory {
        SharedHistory::new(History::new(Grain::default(), Vec::new()))
    }
}

#[cfg(test)]
mod tests;
