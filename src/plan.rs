//! The proven plan: what `check` hands to everything that comes after it.
//!
//! Nothing in here needs the script any more; spans are kept only for messages.

mod expect;
mod flows;
mod guard;

pub use expect::{Expectation, PhraseTimes};
pub use flows::{FlowJobs, Steps};
pub use guard::{Action, DefaultGuards, Guard, GuardKind, Notify, NotifyWay, ServerLimit, Tuning};

use crate::ast::Comparison;
use crate::calendar::Start;
use crate::job::JobSpec;
use crate::schedule::{Placed, Schedule as _, Shard, Until};
use crate::show;
use crate::source::Span;
use crate::timeline::Timeline;
use crate::timeline::curve::{Arrivals, Curve};
use crate::timeline::streams::DueTimes;
use std::fmt;
use std::sync::Arc;

/// A checked script.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The name of the file it came from.
    pub file: String,
    /// The seed of everything drawn.
    pub seed: u64,
    /// Of the schedule and the payloads: same script, seed and version, same digest.
    pub digest: String,
    /// Where it stands in the calendar, if the script or a flag says so.
    pub starts: Option<Start>,
    /// What a clock on the wall shows along it.
    pub wall: WallClock,
    /// The target the script names, as written (a URL), or none.
    pub target: Option<String>,
    /// Which part of it a run plays.
    pub part: Part,
    /// The streams, in the order of the file. At least one.
    pub streams: Vec<Stream>,
    /// Guards over the sum of the streams, and over one: see [`Guard::stream`].
    pub guards: Vec<Guard>,
    /// What is judged at the end.
    pub expectations: Vec<Expectation>,
    /// Whom to tell of guards that are hit.
    pub notify: Vec<Notify>,
    /// Which of the guards that hold by default for a target that is not this machine are left to
    /// hold, because the script states none of its own.
    pub default_guards: DefaultGuards,
    /// Where a guard with an action is known to act before the run, and other remarks.
    pub notes: Vec<String>,
}

/// What a clock on the wall shows along a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct WallClock {
    /// Where the plan starts; at midnight if nobody says.
    pub starts: Option<Start>,
    /// So many seconds of the clock pass in one of the plan.
    pub speed: f64,
}

impl Default for WallClock {
    fn default() -> WallClock {
        WallClock { starts: None, speed: 1.0 }
    }
}

impl WallClock {
    /// When a second of the day is first shown, in nanoseconds from the plan's start.
    pub fn plan_ns(&self, clock_s: u32) -> Option<u64> {
        let seconds = match &self.starts {
            Some(starts) => starts.until_clock(clock_s)?,
            None => i64::from(clock_s),
        };
        Some((seconds as f64 * 1e9 / self.speed) as u64)
    }
}

/// Jobs that fall due along one curve.
#[derive(Clone, Debug)]
pub struct Stream {
    /// `load NAME`, or `None` for phrases outside any load.
    pub name: Option<String>,
    /// `after 10s`: from the run's start to the stream's, in nanoseconds.
    pub after_ns: u64,
    /// The curve in exact numbers.
    pub curve: Curve,
    /// The curve compiled; finite.
    pub timeline: Arc<Timeline>,
    /// How its jobs lie along the curve.
    pub arrivals: Arrivals,
    /// What becomes of its jobs that are overdue after a stall.
    pub late: Late,
    /// How many of its jobs fall due together, in one command where they go to one list; from 1.
    pub batch: u64,
    /// How those of its blocks lie that have arrivals of their own.
    pub blocks: Vec<Arrivals>,
    /// When its jobs are due.
    pub due: Arc<dyn DueTimes>,
    /// The stretches of it that no expectation judges, in order and apart from one another.
    pub warmup: Vec<Warmup>,
    /// The stretches of it that may end before their time, in order.
    pub waits: Vec<Wait>,
    /// From these times on (in nanoseconds from the stream's start, in order) what a flow's thing that
    /// begins there waits for goes so many times as fast; without any, as fast as written.
    pub paces: Arc<[(u64, f64)]>,
    /// What its flows are expected to send besides.
    pub steps: Vec<Steps>,
    /// Where the plan ends what is still under way in its flows, if it does.
    pub until: Option<Until>,
    /// No more than so many of its jobs, where a bound ends it among those of one instant.
    pub held_to: Option<u64>,
    /// The phrases, as a table shows them. Times are from the stream's start.
    pub phrases: Vec<Phrase>,
    /// The jobs it chooses among, and their weights.
    pub mix: Vec<MixEntry>,
}

/// What becomes of jobs that could not be sent when they were due. Times in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Late {
    /// They are sent at once.
    #[default]
    Send,
    /// They are given up when they are later than this, and counted as skipped.
    SkipAfter(u64),
    /// They are sent evenly over this long.
    SpreadOver(u64),
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Late::Send => f.write_str("send"),
            Late::SkipAfter(after_ns) => write!(f, "skip after {}", show::duration(*after_ns)),
            Late::SpreadOver(over_ns) => write!(f, "spread over {}", show::duration(*over_ns)),
        }
    }
}

/// A stretch of a stream that only warms up: `warmup { … }`, one of its passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warmup {
    /// Its jobs are those after this number …
    pub after_job: u64,
    /// … up to this one.
    pub to_job: u64,
    /// Where it starts, in nanoseconds from the stream's start.
    pub start_ns: u64,
    /// Where it ends, likewise.
    pub end_ns: u64,
}

/// A stretch of a stream whose jobs are an upper bound: it ends when the queues say so, or else when
/// its time is up, or takes only as many as the queues have room for. One of its passes.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// For what.
    pub kind: WaitKind,
    /// The phrase as written, on one line.
    pub text: String,
    /// Line in its file, from 1.
    pub line: usize,
    /// Its jobs are those after this number …
    pub after_job: u64,
    /// … up to this one.
    pub to_job: u64,
    /// Where it starts, in nanoseconds from the stream's start.
    pub start_ns: u64,
    /// Where it ends at the latest, likewise.
    pub end_ns: u64,
}

/// What ends a [`Wait`], or leaves jobs out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitKind {
    /// `drain within 5m`: no job waits in any queue of the stream. That this does not come to be in
    /// time is a miss.
    Drained,
    /// `until depth "orders" < 100`
    Depth {
        /// Of which queue; of each that the stream writes to if none, and of any where the depth is
        /// to be above a level.
        queue: Option<String>,
        /// How the depth is compared.
        comparison: Comparison,
        /// With how many jobs.
        limit: u64,
    },
    /// `hold depth "orders" 5k for 10m`: nothing ends it, but no more of its jobs fall due than bring
    /// the depth up to a level; the others are cut.
    Held {
        /// Of which queue; of the fullest that the stream writes to if none.
        queue: Option<String>,
        /// Up to how many jobs.
        limit: u64,
    },
}

impl Stream {
    /// How many of its jobs are an upper bound: those of phrases that may end before their time, or
    /// need not send them all.
    pub fn bound_jobs(&self) -> u64 {
        let (mut jobs, mut to) = (0, 0);
        for wait in &self.waits {
            jobs += wait.to_job.saturating_sub(wait.after_job.max(to));
            to = to.max(wait.to_job);
        }
        jobs
    }

    /// Whether any of its jobs is drawn.
    pub fn is_drawn(&self) -> bool {
        std::iter::once(&self.arrivals).chain(&self.blocks).any(|own| *own != Arrivals::Even)
    }

    /// The largest coefficient of variation of its arrivals.
    pub fn cv(&self) -> f64 {
        let of = |arrivals: &Arrivals| match arrivals {
            Arrivals::Even => 0.0,
            Arrivals::Poisson { .. } => 1.0,
            Arrivals::Gamma { cv } => *cv,
        };
        std::iter::once(&self.arrivals).chain(&self.blocks).map(of).fold(0.0, f64::max)
    }

    /// How many jobs it has.
    pub fn jobs(&self) -> u64 {
        self.due.jobs().unwrap_or(0)
    }

    /// How many of its jobs only warm up.
    pub fn warmup_jobs(&self) -> u64 {
        self.warmup.iter().map(|stretch| stretch.to_job - stretch.after_job).sum()
    }
}

/// The part of a plan that a run plays. Its jobs keep their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it enters the plan, in nanoseconds from its start.
    pub from_ns: u64,
    /// The jobs it sends, of several runs that share the plan.
    pub shard: Shard,
}

impl Part {
    /// All of it.
    pub const WHOLE: Part = Part { from_ns: 0, shard: Shard::WHOLE };

    /// The jobs of a stream that are in it.
    pub fn of(&self, stream: &Stream) -> Placed<Arc<dyn DueTimes>> {
        Placed::of_batches(
            Arc::clone(&stream.due),
            stream.batch,
            stream.after_ns,
            self.shard,
            self.from_ns,
        )
    }

    /// How many jobs of some streams are in it, the steps of their flows among them: as they are to be
    /// expected, or exactly where they are counted.
    pub fn jobs(&self, streams: &[Stream], seed: u64) -> u64 {
        let of = |stream: &Stream| match stream.is_counted() {
            true => self.counted(stream, seed),
            false => self.of(stream).len().saturating_add(self.steps_of(stream)),
        };
        streams.iter().map(of).fold(0, u64::saturating_add)
    }

    /// What it comes to, in words; nothing if it is the whole.
    pub fn note(&self, streams: &[Stream], seed: u64) -> Option<String> {
        let mut which = Vec::new();
        if self.shard != Shard::WHOLE {
            which.push(format!("shard {}/{}", self.shard.part(), self.shard.of()));
        }
        if self.from_ns > 0 {
            which.push(format!("those from {} on", show::duration(self.from_ns)));
        }
        let jobs = show::count(self.jobs(streams, seed));
        (!which.is_empty()).then(|| format!("a run sends {jobs} of the jobs: {}", which.join(", ")))
    }
}

/// A job of a stream's mix.
#[derive(Clone, Debug)]
pub struct MixEntry {
    /// What is sent.
    pub job: Arc<JobSpec>,
    /// Its weight, as whole numbers without a common divisor; above 0.
    pub weight: u32,
    /// The flow whose things it begins, if it stands for one.
    pub flow: Option<Arc<FlowJobs>>,
}

/// A statement of a stream and what it comes to.
#[derive(Clone, Debug)]
pub struct Phrase {
    /// The statement as written, on one line; of a block only its head.
    pub text: String,
    /// `as "night"`
    pub label: Option<String>,
    /// The file it stands in, where that is not the script but one that it uses.
    pub file: Option<String>,
    /// Line in the file, from 1.
    pub line: usize,
    /// Place in the source.
    pub span: Span,
    /// Start, in nanoseconds from the stream's start.
    pub start_ns: u64,
    /// End, likewise.
    pub end_ns: u64,
    /// How many jobs fall due in it.
    pub jobs: PhraseJobs,
    /// Rate at the start, in jobs per second.
    pub rate_start_per_s: f64,
    /// Rate just before the end.
    pub rate_end_per_s: f64,
    /// The supremum between.
    pub peak_per_s: f64,
    /// It is the call of a shape: what is within stands elsewhere in the script.
    pub is_call: bool,
    /// It is laid over the phrases around it: `at 02:00 { … }`.
    pub is_overlay: bool,
    /// It only warms up: no expectation judges it.
    pub is_warmup: bool,
    /// It may end before its time, or need not send them all: its jobs are an upper bound.
    pub is_bound: bool,
    /// The phrases within a block.
    pub phrases: Vec<Phrase>,
}

/// Jobs of a phrase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PhraseJobs {
    /// So many, over all passes.
    Exact(u64),
    /// A part of a sum, which has no jobs of its own, only a share of them.
    Share(f64),
}
