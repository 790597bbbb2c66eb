//! The dispatcher's view of what is sent: which job a number is, and its bytes.

mod planned;

pub use planned::PlannedJobs;

use crate::job::CompileError;
use crate::plan::Plan;
use crate::sink::{Args, Queue, Unit};

/// A job that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueJob {
    /// Its stream.
    pub stream: usize,
    /// Its number in the stream.
    pub number: u64,
    /// The run's start instant plus its due offset by the plan, in nanoseconds since the Unix
    /// epoch. Pauses do not move it: a payload follows from the plan alone.
    pub due_unix_ns: u64,
    /// The present instant: when it is enqueued, as frameworks note it.
    pub now_unix_ns: u64,
}

/// What a due job turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its kind: the place in [`Jobs::kinds`] of its stream.
    pub job: usize,
    /// Where it goes: the place in [`Jobs::queues`].
    pub queue: usize,
}

/// A kind of job in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The job's name.
    pub name: String,
    /// The queues it may go to: places in [`Jobs::queues`].
    pub queues: Vec<usize>,
}

/// What the streams send.
pub trait Jobs: Send {
    /// All queues that are written to, each once.
    fn queues(&self) -> &[Queue];

    /// The kinds of jobs of a stream; none of one that is not among these.
    fn kinds(&self, stream: usize) -> &[Kind];

    /// Which kind a job is and where it goes.
    fn choose(&self, stream: usize, number: u64) -> Choice;

    /// Appends a job to commands of its queue's format.
    fn write(&self, due: DueJob, choice: Choice, unit: &mut Unit);

    /// Whether the workers of a queue are looked at, and not its depth alone.
    fn is_watched(&self, _queue: usize) -> bool {
        true
    }

    /// Commands to run once, before the first job.
    fn prepare(&self) -> Vec<Args> {
        Vec::new()
    }

    /// What the streams of another plan send, in the run of this id.
    ///
    /// # Errors
    ///
    /// If the plan's jobs can't be compiled, which `check` has ruled out.
    fn of_plan(&self, plan: &Plan, run_id: &str) -> Result<Self, CompileError>
    where
        Self: Sized;
}

/// The queues that a stream writes to, each once.
pub(crate) fn queues_of(jobs: &impl Jobs, stream: usize) -> Vec<usize> {
    let mut queues: Vec<usize> =
        jobs.kinds(stream).iter().flat_map(|kind| kind.queues.iter().copied()).collect();
    queues.sort_unstable();
    queues.dedup();
    queues
}
