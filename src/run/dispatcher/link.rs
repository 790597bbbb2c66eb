//! What the dispatcher knows of the sink: whether it takes anything, and whether it ever will.

use super::{Boxed, Dispatcher};
use crate::run::clock::Clock;
use crate::run::events::Event;
use crate::run::jobs::Jobs;
use crate::run::options::nanos;
use crate::sink::{Failure, Outcome, Sink, State};

/// The state of the way to the target.
#[derive(Default)]
pub(super) struct Link {
    /// Resolves when the sink takes commands again; nothing is sent before.
    hold: Option<Boxed<Result<(), Failure>>>,
    lost_since_ns: Option<u64>,
    /// Nothing is sent before this either: a sink that says it is ready and is not must not be
    /// tried in a tight loop.
    retry_at_ns: Option<u64>,
    backoff_ns: u64,
    /// Since the last trouble nothing has been answered: one batch at a time.
    cautious: bool,
    refusals: Refusals,
}

/// Refusals in a row: since the target last accepted a job.
#[derive(Clone, Debug, Default)]
struct Refusals {
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

    pub(super) fn is_held(&self) -> bool {
        self.hold.is_some()
    }

    /// Resolves when the sink takes commands again; never without a hold.
    pub(super) async fn ready(&mut self) -> Result<(), Failure> {
        match &mut self.hold {
            Some(hold) => hold.await,
            None => std::future::pending().await,
        }
    }

    pub(super) fn retry_at_ns(&self) -> Option<u64> {
        self.retry_at_ns
    }

    /// Whether a batch may be sent now.
    pub(super) fn is_open(&self, now_ns: u64, in_flight: bool) -> bool {
        self.hold.is_none()
            && self.retry_at_ns.is_none_or(|retry_ns| retry_ns <= now_ns)
            && !(self.cautious && in_flight)
    }

    /// Notes an answer of the target, to so many jobs.
    pub(super) fn answered(&mut self, outcome: &Outcome, jobs: u64, now_ns: u64) {
        match outcome {
            Outcome::Failed(failure) => {
                if self.refusals.jobs == 0 {
                    self.refusals.since_ns = now_ns;
                }
                self.refusals.jobs += jobs;
                self.refusals.total += jobs;
                self.refusals.passing |= !failure.lasting;
                if self.refusals.last.as_ref() != Some(failure) {
                    self.refusals.last = Some(failure.clone());
                }
            }
            Outcome::Acked => {
                self.refusals.jobs = 0;
                self.refusals.passing = false;
            }
            Outcome::Unknown(_) | Outcome::NotSent(_) => return,
        }
        self.cautious = false;
        self.backoff_ns = 0;
        self.retry_at_ns = None;
    }
}

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Something was not sent, or not answered: holds back until the sink is ready again, or gives
    /// up if it will never be.
    pub(super) fn connection_trouble(&mut self, failure: &Failure, now_ns: u64) {
        if self.link.lost_since_ns.is_none() {
            self.link.lost_since_ns = Some(now_ns);
            self.tell(Event::ConnectionLost { message: failure.message.clone() });
        }
        self.link.cautious = true;
        if let State::Lost(failure) = self.sink.state() {
            self.fail(failure, now_ns);
        } else if self.link.hold.is_none() {
            self.link.hold = Some(Box::pin(self.sink.wait_ready()));
            let backoff_ns = self.link.backoff_ns.max(FIRST_BACKOFF_NS);
            self.link.retry_at_ns = Some(now_ns.saturating_add(backoff_ns));
            self.link.backoff_ns = (backoff_ns * 2).min(LONGEST_BACKOFF_NS);
        }
    }

    /// The sink is ready again, or never will be.
    pub(super) fn link_ready(&mut self, ready: Result<(), Failure>) {
        self.link.hold = None;
        let now_ns = self.clock.now_ns();
        match ready {
            Ok(()) => {
                self.tell_notices();
                if let Some(since_ns) = self.link.lost_since_ns.take() {
                    let after_s = now_ns.saturating_sub(since_ns) as f64 / 1e9;
                    self.tell(Event::Reconnected { after_s });
                }
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
        let refusals = &self.link.refusals;
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
