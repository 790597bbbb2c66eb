//! What the workers of a queue did during a run, as far as the queue's format tells.

use super::times::{Distribution, Summary};
use crate::sink::Seen;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// One queue's workers over a run.
#[derive(Clone, Debug, Default)]
pub struct Workers {
    first: Option<Seen>,
    latest: Option<Seen>,
    /// Age of the oldest waiting job at the last look, and the greatest seen, in milliseconds.
    age_ms: Option<u64>,
    age_max_ms: Option<u64>,
    pickup: Distribution,
    /// What of it is judged, where that is not all.
    judged_pickup: Option<Distribution>,
    looks: u64,
    server_us: u64,
}

/// The workers of a queue at one moment. A number is null where the format does not tell it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct WorkersNow {
    /// Jobs that a worker could take.
    pub waiting: Option<u64>,
    /// Jobs for later.
    pub delayed: Option<u64>,
    /// Jobs in workers' hands.
    pub active: Option<u64>,
    /// Jobs that failed and are to be tried again.
    pub failed: Option<u64>,
    /// Jobs given up.
    pub dead: Option<u64>,
    /// Jobs that left the queue since the start, see [`WorkersReport::processed`].
    pub processed: Option<u64>,
    /// Attempts, or jobs, that failed since the start.
    pub failures: Option<u64>,
    /// How long the oldest waiting job has waited, in seconds.
    pub oldest_age_s: Option<f64>,
    /// Half of the jobs seen so far waited no longer than this for a worker, in microseconds.
    pub pickup_p50_us: Option<f64>,
    /// 99 % of them.
    pub pickup_p99_us: Option<f64>,
}

/// The workers of a queue in the report. A number is null where the format does not tell it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkersReport {
    /// Jobs that a worker could take at the end.
    pub waiting: Option<u64>,
    /// Jobs for later at the end.
    pub delayed: Option<u64>,
    /// Jobs in workers' hands at the end.
    pub active: Option<u64>,
    /// Jobs in the hands of the workers of all queues at the end.
    pub busy: Option<u64>,
    /// Jobs that failed and were to be tried again at the end.
    pub failed: Option<u64>,
    /// Jobs given up by the end.
    pub dead: Option<u64>,
    /// Jobs that left the queue: those acknowledged, less what the depth grew by. Right where nobody
    /// else writes to the queue.
    pub processed: Option<u64>,
    /// The same per second of the run.
    pub processed_per_s: Option<f64>,
    /// Attempts that the framework counted during the run.
    pub attempts: Option<u64>,
    /// Of these, those that failed.
    pub attempts_failed: Option<u64>,
    /// Whether the framework counts attempts of all queues together.
    pub attempts_of_all_queues: bool,
    /// How long the oldest waiting job had waited, in seconds, at the end.
    pub oldest_age_s: Option<f64>,
    /// The same at its greatest.
    pub oldest_age_max_s: Option<f64>,
    /// From the instant a job could be taken to its start, in microseconds, of the jobs seen.
    pub pickup_us: Option<Summary>,
    /// How many were seen.
    pub pickup_samples: u64,
    /// By what; null where nothing tells.
    pub pickup_by: Option<Cow<'static, str>>,
    /// Looks at the queue.
    pub looks: u64,
    /// What they took of the server's time, as a share of the run's.
    pub server_share: f64,
}

impl Workers {
    /// Takes a look in.
    pub fn seen(&mut self, seen: Seen, now_unix_ms: u64) {
        self.seen_while(seen, now_unix_ms, true);
    }

    /// The same, of jobs that are judged or of such as only warm up.
    pub fn seen_while(&mut self, seen: Seen, now_unix_ms: u64, judged: bool) {
        if !judged && self.judged_pickup.is_none() {
            self.judged_pickup = Some(self.pickup.clone());
        }
        self.looks += 1;
        self.server_us += seen.server_us;
        self.age_ms = seen.oldest_unix_ms.map(|oldest_ms| now_unix_ms.saturating_sub(oldest_ms));
        // With nothing waiting nothing is old.
        let none_waits = seen.waiting == Some(0) || seen.depth() == 0;
        if none_waits && self.age_max_ms.is_some() {
            self.age_ms = Some(0);
        }
        self.age_max_ms = self.age_max_ms.max(self.age_ms);
        for pickup_us in &seen.pickups_us {
            self.pickup.record(pickup_us.saturating_mul(1_000), 1);
            if let Some(pickup) = self.judged_pickup.as_mut().filter(|_| judged) {
                pickup.record(pickup_us.saturating_mul(1_000), 1);
            }
        }
        self.first.get_or_insert_with(|| seen.clone());
        self.latest = Some(seen);
    }

    /// The age of the oldest waiting job at the last look, in seconds.
    pub fn age_s(&self) -> Option<f64> {
        self.age_ms.map(|ms| ms as f64 / 1e3)
    }

    /// How long jobs waited from the instant they could be taken to their start.
    pub fn pickup(&self) -> &Distribution {
        &self.pickup
    }

    /// The same, of jobs that are judged.
    pub fn judged_pickup(&self) -> &Distribution {
        self.judged_pickup.as_ref().unwrap_or(&self.pickup)
    }

    /// Jobs that left the queue since the first look, of so many acknowledged since.
    pub fn processed(&self, acked: u64) -> Option<u64> {
        let (first, latest) = (self.first.as_ref()?, self.latest.as_ref()?);
        first.waiting.or(first.delayed)?;
        Some(acked.saturating_add(first.depth()).saturating_sub(latest.depth()))
    }

    /// Jobs that workers have begun since the first look: attempts where the format counts them, else
    /// those that left the queue.
    pub fn begun(&self, acked: u64) -> Option<u64> {
        let (first, latest) = (self.first.as_ref()?, self.latest.as_ref()?);
        match (first.processed_total, latest.processed_total) {
            (Some(then), Some(now)) => Some(now.saturating_sub(then)),
            _ => self.processed(acked),
        }
    }

    /// Jobs that failed since the first look: attempts where the framework counts them, else those
    /// that lie with the failed ones now and did not then.
    pub fn failed(&self) -> Option<u64> {
        let (first, latest) = (self.first.as_ref()?, self.latest.as_ref()?);
        if let (Some(then), Some(now)) = (first.failed_total, latest.failed_total) {
            return Some(now.saturating_sub(then));
        }
        let lie = |seen: &Seen| match (seen.failed, seen.dead) {
            (None, None) => None,
            (failed, dead) => Some(failed.unwrap_or(0) + dead.unwrap_or(0)),
        };
        Some(lie(latest)?.saturating_sub(lie(first)?))
    }

    /// How they are now.
    pub fn now(&self, acked: Option<u64>) -> Option<WorkersNow> {
        let latest = self.latest.as_ref()?;
        Some(WorkersNow {
            waiting: latest.waiting,
            delayed: latest.delayed,
            active: latest.active,
            failed: latest.failed,
            dead: latest.dead,
            processed: acked.and_then(|acked| self.processed(acked)),
            failures: self.failed(),
            oldest_age_s: self.age_s(),
            pickup_p50_us: self.pickup.quantile_us(0.5),
            pickup_p99_us: self.pickup.quantile_us(0.99),
        })
    }

    /// The report, where there is more to tell than a depth.
    pub fn report(
        &self,
        acked: Option<u64>,
        elapsed_s: f64,
        pickup_by: Option<&'static str>,
    ) -> Option<WorkersReport> {
        let (first, latest) = (self.first.as_ref()?, self.latest.as_ref()?);
        let since =
            |total: fn(&Seen) -> Option<u64>| Some(total(latest)?.saturating_sub(total(first)?));
        let processed = acked.and_then(|acked| self.processed(acked));
        let per_second = |count: u64| if elapsed_s > 0.0 { count as f64 / elapsed_s } else { 0.0 };
        Some(WorkersReport {
            waiting: latest.waiting,
            delayed: latest.delayed,
            active: latest.active,
            busy: latest.busy,
            failed: latest.failed,
            dead: latest.dead,
            processed,
            processed_per_s: processed.map(per_second),
            attempts: since(|seen| seen.processed_total),
            attempts_failed: since(|seen| seen.failed_total),
            attempts_of_all_queues: latest.counts_all_queues,
            oldest_age_s: self.age_s(),
            oldest_age_max_s: self.age_max_ms.map(|ms| ms as f64 / 1e3),
            pickup_us: self.pickup.summary(),
            pickup_samples: self.pickup.count(),
            pickup_by: pickup_by.map(Cow::Borrowed),
            looks: self.looks,
            server_share: if elapsed_s > 0.0 {
                self.server_us as f64 / 1e6 / elapsed_s
            } else {
                0.0
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(waiting: u64, dead: u64, oldest_unix_ms: Option<u64>) -> Seen {
        let (waiting, dead) = (Some(waiting), Some(dead));
        Seen { waiting, dead, oldest_unix_ms, server_us: 50, ..Seen::default() }
    }

    #[test]
    fn a_run_is_told_by_its_looks() {
        let mut workers = Workers::default();
        workers.seen(look(10, 1, Some(500)), 1_000);
        workers.seen(Seen { pickups_us: vec![2_000, 4_000], ..look(30, 1, Some(400)) }, 3_000);
        workers.seen(look(0, 4, None), 4_000);
        assert_eq!((workers.processed(100), workers.failed()), (Some(110), Some(3)));
        let report = workers.report(Some(100), 10.0, Some("its events")).unwrap();
        assert_eq!((report.waiting, report.dead), (Some(0), Some(4)));
        assert_eq!((report.processed, report.processed_per_s), (Some(110), Some(11.0)));
        assert_eq!((report.oldest_age_s, report.oldest_age_max_s), (Some(0.0), Some(2.6)));
        assert_eq!((report.pickup_samples, report.pickup_us.unwrap().max), (2, 4_000.0));
        assert_eq!((report.looks, report.attempts), (3, None));
        assert!((report.server_share - 1.5e-5).abs() < 1e-12);
    }

    #[test]
    fn a_queue_that_was_never_seen_has_no_report() {
        assert_eq!(Workers::default().report(Some(1), 1.0, None), None);
    }
}
