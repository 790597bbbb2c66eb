//! The run: plans and sinks in, events and a report out.
//!
//! ```text
//! schedules ─Pacer→ due counts ─Guards→ allowance ─Backlog→ jobs ─BatchBuilder→ Sink ─outcomes→ Stats
//! ```
//!
//! The load is an open model: the schedule never waits for the target. [`pacer`] says what is due
//! and when to look again, the dispatcher owns the order of everything, [`guards`] bound it,
//! [`control`] steers it, [`events`] tell of it and [`report`] sums it up. Only [`clock`] knows
//! what time it is.

pub mod backlog;
pub mod clock;
pub mod control;
mod dispatcher;
pub mod events;
pub mod expecting;
#[cfg(test)]
pub(crate) mod fakes;
pub mod guards;
pub mod jobs;
mod late;
pub mod options;
pub mod pacer;
pub mod report;
pub mod resumption;
pub mod status;
pub mod stream_clock;
pub mod waits;
pub mod warmup;

pub use control::{Change, Control, Why};
pub use dispatcher::Task;
pub use events::{Publisher, Views, channel};
pub use options::RunOptions;
pub use report::Report;
pub use resumption::Resumption;

use crate::job::CompileError;
use crate::plan::{Part, Plan};
use crate::schedule::{Flowing, Placed, Schedule, Source, Spliced};
use crate::sink::Sink;
use clock::Clock;
use dispatcher::Dispatcher;
use jobs::{Jobs, PlannedJobs};
use std::sync::Arc;

/// Runs a plan on a sink that is connected. The run starts when the first depths are read; `clock`
/// counts from there. Events and snapshots go to the views of `publisher`.
///
/// # Errors
///
/// If the plan's jobs can't be compiled, which `check` has ruled out.
pub async fn run<S: Sink, C: Clock + 'static>(
    plan: &Plan,
    sink: S,
    options: RunOptions,
    clock: C,
    control: Control,
    publisher: Publisher,
) -> Result<Report, CompileError> {
    let task = Task::of(plan, &options)?;
    Ok(run_task(task, sink, options, clock, control, publisher).await)
}

/// Runs a plan that is made ready.
pub async fn run_task<J: Jobs, S: Sink, C: Clock + 'static>(
    task: Task<J>,
    sink: S,
    options: RunOptions,
    clock: C,
    control: Control,
    publisher: Publisher,
) -> Report {
    Box::pin(Dispatcher::new(task, sink, options, clock, control, publisher).play()).await
}

impl Task<PlannedJobs> {
    /// Makes a plan ready: its jobs compiled, its schedules cut to the options' shard and start.
    ///
    /// # Errors
    ///
    /// If the plan's jobs can't be compiled, which `check` has ruled out.
    pub fn of(plan: &Plan, options: &RunOptions) -> Result<Task<PlannedJobs>, CompileError> {
        let part = Part { from_ns: options.from_ns, shard: options.shard };
        let schedule =
            |stream: &crate::plan::Stream| (stream.name.clone(), schedule(stream, plan.seed, part));
        let streams = plan.streams.iter().map(schedule).collect();
        Ok(Task {
            file: plan.file.clone(),
            digest: plan.digest.clone(),
            seed: plan.seed,
            streams,
            late: plan.streams.iter().map(|stream| stream.late).collect(),
            jobs: PlannedJobs::compile(plan, &options.run_id)?,
            guards: plan.guards.clone(),
            expectations: plan.expectations.clone(),
            sources: plan.streams.iter().map(source).collect(),
            warmups: warmup::Warmups::of(plan),
            wall: plan.wall.clone(),
            waits: waits::Waits::of(plan),
            places: plan.streams.iter().map(|stream| stream.phrases.clone()).collect(),
        })
    }
}

/// When the jobs of a part of a stream are due, the steps of its things among them.
pub fn schedule(stream: &crate::plan::Stream, seed: u64, part: Part) -> Arc<dyn Schedule> {
    let due = Arc::clone(&stream.due);
    let (batch, after_ns) = (stream.batch, stream.after_ns);
    if stream.steps.is_empty() {
        return Arc::new(Placed::of_batches(due, batch, after_ns, part.shard, part.from_ns));
    }
    // Things begun before the run enters the plan go on in it.
    Arc::new(Flowing::new(stream.entries_of(seed, part.shard), part.from_ns))
}

/// What a stream follows, as its due jobs in this run.
fn placed(spliced: &Spliced, options: &RunOptions) -> Arc<dyn Schedule> {
    let (shard, from_ns) = (options.shard, options.from_ns);
    let batch = spliced.source().batch;
    Arc::new(Placed::of_batches(spliced.clone(), batch, 0, shard, from_ns))
}

/// When the jobs of a stream are due.
fn source(stream: &crate::plan::Stream) -> Source {
    Source {
        due: Arc::clone(&stream.due),
        after_ns: stream.after_ns,
        batch: stream.batch,
        has_flows: !stream.steps.is_empty(),
    }
}

#[cfg(test)]
mod tests;
