//! Guards that slow and that shed, warnings, and what hits lead to besides: the report, the views and
//! whoever is to be told.

use super::Dispatcher;
use crate::run::clock::Clock;
use crate::run::events::{Event, Record};
use crate::run::guards::{Braked, GuardEntry};
use crate::run::jobs::Jobs;
use crate::sink::Sink;

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Overdue jobs of each stream. Where one of several servers is missed, its jobs are not
    /// what a rate has no room for.
    fn count_overdue(&self) -> Vec<u64> {
        let count = |stream| match self.lanes.count() {
            1 => self.overdue(stream),
            _ => self.not_lost(stream),
        };
        self.streams().map(count).collect()
    }

    /// Sets the pace of every stream's clock as the guards that slow have it.
    pub(super) fn slow(&mut self, now_ns: u64) {
        if !self.braking {
            return;
        }
        let overdue = self.count_overdue();
        let mut paces = std::mem::take(&mut self.paces);
        let braked = self.guards.paces(&self.pacer, &overdue, now_ns, &mut paces);
        // A curve that rises slowly need not be followed to the last digit: what is above the bound
        // waits in any case.
        let near = |stream: usize| {
            let (now, wanted) = (self.pacer.pace(stream).share(), paces[stream].share());
            wanted == now || wanted > 0.0 && wanted < 1.0 && (now / wanted - 1.0).abs() < 1e-3
        };
        let changed: Vec<usize> = self.streams().filter(|stream| !near(*stream)).collect();
        if !changed.is_empty() {
            self.fall_due(now_ns);
        }
        for stream in changed {
            self.pacer.set_pace(stream, now_ns, paces[stream]);
        }
        self.paces = paces;
        self.tell_brakes(braked, now_ns);
    }

    /// Skips what guards that shed have no room for, unless it is something else that holds it.
    pub(super) fn shed(&mut self, now_ns: u64) {
        if !self.braking {
            return;
        }
        self.look_at_rooms(now_ns);
        if !self.lanes.has_room() {
            return;
        }
        let mut overdue: Vec<u64> = self.streams().map(|stream| self.reachable(stream)).collect();
        let held =
            |stream: &usize| self.pacer.is_paused(*stream) || self.lates.is_spreading(*stream);
        for stream in self.streams().filter(held) {
            overdue[stream] = 0;
        }
        let (streams, braked) = self.guards.shedding(&overdue, now_ns);
        for stream in streams.into_iter().filter(|stream| overdue[*stream] > 0) {
            let shed = self.skip_to(stream, self.pacer.due(stream), false);
            self.stats.skipped(stream, shed.len());
            self.note_skipped(&shed);
        }
        self.tell_brakes(braked, now_ns);
    }

    fn tell_brakes(&mut self, braked: Braked, now_ns: u64) {
        for (guard, asked) in braked.begun {
            let entry = self.guards.entry(guard, asked, now_ns);
            self.note_hit(guard, entry);
        }
        for guard in braked.over {
            self.note_end(guard, now_ns);
        }
    }

    /// Warns of guards that have come near their bounds.
    pub(super) fn warn(&mut self, now_ns: u64) {
        for (guard, value) in self.guards.warnings(&self.pacer, now_ns) {
            let near = self.guards.near_entry(guard, value, now_ns);
            let of = crate::show::number(value / near.limit * 100.0);
            let message = format!("`{}` is near: {of}% of its bound", near.guard);
            self.teller.list_warning(near.clone());
            self.alarm(Event::Near { message, near });
        }
    }

    /// Notes a hit for the report and tells it.
    pub(super) fn note_hit(&mut self, guard: usize, hit: GuardEntry) {
        self.teller.count_hit(&hit.guard);
        self.teller.list(guard, hit.clone());
        self.alarm(Event::Guard { hit });
    }

    /// Notes that what a guard held goes on as planned.
    pub(super) fn note_end(&mut self, guard: usize, now_ns: u64) {
        self.teller.end_hit(guard, now_ns);
        let guard = self.guards.guard(guard);
        let stream = guard.stream.and_then(|stream| self.task.streams[stream].0.clone());
        let by = guard.text.clone();
        self.alarm(Event::Resumed { by, stream });
    }

    /// Notes how far a depth is above the bounds of guards that have been hit by it.
    pub(super) fn note_depth(&mut self, queue: usize, depth: u64) {
        for (guard, over) in self.guards.depth_over(queue, depth) {
            self.teller.exceeded(guard, over as f64);
        }
    }

    /// Tells an event to the views, and to everybody who is to be told of guards.
    fn alarm(&self, event: Event) {
        if let Some(notifier) = &self.options.notifier {
            let now_ns = self.clock.now_ns();
            let at = self.clock.start_unix_ns().saturating_add(now_ns);
            let record = Record { at, t_s: now_ns as f64 / 1e9, event: event.clone() };
            notifier.tell(&self.alarm_text(&record));
        }
        self.tell(event);
    }

    /// The event, and of which run.
    fn alarm_text(&self, record: &Record) -> String {
        let mut body = serde_json::to_value(record).unwrap_or_default();
        if let Some(fields) = body.as_object_mut() {
            let (options, task) = (&self.options, &self.task);
            fields.insert("run_id".to_owned(), options.run_id.clone().into());
            fields.insert("file".to_owned(), task.file.clone().into());
            fields.insert("target".to_owned(), options.target.clone().into());
        }
        body.to_string()
    }

    /// Says what went wrong in telling others.
    pub(super) fn tell_undelivered(&self) {
        let Some(notifier) = &self.options.notifier else { return };
        for message in notifier.troubles() {
            self.tell(Event::Warning { message });
        }
    }
}
