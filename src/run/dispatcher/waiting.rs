//! Phrases that go by the depth of queues: when they end.

use super::Dispatcher;
use crate::ast::Comparison;
use crate::plan::{Wait, WaitKind};
use crate::run::clock::Clock;
use crate::run::events::Event;
use crate::run::jobs::Jobs;
use crate::run::report::WaitEntry;
use crate::run::waits::{Open, Tally};
use crate::schedule::Entry;
use crate::sink::Sink;

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Ends the phrases whose queues are as they wait for, and tells of those whose time was up.
    pub(super) fn judge_waits(&mut self, now_ns: u64) {
        for stream in self.streams() {
            if !self.task.waits.is_any(stream)
                || self.pacer.is_closed(stream)
                || self.pacer.is_paused(stream)
            {
                continue;
            }
            // What is due of one that holds a depth is to be judged before it is over.
            if self.task.waits.holds(stream) {
                self.fall_due(now_ns);
            }
            // One that ends may have the next begin, whose queues are as it waits for already.
            let script_ns = self.script_ns(stream, now_ns);
            for (wait, since_ns) in self.task.waits.pass(stream, script_ns, now_ns) {
                // It had its whole time, whenever it was looked at.
                let whole_ns = wait.end_ns - wait.start_ns;
                let seen_ns = since_ns.map_or(0, |since_ns| now_ns - since_ns);
                let late_ns = script_ns.saturating_sub(wait.end_ns);
                let after_ns = seen_ns.saturating_sub(late_ns).max(whole_ns);
                let Tally { met, cut } = self.task.waits.take_tally(stream, &wait);
                self.note_wait(stream, &wait, met, after_ns, cut);
            }
            let counts = self.stats.streams()[stream].counts;
            let quiet = self.overdue(stream) == 0 && counts.in_flight() == 0;
            self.task.waits.set_quiet(stream, quiet, now_ns);
            let open = self.task.waits.open(stream);
            // The widest first: what is within it ends with it.
            let ended = open.into_iter().find(|(open, wait)| self.is_met(stream, *open, wait));
            if let Some((open, wait)) = ended {
                self.end_early(stream, open, &wait, now_ns);
            }
        }
    }

    fn is_met(&self, stream: usize, open: Open, wait: &Wait) -> bool {
        let queues = self.lane_queues(stream);
        let depth = |queue: &usize, since_ns: u64| {
            let (asked_ns, depth) = self.probe.last(*queue)?;
            (asked_ns >= since_ns).then_some(depth)
        };
        match &wait.kind {
            WaitKind::Held { .. } => false,
            WaitKind::Drained => {
                let Some(quiet_ns) = open.quiet_ns else { return false };
                queues.iter().all(|queue| depth(queue, quiet_ns) == Some(0))
            }
            WaitKind::Depth { queue: name, comparison, limit } => {
                let named = |queue: &&usize| {
                    let own = &self.probe.queues()[**queue].name;
                    name.as_ref().is_none_or(|name| name == own)
                };
                let mut of = queues.iter().filter(named).peekable();
                let holds = |queue: &usize| {
                    depth(queue, open.since_ns).is_some_and(|depth| match comparison {
                        Comparison::Less => depth < *limit,
                        Comparison::AtMost => depth <= *limit,
                        Comparison::Equal => depth == *limit,
                        Comparison::AtLeast => depth >= *limit,
                        Comparison::Greater => depth > *limit,
                    })
                };
                let low = matches!(comparison, Comparison::Less | Comparison::AtMost);
                let any = of.peek().is_some();
                any && if low { of.all(holds) } else { of.any(holds) }
            }
        }
    }

    /// Goes on behind a phrase.
    fn end_early(&mut self, stream: usize, open: Open, wait: &Wait, now_ns: u64) {
        self.fall_due(now_ns);
        let Some(source) = self.splices.get(stream).map(|spliced| spliced.source().clone()) else {
            return;
        };
        let planned = |run: &Self| run.stats.streams()[stream].counts.planned;
        let before = planned(self);
        self.splice(stream, source, Entry::At(wait.end_ns), now_ns);
        self.note_seams(&[stream], Some(wait.end_ns), now_ns);
        let cut = before.saturating_sub(planned(self));
        self.stats.cut(stream, cut);
        // What holds a depth within it ends with it.
        for (within, held) in self.task.waits.open(stream) {
            if matches!(held.kind, WaitKind::Held { .. }) && held.end_ns <= wait.end_ns {
                let Tally { met, cut } = self.task.waits.take_tally(stream, &held);
                self.note_wait(stream, &held, met, now_ns - within.since_ns, cut);
            }
        }
        self.task.waits.close(stream, wait);
        self.note_wait(stream, wait, true, now_ns - open.since_ns, cut);
    }

    fn note_wait(&mut self, stream: usize, wait: &Wait, met: bool, after_ns: u64, cut: u64) {
        let kind = match wait.kind {
            WaitKind::Drained => "drain",
            WaitKind::Depth { .. } => "until",
            WaitKind::Held { .. } => "hold",
        };
        let entry = WaitEntry {
            kind,
            phrase: wait.text.clone(),
            stream: self.task.streams[stream].0.clone(),
            at_s: self.clock.now_ns() as f64 / 1e9,
            met,
            after_s: after_ns as f64 / 1e9,
            cut,
        };
        self.task.waits.note(stream, wait, entry.clone());
        self.tell(Event::Waited { wait: entry });
    }
}
