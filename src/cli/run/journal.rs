//! The journal of a run: where it is kept, and how a run goes on from it.

use super::super::{Cli, Command, Exit};
use super::Args;
use crate::cli::output::Output;
use crate::journal::{Base, Head, Journal, Replay, StreamBase, Taken, Told, note_refusing, read};
use crate::plan::Plan;
use crate::run::jobs::{Jobs, PlannedJobs};
use crate::run::{Resumption, RunOptions, Task};
use crate::sink::formats::home_of;
use crate::sink::redis::{Problem, Recollection};
use crate::target::{Address, Target};
use clap::Parser as _;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Plans longer than this are journaled without being asked for.
const LONG_NS: u64 = 60_000_000_000;

/// Flags about the journal.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct JournalFlags {
    /// Note the run's steps in this file, so that it can be gone on with after a crash
    ///
    /// Runs of more than a minute do so by themselves, in `$XDG_STATE_HOME/loadc/runs`. The file
    /// goes when the run has reached its end.
    #[arg(long, value_name = "PATH", conflicts_with = "no_journal")]
    journal: Option<PathBuf>,
    /// Keep no journal
    #[arg(long)]
    no_journal: bool,
    /// Go on with a run where it stopped: its id, or its journal
    #[arg(long, value_name = "RUN", conflicts_with_all = ["journal", "no_journal", "dry_run"])]
    resume: Option<String>,
    /// What becomes of the time between: with `now` the plan has waited, with `original` it has
    /// not, and what fell due meanwhile is overdue
    #[arg(long, value_name = "WHEN", value_enum, default_value = "now", requires = "resume")]
    resume_at: ResumeAt,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum ResumeAt {
    #[default]
    Now,
    Original,
}

impl JournalFlags {
    pub(super) fn resumes(&self) -> bool {
        self.resume.is_some()
    }
}

/// A run to go on with.
pub(super) struct TakenUp {
    path: PathBuf,
    replay: Replay,
}

impl TakenUp {
    pub(super) fn run_id(&self) -> &str {
        &self.replay.head.run_id
    }

    /// The queue beside which the run's batches leave their numbers, where that is not the first of its
    /// plan.
    pub(super) fn beside(&self) -> Option<&str> {
        self.replay.head.beside.as_deref()
    }

    /// Parts what keeps the run from going on from keys that refused its jobs before it was killed:
    /// it went on with them, and does so again. That a key has come to refuse them since is noted in the
    /// journal, for what was in flight to it can't be told any more once it is put right.
    pub(super) fn sift(
        &self,
        problems: Vec<Problem>,
        out: &Output,
    ) -> (BTreeSet<String>, Vec<Problem>) {
        let refusing = &self.replay.base.refusing;
        let is_known =
            |problem: &Problem| problem.wrong_key().is_some_and(|key| refusing.contains(key));
        let (before, new): (Vec<_>, Vec<_>) = problems.into_iter().partition(is_known);
        before.iter().for_each(|problem| {
            out.note(&format!("note: {problem}, as it did when the run was ended: they fail"));
        });
        let wrong = new.iter().filter_map(Problem::wrong_key);
        if new.iter().any(|problem| problem.wrong_key().is_some())
            && let Err(error) = note_refusing(&self.path, wrong)
        {
            let path = self.path.display();
            out.note(&format!("warning: that can't be noted in {path}: {error}"));
        }
        let keys = before.iter().filter_map(|problem| Some(problem.wrong_key()?.to_owned()));
        (keys.collect(), new)
    }
}

/// Reads the journal that is to be gone on from, if one is, and sets the flags that made the plan
/// what it was.
pub(super) fn take_up(args: &mut Args, out: &Output) -> Result<Option<TakenUp>, Exit> {
    let Some(run) = &args.journal.resume else { return Ok(None) };
    let path = match as_path(run) {
        Some(path) => path,
        None => return Err(wrong(out, "there is no folder for journals", "name the file itself")),
    };
    let bytes = contents(&path, run, out)?;
    let replay = read(&bytes).map_err(|damage| {
        let help = "without its journal a run can't be gone on with: start it anew";
        wrong(out, &format!("the journal {} can't be used: {damage}", path.display()), help)
    })?;
    let head = &replay.head;
    let stored = match Cli::try_parse_from(&head.flags).map(|cli| cli.command) {
        Ok(Command::Run(stored)) => stored,
        _ => {
            let message =
                format!("this loadc does not know the flags of that run ({})", head.version);
            return Err(wrong(out, &message, "use the version it was started with"));
        }
    };
    if args.file.is_none() {
        if head.file == "-" {
            let help = format!("name it: `loadc run FILE --resume {run}`");
            return Err(wrong(out, "the run's script came from standard input", &help));
        }
        args.file = Some(Path::new(&head.folder).join(&head.file).to_string_lossy().into_owned());
    }
    args.target = args.target.take().or(stored.target);
    args.at_least_once |= stored.at_least_once;
    args.gap = stored.gap;
    args.per_job = stored.per_job;
    args.policy = std::mem::take(&mut args.policy).or(stored.policy);
    args.flags = stored.flags;
    args.flags.seed = Some(head.seed);
    Ok(Some(TakenUp { path, replay }))
}

fn wrong(out: &Output, message: &str, help: &str) -> Exit {
    out.fault(message, help);
    Exit::Wrong
}

/// The bytes of a journal that nobody is writing.
fn contents(path: &Path, run: &str, out: &Output) -> Result<Vec<u8>, Exit> {
    let mut file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            let known = known_runs();
            let help = if known.is_empty() {
                "a run that reached its end leaves none".to_owned()
            } else {
                format!("there are journals of {}", known.join(", "))
            };
            wrong(out, &format!("there is no journal of `{run}`: {}", path.display()), &help)
        }
        _ => wrong(out, &format!("cannot read {}: {error}", path.display()), "check the file"),
    })?;
    if file.try_lock().is_err() {
        let help = "end it first; two of them would send the same jobs";
        return Err(wrong(out, &format!("the run `{run}` is still going on"), help));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|error| {
        wrong(out, &format!("cannot read {}: {error}", path.display()), "check the file")
    })?;
    Ok(bytes)
}

/// The folder of journals that nobody names.
fn folder() -> Option<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local").join("state")))?;
    Some(state.join("loadc").join("runs"))
}

fn as_path(run: &str) -> Option<PathBuf> {
    let path = PathBuf::from(run);
    if run.contains('/') || path.is_file() {
        return Some(path);
    }
    Some(folder()?.join(format!("{run}.journal")))
}

/// The runs that have a journal, the newest last.
fn known_runs() -> Vec<String> {
    let entries = folder().and_then(|folder| std::fs::read_dir(folder).ok());
    let mut runs: Vec<String> = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            Some(format!("`{}`", name.strip_suffix(".journal")?))
        })
        .collect();
    runs.sort();
    runs
}

/// Refuses to go on with a plan that is not the run's.
pub(super) fn compare(taken: &TakenUp, plan: &Plan, out: &Output) -> Result<(), Exit> {
    let head = &taken.replay.head;
    if head.digest == plan.digest {
        return Ok(());
    }
    let message = format!(
        "{} is not the plan of that run any more: its digest is {}, the run's was {}",
        plan.file, plan.digest, head.digest
    );
    let help = match head.reloaded {
        true => {
            "bring the script back to what it was when the run read it last, or start a new run"
        }
        false => "bring the script back to what it was, or start a new run",
    };
    Err(wrong(out, &message, help))
}

/// What the target knows of a run, lane by lane, and for each queue the place of its lane.
pub(super) struct Recalled {
    told: Vec<Told>,
    lanes: Vec<usize>,
    /// Batches leave their numbers there.
    proven: bool,
    /// Keys that refused jobs before, and still do.
    pub(super) wrong: BTreeSet<String>,
}

impl Recalled {
    pub(super) fn new(told: Vec<Recollection>, lanes: Vec<usize>, proven: bool) -> Recalled {
        let told = told.into_iter().map(|Recollection { marks, fenced }| Told { marks, fenced });
        Recalled { told: told.collect(), lanes, proven, wrong: BTreeSet::new() }
    }
}

/// Settles what was in flight and sets the options to go on.
pub(super) fn go_on(
    args: &Args,
    taken: TakenUp,
    recalled: Option<&Recalled>,
    task: &mut Task<PlannedJobs>,
    options: &mut RunOptions,
    out: &Output,
) -> Result<(), Exit> {
    let TakenUp { path, replay } = taken;
    let mut head = replay.head.clone();
    let of_another = |out: &Output| {
        let message = format!("the journal {} is not of this plan", path.display());
        wrong(out, &message, "start a new run")
    };
    if Resumption::follow(&replay.base, task, options).is_none() {
        return Err(of_another(out));
    }
    let queue_of = |stream: usize, index: u64| {
        let schedule = task.streams.get(stream).map(|(_, schedule)| schedule);
        schedule.map(|jobs| task.jobs.choose(stream, jobs.number_of(index)).queue)
    };
    let lane_of = |stream: usize, index: u64| {
        let lanes = recalled.map_or(&[][..], |recalled| &recalled.lanes);
        queue_of(stream, index).and_then(|queue| lanes.get(queue)).copied().unwrap_or(0)
    };
    let refusing = replay.base.refusing.clone();
    let joint = |stream: &StreamBase| stream.joint.map_or(0, |joint| joint.before);
    let before: Vec<u64> = replay.base.streams.iter().map(joint).collect();
    let is_old = |stream: usize, index: u64| {
        stream >= task.sources.len() || before.get(stream).is_some_and(|before| index <= *before)
    };
    let taken = |stream: usize, index: u64| {
        // Where what an older script sent went is not known any more.
        if is_old(stream, index) && !refusing.is_empty() {
            return Taken::Untold;
        }
        let queue = queue_of(stream, index).and_then(|queue| task.jobs.queues().get(queue));
        match queue.map(home_of).filter(|key| refusing.contains(key)) {
            None => Taken::Yes,
            Some(key) if recalled.is_some_and(|now| now.wrong.contains(&key)) => Taken::No,
            Some(_) => Taken::Untold,
        }
    };
    let told = recalled.map_or(&[][..], |recalled| &recalled.told);
    let settled = replay.settle_by(told, lane_of, taken).map_err(|torn| {
        let message = format!(
            "the journal {} lacks its end, as after a power failure: {torn}",
            path.display()
        );
        let help = "with `--at-least-once` the run goes on, and their jobs may be sent twice";
        wrong(out, &message, help)
    })?;
    let Some(mut resumption) = Resumption::of(settled, task, options) else {
        return Err(of_another(out));
    };
    if args.journal.resume_at == ResumeAt::Original {
        let now = u64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(0);
        let since = now.saturating_sub(head.started_unix_ns);
        resumption.at_ns = resumption.at_ns.max(since);
    }
    head.proven = recalled.is_some_and(|recalled| recalled.proven);
    options.payload_start_unix_ns.get_or_insert(head.started_unix_ns);
    let journal = Journal::begin(&path, head, &resumption.base).map_err(|error| {
        wrong(out, &format!("cannot write {}: {error}", path.display()), "check the file")
    })?;
    options.journal = Some(Arc::new(Mutex::new(journal)));
    options.resumption = Some(resumption);
    Ok(())
}

/// Begins the journal of a new run, where one is wanted.
pub(super) fn begin(
    args: &Args,
    plan: &Plan,
    task: &Task<PlannedJobs>,
    target: &Target,
    options: &mut RunOptions,
    out: &Output,
) -> Result<(), Exit> {
    let ends_ns = task.streams.iter().map(|(_, schedule)| schedule.end_ns()).max().unwrap_or(0);
    let flags = &args.journal;
    // The server inside the process goes with it.
    let lasts = !matches!(target.address(), Address::Embedded { .. });
    let wanted = flags.journal.is_some() || (!flags.no_journal && ends_ns > LONG_NS);
    if !wanted || !lasts {
        return Ok(());
    }
    let given = flags.journal.clone();
    let default = || folder().map(|folder| folder.join(format!("{}.journal", options.run_id)));
    let Some(path) = given.clone().or_else(default) else { return Ok(()) };
    let head = head(args, plan, task, options);
    let stream = |stream: usize| StreamBase {
        next: 1,
        by_job: vec![crate::journal::Account::default(); task.jobs.kinds(stream).len()],
        ..StreamBase::default()
    };
    let streams = (0..task.streams.len()).map(stream).collect();
    let base = Base { next_batch: 1, streams, ..Base::default() };
    let begun = match (given.is_none(), path.parent()) {
        (true, Some(parent)) => std::fs::create_dir_all(parent),
        _ => Ok(()),
    };
    match begun.and_then(|()| Journal::begin(&path, head, &base)) {
        Ok(journal) => options.journal = Some(Arc::new(Mutex::new(journal))),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            let message = format!("another run writes its journal to {}", path.display());
            return Err(wrong(out, &message, "name another file"));
        }
        Err(error) if given.is_some() => {
            let message = format!("cannot write the journal {}: {error}", path.display());
            return Err(wrong(out, &message, "name a file that can be written"));
        }
        Err(error) => out.note(&format!(
            "note: no journal is kept, for {} can't be written: {error}",
            path.display()
        )),
    }
    Ok(())
}

fn head(args: &Args, plan: &Plan, task: &Task<PlannedJobs>, options: &RunOptions) -> Head {
    let folder = std::env::current_dir().unwrap_or_default();
    Head {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: options.run_id.clone(),
        file: args.file.clone().unwrap_or_default(),
        folder: folder.to_string_lossy().into_owned(),
        digest: plan.digest.clone(),
        seed: plan.seed,
        flags: without_secrets(std::env::args()),
        target: options.target.clone(),
        started_unix_ns: 0,
        proven: !args.at_least_once,
        jobs: task.streams.iter().map(|(_, schedule)| schedule.len()).collect(),
        beside: task.jobs.queues().first().map(|queue| queue.name.clone()),
        reloaded: false,
    }
}

/// The words of the command line, less a target that holds a login.
fn without_secrets(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for word in words {
        let follows = kept.last().is_some_and(|last| last == "--target");
        if word.contains('@') && (follows || word.starts_with("--target=")) {
            if follows {
                kept.pop();
            }
            continue;
        }
        kept.push(word);
    }
    kept
}

/// What to say at the end of a run that can be gone on with.
pub(super) fn farewell(journal: Option<&Path>, run_id: &str) -> Option<String> {
    let path = journal.filter(|path| path.is_file())?;
    let default = folder().is_some_and(|folder| path.starts_with(folder));
    let run = if default { run_id.to_owned() } else { path.display().to_string() };
    Some(format!("to go on where it stopped: loadc run --resume {run}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_reach_the_journal() {
        let words = |text: &str| without_secrets(text.split(' ').map(str::to_owned)).join(" ");
        let secret = "redis://:hush@h";
        assert_eq!(words(&format!("loadc run a --target {secret} --json")), "loadc run a --json");
        assert_eq!(words(&format!("loadc run a --target={secret}")), "loadc run a");
        assert_eq!(words("loadc run a@b --target redis://h"), "loadc run a@b --target redis://h");
    }
}
