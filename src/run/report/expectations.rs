//! Expectations, judged at the end.

use crate::ast::{Comparison, Measure, Statistic, TimeKind};
use crate::plan::Expectation;
use crate::stats::Stats;
use crate::stats::times::{Distribution, Times};
use serde::Serialize;

/// An expectation and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExpectationEntry {
    /// As written.
    pub text: String,
    /// Whether it was met.
    pub met: bool,
    /// What was measured: jobs, a share, or microseconds; null if there was nothing to measure,
    /// which meets no expectation.
    pub value: Option<f64>,
}

/// What is known of the queues that are written to.
#[derive(Clone, Debug, Default)]
pub struct QueueFacts {
    /// Their names, and the largest depth that was seen of each; none where it could not be read.
    pub deepest: Vec<(String, Option<u64>)>,
    /// How long after the end no job waited any more, in microseconds; none if that was not seen.
    pub drained_us: Option<f64>,
    /// How long jobs of all of them waited for a worker.
    pub pickup: Distribution,
}

impl QueueFacts {
    /// The largest depth of a queue, or of any: none if one of those could not be read.
    fn deepest(&self, queue: Option<&str>) -> Option<f64> {
        let of = self.deepest.iter().filter(|(name, _)| queue.is_none_or(|queue| queue == name));
        let depths: Option<Vec<u64>> = of.map(|(_, depth)| *depth).collect();
        depths?.into_iter().max().map(|depth| depth as f64)
    }
}

/// Judges expectations on an account that is complete.
pub fn judge(
    expectations: &[Expectation],
    stats: &Stats,
    queues: &QueueFacts,
) -> Vec<ExpectationEntry> {
    // What only warms up is judged by nothing but the number of jobs.
    let times = stats.judged().map_or_else(|| stats.times(), |judged| judged.times.clone());
    let entry = |expectation: &Expectation| {
        let value = match expectation.measure {
            Measure::Drains => queues.drained_us,
            Measure::Depth => queues.deepest(expectation.queue.as_deref()),
            measure => measured(measure, stats, &times, &queues.pickup),
        };
        let met =
            value.is_some_and(|value| holds(value, expectation.comparison, expectation.limit));
        ExpectationEntry { text: expectation.text.clone(), met, value }
    };
    expectations.iter().map(entry).collect()
}

fn measured(measure: Measure, stats: &Stats, times: &Times, pickup: &Distribution) -> Option<f64> {
    match measure {
        Measure::Jobs => Some(stats.counts().acked as f64),
        Measure::Deviation => {
            Some(stats.judged().map_or(stats.deviation(), |judged| &judged.deviation).of_run())
        }
        Measure::Errors => Some(match stats.judged() {
            Some(judged) => judged.counts.error_share(),
            None => stats.counts().error_share(),
        }),
        Measure::Drains | Measure::Depth => None,
        Measure::Time(statistic, kind) => {
            let distribution = match kind {
                TimeKind::SendDelay => &times.send_delay,
                TimeKind::Service => &times.service,
                TimeKind::Response => &times.response,
                TimeKind::Pickup => pickup,
            };
            match statistic {
                Statistic::Mean => distribution.mean_us(),
                Statistic::Max => distribution.max_us(),
                Statistic::Percentile(thousandths) => {
                    distribution.quantile_us(f64::from(thousandths) / 100_000.0)
                }
            }
        }
    }
}

fn holds(value: f64, comparison: Comparison, limit: f64) -> bool {
    match comparison {
        Comparison::Less => value < limit,
        Comparison::AtMost => value <= limit,
        Comparison::Equal => value == limit,
        Comparison::AtLeast => value >= limit,
        Comparison::Greater => value > limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::{Failure, Outcome};
    use crate::stats::{Flight, Settled};

    fn expect(measure: Measure, comparison: Comparison, limit: f64) -> Expectation {
        Expectation { measure, comparison, limit, queue: None, text: "as written".to_owned() }
    }

    /// 2,000 jobs due, 1,900 acknowledged 3 ms after their instant (1 ms of it before the
    /// sending), 100 refused.
    fn account() -> Stats {
        let mut stats = Stats::new(vec![(2_000, vec!["job".to_owned()])], 0);
        stats.due(0, 2_000, 0);
        let flights =
            vec![Flight { index: 1, intended_ns: 0, stream: 0, job: 0, is_warmup: false }; 2_000];
        stats.handed_over(&flights);
        let command = Settled { bytes: 0, sent_ns: 1_000_000, at_ns: 3_000_000 };
        let failure = Failure { kind: "OOM".into(), message: "full".into(), lasting: true };
        stats.settled(&flights[..1_900], &Outcome::Acked, command);
        stats.settled(&flights[1_900..], &Outcome::Failed(failure), command);
        stats
    }

    #[test]
    fn each_measure_is_judged_at_its_bound() {
        let time = |statistic, kind| Measure::Time(statistic, kind);
        let p99 = Statistic::Percentile(99_000);
        let table = [
            (Measure::Jobs, 1_900.0),
            (Measure::Deviation, 0.0),
            (Measure::Errors, 0.05),
            (time(Statistic::Mean, TimeKind::SendDelay), 1_000.0),
            (time(Statistic::Max, TimeKind::Service), 2_000.0),
            (time(p99, TimeKind::Response), 3_000.0),
        ];
        for (measure, value) in table {
            let cases = [
                (Comparison::Less, false),
                (Comparison::AtMost, true),
                (Comparison::Equal, true),
                (Comparison::AtLeast, true),
                (Comparison::Greater, false),
            ];
            for (comparison, met) in cases {
                let entry = &judge(
                    &[expect(measure, comparison, value)],
                    &account(),
                    &QueueFacts::default(),
                )[0];
                assert_eq!(
                    (entry.met, entry.value),
                    (met, Some(value)),
                    "{measure:?} {comparison:?}"
                );
            }
            let below = expect(measure, Comparison::Less, value + 1e-9);
            assert!(judge(&[below], &account(), &QueueFacts::default())[0].met);
        }
    }

    #[test]
    fn a_time_without_samples_meets_nothing() {
        let stats = Stats::new(vec![(0, vec![])], 0);
        let measure = Measure::Time(Statistic::Max, TimeKind::Response);
        let entry =
            &judge(&[expect(measure, Comparison::AtLeast, 0.0)], &stats, &QueueFacts::default())[0];
        assert_eq!((entry.met, entry.value), (false, None));
    }

    #[test]
    fn depths_are_judged_of_a_queue_or_of_any() {
        let deepest = vec![("a".to_owned(), Some(10)), ("b".to_owned(), Some(30))];
        let mut queues = QueueFacts { deepest, drained_us: Some(5e6), ..QueueFacts::default() };
        let stats = Stats::new(vec![(0, vec![])], 0);
        let depth = |queue: Option<&str>, limit| Expectation {
            queue: queue.map(str::to_owned),
            ..expect(Measure::Depth, Comparison::Less, limit)
        };
        let met = |expectation: Expectation, queues: &QueueFacts| {
            judge(&[expectation], &stats, queues)[0].met
        };
        assert!(met(depth(Some("a"), 11.0), &queues) && !met(depth(Some("a"), 10.0), &queues));
        assert!(met(depth(None, 31.0), &queues) && !met(depth(None, 30.0), &queues));
        let drains = |limit| expect(Measure::Drains, Comparison::AtMost, limit);
        assert!(met(drains(5e6), &queues) && !met(drains(4.9e6), &queues));
        queues.drained_us = None;
        queues.deepest[1].1 = None;
        assert!(!met(drains(1e9), &queues) && !met(depth(None, 1e9), &queues));
        assert!(met(depth(Some("a"), 11.0), &queues));
    }
}
