//! What falls due, and what guards make of it.

use super::{Dispatcher, Ending, SECOND_NS};
use crate::plan::GuardKind;
use crate::run::clock::Clock;
use crate::run::events::Event;
use crate::run::guards::{Effect, Hit};
use crate::run::jobs::Jobs;
use crate::sink::Sink;
use std::ops::Range;

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Lets everything fall due that is due by an instant, each job counted in its own second.
    pub(super) fn fall_due(&mut self, now_ns: u64) {
        while self.fresh_ns <= now_ns {
            let second_end_ns = self.fresh_ns - self.fresh_ns % SECOND_NS + (SECOND_NS - 1);
            // Seconds in which nothing is due need no look each.
            let idle_ns =
                self.pacer.next_due_ns().map_or(u64::MAX, |due_ns| due_ns.saturating_sub(1));
            let to_ns = second_end_ns.max(idle_ns).min(now_ns);
            self.fall_due_within(to_ns);
            self.fresh_ns = to_ns.saturating_add(1);
        }
    }

    fn fall_due_within(&mut self, to_ns: u64) {
        while let Some(breach) = self.guards.first_breach(&self.pacer, to_ns) {
            let guards = &self.guards;
            let scope = |stream| guards.speaks_of(breach.guard, stream);
            self.pacer.advance_to_limit(breach.at_ns, scope, breach.limit);
            self.count_due(breach.at_ns);
            let entry = self.guards.entry(breach.guard, breach.value, breach.at_ns);
            self.note_hit(breach.guard, entry);
            self.end_by_plan(breach.guard, breach.effect, breach.at_ns);
        }
        self.pacer.advance(to_ns);
        self.count_due(to_ns);
    }

    fn count_due(&mut self, at_ns: u64) {
        for stream in self.streams() {
            let (before, due) = (self.stats.streams()[stream].passed(), self.pacer.due(stream));
            let second = at_ns / SECOND_NS;
            let left_out = match due > before && self.task.waits.holds(stream) {
                true => self.hold_depths(stream, before + 1..due + 1, second),
                false => Vec::new(),
            };
            self.stats.due(stream, due, second);
            if due > before && self.stats.judged().is_some() {
                let judged = |run: &Self, jobs: Range<u64>| {
                    jobs.end - jobs.start - run.warmups_among(stream, jobs)
                };
                let all = judged(self, before + 1..due + 1);
                let out: u64 = left_out.into_iter().map(|jobs| judged(self, jobs)).sum();
                self.stats.due_judged(all - out, second);
            }
        }
    }

    /// Ends what a guard on what falls due speaks of. What has fallen due is still sent: all of it
    /// if the guard is on jobs and this is the plan's own end, else what can be sent at once.
    fn end_by_plan(&mut self, guard: usize, effect: Effect, at_ns: u64) {
        let (streams, planned) = match effect {
            Effect::StopRun { planned } => (self.streams(), planned),
            Effect::StopStream { stream, planned } => (stream..stream + 1, planned),
            Effect::Pause | Effect::Resume => return,
        };
        if !planned {
            match effect {
                Effect::StopRun { .. } => _ = self.ending.get_or_insert(Ending::Guard),
                _ => self.stream_stopped = true,
            }
        }
        let lenient = planned && matches!(self.guards.guard(guard).kind, GuardKind::Jobs(_));
        for stream in streams {
            self.pacer.close(stream, at_ns);
            self.ending_streams[stream] |= !lenient;
        }
    }

    /// Gives up what can't be sent at once of streams that were ended, and of those that a guard
    /// on time finds overdue after its instant.
    pub(super) fn end_streams(&mut self, now_ns: u64) {
        if self.can_send(now_ns) {
            return;
        }
        let overdue: Vec<bool> = self.streams().map(|stream| self.overdue(stream) > 0).collect();
        if overdue.contains(&true)
            && let Some(late) = self.guards.overstayed(now_ns, &overdue)
        {
            let entry = self.guards.entry(late.guard, late.value, now_ns);
            self.note_hit(late.guard, entry);
            self.end_by_plan(late.guard, late.effect, now_ns);
        }
        for stream in self.streams() {
            if std::mem::take(&mut self.ending_streams[stream]) {
                self.give_up(stream);
            }
        }
        if self
            .streams()
            .all(|stream| self.pacer.is_over(stream) && self.backlog.is_given_up(stream))
        {
            self.start_draining(now_ns);
        }
    }

    /// Acts on guards that were hit by what was measured.
    pub(super) fn act(&mut self, hits: Vec<Hit>, now_ns: u64) {
        for Hit { guard, value, effect } in hits {
            let by = self.guards.guard(guard).text.clone();
            let stream = self.guards.guard(guard).stream;
            let name = stream.and_then(|stream| self.task.streams[stream].0.clone());
            if effect == Effect::Resume {
                self.set_pauses(now_ns);
                self.note_end(guard, now_ns);
                continue;
            }
            let entry = self.guards.entry(guard, value, now_ns);
            self.note_hit(guard, entry);
            if effect == Effect::Pause {
                self.set_pauses(now_ns);
                self.tell(Event::Paused { by, stream: name });
            } else {
                self.stop_by_guard(effect, now_ns);
            }
        }
    }

    /// Ends a stream or the run at once.
    pub(super) fn stop_by_guard(&mut self, effect: Effect, now_ns: u64) {
        if let Effect::StopStream { stream, .. } = effect {
            self.pacer.close(stream, now_ns);
            self.give_up(stream);
            self.stream_stopped = true;
        } else {
            self.stop_run(Ending::Guard, now_ns);
        }
    }

    /// Stops and starts the clocks of streams as the hand and the guards now have it.
    pub(super) fn set_pauses(&mut self, now_ns: u64) {
        self.fall_due(now_ns);
        for stream in self.streams() {
            let pause = self.paused_by_hand || self.guards.pausing(stream).is_some();
            if pause && !self.pacer.is_paused(stream) {
                self.pacer.pause(stream, now_ns);
            } else if !pause && self.pacer.is_paused(stream) {
                self.pacer.resume(stream, now_ns);
            }
        }
    }
}
