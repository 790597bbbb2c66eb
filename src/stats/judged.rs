//! The account of what expectations judge, where that is not everything: without what only warms up.

use super::deviation::Deviation;
use super::times::Times;
use super::{Counts, Flight, Settled, Stats};
use crate::sink::Outcome;
use serde::Serialize;

/// What became of the jobs that are judged: those that were answered, or given up waiting for.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// In numbers.
    pub counts: JudgedCounts,
    /// Their times.
    pub times: Times,
    /// Their distance from the plan.
    pub deviation: Deviation,
}

/// Jobs that are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JudgedCounts {
    /// Sent and answered, or given up waiting for.
    pub sent: u64,
    /// Accepted by the target.
    pub acked: u64,
    /// Refused by the target.
    pub failed: u64,
    /// Sent, and no answer came.
    pub unknown: u64,
}

impl JudgedCounts {
    /// The share that was refused or never answered; 0 if none was sent.
    pub fn error_share(&self) -> f64 {
        let (failed, unknown) = (self.failed, self.unknown);
        Counts { sent: self.sent, failed, unknown, ..Counts::default() }.error_share()
    }
}

impl Judged {
    /// Everything that an account holds so far.
    pub(super) fn of(stats: &Stats) -> Judged {
        let all = stats.counts();
        let (acked, failed, unknown) = (all.acked, all.failed, all.unknown);
        Judged {
            counts: JudgedCounts { sent: acked + failed + unknown, acked, failed, unknown },
            times: stats.times(),
            deviation: stats.deviation.clone(),
        }
    }

    /// Takes in the outcome of the jobs of one command, but for those that only warm up.
    pub(super) fn settled(&mut self, flights: &[Flight], outcome: &Outcome, command: Settled) {
        let Settled { sent_ns, at_ns, .. } = command;
        let of = flights.iter().filter(|flight| !flight.is_warmup);
        let mut jobs = 0;
        for flight in of {
            jobs += 1;
            self.times.send_delay.record(sent_ns.saturating_sub(flight.intended_ns), 1);
            if *outcome == Outcome::Acked {
                self.times.response.record(at_ns.saturating_sub(flight.intended_ns), 1);
                self.times.service.record(at_ns.saturating_sub(sent_ns), 1);
            }
        }
        if jobs == 0 {
            return;
        }
        self.counts.sent += jobs;
        match outcome {
            Outcome::Acked => self.counts.acked += jobs,
            Outcome::Failed(_) => self.counts.failed += jobs,
            Outcome::Unknown(_) | Outcome::NotSent(_) => self.counts.unknown += jobs,
        }
        self.deviation.sent(sent_ns / super::NS_PER_S, jobs);
    }
}
