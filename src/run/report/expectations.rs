//! Expectations, judged: at the end, when the plan has come to a time, or as soon as none of the jobs
//! to come can mend one.

use crate::ast::{Comparison, Measure, Statistic, TimeKind};
use crate::plan::Expectation;
use crate::run::expecting::{Expecting, Part, Rule};
use crate::show;
use crate::stats::deviation::Deviation;
use crate::stats::judged::JudgedCounts;
use crate::stats::times::{Distribution, Times};
use crate::stats::{Counts, Stats};
use serde::{Deserialize, Serialize};

/// An expectation and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExpectationEntry {
    /// As written.
    pub text: String,
    /// Whether it was met.
    pub met: bool,
    /// What was measured: jobs, a share, or microseconds; null if there was nothing to measure,
    /// which meets no expectation.
    pub value: Option<f64>,
    /// What the value is in.
    pub unit: ValueUnit,
    /// When it was decided, in seconds of the run; null for one that was judged at the end.
    pub at_s: Option<f64>,
    /// Whether it ended the run.
    pub stopped: bool,
}

impl ExpectationEntry {
    /// What was measured, as people read it.
    pub fn measured(&self) -> String {
        match self.value {
            None if self.text.contains(" within ") => "not in that time".to_owned(),
            value => self.unit.text(value),
        }
    }
}

/// What the value of an expectation is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueUnit {
    /// Jobs.
    Jobs,
    /// A share: 0.01 is 1 %.
    Share,
    /// Microseconds.
    #[default]
    Us,
}

impl ValueUnit {
    /// That of a measure.
    pub fn of(measure: Measure) -> ValueUnit {
        match measure {
            Measure::Jobs | Measure::Depth | Measure::DepthNow => ValueUnit::Jobs,
            Measure::Deviation | Measure::Errors => ValueUnit::Share,
            Measure::Drains | Measure::Recovers(_) | Measure::Time(..) => ValueUnit::Us,
        }
    }

    /// A value as people read it; none was not to be measured.
    pub fn text(self, value: Option<f64>) -> String {
        match (self, value) {
            (_, None) => "nothing to measure".to_owned(),
            (ValueUnit::Jobs, Some(jobs)) => show::count(jobs as u64),
            (ValueUnit::Share, Some(share)) => format!("{}%", show::decimal(share * 100.0, 3)),
            (ValueUnit::Us, Some(us)) => show::micros(us),
        }
    }
}

/// What is known of a queue that is written to.
#[derive(Clone, Debug, Default)]
pub struct QueueFact {
    /// Its name.
    pub name: String,
    /// The largest depth that was seen of it; none where it could not be read.
    pub deepest: Option<u64>,
    /// The last one.
    pub depth: Option<u64>,
    /// How long its jobs waited for a worker.
    pub pickup: Distribution,
}

/// What is known of the queues that are written to.
#[derive(Clone, Debug, Default)]
pub struct QueueFacts {
    /// Each of them.
    pub queues: Vec<QueueFact>,
    /// How long after the end no job waited any more, in microseconds; none if that was not seen.
    pub drained_us: Option<f64>,
}

impl QueueFacts {
    fn of<'q>(&'q self, queue: Option<&'q str>) -> impl Iterator<Item = &'q QueueFact> {
        self.queues.iter().filter(move |fact| queue.is_none_or(|queue| queue == fact.name))
    }

    /// The largest depth of a queue, or of any: none if one of those could not be read.
    fn deepest(&self, queue: Option<&str>, depth: fn(&QueueFact) -> Option<u64>) -> Option<f64> {
        let depths: Option<Vec<u64>> = self.of(queue).map(depth).collect();
        depths?.into_iter().max().map(|depth| depth as f64)
    }

    fn pickup(&self, queue: Option<&str>) -> Distribution {
        let mut all = Distribution::default();
        self.of(queue).for_each(|fact| all.add(&fact.pickup));
        all
    }
}

/// Judges expectations on an account that is complete. What was decided before stands.
pub fn judge(expecting: &Expecting, stats: &Stats, queues: &QueueFacts) -> Vec<ExpectationEntry> {
    let entry = |rule: &Rule| {
        let text = rule.expectation.text.clone();
        let unit = ValueUnit::of(rule.expectation.measure);
        if let Some(decided) = rule.decided {
            return ExpectationEntry {
                text,
                met: decided.met,
                value: decided.value,
                unit,
                at_s: Some(decided.at_ns as f64 / 1e9),
                stopped: decided.stopped,
            };
        }
        // The run ended before the plan had come to its time.
        let value = match rule.expectation.at_ns {
            Some(_) => None,
            None => value(rule, expecting, stats, queues),
        };
        let met = is_met(&rule.expectation, value);
        ExpectationEntry { text, met, value, unit, at_s: None, stopped: false }
    };
    expecting.rules().iter().map(entry).collect()
}

/// Whether a value meets an expectation; none meets none.
pub fn is_met(expectation: &Expectation, value: Option<f64>) -> bool {
    value.is_some_and(|value| holds(value, expectation.comparison, expectation.limit))
}

/// What an expectation measures, as it is now.
pub fn value(
    rule: &Rule,
    expecting: &Expecting,
    stats: &Stats,
    queues: &QueueFacts,
) -> Option<f64> {
    let expectation = &rule.expectation;
    let queue = expectation.queue.as_deref();
    let part = rule.part.and_then(|part| expecting.parts().get(part));
    match expectation.measure {
        Measure::Drains => queues.drained_us,
        Measure::Depth => queues.deepest(queue, |fact| fact.deepest),
        Measure::DepthNow => queues.deepest(queue, |fact| fact.depth),
        Measure::Recovers(_) => rule.recovery.as_ref()?.took_us(),
        Measure::Deviation if expectation.at_ns.is_some() => Some(deviation(stats).so_far()),
        Measure::Deviation => Some(deviation(stats).of_run()),
        Measure::Jobs => Some(match part {
            Some(part) => part.counts().acked as f64,
            None => stats.counts().acked as f64,
        }),
        Measure::Errors => match part {
            Some(part) if part.judged().sent == 0 => None,
            part => Some(answered(part, stats).error_share()),
        },
        Measure::Time(statistic, TimeKind::Pickup) => of(statistic, &queues.pickup(queue)),
        Measure::Time(statistic, kind) => match part {
            Some(part) => of(statistic, part.times(kind)?),
            None => {
                let of_kind = |times: &Times| match kind {
                    TimeKind::SendDelay => times.send_delay.clone(),
                    TimeKind::Service => times.service.clone(),
                    TimeKind::Response | TimeKind::Pickup => times.response.clone(),
                };
                let mut all = Distribution::default();
                match stats.judged() {
                    Some(judged) => all = of_kind(&judged.times),
                    None => stats.streams().iter().for_each(|one| all.add(&of_kind(&one.times))),
                }
                of(statistic, &all)
            }
        },
    }
}

fn of(statistic: Statistic, distribution: &Distribution) -> Option<f64> {
    match statistic {
        Statistic::Mean => distribution.mean_us(),
        Statistic::Max => distribution.max_us(),
        Statistic::Percentile(thousandths) => {
            distribution.quantile_us(f64::from(thousandths) / 100_000.0)
        }
    }
}

/// The jobs of a part, or of the run, that have an outcome and are judged.
fn answered(part: Option<&Part>, stats: &Stats) -> JudgedCounts {
    match (part, stats.judged()) {
        (Some(part), _) => *part.judged(),
        (None, Some(judged)) => judged.counts,
        (None, None) => {
            let Counts { acked, failed, unknown, .. } = stats.counts();
            JudgedCounts { sent: acked + failed + unknown, acked, failed, unknown }
        }
    }
}

/// The distance from the plan that is judged: what only warms up is left out.
fn deviation(stats: &Stats) -> &Deviation {
    stats.judged().map_or(stats.deviation(), |judged| &judged.deviation)
}

/// Whether an expectation that is judged at the end can no longer be met, whatever becomes of the jobs
/// to come: `rest` of the plan are not answered yet. It may be lost without this being seen; it is
/// never seen to be lost when it can be met.
pub fn is_lost(
    rule: &Rule,
    expecting: &Expecting,
    stats: &Stats,
    queues: &QueueFacts,
    rest: u64,
) -> bool {
    use Comparison::{AtLeast, AtMost, Equal, Greater, Less};
    let expectation = &rule.expectation;
    let part = rule.part.and_then(|part| expecting.parts().get(part));
    let now = || value(rule, expecting, stats, queues);
    if part.is_some_and(|part| part.is_complete()) {
        return !is_met(expectation, now());
    }
    let (counts, limit) =
        (part.map_or_else(|| stats.counts(), |part| *part.counts()), expectation.limit);
    match expectation.measure {
        Measure::Jobs => {
            let (low, high) = (counts.acked as f64, counts.acked.saturating_add(rest) as f64);
            match expectation.comparison {
                Less => low >= limit,
                AtMost => low > limit,
                Equal => low > limit || high < limit,
                AtLeast => high < limit,
                Greater => high <= limit,
            }
        }
        Measure::Errors => {
            let answered = answered(part, stats);
            let all = answered.sent.saturating_add(rest);
            let lowest = (answered.failed + answered.unknown) as f64 / all.max(1) as f64;
            answered.sent > 0 && !holds(lowest, expectation.comparison, limit)
        }
        // The largest so far is never smaller again.
        Measure::Deviation => !holds(deviation(stats).so_far(), expectation.comparison, limit),
        Measure::Depth => now().is_some_and(|depth| depth >= limit),
        Measure::Recovers(_) => rule.recovery.as_ref().is_some_and(|back| back.is_missed()),
        Measure::Time(..) => rule.tally.as_ref().is_some_and(|tally| tally.is_lost(rest)),
        Measure::Drains | Measure::DepthNow => false,
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
        Expectation {
            measure,
            comparison,
            limit,
            queue: None,
            phrase: None,
            at_ns: None,
            stops: false,
            text: "as written".to_owned(),
        }
    }

    fn judged(expectation: Expectation, stats: &Stats, queues: &QueueFacts) -> ExpectationEntry {
        judge(&Expecting::new(&[expectation], &[0]), stats, queues).remove(0)
    }

    /// 2,000 jobs due, 1,900 acknowledged 3 ms after their instant (1 ms of it before the
    /// sending), 100 refused.
    fn account() -> Stats {
        let mut stats = Stats::new(vec![(2_000, vec!["job".to_owned()])], 0);
        stats.due(0, 2_000, 0);
        let flights =
            vec![
                Flight { index: 1, intended_ns: 0, stream: 0, job: 0, parts: 0, is_warmup: false };
                2_000
            ];
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
                let expectation = expect(measure, comparison, value);
                let entry = judged(expectation, &account(), &QueueFacts::default());
                assert_eq!(
                    (entry.met, entry.value),
                    (met, Some(value)),
                    "{measure:?} {comparison:?}"
                );
            }
            let below = expect(measure, Comparison::Less, value + 1e-9);
            assert!(judged(below, &account(), &QueueFacts::default()).met);
        }
    }

    #[test]
    fn a_time_without_samples_meets_nothing() {
        let stats = Stats::new(vec![(0, vec![])], 0);
        let measure = Measure::Time(Statistic::Max, TimeKind::Response);
        let expectation = expect(measure, Comparison::AtLeast, 0.0);
        let entry = judged(expectation, &stats, &QueueFacts::default());
        assert_eq!((entry.met, entry.value), (false, None));
    }

    #[test]
    fn depths_are_judged_of_a_queue_or_of_any() {
        let fact = |name: &str, deepest| QueueFact {
            name: name.to_owned(),
            deepest,
            ..QueueFact::default()
        };
        let facts = vec![fact("a", Some(10)), fact("b", Some(30))];
        let mut queues = QueueFacts { queues: facts, drained_us: Some(5e6) };
        let stats = Stats::new(vec![(0, vec![])], 0);
        let depth = |queue: Option<&str>, limit| Expectation {
            queue: queue.map(str::to_owned),
            ..expect(Measure::Depth, Comparison::Less, limit)
        };
        let met =
            |expectation: Expectation, queues: &QueueFacts| judged(expectation, &stats, queues).met;
        assert!(met(depth(Some("a"), 11.0), &queues) && !met(depth(Some("a"), 10.0), &queues));
        assert!(met(depth(None, 31.0), &queues) && !met(depth(None, 30.0), &queues));
        let drains = |limit| expect(Measure::Drains, Comparison::AtMost, limit);
        assert!(met(drains(5e6), &queues) && !met(drains(4.9e6), &queues));
        queues.drained_us = None;
        queues.queues[1].deepest = None;
        assert!(!met(drains(1e9), &queues) && !met(depth(None, 1e9), &queues));
        assert!(met(depth(Some("a"), 11.0), &queues));
    }

    fn lost(expectation: Expectation, stats: &Stats, rest: u64) -> bool {
        let expecting = Expecting::new(&[expectation], &[0]);
        is_lost(&expecting.rules()[0], &expecting, stats, &QueueFacts::default(), rest)
    }

    #[test]
    fn what_can_no_longer_be_met_is_lost_and_nothing_else() {
        // 1,900 acknowledged, 100 refused, 500 to come.
        let mut stats = account();
        stats.set_planned(0, 2_500);
        let of = |measure, comparison, limit| {
            let stops = true;
            lost(Expectation { stops, ..expect(measure, comparison, limit) }, &stats, 500)
        };
        use Comparison::{AtLeast, AtMost, Equal, Greater, Less};
        let jobs = [
            (AtLeast, 2_400.0, false),
            (AtLeast, 2_401.0, true),
            (Greater, 2_400.0, true),
            (Equal, 2_400.0, false),
            (Equal, 1_899.0, true),
            (Equal, 2_401.0, true),
            (Less, 1_900.0, true),
            (AtMost, 1_900.0, false),
        ];
        for (comparison, limit, is) in jobs {
            assert_eq!(of(Measure::Jobs, comparison, limit), is, "jobs {comparison:?} {limit}");
        }
        // 100 of 2,500 at the best.
        assert!(of(Measure::Errors, Less, 0.04) && !of(Measure::Errors, AtMost, 0.04));
        assert!(!of(Measure::Deviation, Less, 0.01));
    }
}
