//! The account of a run: counters that add up, times, the distance from the plan, errors.
//!
//! At every instant, of each stream and of their sum,
//!
//! ```text
//! due  = sent + skipped + overdue
//! sent = acked + failed + unknown + in flight
//! ```
//!
//! and nothing is overdue or in flight once a run is over.

pub mod depth;
pub mod deviation;
pub mod errors;
pub mod history;
pub mod judged;
pub mod minutes;
pub mod process;
pub mod sketch;
pub mod times;
pub mod workers;

use crate::sink::{Failure, Outcome};
use depth::QueueDepth;
use deviation::Deviation;
use errors::{Errors, Fate};
use judged::Judged;
use serde::{Deserialize, Serialize};
use sketch::SliceTimes;
use times::Times;

/// What became of jobs, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// In the plan.
    pub planned: u64,
    /// Fallen due.
    pub due: u64,
    /// Handed to the sink and not handed back unsent.
    pub sent: u64,
    /// Accepted by the target.
    pub acked: u64,
    /// Refused by the target.
    pub failed: u64,
    /// Sent, and no answer came.
    pub unknown: u64,
    /// Due, but given up before they were sent, because the run ended.
    pub skipped: u64,
    /// Left out of the plan, since a phrase ended before its time or needed no more; no longer among
    /// the planned.
    pub cut: u64,
}

impl Counts {
    /// Sent and not yet answered.
    pub fn in_flight(&self) -> u64 {
        self.sent - self.acked - self.failed - self.unknown
    }

    /// Due and neither sent nor skipped.
    pub fn overdue(&self) -> u64 {
        self.due - self.sent - self.skipped
    }

    /// The share of sent jobs that were refused or never answered; 0 if none was sent.
    pub fn error_share(&self) -> f64 {
        if self.sent == 0 {
            return 0.0;
        }
        (self.failed + self.unknown) as f64 / self.sent as f64
    }

    fn add(&mut self, other: &Counts) {
        self.planned += other.planned;
        self.due += other.due;
        self.sent += other.sent;
        self.acked += other.acked;
        self.failed += other.failed;
        self.unknown += other.unknown;
        self.skipped += other.skipped;
        self.cut += other.cut;
    }
}

/// What became of the jobs of one kind in a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JobCounts {
    /// The job's name.
    pub job: String,
    /// Sent and answered, or given up waiting for.
    pub sent: u64,
    /// Accepted.
    pub acked: u64,
    /// Refused.
    pub failed: u64,
    /// Not answered.
    pub unknown: u64,
}

/// A stream's part of the account.
#[derive(Clone, Debug)]
pub struct StreamStats {
    /// Its jobs.
    pub counts: Counts,
    /// Jobs among those cut that stand between others: each keeps its place in the schedule.
    pub left_out: u64,
    /// By kind of job.
    pub by_job: Vec<JobCounts>,
    /// Its times.
    pub times: Times,
    /// Its distance from the plan.
    pub deviation: Deviation,
    /// Bytes of the commands sent; those of a command that streams share are split evenly among its
    /// jobs.
    pub bytes: u64,
}

/// A job in flight: what the account needs to know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flight {
    /// Its index in its stream's schedule.
    pub index: u64,
    /// When it was intended to leave, in nanoseconds of the run.
    pub intended_ns: u64,
    /// Its stream.
    pub stream: u32,
    /// Its kind: the place among its stream's jobs.
    pub job: u32,
    /// The parts of the run that are measured by themselves and that it is of, as bits.
    pub parts: u64,
    /// It only warms up: no expectation judges it.
    pub is_warmup: bool,
}

/// A command that has its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Its size.
    pub bytes: u64,
    /// When it was handed to the sink, in nanoseconds of the run.
    pub sent_ns: u64,
    /// When its outcome was known.
    pub at_ns: u64,
}

/// The whole account.
#[derive(Clone, Debug)]
pub struct Stats {
    streams: Vec<StreamStats>,
    deviation: Deviation,
    errors: Errors,
    depths: Vec<QueueDepth>,
    slice: SliceTimes,
    /// What is judged, where that is not everything.
    judged: Option<Box<Judged>>,
}

fn stream((planned, jobs): (u64, Vec<String>)) -> StreamStats {
    StreamStats {
        counts: Counts { planned, ..Counts::default() },
        left_out: 0,
        by_job: jobs.into_iter().map(|job| JobCounts { job, ..JobCounts::default() }).collect(),
        times: Times::default(),
        deviation: Deviation::default(),
        bytes: 0,
    }
}

impl Stats {
    /// An account of streams, each with the number of jobs in its plan and the names of their
    /// kinds, over a number of queues.
    pub fn new(streams: Vec<(u64, Vec<String>)>, queues: usize) -> Stats {
        Stats {
            streams: streams.into_iter().map(stream).collect(),
            deviation: Deviation::default(),
            errors: Errors::default(),
            depths: vec![QueueDepth::default(); queues],
            slice: SliceTimes::default(),
            judged: None,
        }
    }

    /// Takes in one more stream.
    pub fn add_stream(&mut self, planned: u64) {
        self.streams.push(stream((planned, Vec::new())));
    }

    /// Takes in one more queue.
    pub fn add_queue(&mut self) {
        self.depths.push(QueueDepth::default());
    }

    /// The place of a kind of job among those of a stream, taken in if it is new.
    pub fn kind(&mut self, stream: usize, name: &str) -> usize {
        let kinds = &mut self.streams[stream].by_job;
        let known = kinds.iter().position(|kind| kind.job == name);
        known.unwrap_or_else(|| {
            kinds.push(JobCounts { job: name.to_owned(), ..JobCounts::default() });
            kinds.len() - 1
        })
    }

    /// Notes that a stream now has so many jobs in its schedule, those left out among them.
    pub fn set_planned(&mut self, stream: usize, jobs: u64) {
        let mine = &mut self.streams[stream];
        mine.counts.planned = jobs.saturating_sub(mine.left_out);
    }

    /// The streams, in the plan's order.
    pub fn streams(&self) -> &[StreamStats] {
        &self.streams
    }

    /// The counts of all streams together.
    pub fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        self.streams.iter().for_each(|stream| sum.add(&stream.counts));
        sum
    }

    /// The times of all streams together.
    pub fn times(&self) -> Times {
        let mut sum = Times::default();
        self.streams.iter().for_each(|stream| sum.add(&stream.times));
        sum
    }

    /// From here on what only warms up is left out of what is judged.
    pub fn judge_apart(&mut self) {
        if self.judged.is_none() {
            self.judged = Some(Box::new(Judged::of(self)));
        }
    }

    /// What is judged, if that is not everything.
    pub fn judged(&self) -> Option<&Judged> {
        self.judged.as_deref()
    }

    /// Notes that jobs which are judged have fallen due in this second of the run.
    pub fn due_judged(&mut self, jobs: u64, second: u64) {
        if let Some(judged) = self.judged.as_mut().filter(|_| jobs > 0) {
            judged.deviation.due(second, jobs);
        }
    }

    /// The distance of the sum of the streams from the plan.
    pub fn deviation(&self) -> &Deviation {
        &self.deviation
    }

    /// Takes over the account of a stream from before this process: sent and settled, and by kind.
    /// What it has cut was left out.
    pub fn carry(
        &mut self,
        stream: usize,
        before: Counts,
        by_job: impl Iterator<Item = JobCounts>,
    ) {
        let mine = &mut self.streams[stream];
        mine.left_out = before.cut;
        let planned = mine.counts.planned.saturating_sub(before.cut);
        mine.counts = Counts { planned, ..before };
        for before in by_job {
            let place = self.kind(stream, &before.job);
            self.streams[stream].by_job[place] = before;
        }
    }

    /// The errors so far.
    pub fn errors(&self) -> &Errors {
        &self.errors
    }

    /// How full the queues are and were, in the order of the queues.
    pub fn depths(&self) -> &[QueueDepth] {
        &self.depths
    }

    /// A queue's depth, to note a new reading.
    pub fn depth_mut(&mut self, queue: usize) -> &mut QueueDepth {
        &mut self.depths[queue]
    }

    /// Notes that `total` jobs of a stream have fallen due so far, those left out among them, and
    /// those new among them in this second of the run.
    pub fn due(&mut self, stream: usize, total: u64, second: u64) {
        let mine = &mut self.streams[stream];
        let more = total.saturating_sub(mine.passed());
        if more > 0 {
            mine.counts.due += more;
            mine.deviation.due(second, more);
            self.deviation.due(second, more);
        }
    }

    /// Notes that jobs were handed to the sink.
    pub fn handed_over(&mut self, flights: &[Flight]) {
        for group in flights.chunk_by(|a, b| a.stream == b.stream) {
            self.streams[group[0].stream as usize].counts.sent += group.len() as u64;
        }
    }

    /// Notes the outcome of the jobs of one command. Everything about a job but its being in flight is recorded here, so that one that comes
    /// back unsent leaves no trace.
    pub fn settled(&mut self, flights: &[Flight], outcome: &Outcome, command: Settled) {
        let Settled { bytes, sent_ns, at_ns } = command;
        let jobs = flights.len() as u64;
        match outcome {
            Outcome::Failed(failure) => self.errors.note(failure, Fate::Failed, jobs, at_ns),
            Outcome::Unknown(failure) => self.errors.note(failure, Fate::Unknown, jobs, at_ns),
            Outcome::Acked | Outcome::NotSent(_) => {}
        }
        if let Some(judged) =
            self.judged.as_mut().filter(|_| !matches!(outcome, Outcome::NotSent(_)))
        {
            judged.settled(flights, outcome, command);
        }
        for group in flights.chunk_by(|a, b| a.stream == b.stream) {
            let mine = &mut self.streams[group[0].stream as usize];
            if matches!(outcome, Outcome::NotSent(_)) {
                mine.counts.sent -= group.len() as u64;
                continue;
            }
            mine.answered(group, outcome, sent_ns, at_ns, &mut self.slice);
            mine.bytes += bytes * group.len() as u64 / flights.len() as u64;
            let second = sent_ns / NS_PER_S;
            mine.deviation.sent(second, group.len() as u64);
            self.deviation.sent(second, group.len() as u64);
        }
    }

    /// Notes that due jobs of a stream are given up.
    pub fn skipped(&mut self, stream: usize, jobs: u64) {
        self.streams[stream].counts.skipped += jobs;
    }

    /// Notes that the next jobs of a stream's schedule do not fall due: nobody needs them.
    pub fn leave_out(&mut self, stream: usize, jobs: u64) {
        let mine = &mut self.streams[stream];
        mine.left_out += jobs;
        mine.counts.cut += jobs;
        mine.counts.planned = mine.counts.planned.saturating_sub(jobs);
    }

    /// Notes that jobs of a stream's plan never fall due, since a phrase ended before its time.
    pub fn cut(&mut self, stream: usize, jobs: u64) {
        self.streams[stream].counts.cut += jobs;
    }

    /// Notes why due jobs are given up, which no job's outcome tells of.
    pub fn error(&mut self, failure: &Failure, jobs: u64, at_ns: u64) {
        self.errors.note(failure, Fate::Skipped, jobs, at_ns);
    }

    /// The times that came since they were last forgotten.
    pub fn slice(&self) -> &SliceTimes {
        &self.slice
    }

    /// Forgets those times: a slice of the run has ended.
    pub fn end_slice(&mut self) {
        self.slice.clear();
    }

    /// Declares the seconds before this one complete: nothing more will be noted for them.
    pub fn close_seconds(&mut self, before: u64) {
        self.deviation.close(before);
        self.judged.iter_mut().for_each(|judged| judged.deviation.close(before));
        self.streams.iter_mut().for_each(|stream| stream.deviation.close(before));
    }
}

/// Nanoseconds in a second.
const NS_PER_S: u64 = 1_000_000_000;

impl StreamStats {
    /// How far it has come in its schedule: jobs that fell due or were left out.
    pub fn passed(&self) -> u64 {
        self.counts.due + self.left_out
    }

    fn answered(
        &mut self,
        group: &[Flight],
        outcome: &Outcome,
        sent_ns: u64,
        at_ns: u64,
        slice: &mut SliceTimes,
    ) {
        let jobs = group.len() as u64;
        match outcome {
            Outcome::Acked => self.counts.acked += jobs,
            Outcome::Failed(_) => self.counts.failed += jobs,
            Outcome::Unknown(_) => self.counts.unknown += jobs,
            Outcome::NotSent(_) => return,
        }
        for flight in group {
            let kind = &mut self.by_job[flight.job as usize];
            kind.sent += 1;
            match outcome {
                Outcome::Acked => kind.acked += 1,
                Outcome::Failed(_) => kind.failed += 1,
                _ => kind.unknown += 1,
            }
            let send_delay_ns = sent_ns.saturating_sub(flight.intended_ns);
            self.times.send_delay.record(send_delay_ns, 1);
            slice.send_delay.record(send_delay_ns, 1);
            if *outcome == Outcome::Acked {
                let response_ns = at_ns.saturating_sub(flight.intended_ns);
                self.times.response.record(response_ns, 1);
                slice.response.record(response_ns, 1);
            }
        }
        if *outcome == Outcome::Acked {
            self.times.service.record(at_ns.saturating_sub(sent_ns), jobs);
            slice.service.record(at_ns.saturating_sub(sent_ns), jobs);
        }
    }
}

#[cfg(test)]
mod tests;
