//! What bounds a run, and whom to tell of it.

use crate::source::Span;

/// A bound that holds during the run.
#[derive(Clone, Debug)]
pub struct Guard {
    /// What is bounded.
    pub kind: GuardKind,
    /// What happens there; `None` makes it a claim, which stops the run.
    pub action: Option<Action>,
    /// The stream it speaks of (an index into [`Plan::streams`]), or `None` for their sum.
    pub stream: Option<usize>,
    /// As written, on one line.
    pub text: String,
    /// Place in the file; `None` for a default, and for one of a policy.
    pub span: Option<Span>,
    /// When it warns, how long it pauses, and whether it can be loosened.
    pub tuning: Tuning,
}

/// What is said of a guard besides its bound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tuning {
    /// From where on it warns, in the guard's own measure.
    pub warn: Option<f64>,
    /// How long what it measures must stay low before a pause ends, in nanoseconds.
    pub cooldown_ns: u64,
    /// It is of a policy, which no script loosens.
    pub policy: bool,
}

/// Somebody to tell when a guard is hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// How.
    pub way: NotifyWay,
    /// How long one try may take, in nanoseconds.
    pub timeout_ns: u64,
    /// How often it is tried again.
    pub retries: u32,
    /// As written.
    pub text: String,
}

/// How somebody is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotifyWay {
    /// A command for the shell, which gets the hit as JSON on its standard input.
    Command(String),
    /// An address to which the hit is posted as JSON.
    Webhook(String),
}

/// What a guard bounds.
#[derive(Clone, Debug, PartialEq)]
pub enum GuardKind {
    /// No window of this length holds more jobs than this.
    Rate {
        /// Jobs in a window.
        limit_jobs: u64,
        /// The window, in nanoseconds.
        window_ns: u64,
    },
    /// Jobs sent.
    Jobs(u64),
    /// Time since the run's start, pauses included, in nanoseconds.
    Time(u64),
    /// Jobs waiting in a queue: of this name, or of any that is written to.
    Depth {
        /// The queue.
        queue: Option<String>,
        /// The bound.
        limit: u64,
    },
    /// Failed jobs as a share (0 to 1) of those answered in a sliding window.
    Errors {
        /// The bound.
        limit: f64,
        /// The window, in nanoseconds.
        window_ns: u64,
    },
    /// How long the oldest waiting job of any queue has waited, in nanoseconds.
    Age(u64),
    /// Failed jobs as a share (0 to 1) of those that workers have begun in a sliding window.
    Failed {
        /// The bound.
        limit: f64,
        /// The window, in nanoseconds.
        window_ns: u64,
    },
    /// Memory that loadc itself has resident, in bytes.
    Memory(u64),
    /// Processor time that loadc itself uses, as a share of one core, over a second.
    Cpu(f64),
    /// Memory of the server.
    ServerMemory(ServerLimit),
    /// A file that appears.
    File(String),
}

/// A bound on a server's memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ServerLimit {
    /// Bytes it uses.
    Bytes(u64),
    /// What it uses as a share (0 to 1) of what it may use: its `maxmemory`, else the machine's.
    Share(f64),
}

impl GuardKind {
    /// What it bounds, in a word of the language.
    pub fn word(&self) -> &'static str {
        match self {
            GuardKind::Rate { .. } => "rate",
            GuardKind::Jobs(_) => "jobs",
            GuardKind::Time(_) => "time",
            GuardKind::Depth { .. } => "depth",
            GuardKind::Errors { .. } => "errors",
            GuardKind::Age(_) => "age",
            GuardKind::Failed { .. } => "failed",
            GuardKind::Memory(_) => "memory",
            GuardKind::Cpu(_) => "cpu",
            GuardKind::ServerMemory(_) => "server memory",
            GuardKind::File(_) => "file",
        }
    }

    /// The bound: jobs (in a window, for a rate), seconds, bytes or a share; 1 for a file.
    pub fn limit(&self) -> f64 {
        match self {
            GuardKind::Rate { limit_jobs, .. } => *limit_jobs as f64,
            GuardKind::Jobs(limit) | GuardKind::Depth { limit, .. } => *limit as f64,
            GuardKind::Time(limit_ns) | GuardKind::Age(limit_ns) => *limit_ns as f64 / 1e9,
            GuardKind::Errors { limit, .. }
            | GuardKind::Failed { limit, .. }
            | GuardKind::Cpu(limit) => *limit,
            GuardKind::Memory(bytes) | GuardKind::ServerMemory(ServerLimit::Bytes(bytes)) => {
                *bytes as f64
            }
            GuardKind::ServerMemory(ServerLimit::Share(share)) => *share,
            GuardKind::File(_) => 1.0,
        }
    }
}

/// What a guard does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// `then stop`
    Stop,
    /// `then pause until N`: N in the guard's own measure (jobs, a share, bytes).
    PauseUntil(f64),
    /// `then slow`: the clock of what it speaks of runs slower.
    Slow,
    /// `then shed`: what is above the bound is skipped.
    Shed,
}

/// Which default guards hold for a target that is not this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultGuards {
    /// `rate <= 1000/s`
    pub rate: bool,
    /// `jobs <= 1M`
    pub jobs: bool,
    /// `time <= 1h`
    pub time: bool,
    /// `depth <= 10k`
    pub depth: bool,
}
