//! A slice of a run.

use crate::stats::Counts;
use crate::stats::sketch::{Quantiles, SliceTimes};

/// A run at an instant, as the history needs it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// When, in nanoseconds of the run.
    pub at_ns: u64,
    /// The planned rate, in jobs per second.
    pub target_per_s: f64,
    /// The account.
    pub counts: Counts,
    /// The depth of each queue as last read.
    pub depths: Vec<Option<u64>>,
    /// Processor time that loadc has used so far, in seconds.
    pub cpu_s: f64,
    /// Memory that loadc has resident, in bytes, where the system tells.
    pub rss_bytes: Option<u64>,
    /// Whether all streams stand still.
    pub paused: bool,
}

/// What was between two instants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slice {
    /// Its end, in nanoseconds of the run.
    pub end_ns: u64,
    /// Its length, above 0.
    pub length_ns: u64,
    /// The planned rate in jobs per second, the mean of what was seen at its looks.
    pub target_per_s: f64,
    /// Jobs fallen due in it.
    pub due: u64,
    /// Sent.
    pub sent: u64,
    /// Acknowledged.
    pub acked: u64,
    /// Refused.
    pub failed: u64,
    /// Without an answer.
    pub unknown: u64,
    /// Given up.
    pub skipped: u64,
    /// The most jobs seen in flight.
    pub in_flight: u64,
    /// The most seen overdue.
    pub overdue: u64,
    /// The largest depth seen of each queue.
    pub depths: Vec<Option<u64>>,
    /// Sent minus intended, of the jobs answered in it; none if there were none.
    pub send_delay: Option<Quantiles>,
    /// Acknowledged minus sent.
    pub service: Option<Quantiles>,
    /// Acknowledged minus intended.
    pub response: Option<Quantiles>,
    /// Processors that loadc kept busy: 0.05 is 5 % of one.
    pub cpu: f64,
    /// The most memory seen, in bytes.
    pub rss_bytes: Option<u64>,
    /// The share of it that all streams stood still, from 0 to 1.
    pub paused: f64,
}

impl Slice {
    /// Its start, in nanoseconds of the run.
    pub fn start_ns(&self) -> u64 {
        self.end_ns - self.length_ns
    }

    /// Jobs per second, of a count of this slice.
    pub fn per_second(&self, jobs: u64) -> f64 {
        jobs as f64 / (self.length_ns.max(1) as f64 / 1e9)
    }

    /// The depths of all queues together; none if none is known.
    pub fn depth(&self) -> Option<u64> {
        self.depths.iter().copied().flatten().reduce(u64::saturating_add)
    }

    /// What was between two samples; none if no time has passed.
    pub(super) fn between(
        from: &Sample,
        to: &Sample,
        queues: usize,
        times: &SliceTimes,
    ) -> Option<Slice> {
        let length_ns = to.at_ns.checked_sub(from.at_ns).filter(|length| *length > 0)?;
        let (a, b) = (&from.counts, &to.counts);
        Some(Slice {
            end_ns: to.at_ns,
            length_ns,
            target_per_s: to.target_per_s,
            due: b.due.saturating_sub(a.due),
            // Jobs that came back unsent are taken out again.
            sent: b.sent.saturating_sub(a.sent),
            acked: b.acked.saturating_sub(a.acked),
            failed: b.failed.saturating_sub(a.failed),
            unknown: b.unknown.saturating_sub(a.unknown),
            skipped: b.skipped.saturating_sub(a.skipped),
            in_flight: b.in_flight(),
            overdue: b.overdue(),
            depths: to.depths.iter().take(queues).copied().collect(),
            send_delay: times.send_delay.quantiles(),
            service: times.service.quantiles(),
            response: times.response.quantiles(),
            cpu: (to.cpu_s - from.cpu_s).max(0.0) / (length_ns as f64 / 1e9),
            rss_bytes: to.rss_bytes,
            paused: f64::from(u8::from(to.paused)),
        })
    }
}

/// Slices that are becoming one.
#[derive(Clone, Debug, Default)]
pub(super) struct Growing {
    slice: Option<Slice>,
    times: SliceTimes,
}

impl Growing {
    /// Where it begins, in nanoseconds of the run.
    pub(super) fn start_ns(&self) -> u64 {
        self.slice.as_ref().map_or(0, Slice::start_ns)
    }

    /// Takes in the slice that follows.
    pub(super) fn add(&mut self, next: &Slice, times: &SliceTimes) {
        self.times.add(times);
        let Some(mine) = &mut self.slice else {
            self.slice = Some(next.clone());
            return;
        };
        let (before, more) = (mine.length_ns as f64, next.length_ns as f64);
        let mean = |mine: f64, next: f64| (mine * before + next * more) / (before + more);
        mine.target_per_s = mean(mine.target_per_s, next.target_per_s);
        mine.cpu = mean(mine.cpu, next.cpu);
        mine.paused = mean(mine.paused, next.paused);
        mine.end_ns = next.end_ns;
        mine.length_ns += next.length_ns;
        mine.due += next.due;
        mine.sent += next.sent;
        mine.acked += next.acked;
        mine.failed += next.failed;
        mine.unknown += next.unknown;
        mine.skipped += next.skipped;
        mine.in_flight = mine.in_flight.max(next.in_flight);
        mine.overdue = mine.overdue.max(next.overdue);
        mine.rss_bytes = mine.rss_bytes.max(next.rss_bytes);
        mine.depths.resize(mine.depths.len().max(next.depths.len()), None);
        for (mine, next) in mine.depths.iter_mut().zip(&next.depths) {
            *mine = (*mine).max(*next);
        }
    }

    /// Hands out what has grown, and begins anew.
    pub(super) fn finish(&mut self) -> Option<(Slice, SliceTimes)> {
        let mut slice = self.slice.take()?;
        let times = std::mem::take(&mut self.times);
        slice.send_delay = times.send_delay.quantiles();
        slice.service = times.service.quantiles();
        slice.response = times.response.quantiles();
        Some((slice, times))
    }
}
