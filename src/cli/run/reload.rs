//! Another script for a run under way: read again when its files change, on SIGHUP, and when the
//! control socket says so.
//!
//! A thread of its own reads and checks; a script that is wrong is shown and leaves the run as it is.

use crate::check::{self, Options};
use crate::cli::output::{self, Output};
use crate::cli::policy::PolicyFlag;
use crate::cli::shared::{ReadError, read};
use crate::diff::{Diff, text};
use crate::notify::Notifier;
use crate::plan::Plan;
use crate::run::control::{Change, Control};
use crate::run::jobs::{Jobs as _, PlannedJobs};
use crate::schedule::Entry;
use crate::sink::RedisSink;
use crate::sink::redis::Options as SinkOptions;
use crate::source::SourceFile;
use crate::target::Target;
use crate::view::Look;
use notify::{RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where in a new script the run goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Splice {
    /// At the time at which it is
    #[default]
    Elapsed,
    /// At its start
    Restart,
}

/// After the last change to a file it is read once nothing has changed for so long.
const QUIET: Duration = Duration::from_millis(60);
/// And no later than after so many such times.
const MOST_QUIETS: u32 = 20;

/// Everybody who is told of guards, of every plan that was in force.
pub(super) type Notifiers = Arc<Mutex<Vec<Arc<Notifier>>>>;

/// What it takes to read a script again.
pub(super) struct Reloader {
    pub(super) file: String,
    pub(super) options: Options,
    pub(super) policy: PolicyFlag,
    pub(super) target: Target,
    pub(super) entry: Splice,
    pub(super) control: Control,
    pub(super) notifiers: Notifiers,
    pub(super) plan: Plan,
    pub(super) source: SourceFile,
    pub(super) out: Output,
    pub(super) quiet: bool,
}

/// Asks for the script to be read again.
pub(super) type Trigger = Arc<dyn Fn() + Send + Sync>;

/// Why the thread wakes.
enum Wake {
    /// Somebody asked.
    Asked,
    /// A file in a watched folder changed.
    Changed(PathBuf),
}

/// Begins to listen, and to watch the script's files if that is wanted. Returns how to ask.
pub(super) fn begin(reloader: Reloader, watch: bool) -> Result<Trigger, String> {
    let (wake, wakes) = channel();
    let watcher = if watch { Some(watcher(wake.clone())?) } else { None };
    let ask = Mutex::new(wake);
    let work = move || listen(reloader, &wakes, watcher);
    let thread = std::thread::Builder::new().name("reload".to_owned()).spawn(work);
    thread.map_err(|error| format!("the system gives no thread: {error}"))?;
    Ok(Arc::new(move || {
        // Nobody listens once the run is over.
        let _ = ask.lock().unwrap_or_else(PoisonError::into_inner).send(Wake::Asked);
    }))
}

fn watcher(wake: Sender<Wake>) -> Result<notify::RecommendedWatcher, String> {
    let changed = move |event: notify::Result<notify::Event>| {
        if let Ok(event) = event
            && !event.kind.is_access()
        {
            for path in event.paths {
                let _ = wake.send(Wake::Changed(path));
            }
        }
    };
    notify::recommended_watcher(changed).map_err(|error| format!("files can't be watched: {error}"))
}

fn listen(
    mut reloader: Reloader,
    wakes: &Receiver<Wake>,
    mut watcher: Option<notify::RecommendedWatcher>,
) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    let mut folders = BTreeSet::new();
    loop {
        if let Some(watcher) = &mut watcher {
            // Editors replace a file by another, so its folder is watched and not the file.
            for folder in reloader.files().iter().filter_map(|file| folder_of(file)) {
                if !folders.contains(&folder)
                    && watcher.watch(&folder, RecursiveMode::NonRecursive).is_ok()
                {
                    folders.insert(folder);
                }
            }
        }
        let Ok(wake) = wakes.recv() else { return };
        let asked = matches!(wake, Wake::Asked);
        if let Wake::Changed(path) = &wake
            && !reloader.is_own(path)
        {
            continue;
        }
        settle(wakes);
        runtime.block_on(reloader.reload(asked));
    }
}

/// Waits until nothing changes any more: an editor writes in several steps.
fn settle(wakes: &Receiver<Wake>) {
    for _ in 0..MOST_QUIETS {
        match wakes.recv_timeout(QUIET) {
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn folder_of(file: &Path) -> Option<PathBuf> {
    let folder = file.parent()?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    folder.canonicalize().ok()
}

impl Reloader {
    /// The files that the script was last read from.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = self.source.files();
        files.push(PathBuf::from(&self.file));
        files
    }

    /// Whether a path is one of those.
    fn is_own(&self, path: &Path) -> bool {
        self.files().iter().any(|file| {
            file.file_name() == path.file_name()
                && folder_of(file) == path.parent().and_then(|folder| folder.canonicalize().ok())
        })
    }

    /// Reads the script again and goes on with it if it is right. One that is as it was is left
    /// alone unless somebody asked.
    async fn reload(&mut self, asked: bool) {
        let source = match read(&self.file) {
            Ok(source) => source,
            Err(ReadError::Io(message, help)) => {
                self.out.fault(&message, &help);
                let _ = self.control.reject(message).await;
                return;
            }
            Err(ReadError::Text(source, problem)) => {
                self.reject(&source, &[*problem]).await;
                return;
            }
        };
        if !asked && source.text == self.source.text {
            return;
        }
        let checked = check::check(&source, &self.options);
        // Even a broken one tells which files are to be watched from now on.
        self.source = source.clone();
        let Some(mut plan) = checked.plan.filter(|_| {
            checked
                .problems
                .iter()
                .all(|problem| problem.severity != crate::problem::Severity::Error)
        }) else {
            self.reject(&source, &checked.problems).await;
            return;
        };
        self.out.problems(&source, &checked.problems);
        if self.bound(&source, &mut plan).is_err() {
            let _ = self.control.reject("it breaks guards that hold here".to_owned()).await;
            return;
        }
        if let Err(why) = self.make_ready(&plan).await {
            self.out.fault(&format!("{}: not reloaded: {why}", self.file), "");
            let _ = self.control.reject(why).await;
            return;
        }
        self.preview(&plan);
        let entry = match self.entry {
            Splice::Elapsed => Entry::Elapsed,
            Splice::Restart => Entry::Restart,
        };
        let notifier = self.notifier(&plan);
        let change = Change { plan: Arc::new(plan.clone()), entry, notifier };
        match self.control.reload(change).await {
            Ok(()) => self.plan = plan,
            Err(why) => self.out.fault(&format!("{}: not reloaded: {why}", self.file), ""),
        }
    }

    async fn reject(&self, source: &SourceFile, problems: &[crate::problem::Problem]) {
        self.out.problems(source, problems);
        let first =
            problems.iter().find(|problem| problem.severity == crate::problem::Severity::Error);
        let why = first.map_or_else(
            || format!("{} holds no load", source.name),
            |first| format!("{}: {}", first.code.as_str(), first.message),
        );
        let _ = self.control.reject(why).await;
    }

    /// Adds the guards that hold whatever the script says.
    fn bound(&self, source: &SourceFile, plan: &mut Plan) -> Result<(), crate::cli::Exit> {
        super::prepared::add_default_guards(source, plan, &self.target, &self.out)?;
        self.policy.add_to(source, plan, Some(&self.target), &self.out)
    }

    /// Asks the target whether it takes what a plan sends, and lets it make what that needs, before the
    /// run writes any of it: over a connection of its own, beside that of the run.
    async fn make_ready(&self, plan: &Plan) -> Result<(), String> {
        let jobs = PlannedJobs::compile(plan, "").map_err(|error| error.to_string())?;
        let now = PlannedJobs::compile(&self.plan, "").map_err(|error| error.to_string())?;
        if jobs.queues() == now.queues() && jobs.prepare().is_empty() {
            return Ok(());
        }
        let sink = RedisSink::connect(&self.target, SinkOptions::default())
            .await
            .map_err(|error| error.to_string())?;
        let problems =
            sink.preflight(jobs.queues()).await.map_err(|failure| failure.to_string())?;
        if let Some(problem) = problems.first() {
            return Err(problem.to_string());
        }
        sink.prepare(&jobs.prepare()).await.map_err(|failure| failure.to_string())
    }

    /// Says what is going to change.
    fn preview(&self, plan: &Plan) {
        if self.quiet {
            return;
        }
        if plan.target != self.plan.target {
            self.out.note(&format!("note: the target stays {} in this run", self.target.shown()));
        }
        let diff = Diff::of(Some(&self.plan), Some(plan));
        let look = Look { color: self.out.color_err, width: output::width() };
        let names = (format!("{} in force", self.file), self.file.clone());
        self.out.note(&format!("\n{}", text::text(&diff, (&names.0, &names.1), look)));
    }

    fn notifier(&self, plan: &Plan) -> Option<Arc<Notifier>> {
        let mut all = self.notifiers.lock().unwrap_or_else(PoisonError::into_inner);
        if plan.notify == self.plan.notify {
            return if plan.notify.is_empty() { None } else { all.last().cloned() };
        }
        let notifier = Notifier::start(&plan.notify).map(Arc::new)?;
        all.push(Arc::clone(&notifier));
        Some(notifier)
    }
}
