//! What a run has before it begins: its name, its guards, its connection, its options and journal.

use super::Args;
use super::journal::{self, Recalled, TakenUp};
use super::progress;
use super::reached::Reached;
use crate::check::{default_guards, prove_defaults};
use crate::cli::Exit;
use crate::cli::output::Output;
use crate::job::Format;
use crate::metrics::Facts;
use crate::notify::Notifier;
use crate::plan::Plan;
use crate::run::jobs::{Jobs, PlannedJobs};
use crate::run::{RunOptions, Task};
use crate::sink::redis::{ConnectError, Cursor, Options as SinkOptions};
use crate::sink::{Limits, Queue, RedisSink, Sink as _};
use crate::source::SourceFile;
use crate::target::{Address, Target};
use std::sync::Arc;

/// For a target that is not this machine the default guards hold, and are proven like any other.
pub(super) fn add_default_guards(
    source: &SourceFile,
    plan: &mut Plan,
    target: &Target,
    out: &Output,
) -> Result<(), Exit> {
    if target.is_this_machine() {
        return Ok(());
    }
    let problems = prove_defaults(source, plan);
    if problems.iter().any(|problem| problem.severity == crate::problem::Severity::Error) {
        out.problems(source, &problems);
        return Err(Exit::Wrong);
    }
    let guards = default_guards(plan);
    if !guards.is_empty() {
        let texts = guards.iter().map(|guard| format!("`{}`", guard.text)).collect::<Vec<_>>();
        plan.notes.push(format!("the target is not this machine, so {} hold", texts.join(", ")));
    }
    plan.guards.extend(guards);
    Ok(())
}

/// Connects; batches carry their proof beside the first queue, unless that is not wanted.
pub(super) async fn connect(
    args: &Args,
    target: &Target,
    jobs: &impl Jobs,
    run_id: &str,
    beside: Option<&str>,
) -> Result<(RedisSink, Option<Recalled>), ConnectError> {
    let aside = args.verbose.then_some(progress::aside as fn(&str));
    let options = SinkOptions { aside, ..SinkOptions::of(target) };
    let known = beside.map(|name| Queue { name: name.to_owned(), format: Format::List });
    let cursor = known.as_ref().or(jobs.queues().first()).filter(|_| !args.at_least_once);
    let cursor = cursor.map(|queue| Cursor::beside(queue, run_id));
    let resumes = args.journal.resumes() && cursor.is_some();
    let (sink, mut told) = match cursor.clone() {
        Some(cursor) if resumes => RedisSink::resume_with(target, cursor, options).await?,
        Some(cursor) => (RedisSink::connect_with(target, cursor, options).await?, Vec::new()),
        None => (RedisSink::connect(target, options).await?, Vec::new()),
    };
    told.extend(sink.reach(jobs.queues(), resumes, options).await?);
    let lanes = sink.lanes_of(jobs.queues());
    Ok((sink, args.journal.resumes().then(|| Recalled::new(told, lanes, cursor.is_some()))))
}

/// The options of the run, and its journal begun or gone on with.
pub(super) fn prepare(
    args: &Args,
    plan: &Plan,
    reached: &Reached,
    run_id: String,
    taken_up: Option<(TakenUp, Option<Recalled>)>,
    out: &Output,
) -> Result<(Task<PlannedJobs>, RunOptions), Exit> {
    let mut options = RunOptions {
        run_id,
        notifier: Notifier::start(&plan.notify).map(Arc::new),
        gap: args.gap,
        command: if args.per_job {
            Limits { jobs: 1, ..Limits::default() }
        } else {
            Limits::default()
        },
        history: args.see.grain(),
        target: reached.target.shown(),
        shard: plan.part.shard,
        from_ns: plan.part.from_ns,
        payload_start_unix_ns: payload_start(plan),
        // In a cluster each slot has a key of its own, beside the first of its queues.
        resumes_reloaded: !matches!(reached.target.address(), Address::Cluster { .. }),
        ..RunOptions::default()
    };
    let mut task = Task::of(plan, &options).map_err(|error| {
        out.fault(&error.to_string(), "");
        Exit::Wrong
    })?;
    match taken_up {
        Some((run, told)) => {
            journal::go_on(args, run, told.as_ref(), &mut task, &mut options, out)?;
        }
        None => journal::begin(args, plan, &task, &reached.target, &mut options, out)?,
    }
    Ok((task, options))
}

pub(super) fn facts(plan: &Plan, run_id: &str, reached: &Reached) -> Facts {
    Facts {
        run_id: run_id.to_owned(),
        file: plan.file.clone(),
        digest: plan.digest.clone(),
        target: reached.target.shown(),
    }
}

/// The instant that payloads take for the run's start: where the plan stands in the calendar, and
/// the run enters it. None is the real one.
pub(super) fn payload_start(plan: &Plan) -> Option<u64> {
    Some(plan.starts.as_ref()?.unix_ns().saturating_add(plan.part.from_ns))
}

/// A name for this run that no other has: its start and chance enough that runs started together
/// don't share a cursor.
pub(super) fn run_id() -> String {
    let now = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
    format!("{now}-{:08x}", crate::check::random_seed() & 0xffff_ffff)
}
