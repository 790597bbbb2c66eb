//! The jobs of a phrase, or of a queue, measured by themselves.

use crate::ast::TimeKind;
use crate::plan::Expectation;
use crate::sink::Outcome;
use crate::stats::judged::JudgedCounts;
use crate::stats::times::Distribution;
use crate::stats::{Counts, Flight, Settled};
use crate::timeline::Pass;

/// A part of a run: the jobs that are due in a phrase, those that go to a queue, or both.
#[derive(Clone, Debug, Default)]
pub struct Part {
    label: Option<String>,
    /// For each stream of the run the passes of the phrase.
    times: Vec<Vec<Pass>>,
    queue: Option<String>,
    /// Its jobs; `planned` and `due` are not known of a part.
    counts: Counts,
    /// Those of them that are judged: what only warms up is not, unless its phrase is named.
    judged: JudgedCounts,
    send_delay: Option<Distribution>,
    service: Option<Distribution>,
    response: Option<Distribution>,
    /// The plan is past the phrase, and all of its jobs have been sent.
    past: bool,
}

impl Part {
    /// Whether an expectation speaks of it.
    pub(super) fn is_of(&self, expectation: &Expectation) -> bool {
        expectation.part() == Some((self.label.as_deref(), self.queue.as_deref()))
    }

    /// The same over the streams of a run, as an expectation has its phrase.
    pub(super) fn over(self, expectation: &Expectation, lanes: &[usize]) -> Part {
        let phrase = expectation.phrase.as_ref();
        let times = phrase.map_or_else(Vec::new, |phrase| by_lanes(&phrase.times, lanes));
        let label = phrase.map(|phrase| phrase.label.clone());
        Part { label, times, queue: expectation.queue.clone(), past: false, ..self }
    }

    /// Keeps the times of a kind from now on.
    pub(super) fn measure(&mut self, kind: TimeKind) {
        if let Some(times) = self.kept(kind) {
            times.get_or_insert_with(Distribution::default);
        }
    }

    fn kept(&mut self, kind: TimeKind) -> Option<&mut Option<Distribution>> {
        match kind {
            TimeKind::SendDelay => Some(&mut self.send_delay),
            TimeKind::Service => Some(&mut self.service),
            TimeKind::Response => Some(&mut self.response),
            TimeKind::Pickup => None,
        }
    }

    /// Its times of a kind, if they are kept.
    pub fn times(&self, kind: TimeKind) -> Option<&Distribution> {
        match kind {
            TimeKind::SendDelay => self.send_delay.as_ref(),
            TimeKind::Service => self.service.as_ref(),
            TimeKind::Response => self.response.as_ref(),
            TimeKind::Pickup => None,
        }
    }

    /// Its jobs; `planned`, `due` and `skipped` are not known of a part.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Its jobs that have an outcome, without what only warms up.
    pub fn judged(&self) -> &JudgedCounts {
        &self.judged
    }

    pub(super) fn takes_queue(&self, name: &str) -> bool {
        self.queue.as_deref().is_none_or(|queue| queue == name)
    }

    /// Whether what is due in a stream at a time of the script is of it, and between which times,
    /// both with it, that is so.
    pub(super) fn around(&self, stream: usize, script_ns: u64) -> (bool, u64, u64) {
        if self.label.is_none() {
            return (true, 0, u64::MAX);
        }
        around(self.times.get(stream).map_or(&[], Vec::as_slice), script_ns)
    }

    /// Tells it where the streams are in the script (`None` once they are over), and whether jobs
    /// that are due have not been sent yet.
    pub fn look(&mut self, places: &[Option<u64>], overdue: bool) {
        let passed = |(stream, passes): (usize, &Vec<Pass>)| {
            let end_ns = passes.last().map_or(0, |pass| pass.last_ns);
            places.get(stream).copied().flatten().is_none_or(|place_ns| place_ns > end_ns)
        };
        let passed = self.label.is_some() && self.times.iter().enumerate().all(passed);
        self.past = passed && (self.past || !overdue);
    }

    /// Whether nothing can be added to it any more.
    pub fn is_complete(&self) -> bool {
        self.past && self.counts.in_flight() == 0
    }

    pub(super) fn handed_over(&mut self) {
        self.counts.sent += 1;
    }

    pub(super) fn settled(&mut self, flight: &Flight, outcome: &Outcome, command: Settled) {
        match outcome {
            Outcome::Acked => self.counts.acked += 1,
            Outcome::Failed(_) => self.counts.failed += 1,
            Outcome::Unknown(_) => self.counts.unknown += 1,
            // It will be sent again.
            Outcome::NotSent(_) => {
                self.counts.sent = self.counts.sent.saturating_sub(1);
                self.past = false;
                return;
            }
        }
        // Jobs that were on their way when a reload brought the part were not counted then.
        let answered = self.counts.acked + self.counts.failed + self.counts.unknown;
        self.counts.sent = self.counts.sent.max(answered);
        if flight.is_warmup && self.label.is_none() {
            return;
        }
        self.judged.sent += 1;
        match outcome {
            Outcome::Acked => self.judged.acked += 1,
            Outcome::Failed(_) => self.judged.failed += 1,
            _ => self.judged.unknown += 1,
        }
        for kind in [TimeKind::SendDelay, TimeKind::Service, TimeKind::Response] {
            if let (Some(Some(times)), Some(ns)) =
                (self.kept(kind), sample(kind, flight, outcome, command))
            {
                times.record(ns, 1);
            }
        }
    }
}

/// Passes by the streams of a run instead of those of a plan.
pub(super) fn by_lanes(times: &[Vec<Pass>], lanes: &[usize]) -> Vec<Vec<Pass>> {
    let mut all = vec![Vec::new(); lanes.iter().max().map_or(0, |last| last + 1)];
    for (passes, lane) in times.iter().zip(lanes) {
        all[*lane].clone_from(passes);
    }
    all
}

/// Whether a time is in one of the passes, and between which times, both with it, that is so.
fn around(passes: &[Pass], ns: u64) -> (bool, u64, u64) {
    let next = passes.partition_point(|pass| pass.last_ns < ns);
    let before_ns = next.checked_sub(1).map_or(0, |last| passes[last].last_ns.saturating_add(1));
    match passes.get(next) {
        Some(pass) if pass.first_ns <= ns => (true, pass.first_ns, pass.last_ns),
        Some(pass) => (false, before_ns, pass.first_ns - 1),
        None => (false, before_ns, u64::MAX),
    }
}

/// A time of a job whose outcome is known, in nanoseconds: as the account takes it.
pub(super) fn sample(
    kind: TimeKind,
    flight: &Flight,
    outcome: &Outcome,
    command: Settled,
) -> Option<u64> {
    let acked = *outcome == Outcome::Acked;
    match kind {
        TimeKind::SendDelay => Some(command.sent_ns.saturating_sub(flight.intended_ns)),
        TimeKind::Service => acked.then(|| command.at_ns.saturating_sub(command.sent_ns)),
        TimeKind::Response => acked.then(|| command.at_ns.saturating_sub(flight.intended_ns)),
        TimeKind::Pickup => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_a_pass_or_between_two() {
        let pass = |first_ns, last_ns| Pass { first_ns, last_ns };
        let passes = [pass(10, 20), pass(40, 40)];
        let table = [
            (0, (false, 0, 9)),
            (9, (false, 0, 9)),
            (10, (true, 10, 20)),
            (20, (true, 10, 20)),
            (21, (false, 21, 39)),
            (40, (true, 40, 40)),
            (41, (false, 41, u64::MAX)),
        ];
        for (ns, found) in table {
            assert_eq!(around(&passes, ns), found, "{ns}");
        }
        assert_eq!(around(&[], 5), (false, 0, u64::MAX));
    }

    #[test]
    fn a_phrase_is_over_when_all_of_its_jobs_have_their_outcome() {
        let mut part = Part {
            label: Some("x".to_owned()),
            times: vec![vec![Pass { first_ns: 10, last_ns: 20 }]],
            ..Part::default()
        };
        part.handed_over();
        part.look(&[Some(20)], false);
        assert!(!part.past, "the plan is still in it");
        part.look(&[Some(21)], true);
        assert!(!part.past, "not all of it was sent");
        part.look(&[Some(22)], false);
        assert!(part.past && !part.is_complete());
        let flight =
            Flight { index: 1, intended_ns: 0, stream: 0, job: 0, parts: 1, is_warmup: false };
        let command = Settled { bytes: 0, sent_ns: 1, at_ns: 2 };
        part.settled(&flight, &Outcome::Acked, command);
        assert!(part.is_complete());
        part.look(&[Some(15)], false);
        assert!(!part.is_complete(), "it was sought again");
    }
}
