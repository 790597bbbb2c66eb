//! Stand-ins for the rooms on either side, for the tests of this one.

use crate::schedule::Schedule;
use std::sync::Arc;

/// Jobs due at instants that a test writes down.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    times_ns: Vec<u64>,
    end_ns: u64,
}

impl Listed {
    /// In any order; the stream ends at its last job.
    pub(crate) fn at(mut times_ns: Vec<u64>) -> Listed {
        times_ns.sort_unstable();
        let end_ns = times_ns.last().copied().unwrap_or(0);
        Listed { times_ns, end_ns }
    }

    /// `count` jobs, the k-th in the middle of the k-th interval, as a constant rate has them.
    pub(crate) fn every(interval_ns: u64, count: u64) -> Listed {
        let times_ns = (0..count).map(|k| k * interval_ns + interval_ns / 2).collect();
        Listed { times_ns, end_ns: interval_ns * count }
    }

    /// A rate rising from 0 to `peak_per_s`: Λ(t) = peak·t²/2T, so T(k) = √(2T(k − ½)/peak).
    pub(crate) fn rising(peak_per_s: f64, seconds: f64) -> Listed {
        let count = (peak_per_s * seconds / 2.0) as u64;
        let time = |k: u64| (2.0 * seconds * (k as f64 - 0.5) / peak_per_s).sqrt() * 1e9;
        Listed {
            times_ns: (1..=count).map(|k| time(k) as u64).collect(),
            end_ns: (seconds * 1e9) as u64,
        }
    }

    pub(crate) fn ending_at(self, end_ns: u64) -> Listed {
        Listed { end_ns, ..self }
    }

    pub(crate) fn shared(self) -> Arc<dyn Schedule> {
        Arc::new(self)
    }
}

impl Schedule for Listed {
    fn len(&self) -> u64 {
        self.times_ns.len() as u64
    }

    fn due_by(&self, t_ns: u64) -> u64 {
        self.times_ns.partition_point(|time| *time <= t_ns) as u64
    }

    fn time_of(&self, index: u64) -> u64 {
        self.times_ns[index as usize - 1]
    }

    fn number_of(&self, index: u64) -> u64 {
        index
    }

    fn rate(&self, t_ns: u64) -> f64 {
        let from = self.due_by(t_ns.saturating_sub(500_000_000));
        (self.due_by(t_ns + 500_000_000) - from) as f64
    }

    fn end_ns(&self) -> u64 {
        self.end_ns
    }
}
