//! Expectations while the run goes on: what is judged at a time of the plan, what can no longer be met,
//! and what comes back.

use super::{Dispatcher, Ending};
use crate::ast::{Measure, TimeKind};
use crate::run::clock::Clock;
use crate::run::events::Event;
use crate::run::expecting::{Decided, Rule, Second};
use crate::run::jobs::Jobs;
use crate::run::report::{QueueFact, QueueFacts, ValueUnit, is_lost, is_met, value};
use crate::sink::Sink;

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Where each stream is in the script; `None` for those that are over.
    fn script_places(&self, now_ns: u64) -> Vec<Option<u64>> {
        let place = |stream| {
            let plan_ns = self.pacer.stream_ns(stream, now_ns).saturating_add(self.options.from_ns);
            let spliced = self.splices.get(stream)?;
            (!self.pacer.is_over(stream)).then(|| spliced.script_ns(plan_ns))
        };
        self.streams().map(place).collect()
    }

    /// Decides what can be decided by now.
    pub(super) fn look_at_expectations(&mut self, now_ns: u64) {
        if !self.expecting.looks() || self.ending.is_some() {
            return;
        }
        let places = self.script_places(now_ns);
        let overdue = self.streams().any(|stream| self.overdue(stream) > 0);
        self.expecting.parts_mut().iter_mut().for_each(|part| part.look(&places, overdue));
        let asks = |rule: &Rule| {
            let of_queues = matches!(rule.expectation.measure, Measure::Depth | Measure::DepthNow)
                || matches!(rule.expectation.measure, Measure::Time(_, TimeKind::Pickup));
            of_queues && rule.decided.is_none()
        };
        let facts = match self.expecting.rules().iter().any(asks) {
            true => self.queue_facts(),
            false => QueueFacts::default(),
        };
        for at in 0..self.expecting.rules().len() {
            if let Some(recovery) = &mut self.expecting.rule_mut(at).recovery {
                recovery.look(&places, now_ns);
            }
            if let Some(decided) = self.decide(at, &places, &facts, now_ns) {
                self.decided(at, decided);
            }
        }
    }

    fn decide(
        &self,
        at: usize,
        places: &[Option<u64>],
        facts: &QueueFacts,
        now_ns: u64,
    ) -> Option<Decided> {
        let rule = &self.expecting.rules()[at];
        let expectation = &rule.expectation;
        if rule.decided.is_some() {
            return None;
        }
        let now = || value(rule, &self.expecting, &self.stats, facts);
        if let Some(time_ns) = expectation.at_ns {
            if places.iter().flatten().any(|place_ns| *place_ns < time_ns) {
                return None;
            }
            let value = now();
            let met = is_met(expectation, value);
            return Some(Decided { value, met, at_ns: now_ns, stopped: expectation.stops && !met });
        }
        let counts = self.stats.counts();
        let answered = counts.acked + counts.failed + counts.unknown + counts.skipped;
        let rest = counts.planned.saturating_sub(answered);
        let lost = expectation.stops && is_lost(rule, &self.expecting, &self.stats, facts, rest);
        lost.then(|| Decided { value: now(), met: false, at_ns: now_ns, stopped: true })
    }

    /// Keeps what came of an expectation, says so, and ends the run where that is asked for.
    fn decided(&mut self, at: usize, decided: Decided) {
        let rule = self.expecting.rule_mut(at);
        rule.decided = Some(decided);
        let expectation = rule.expectation.text.clone();
        let unit = ValueUnit::of(rule.expectation.measure);
        let Decided { value, met, stopped, at_ns } = decided;
        self.tell(Event::Expectation { expectation, met, value, unit, stopped });
        if stopped {
            self.stop_run(Ending::Missed, at_ns);
        }
    }

    /// Takes in a second that is over, for what has to come back.
    pub(super) fn second_of_expectations(&mut self, now_ns: u64) {
        let counts = self.stats.counts();
        let idle = counts.overdue() == 0 && counts.in_flight() == 0;
        let written = self.written();
        for at in 0..self.expecting.rules().len() {
            let rule = &self.expecting.rules()[at];
            if rule.recovery.is_none() {
                continue;
            }
            let named = |queue: &usize| {
                let of = rule.expectation.queue.as_deref();
                of.is_none_or(|name| self.probe.queues()[*queue].name == name)
            };
            let depths = written.iter().copied().filter(named);
            let depth = depths.map(|queue| self.stats.depths()[queue].latest).sum();
            if let Some(recovery) = &mut self.expecting.rule_mut(at).recovery {
                recovery.second(Second { end_ns: now_ns, depth, idle });
            }
        }
    }

    /// What is known of the queues that are written to.
    pub(super) fn queue_facts(&self) -> QueueFacts {
        let fact = |queue: usize| QueueFact {
            name: self.probe.queues()[queue].name.clone(),
            deepest: self.stats.depths()[queue].judged_max(),
            depth: self.stats.depths()[queue].latest,
            pickup: self.probe.workers(queue).judged_pickup().clone(),
        };
        let queues = self.written().into_iter().map(fact).collect();
        QueueFacts { queues, drained_us: self.drained_us }
    }
}
