//! `loadc run`: drives a queue.

mod afterwards;
mod beginning;
mod dry;
mod findings;
mod journal;
mod live;
mod not_begun;
mod prepared;
mod progress;
mod reached;
mod reload;
mod seeing;
mod signals;
mod steered;
mod summary;

use self::journal::{JournalFlags, TakenUp};
use super::Exit;
use super::output::Output;
use super::policy::PolicyFlag;
use super::shared::{self, PlanFlags};
use super::target;
use crate::live::Picture;
use crate::plan::Plan;
use crate::run::clock::RealClock;
use crate::run::control::Control;
use crate::run::jobs::PlannedJobs;
use crate::run::report::Report;
use crate::run::{events, run_task};
use crate::source::SourceFile;
use beginning::{Met, Unmet, meet};
use not_begun::not_begun;
use prepared::{add_default_guards, facts, prepare, run_id};
use reached::{Reached, reach};
use seeing::Seeing;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use steered::{open_control, reloading};

/// Send a script's jobs at their planned times
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The script; `-` reads standard input
    #[arg(value_name = "FILE", required_unless_present = "resume")]
    file: Option<String>,
    /// Where the jobs go, instead of the script's target: redis://, rediss://, unix://,
    /// redis+cluster:// or redis+sentinel://
    #[arg(long, value_name = "URL")]
    target: Option<String>,
    /// Print the report as one JSON document on standard output
    #[arg(long)]
    json: bool,
    /// No progress and no summary
    #[arg(long, short)]
    quiet: bool,
    /// Say on standard error what happens to connections and what the target is found to be
    #[arg(long, short, conflicts_with_all = ["quiet", "live"])]
    verbose: bool,
    /// Do everything but send: prove the script, ask the target, show the first jobs
    #[arg(long)]
    dry_run: bool,
    /// Jobs due within so short a time may leave together
    #[arg(long, value_name = "DURATION", default_value = "1ms", value_parser = gap)]
    gap: Duration,
    /// Send each job as a command of its own, instead of those due together in one
    #[arg(long)]
    per_job: bool,
    /// Write no key but the queues: jobs in flight when a connection breaks count as unknown
    ///
    /// Without this, each batch writes its number to the key `loadc:cursor:{QUEUE}:RUN` in the same
    /// transaction as its jobs. After a break loadc asks that key which batches arrived, and sends
    /// the others again: every job arrives once. The key goes when the run ends.
    #[arg(long)]
    at_least_once: bool,
    /// Read the script again whenever it or a file that it uses changes, and go on with it
    #[arg(long)]
    watch: bool,
    /// Where in a script that was read again the run goes on
    #[arg(long, value_enum, default_value = "elapsed", value_name = "WHERE")]
    splice: reload::Splice,
    #[command(flatten)]
    journal: JournalFlags,
    #[command(flatten)]
    see: seeing::Flags,
    #[command(flatten)]
    flags: PlanFlags,
    #[command(flatten)]
    policy: PolicyFlag,
}

/// How long a run that is over waits for those who are to be told of its guards.
const LAST_WORDS: Duration = Duration::from_secs(5);

fn gap(text: &str) -> Result<Duration, String> {
    let seconds = shared::length(text)?;
    let nanos = crate::exact::seconds_to_nanos(&seconds).unwrap_or(u64::MAX);
    if !(10_000..=10_000_000_000).contains(&nanos) {
        return Err("the gap lies between 0.01ms and 10s".to_owned());
    }
    Ok(Duration::from_nanos(nanos))
}

/// Runs a script.
pub(super) fn run(args: &Args, out: &Output) -> Exit {
    let mut args = args.clone();
    let taken_up = match journal::take_up(&mut args, out) {
        Ok(taken_up) => taken_up,
        Err(exit) => return exit,
    };
    let args = &args;
    let mut options = args.flags.options(false);
    options.target_given = args.target.is_some();
    let file = args.file.as_deref().unwrap_or_default();
    if args.watch && file == "-" {
        out.fault("standard input can't be watched", "name the script's file");
        return Exit::Wrong;
    }
    let (source, mut plan) = match shared::plan(file, &options, out) {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    if let Some(taken_up) = &taken_up
        && let Err(exit) = journal::compare(taken_up, &plan, out)
    {
        return exit;
    }
    let reached = match reach(args.target.as_deref(), &plan, out) {
        Ok(reached) => reached,
        Err(exit) => return exit,
    };
    if let Err(exit) = add_default_guards(&source, &mut plan, &reached.target, out) {
        return exit;
    }
    let target = Some(&reached.target);
    if let Err(exit) = args.policy.add_to(&source, &mut plan, target, out) {
        return exit;
    }
    if !args.quiet {
        plan.notes.iter().for_each(|note| out.note(&format!("note: {note}")));
    }
    // One thread: the dispatcher and the connection hand each other the turn many times a
    // millisecond, and between two threads each of those would wake one of them.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            out.fault(&format!("cannot start: {error}"), "");
            return Exit::Failed;
        }
    };
    let driven = drive(args, (&source, &plan), &reached, taken_up, out);
    let exit = runtime.block_on(Box::pin(driven));
    // A second Ctrl+C must not wait for anything that is still on its way.
    runtime.shutdown_background();
    exit
}

async fn drive(
    args: &Args,
    (source, plan): (&SourceFile, &Plan),
    reached: &Reached,
    taken_up: Option<TakenUp>,
    out: &Output,
) -> Exit {
    let run_id = taken_up.as_ref().map_or_else(run_id, |run| run.run_id().to_owned());
    let jobs = match PlannedJobs::compile(plan, &run_id) {
        Ok(jobs) => jobs,
        Err(error) => {
            out.fault(&error.to_string(), "");
            return Exit::Wrong;
        }
    };
    let seeing = match Seeing::prepare(&args.see, args.json, out) {
        Ok(seeing) => seeing,
        Err(exit) => return exit,
    };
    let beside = taken_up.as_ref().and_then(TakenUp::beside);
    let mut met = match meet(args, plan, &reached.target, (&jobs, beside), &run_id, out).await {
        Ok(met) => met,
        Err(Unmet::Unreachable(error)) => {
            let exit = target::unreachable(&error, out);
            not_begun(args, plan, reached, error.kind.code(), &error.to_string(), out);
            return exit;
        }
        Err(Unmet::Silent(failure)) => {
            out.fault(&failure.to_string(), "ask the target how it is: `loadc health URL`");
            not_begun(args, plan, reached, &failure.kind, &failure.message, out);
            return Exit::Failed;
        }
    };
    if let Some(run) = &taken_up {
        let (wrong, problems) = run.sift(std::mem::take(&mut met.problems), out);
        met.told.iter_mut().for_each(|told| told.wrong.clone_from(&wrong));
        met.problems = problems;
    }
    if let Some(first) = met.problems.first() {
        for problem in &met.problems {
            out.fault(&problem.to_string(), &problem.help());
        }
        not_begun(args, plan, reached, first.code(), &first.to_string(), out);
        return Exit::Failed;
    }
    if args.verbose {
        findings::say(&met.sink, &jobs).await;
    }
    if args.dry_run {
        return dry::run(args.json, plan, &jobs, &reached.shown(), out);
    }
    if let Err(failure) = met.prepare(args, &jobs, out).await {
        out.fault(
            &failure.to_string(),
            "let loadc's user make what the job asks for, or make it yourself",
        );
        not_begun(args, plan, reached, &failure.kind, &failure.message, out);
        return Exit::Failed;
    }
    let Met { sink, told, .. } = met;
    let prepared = prepare(args, plan, reached, run_id, taken_up.map(|run| (run, told)), out);
    let (task, options) = match prepared {
        Ok(prepared) => prepared,
        Err(exit) => return exit,
    };
    let journal = options
        .journal
        .as_ref()
        .map(|journal| journal.lock().unwrap_or_else(PoisonError::into_inner).path().to_owned());
    let clock = match RealClock::new() {
        Ok(clock) => clock,
        Err(error) => {
            out.fault(&format!("the system gives no timer: {error}"), "");
            return Exit::Failed;
        }
    };
    let control = Control::new();
    let (mut publisher, views) = events::channel(1024);
    let recording =
        match seeing.begin(&mut publisher, &views, facts(plan, &options.run_id, reached)) {
            Ok(recording) => recording,
            Err(error) => {
                out.fault(&format!("the system gives no thread: {error}"), "");
                return Exit::Failed;
            }
        };
    let notifiers: reload::Notifiers =
        Arc::new(Mutex::new(options.notifier.iter().cloned().collect()));
    let reload = match reloading(args, (source, plan), reached, &control, &notifiers, out) {
        Ok(reload) => reload,
        Err(message) => {
            out.fault(&message, "");
            return Exit::Failed;
        }
    };
    let _open =
        open_control(&options.run_id, &control, &mut publisher, &views, reload.clone(), out);
    let history = views.history.clone();
    signals::obey(control.clone(), *out, reload);
    let following = match follow(args, (source, plan), reached, views, &control, out) {
        Ok(following) => following,
        Err(exit) => return exit,
    };
    let report = play(run_task(task, sink, options, clock, control, publisher)).await;
    if let Some(following) = following {
        let _ = following.join();
    }
    let notifiers = std::mem::take(&mut *notifiers.lock().unwrap_or_else(PoisonError::into_inner));
    for trouble in notifiers.iter().flat_map(|notifier| notifier.finish(LAST_WORDS)) {
        out.note(&format!("warning: {trouble}"));
    }
    recording.finish(out);
    let document = afterwards::Afterwards { args, source, plan, report: &report };
    let written = history.look(|history| document.write(history, out));
    let exit = match tell(args, &report, reached, out) {
        Exit::Done | Exit::Missed if !written => Exit::Failed,
        exit => exit,
    };
    if !args.quiet
        && let Some(farewell) = journal::farewell(journal.as_deref(), &report.run_id)
    {
        out.note(&farewell);
    }
    exit
}

/// Plays a run as a task beside the sink's. As the future that the runtime was entered with it would
/// cost two calls of the system more for each tick: before a runtime of one thread takes that one up
/// again, it looks into the kernel once more.
async fn play(run: impl Future<Output = Report> + Send + 'static) -> Report {
    match tokio::spawn(run).await {
        Ok(report) => report,
        // Nobody cancels it, so that it can only have panicked.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Shows the run, as a picture or in a line.
fn follow(
    args: &Args,
    (source, plan): (&SourceFile, &Plan),
    reached: &Reached,
    views: events::Views,
    control: &Control,
    out: &Output,
) -> Result<Option<std::thread::JoinHandle<()>>, Exit> {
    if !args.see.live {
        return Ok(progress::spawn(views, args.quiet));
    }
    let target = reached.target.shown();
    let picture = Picture::new(plan.clone(), source.script_text(), target, live::ink(out));
    live::spawn(picture, views, control.clone()).map(Some).map_err(|error| {
        out.fault(&format!("the terminal can't be drawn on: {error}"), "leave out --live");
        Exit::Wrong
    })
}

fn tell(args: &Args, report: &Report, reached: &Reached, out: &Output) -> Exit {
    if !args.quiet {
        let aside = args.json || args.see.take_stdout();
        let text = summary::summary(
            report,
            &reached.shown(),
            if aside { out.color_err } else { out.color_out },
        );
        if aside { out.note(text.trim_end()) } else { out.say(text.trim_end()) }
    }
    if args.quiet && report.exit_code != 0 {
        out.fault(&summary::reason(report), "");
    }
    match Exit::from_code(report.exit_code) {
        // The jobs are there, and what was to be said of them is lost.
        Exit::Done | Exit::Missed if out.has_lost() => Exit::Failed,
        exit => exit,
    }
}
