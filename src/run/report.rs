//! The result of a run, with the fields that `run --json` prints.

mod expectations;

pub use expectations::{
    ExpectationEntry, QueueFact, QueueFacts, ValueUnit, is_lost, is_met, judge, value,
};

use super::events::Record;
use super::guards::GuardEntry;
use crate::stats::errors::ErrorEntry;
use crate::stats::judged::{Judged, JudgedCounts};
use crate::stats::times::{Kept, Summary, Times};
use crate::stats::workers::WorkersReport;
use crate::stats::{Counts, JobCounts, Stats};
use serde::Serialize;

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The run's id.
    pub run_id: String,
    /// The script's file.
    pub file: String,
    /// The plan's digest.
    pub digest: String,
    /// The plan's seed: with it and the script the run can be had again.
    pub seed: u64,
    /// Where the jobs went.
    pub target: String,
    /// Which part of the plan this was, as `1/4`, if not the whole.
    pub shard: Option<String>,
    /// When, in RFC 3339.
    pub started_at: String,
    /// How long it took, with draining and without connecting.
    pub elapsed_s: f64,
    /// The account; at the end due = sent + skipped and sent = acked + failed + unknown.
    pub jobs: Counts,
    /// Jobs sent per second of the whole run.
    pub achieved_per_s: f64,
    /// Megabytes (10⁶) of commands per second of the whole run.
    pub mb_per_s: f64,
    /// The largest |sent/due − 1|, see [`crate::stats::deviation::Deviation`].
    pub deviation: f64,
    /// Sent minus intended, in microseconds; null if nothing was sent.
    pub send_delay_us: Option<Summary>,
    /// Acknowledged minus sent.
    pub service_time_us: Option<Summary>,
    /// Acknowledged minus intended.
    pub response_time_us: Option<Summary>,
    /// The same for each stream.
    pub streams: Vec<StreamReport>,
    /// Errors by kind and by what became of the jobs.
    pub errors: Vec<ErrorEntry>,
    /// Times at which the server was found to have lost jobs that it had acknowledged. Those stay
    /// acknowledged in the account.
    pub forgotten: Vec<ForgottenEntry>,
    /// Times at which loadc itself did not run: stopped, suspended, or without a processor. The
    /// first ten thousand of them.
    pub stalls: Vec<StallEntry>,
    /// Hits of guards, in order.
    pub guards: Vec<GuardEntry>,
    /// Hits beyond those listed.
    pub guards_unlisted: u64,
    /// Guards that came near their bounds, in order, up to 10,000.
    pub warnings: Vec<GuardEntry>,
    /// What happened, in order: all events but the metrics of each second.
    pub events: Vec<Record>,
    /// Events beyond those listed.
    pub events_unlisted: u64,
    /// Other plans that were spliced in, in order.
    pub reloads: Vec<ReloadEntry>,
    /// What expectations judge, where that is not everything: without what only warms up.
    pub judged: Option<JudgedReport>,
    /// What came of phrases that wait for their queues, in order; the first 10,000.
    pub waits: Vec<WaitEntry>,
    /// What was expected.
    pub expectations: Vec<ExpectationEntry>,
    /// The times in full; they stand apart in the document of a run.
    #[serde(skip)]
    pub histograms: Histograms,
    /// Processor time of the tool itself, in seconds.
    pub cpu_s: f64,
    /// The most memory the tool had resident, in bytes, where the system tells.
    pub rss_max_bytes: Option<u64>,
    /// How it ended.
    pub outcome: OutcomeName,
    /// Why it failed, if it did.
    pub failure: Option<FailureEntry>,
    /// The exit code.
    pub exit_code: u8,
}

/// What came of a phrase that goes by the depth of its queues.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WaitEntry {
    /// What it is: `until`, `drain` or `hold`.
    pub kind: &'static str,
    /// The phrase as written.
    pub phrase: String,
    /// The stream's name, or none for the phrases outside any load.
    pub stream: Option<String>,
    /// When it ended, in seconds of the run.
    pub at_s: f64,
    /// Whether the queues came to be as it waits for, or were as full as it is to hold them; else its
    /// time was up.
    pub met: bool,
    /// How long it was under way, in seconds.
    pub after_s: f64,
    /// Jobs of the plan that were left out because it ended early or needed no more.
    pub cut: u64,
}

/// The part of the account that expectations judge.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct JudgedReport {
    /// In numbers.
    pub jobs: JudgedCounts,
    /// Its distance from the plan.
    pub deviation: f64,
    /// Sent minus intended, in microseconds.
    pub send_delay_us: Option<Summary>,
    /// Acknowledged minus sent.
    pub service_time_us: Option<Summary>,
    /// Acknowledged minus intended.
    pub response_time_us: Option<Summary>,
}

impl WaitEntry {
    /// How it ended, in words; `after …` may follow.
    pub fn ending(&self) -> &'static str {
        match (self.kind, self.met) {
            ("hold", true) => "came up to its depth, and ended",
            ("hold", false) => "never came up to its depth, and ended",
            (_, true) => "ended",
            (_, false) => "ran its whole time",
        }
    }
}

impl JudgedReport {
    pub(crate) fn of(judged: &Judged) -> JudgedReport {
        JudgedReport {
            jobs: judged.counts,
            deviation: judged.deviation.of_run(),
            send_delay_us: judged.times.send_delay.summary(),
            service_time_us: judged.times.service.summary(),
            response_time_us: judged.times.response.summary(),
        }
    }
}

/// Another plan that was spliced into the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReloadEntry {
    /// When, in seconds of the run.
    pub at_s: f64,
    /// Where in the new plan the run went on: `elapsed` or `restart`.
    pub splice: &'static str,
    /// The digest of the plan before.
    pub digest_before: String,
    /// That of the plan from there on.
    pub digest_after: String,
    /// Jobs that had fallen due by then.
    pub due: u64,
    /// Jobs in the plan before, those that had fallen due with them.
    pub planned_before: u64,
    /// The same from there on.
    pub planned_after: u64,
}

/// The distributions of a run's times, in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Histograms {
    /// Sent minus intended.
    pub send_delay_us: Kept,
    /// Acknowledged minus sent.
    pub service_time_us: Kept,
    /// Acknowledged minus intended.
    pub response_time_us: Kept,
}

impl Histograms {
    pub(crate) fn of(times: &Times) -> Histograms {
        Histograms {
            send_delay_us: times.send_delay.kept(),
            service_time_us: times.service.kept(),
            response_time_us: times.response.kept(),
        }
    }
}

/// A stream's part of the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamReport {
    /// Its name, null for the phrases outside any load.
    pub name: Option<String>,
    /// Its account.
    pub jobs: Counts,
    /// Jobs sent per second of the whole run.
    pub achieved_per_s: f64,
    /// Megabytes of commands per second of the whole run.
    pub mb_per_s: f64,
    /// Its distance from its plan.
    pub deviation: f64,
    /// Sent minus intended.
    pub send_delay_us: Option<Summary>,
    /// Acknowledged minus sent.
    pub service_time_us: Option<Summary>,
    /// Acknowledged minus intended.
    pub response_time_us: Option<Summary>,
    /// By kind of job.
    pub by_job: Vec<JobCounts>,
    /// The queues it writes to.
    pub queues: Vec<QueueReport>,
}

/// How full a queue was; null where it could not be read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueReport {
    /// Its name.
    pub name: String,
    /// Before the run.
    pub depth_start: Option<u64>,
    /// After it.
    pub depth_end: Option<u64>,
    /// The largest seen.
    pub depth_max: Option<u64>,
    /// What its workers did; null where that was not to be watched or could not be read.
    pub workers: Option<WorkersReport>,
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailureEntry {
    /// The kind, in the server's own word where it gave one.
    pub kind: String,
    /// The message.
    pub message: String,
}

/// A time in which loadc itself did not run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct StallEntry {
    /// When it should have woken, in seconds of the run.
    pub at_s: f64,
    /// How much later it did, in seconds.
    pub for_s: f64,
}

/// A server's loss of memory.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ForgottenEntry {
    /// When it was found out, in seconds of the run.
    pub at_s: f64,
    /// Jobs that it had acknowledged and can no longer vouch for.
    pub acked_jobs: u64,
    /// How it is known.
    pub message: String,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeName {
    /// To its planned end.
    Done,
    /// By hand.
    Stopped,
    /// By a guard.
    Guard,
    /// By an expectation that could no longer be met.
    Missed,
    /// By a signal.
    Interrupted,
    /// Because the target takes no jobs.
    Failed,
}

impl OutcomeName {
    /// The exit code, given whether every expectation was met.
    pub fn exit_code(self, all_met: bool) -> u8 {
        match self {
            OutcomeName::Done if all_met => 0,
            OutcomeName::Done | OutcomeName::Missed => 1,
            OutcomeName::Guard => 3,
            OutcomeName::Failed => 4,
            OutcomeName::Stopped | OutcomeName::Interrupted => 130,
        }
    }
}

/// What [`Stats`] do not know of a stream.
#[derive(Clone, Debug)]
pub(crate) struct StreamFacts {
    pub(crate) name: Option<String>,
    /// Names of its queues, their places in [`Stats::depths`], and what their workers did.
    pub(crate) queues: Vec<(String, usize, Option<WorkersReport>)>,
}

impl StreamFacts {
    /// The report of the stream at a place of the account.
    pub(crate) fn report(self, stats: &Stats, stream: usize, elapsed_s: f64) -> StreamReport {
        let own = &stats.streams()[stream];
        let queue = |(name, place, workers): (String, usize, Option<WorkersReport>)| {
            let depth = stats.depths()[place];
            QueueReport {
                name,
                depth_start: depth.start,
                depth_end: depth.end,
                depth_max: depth.max,
                workers,
            }
        };
        let Times { send_delay, service, response } = &own.times;
        StreamReport {
            name: self.name,
            jobs: own.counts,
            achieved_per_s: per_second(own.counts.sent as f64, elapsed_s),
            mb_per_s: per_second(own.bytes as f64 / 1e6, elapsed_s),
            deviation: own.deviation.of_run(),
            send_delay_us: send_delay.summary(),
            service_time_us: service.summary(),
            response_time_us: response.summary(),
            by_job: own.by_job.clone(),
            queues: self.queues.into_iter().map(queue).collect(),
        }
    }
}

pub(crate) fn per_second(amount: f64, elapsed_s: f64) -> f64 {
    if elapsed_s > 0.0 { amount / elapsed_s } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_the_contract() {
        let codes = |all_met| {
            [
                OutcomeName::Done,
                OutcomeName::Guard,
                OutcomeName::Failed,
                OutcomeName::Stopped,
                OutcomeName::Interrupted,
                OutcomeName::Missed,
            ]
            .map(|outcome| outcome.exit_code(all_met))
        };
        assert_eq!(codes(true), [0, 3, 4, 130, 130, 1]);
        assert_eq!(codes(false), [1, 3, 4, 130, 130, 1]);
        assert_eq!(serde_json::to_string(&OutcomeName::Interrupted).unwrap(), "\"interrupted\"");
    }
}
