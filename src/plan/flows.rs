//! What the flows of a stream send besides its jobs.

use super::{Part, Stream};
use crate::job::{Flow, JobSpec, Mix, Paths};
use crate::schedule::{Entries, Placed, Schedule, Shard, Things};
use crate::timeline::Timeline;
use std::sync::Arc;

/// A flow, and what its steps are sent as.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowJobs {
    /// Its states.
    pub flow: Arc<Flow>,
    /// The job of each state.
    pub jobs: Vec<Arc<JobSpec>>,
}

/// What is to be expected of a flow in a stream: the steps that its things take after their first.
#[derive(Clone, Debug)]
pub struct Steps {
    /// The place in the stream's mix of what begins its things.
    pub entry: usize,
    /// The flow.
    pub jobs: Arc<FlowJobs>,
    /// The expected rate of the steps, in the stream's time.
    pub timeline: Arc<Timeline>,
    /// The expected number of steps into each state, the first of which has none; whole numbers, and
    /// exact, where they are counted.
    pub expected: Vec<f64>,
    /// The steps have been counted one by one, as a bound on jobs needs it.
    pub counted: bool,
}

impl Steps {
    /// How many steps are to be expected, rounded.
    pub fn jobs(&self) -> u64 {
        self.expected.iter().sum::<f64>().round() as u64
    }
}

impl Stream {
    /// How many steps its flows are expected to send besides.
    pub fn expected_steps(&self) -> u64 {
        self.steps.iter().map(Steps::jobs).sum()
    }

    /// Whether its steps are counted, and not only expected.
    pub fn is_counted(&self) -> bool {
        self.steps.iter().any(|steps| steps.counted)
    }

    /// The most steps that its flows can send besides.
    pub fn most_steps(&self) -> u64 {
        let weights: u64 = self.mix.iter().map(|entry| u64::from(entry.weight)).sum();
        let most = |steps: &Steps| {
            // A mix is exact over each cycle of its weights, and no thing takes more steps than there
            // are states.
            let weight = u64::from(self.mix[steps.entry].weight);
            let cycles = self.jobs().div_ceil(self.batch).div_ceil(weights.max(1));
            let things = cycles.saturating_mul(weight).saturating_mul(self.batch);
            things.saturating_mul(steps.jobs.flow.states.len() as u64 - 1)
        };
        self.steps.iter().map(most).fold(0, u64::saturating_add)
    }

    /// All its jobs and the steps of its things, in the plan's time.
    pub fn entries(&self, seed: u64) -> Entries {
        self.entries_of(seed, Shard::WHOLE)
    }

    /// The same of one shard of it: the things that it begins, and their steps.
    pub fn entries_of(&self, seed: u64, shard: Shard) -> Entries {
        let due = Placed::of_batches(Arc::clone(&self.due), self.batch, self.after_ns, shard, 0);
        let load = self.name.as_deref();
        let weights: Vec<u32> = self.mix.iter().map(|entry| entry.weight).collect();
        let paces = self.paces.iter().map(|(at_ns, pace)| (at_ns + self.after_ns, *pace));
        let paces: Arc<[(u64, f64)]> = paces.collect();
        let things = |steps: &Steps| Things {
            entry: steps.entry,
            paths: Paths::new(&steps.jobs.flow, seed, load),
            reach_ns: steps.jobs.flow.reach_ns(),
            paces: Arc::clone(&paces),
        };
        let flows = self.steps.iter().map(things).collect();
        let mix = (Mix::new(&weights, seed, load), self.batch);
        Entries::new(Box::new(due), mix, flows, self.until)
    }
}

impl Part {
    /// How many jobs and steps of a stream are in it.
    pub(super) fn counted(&self, stream: &Stream, seed: u64) -> u64 {
        let entries = stream.entries_of(seed, self.shard);
        let before = self.from_ns.checked_sub(1).map_or(0, |t| entries.count_by(t));
        entries.count_by(u64::MAX) - before
    }

    /// How many steps of a stream's flows are to be expected in it.
    pub(super) fn steps_of(&self, stream: &Stream) -> u64 {
        let from_ns = self.from_ns.saturating_sub(stream.after_ns);
        let share = match (self.from_ns, stream.jobs()) {
            // So many things as are its own.
            (0, jobs @ 1..) => self.of(stream).len() as f64 / jobs as f64,
            _ => 1.0 / self.shard.of() as f64,
        };
        let of = |steps: &Steps| {
            let all = steps.expected.iter().sum::<f64>();
            let before = if from_ns > 0 { steps.timeline.cumulative(from_ns) } else { 0.0 };
            ((all - before).max(0.0) * share).round() as u64
        };
        stream.steps.iter().map(of).sum()
    }
}
