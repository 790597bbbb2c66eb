//! What the dispatcher knows of a lane of the sink: whether it takes anything, and whether it ever
//! will.

use super::Dispatcher;
use crate::run::clock::Clock;
use crate::run::jobs::Jobs;
use crate::run::options::nanos;
use crate::sink::{Failure, Outcome, Sink, State};

/// The state of the way to the target.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// It is waited for until it takes commands again; nothing is sent before.
    pub(super) is_held: bool,
    lost_since_ns: Option<u64>,
    /// Nothing is sent before this either: a sink that says it is ready and is not must not be
    /// tried in a tight loop.
    retry_at_ns: Option<u64>,
    backoff_ns: u64,
    /// Since the last trouble nothing has been answered: one batch at a time.
    cautious: bool,
}

/// Refusals in a row: since the target last accepted a job.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals {
    jobs: u64,
    since_ns: u64,
    /// Some of them are of a kind that passes by itself.
    passing: bool,
    last: Option<Failure>,
    /// Over the whole run.
    total: u64,
}

const FIRST_BACKOFF_NS: u64 = 1_000_000;
const LONGEST_BACKOFF_NS: u64 = 500_000_000;

impl Link {
    /// Whether a break of the connection is known of and not mended.
    pub(super) fn is_lost(&self) -> bool {
        self.lost_since_ns.is_some()
    }

    pub(super) fn lost_since_ns(&self) -> Option<u64> {
        self.lost_since_ns
    }

    /// Notes a break; false if it is known of.
    pub(super) fn lose(&mut self, now_ns: u64) -> bool {
        self.cautious = true;
        let is_new = self.lost_since_ns.is_none();
        self.lost_since_ns.get_or_insert(now_ns);
        is_new
    }

    pub(super) fn is_back(&mut self) {
        self.lost_since_ns = None;
    }

    pub(super) fn retry_at_ns(&self) -> Option<u64> {
        self.retry_at_ns
    }

    /// Whether a batch may be sent now.
    pub(super) fn is_open(&self, now_ns: u64, in_flight: bool) -> bool {
        !self.is_held
            && self.retry_at_ns.is_none_or(|retry_ns| retry_ns <= now_ns)
            && !(self.cautious && in_flight)
    }

    /// Holds back for longer than the last time.
    fn back_off(&mut self, now_ns: u64) {
        let backoff_ns = self.backoff_ns.max(FIRST_BACKOFF_NS);
        self.retry_at_ns = Some(now_ns.saturating_add(backoff_ns));
        self.backoff_ns = (backoff_ns * 2).min(LONGEST_BACKOFF_NS);
    }

    /// Notes an answer of the target.
    pub(super) fn answered(&mut self, outcome: &Outcome) {
        if matches!(outcome, Outcome::Acked | Outcome::Failed(_)) {
            self.cautious = false;
            self.backoff_ns = 0;
            self.retry_at_ns = None;
        }
    }
}

impl Refusals {
    /// Notes an answer of the target, to so many jobs.
    pub(super) fn answered(&mut self, outcome: &Outcome, jobs: u64, now_ns: u64) {
        match outcome {
            Outcome::Failed(failure) => {
                if self.jobs == 0 {
                    self.since_ns = now_ns;
                }
                self.jobs += jobs;
                self.total += jobs;
                self.passing |= !failure.lasting;
                if self.last.as_ref() != Some(failure) {
                    self.last = Some(failure.clone());
                }
            }
            Outcome::Acked => {
                self.jobs = 0;
                self.passing = false;
            }
            Outcome::Unknown(_) | Outcome::NotSent(_) => {}
        }
    }
}

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Something was not sent over a lane, or not answered: holds it back until it is ready again,
    /// or gives the target up if it will never be.
    pub(super) fn connection_trouble(&mut self, lane: usize, failure: &Failure, now_ns: u64) {
        self.lanes.lose(lane, failure, now_ns);
        if let State::Lost(failure) = self.sink.lane_state(lane) {
            self.fail(failure, now_ns);
        } else if !self.lanes.link(lane).is_held {
            let ready = Box::pin(self.sink.lane_ready(lane));
            self.lanes.hold(lane, ready);
            self.lanes.link_mut(lane).back_off(now_ns);
        }
    }

    /// A lane is ready again, or never will be.
    pub(super) fn link_ready(&mut self, lane: usize, ready: Result<(), Failure>) {
        let now_ns = self.clock.now_ns();
        match ready {
            Ok(()) => {
                self.tell_notices();
                self.lane_is_back(lane, now_ns);
            }
            Err(failure) => self.fail(failure, now_ns),
        }
    }

    /// Gives up a target that accepts nothing.
    ///
    /// While the run lasts: if it has refused everything for [`super::RunOptions::refused_for`],
    /// or, where some refusals were of a kind that passes by itself (it loads, or is full),
    /// [`super::RunOptions::refused_passing_for`], and at least
    /// [`super::RunOptions::refused_jobs`] jobs. At its end: if it was refusing still, after so
    /// many jobs, or has accepted nothing in the whole run. A guard on errors leaves the say to the
    /// script while the run lasts, and at its end if it has acted.
    pub(super) fn judge_refusals(&mut self, now_ns: u64, at_end: bool) {
        let refusals = &self.lanes.refusals;
        let Some(failure) = &refusals.last else { return };
        let patience = if refusals.passing {
            self.options.refused_passing_for
        } else {
            self.options.refused_for
        };
        let scripts_say =
            if at_end { self.guards.acted_on_errors() } else { self.guards.bounds_errors() };
        let long = at_end || now_ns.saturating_sub(refusals.since_ns) >= nanos(patience);
        let in_a_row = long && refusals.jobs >= self.options.refused_jobs.max(1) && !scripts_say;
        let of_all = at_end && refusals.total == self.stats.counts().sent;
        if in_a_row || of_all {
            self.fail(failure.clone(), now_ns);
        }
    }
}
