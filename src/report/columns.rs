//! The history of a run as columns, as its JSON has it.

use crate::stats::history::{History, Slice};
use crate::stats::sketch::Quantiles;
use serde::{Deserialize, Serialize};

/// Slices of a run, each column with one entry a slice; null where nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Columns {
    /// Names of the queues in `depth`.
    pub queues: Vec<String>,
    /// Ends, in seconds of the run.
    pub t_s: Vec<f64>,
    /// Lengths.
    pub length_s: Vec<f64>,
    /// The planned rate, in jobs per second.
    pub target_per_s: Vec<f64>,
    /// Jobs fallen due.
    pub due: Vec<u64>,
    /// Jobs sent.
    pub sent: Vec<u64>,
    /// Jobs acknowledged.
    pub acked: Vec<u64>,
    /// Jobs refused.
    pub failed: Vec<u64>,
    /// Jobs without an answer.
    pub unknown: Vec<u64>,
    /// Jobs given up.
    pub skipped: Vec<u64>,
    /// The most jobs in flight.
    pub in_flight: Vec<u64>,
    /// The most jobs overdue.
    pub overdue: Vec<u64>,
    /// The largest depth, for each queue.
    pub depth: Vec<Vec<Option<u64>>>,
    /// Sent minus intended, in microseconds.
    pub send_delay_us: Percentiles,
    /// Acknowledged minus sent.
    pub service_time_us: Percentiles,
    /// Acknowledged minus intended.
    pub response_time_us: Percentiles,
    /// Processors that loadc kept busy.
    pub cpu: Vec<f64>,
    /// Memory that loadc had, in bytes.
    pub rss_bytes: Vec<Option<u64>>,
    /// The share of the slice that all streams stood still.
    pub paused: Vec<f64>,
}

/// Percentiles of each slice, in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Percentiles {
    /// The median.
    pub p50: Vec<Option<u32>>,
    /// 90 %
    pub p90: Vec<Option<u32>>,
    /// 99 %
    pub p99: Vec<Option<u32>>,
    /// The largest.
    pub max: Vec<Option<u32>>,
}

impl Percentiles {
    fn push(&mut self, found: Option<Quantiles>) {
        self.p50.push(found.map(|found| found.p50));
        self.p90.push(found.map(|found| found.p90));
        self.p99.push(found.map(|found| found.p99));
        self.max.push(found.map(|found| found.max));
    }
}

/// To a thousandth: more would only make the document longer.
fn short(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

impl Columns {
    /// The whole run.
    pub fn of(history: &History) -> Columns {
        Columns::of_slices(history.queues(), &history.whole())
    }

    /// Some slices.
    pub fn of_slices(queues: &[String], slices: &[Slice]) -> Columns {
        let mut columns = Columns {
            queues: queues.to_vec(),
            depth: vec![Vec::new(); queues.len()],
            ..Columns::default()
        };
        slices.iter().for_each(|slice| columns.push(slice));
        columns
    }

    fn push(&mut self, slice: &Slice) {
        self.t_s.push(short(slice.end_ns as f64 / 1e9));
        self.length_s.push(short(slice.length_ns as f64 / 1e9));
        self.target_per_s.push(short(slice.target_per_s));
        self.due.push(slice.due);
        self.sent.push(slice.sent);
        self.acked.push(slice.acked);
        self.failed.push(slice.failed);
        self.unknown.push(slice.unknown);
        self.skipped.push(slice.skipped);
        self.in_flight.push(slice.in_flight);
        self.overdue.push(slice.overdue);
        for (queue, depth) in self.depth.iter_mut().enumerate() {
            depth.push(slice.depths.get(queue).copied().flatten());
        }
        self.send_delay_us.push(slice.send_delay);
        self.service_time_us.push(slice.service);
        self.response_time_us.push(slice.response);
        self.cpu.push(short(slice.cpu));
        self.rss_bytes.push(slice.rss_bytes);
        self.paused.push(short(slice.paused));
    }

    /// How many slices there are.
    pub fn len(&self) -> usize {
        self.t_s.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.t_s.is_empty()
    }

    /// Jobs per second, of a column of counts.
    pub fn rates(&self, counts: &[u64]) -> Vec<Option<f64>> {
        let lengths = self.length_s.iter();
        let rate = |(count, length): (&u64, &f64)| (*length > 0.0).then(|| *count as f64 / length);
        counts.iter().zip(lengths).map(rate).collect()
    }
}
