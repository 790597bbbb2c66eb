//! The guards at run time.
//!
//! What a guard bounds decides how it is kept:
//!
//! - `jobs`, `time`, and `rate … then stop` speak of what falls due. They are looked at before
//!   anything falls due, to the instant ([`Guards::first_breach`]), so they hold to the job however
//!   late a wake-up comes.
//! - every `rate` also bounds what is sent ([`Guards::room`]): after a stall the overdue jobs wait
//!   for room in the window. That is no hit; the plan itself was proven within the bound.
//! - `rate … then slow` and `then shed` act on what finds no room ([`brake`]).
//! - `depth`, `memory`, `cpu`, `server memory` and `file` are asked for every 100 ms, `errors` with every answer: from 20 answers in
//!   the window on or a whole window after the start, and whatever their number at the run's end.
//!
//! A claim (no action) stops the run. `then stop` ends what the guard speaks of: the run, or its
//! stream. On `jobs` and `time` that is the plan's own end; anywhere else it is a stop by a guard.

mod brake;
mod breach;
mod carried;
mod entry;
mod measured;
mod near;
mod state;
mod window;

pub use brake::Braked;
pub use breach::Breach;
pub use entry::{GuardEntry, Severity};
pub use state::GuardState;

use crate::plan::{Action, Guard, GuardKind};
use brake::Brake;
use std::path::PathBuf;
use window::{ErrorWindow, FailedWindow, SendWindow};

/// How often depths and files are asked for, in nanoseconds.
pub const ASK_EVERY_NS: u64 = 100_000_000;

/// What the dispatcher is to do about a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// End the run.
    StopRun {
        /// Whether that is the plan's own end.
        planned: bool,
    },
    /// End a stream.
    StopStream {
        /// Which.
        stream: usize,
        /// Whether that is the plan's own end.
        planned: bool,
    },
    /// Stop the clocks of what the guard speaks of.
    Pause,
    /// Let them go on.
    Resume,
}

/// A guard that acts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Which: the place in the list that [`Guards::new`] was given.
    pub guard: usize,
    /// What was measured.
    pub value: f64,
    /// What is to be done.
    pub effect: Effect,
}

/// All guards of a run.
#[derive(Debug)]
pub struct Guards {
    armed: Vec<Armed>,
    /// Up to where [`Guards::first_breach`] has looked.
    checked_ns: u64,
}

#[derive(Debug)]
struct Armed {
    guard: Guard,
    watch: Watch,
    /// It has stopped something and has nothing more to say.
    spent: bool,
    pausing: bool,
    /// It has stopped or paused something at some time.
    acted: bool,
    /// While it pauses: since when what it measures has been low.
    low_since_ns: Option<u64>,
    /// It has warned, and what it measures has not been low again.
    warned: bool,
    /// When it last warned.
    warned_ns: Option<u64>,
    brake: Brake,
    /// What it has shed of late, by the instants at which it was due, and the last of these.
    shed: SendWindow,
    shed_ns: u64,
}

#[derive(Debug)]
enum Watch {
    Rate(SendWindow),
    Jobs,
    Time,
    /// The queues and their last known depths.
    Depth(Vec<(usize, u64)>),
    Errors(ErrorWindow),
    /// What was last measured of loadc itself, or of the server: bytes, or a share.
    Measured(Option<f64>),
    Failed(FailedWindow),
    File(PathBuf),
}

impl Armed {
    fn speaks_of(&self, stream: usize) -> bool {
        self.guard.stream.is_none_or(|own| own == stream)
    }

    fn watches(&self, queue: usize) -> bool {
        let Watch::Depth(queues) = &self.watch else { return false };
        !self.spent && queues.iter().any(|(known, _)| *known == queue)
    }

    /// What a breach of it leads to; `planned` says whether `then stop` is the plan's own end.
    fn stop_effect(&self, planned: bool) -> Effect {
        match (self.guard.action, self.guard.stream) {
            (Some(_), Some(stream)) => Effect::StopStream { stream, planned },
            (Some(_), None) => Effect::StopRun { planned },
            (None, _) => Effect::StopRun { planned: false },
        }
    }

    /// The effect of a measured value at an instant, if it changes anything.
    fn judge(
        &mut self,
        now_ns: u64,
        over: bool,
        value: f64,
        low_enough: impl Fn(f64) -> bool,
    ) -> Option<Effect> {
        if self.spent {
            return None;
        }
        match self.guard.action {
            Some(Action::PauseUntil(level)) if self.pausing => {
                if value > level || !low_enough(level) {
                    self.low_since_ns = None;
                    return None;
                }
                let since_ns = *self.low_since_ns.get_or_insert(now_ns);
                (now_ns.saturating_sub(since_ns) >= self.guard.tuning.cooldown_ns).then(|| {
                    self.pausing = false;
                    self.low_since_ns = None;
                    Effect::Resume
                })
            }
            Some(Action::PauseUntil(_)) => over.then(|| {
                self.pausing = true;
                self.acted = true;
                Effect::Pause
            }),
            None | Some(Action::Stop) => over.then(|| {
                self.spent = true;
                self.acted = true;
                self.stop_effect(false)
            }),
            // Of rates alone, which are kept otherwise.
            Some(Action::Slow | Action::Shed) => None,
        }
    }
}

impl Guards {
    /// Arms guards. `queues_of` tells which queues (by their place in `queues`) a stream writes to;
    /// a named queue is one of `queues` too.
    pub fn new(
        guards: Vec<Guard>,
        queues: &[crate::sink::Queue],
        streams: usize,
        queues_of: impl Fn(usize) -> Vec<usize>,
    ) -> Guards {
        let watch = |guard: &Guard| match &guard.kind {
            GuardKind::Rate { window_ns, .. } => Watch::Rate(SendWindow::new(*window_ns)),
            GuardKind::Jobs(_) => Watch::Jobs,
            GuardKind::Time(_) => Watch::Time,
            GuardKind::Depth { queue, .. } => {
                let written = (0..streams)
                    .filter(|stream| guard.stream.is_none_or(|own| own == *stream))
                    .flat_map(&queues_of);
                let mut watched: Vec<usize> = match queue {
                    Some(name) => {
                        (0..queues.len()).filter(|at| queues[*at].name == *name).collect()
                    }
                    None => written.collect(),
                };
                watched.sort_unstable();
                watched.dedup();
                Watch::Depth(watched.into_iter().map(|queue| (queue, 0)).collect())
            }
            GuardKind::Errors { window_ns, .. } => Watch::Errors(ErrorWindow::new(*window_ns)),
            GuardKind::Memory(_)
            | GuardKind::Cpu(_)
            | GuardKind::ServerMemory(_)
            | GuardKind::Age(_) => Watch::Measured(None),
            GuardKind::Failed { window_ns, .. } => Watch::Failed(FailedWindow::new(*window_ns)),
            GuardKind::File(path) => Watch::File(PathBuf::from(path)),
        };
        let arm = |guard: Guard| {
            let (spent, pausing, acted, warned) = (false, false, false, false);
            Armed {
                watch: watch(&guard),
                brake: Brake::default(),
                shed: SendWindow::new(match guard.kind {
                    GuardKind::Rate { window_ns, .. } => window_ns,
                    _ => 0,
                }),
                shed_ns: 0,
                guard,
                spent,
                pausing,
                acted,
                low_since_ns: None,
                warned,
                warned_ns: None,
            }
        };
        Guards { armed: guards.into_iter().map(arm).collect(), checked_ns: 0 }
    }

    /// Whether a guard on errors is stated: then failing is what the script has a say about.
    pub fn bounds_errors(&self) -> bool {
        self.armed.iter().any(|armed| matches!(armed.watch, Watch::Errors(_)))
    }

    /// Whether a guard on errors has stopped or paused something.
    pub fn acted_on_errors(&self) -> bool {
        self.armed.iter().any(|armed| matches!(armed.watch, Watch::Errors(_)) && armed.acted)
    }

    /// Whether a depth must be asked for every 100 ms.
    pub fn asks_depths(&self) -> bool {
        self.armed.iter().any(|armed| matches!(armed.watch, Watch::Depth(_)) && !armed.spent)
    }

    /// Whether a file must be looked for every 100 ms.
    pub fn asks_files(&self) -> bool {
        self.armed.iter().any(|armed| matches!(armed.watch, Watch::File(_)) && !armed.spent)
    }

    /// Whether a window of errors must be looked at every 100 ms: it empties by itself.
    pub fn asks_errors(&self) -> bool {
        self.armed.iter().any(|armed| matches!(armed.watch, Watch::Errors(_)) && !armed.spent)
    }

    /// The longest window of a rate, in nanoseconds: so far back the due counts are looked at.
    pub fn longest_window_ns(&self) -> u64 {
        let window = |armed: &Armed| match armed.guard.kind {
            GuardKind::Rate { window_ns, .. } => Some(window_ns),
            _ => None,
        };
        self.armed.iter().filter_map(window).max().unwrap_or(0)
    }

    /// The guard as written, for messages.
    pub fn guard(&self, guard: usize) -> &Guard {
        &self.armed[guard].guard
    }

    /// Whether a guard speaks of a stream.
    pub fn speaks_of(&self, guard: usize, stream: usize) -> bool {
        self.armed[guard].speaks_of(stream)
    }

    /// The guard, if any, that holds a stream's clock.
    pub fn pausing(&self, stream: usize) -> Option<usize> {
        self.armed.iter().position(|armed| armed.pausing && armed.speaks_of(stream))
    }

    /// How many more jobs may be sent at this instant: of the sum (`None`), or of a stream by its
    /// own guards.
    pub fn room(&mut self, stream: Option<usize>, now_ns: u64) -> u64 {
        let mut room = u64::MAX;
        for armed in &mut self.armed {
            if armed.guard.stream == stream
                && let Watch::Rate(window) = &mut armed.watch
                && let GuardKind::Rate { limit_jobs, .. } = armed.guard.kind
            {
                room = room.min(limit_jobs.saturating_sub(window.sum(now_ns)));
            }
        }
        room
    }

    /// The next instant at which a window that is full lets a job go.
    pub fn next_room_ns(&mut self, now_ns: u64) -> Option<u64> {
        let mut next: Option<u64> = None;
        for armed in &mut self.armed {
            if let Watch::Rate(window) = &mut armed.watch
                && let GuardKind::Rate { limit_jobs, .. } = armed.guard.kind
                && window.sum(now_ns) >= limit_jobs
                && let Some(leave_ns) = window.next_leave_ns()
            {
                next = Some(next.map_or(leave_ns, |known| known.min(leave_ns)));
            }
        }
        next
    }

    /// Notes jobs of a stream that were handed to the sink.
    pub fn sent(&mut self, stream: usize, at_ns: u64, jobs: u64) {
        for armed in self.armed.iter_mut().filter(|armed| armed.speaks_of(stream)) {
            if let Watch::Rate(window) = &mut armed.watch {
                window.add(at_ns, jobs);
            }
        }
    }

    /// Notes that jobs handed over at an instant came back unsent.
    pub fn came_back(&mut self, stream: usize, sent_ns: u64, jobs: u64) {
        for armed in self.armed.iter_mut().filter(|armed| armed.speaks_of(stream)) {
            if let Watch::Rate(window) = &mut armed.watch {
                window.take_back(sent_ns, jobs);
            }
        }
    }

    /// Notes answers: of so many jobs of a stream, so many failed or are unknown.
    pub fn answered(&mut self, stream: usize, now_ns: u64, answered: u64, failed: u64) {
        for armed in self.armed.iter_mut().filter(|armed| armed.speaks_of(stream)) {
            if let Watch::Errors(window) = &mut armed.watch {
                window.add(now_ns, answered, failed);
            }
        }
    }

    /// Judges the guards on errors. To be called after answers, and every 100 ms, since a window
    /// empties by itself.
    pub fn judge_errors(&mut self, now_ns: u64) -> Vec<Hit> {
        self.judge_each(|armed| {
            let GuardKind::Errors { limit, .. } = armed.guard.kind else { return None };
            let Watch::Errors(window) = &mut armed.watch else { return None };
            let share = window.share(now_ns);
            let over = share > limit && window.is_telling(now_ns);
            Some((share, armed.judge(now_ns, over, share, |_| true)?))
        })
    }

    /// Judges the guards on errors at the end of the run, whatever the number of answers: so a short
    /// or thin run is judged once. A pause would hold nothing any more.
    pub fn judge_errors_at_end(&mut self, now_ns: u64) -> Vec<Hit> {
        self.judge_each(|armed| {
            let GuardKind::Errors { limit, .. } = armed.guard.kind else { return None };
            let Watch::Errors(window) = &mut armed.watch else { return None };
            if matches!(armed.guard.action, Some(Action::PauseUntil(_))) {
                return None;
            }
            let share = window.share(now_ns);
            Some((share, armed.judge(now_ns, share > limit, share, |_| true)?))
        })
    }

    /// Judges the guards on the depth of a queue that was just read.
    pub fn judge_depth(&mut self, queue: usize, depth: u64, now_ns: u64) -> Vec<Hit> {
        self.judge_each(|armed| {
            let GuardKind::Depth { limit, .. } = armed.guard.kind else { return None };
            let Watch::Depth(queues) = &mut armed.watch else { return None };
            queues.iter_mut().find(|(known, _)| *known == queue)?.1 = depth;
            let deepest = queues.iter().map(|(_, depth)| *depth).max().unwrap_or(0) as f64;
            Some((
                depth as f64,
                armed.judge(now_ns, depth > limit, depth as f64, |level| deepest <= level)?,
            ))
        })
    }

    /// The first guard, if any, that watches the depth of a queue and has not had its say.
    pub fn watching(&self, queue: usize) -> Option<usize> {
        self.armed.iter().position(|armed| armed.watches(queue))
    }

    /// Stops what the guards on the depth of a queue speak of, since it can't be read: whatever they
    /// were to do, they can't be kept.
    pub fn blind_on(&mut self, queue: usize) -> Vec<Hit> {
        self.judge_each(|armed| {
            if !armed.watches(queue) {
                return None;
            }
            armed.spent = true;
            let Watch::Depth(queues) = &armed.watch else { return None };
            let (_, depth) = queues.iter().find(|(known, _)| *known == queue)?;
            Some((*depth as f64, armed.stop_effect(false)))
        })
    }

    /// The guards on files, and which.
    pub fn files(&self) -> Vec<(usize, PathBuf)> {
        let file = |(guard, armed): (usize, &Armed)| match &armed.watch {
            Watch::File(path) => Some((guard, path.clone())),
            _ => None,
        };
        self.armed.iter().enumerate().filter_map(file).collect()
    }

    /// Judges a guard on a file that is there or not.
    pub fn judge_file(&mut self, guard: usize, there: bool) -> Option<Hit> {
        let effect = self.armed[guard].judge(0, there, 1.0, |_| true)?;
        Some(Hit { guard, value: 1.0, effect })
    }

    fn judge_each(&mut self, judge: impl FnMut(&mut Armed) -> Option<(f64, Effect)>) -> Vec<Hit> {
        let hit = |(guard, outcome): (usize, Option<(f64, Effect)>)| {
            outcome.map(|(value, effect)| Hit { guard, value, effect })
        };
        self.armed.iter_mut().map(judge).enumerate().filter_map(hit).collect()
    }
}

#[cfg(test)]
mod tests;
