//! What the run leaves behind for those who look on: slices of its history, and the state of its
//! parts.

use super::Dispatcher;
use super::tell::Teller;
use crate::run::clock::Clock;
use crate::run::events::{QueueState, StreamState};
use crate::run::guards::GuardState;
use crate::run::jobs::Jobs;
use crate::sink::{Queue, Sink};
use crate::stats::depth::QueueDepth;
use crate::stats::history::Sample;
use crate::stats::process::{cpu_s, rss_bytes};
use std::collections::BTreeMap;

/// What was recorded so far.
pub(super) struct Recorder {
    slice_ns: u64,
    next_slice_ns: u64,
    /// Processor time and instant of the last look.
    used: (f64, u64),
    rss_bytes: Option<u64>,
    /// Hits by the guard as written.
    hits: BTreeMap<String, u64>,
}

impl Recorder {
    pub(super) fn new(slice_ns: u64) -> Recorder {
        let slice_ns = slice_ns.max(1);
        Recorder {
            slice_ns,
            next_slice_ns: slice_ns,
            used: (cpu_s(), 0),
            rss_bytes: rss_bytes(),
            hits: BTreeMap::new(),
        }
    }

    /// Begins at an instant of a run under way.
    pub(super) fn go_on(&mut self, now_ns: u64) {
        self.next_slice_ns = now_ns - now_ns % self.slice_ns + self.slice_ns;
        self.used.1 = now_ns;
    }

    /// Processors kept busy since the last call.
    pub(super) fn cpu(&mut self, now_ns: u64) -> f64 {
        let used_s = cpu_s();
        let (before_s, then_ns) = std::mem::replace(&mut self.used, (used_s, now_ns));
        self.rss_bytes = rss_bytes();
        let passed_s = now_ns.saturating_sub(then_ns) as f64 / 1e9;
        if passed_s > 0.0 { (used_s - before_s).max(0.0) / passed_s } else { 0.0 }
    }

    /// Memory resident at the last call of [`Recorder::cpu`].
    pub(super) fn rss_bytes(&self) -> Option<u64> {
        self.rss_bytes
    }
}

impl Teller {
    pub(super) fn next_slice_ns(&self) -> u64 {
        self.recorder.next_slice_ns
    }

    pub(super) fn count_hit(&mut self, guard: &str) {
        match self.recorder.hits.get_mut(guard) {
            Some(hits) => *hits += 1,
            None => _ = self.recorder.hits.insert(guard.to_owned(), 1),
        }
    }
}

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Ends a slice of the history if it is time. While somebody reads there, it grows on.
    pub(super) fn cut_slices(&mut self, now_ns: u64) {
        let recorder = &mut self.teller.recorder;
        if now_ns < recorder.next_slice_ns {
            return;
        }
        let slice_ns = recorder.slice_ns;
        recorder.next_slice_ns = now_ns - now_ns % slice_ns + slice_ns;
        let history = self.teller.publisher.history();
        if history.try_push(|| self.sample(now_ns), self.stats.slice()) {
            self.stats.end_slice();
        }
    }

    /// Ends the last slice.
    pub(super) fn cut_last_slice(&mut self, now_ns: u64) {
        self.teller.publisher.history().push(self.sample(now_ns), self.stats.slice());
        self.stats.end_slice();
    }

    fn sample(&self, now_ns: u64) -> Sample {
        Sample {
            at_ns: now_ns,
            target_per_s: self.streams().map(|stream| self.pacer.rate(stream, now_ns)).sum(),
            counts: self.stats.counts(),
            depths: self.stats.depths().iter().map(|depth| depth.latest).collect(),
            cpu_s: cpu_s() - self.teller.cpu_at_start_s,
            rss_bytes: self.teller.recorder.rss_bytes,
            paused: self.is_paused(),
        }
    }

    /// Whether every stream that is not over stands still.
    pub(super) fn is_paused(&self) -> bool {
        let mut open = self.streams().filter(|stream| !self.pacer.is_over(*stream)).peekable();
        open.peek().is_some() && open.all(|stream| self.pacer.is_paused(stream))
    }

    /// Where a stream is in its script, in nanoseconds from the plan's start: after a seek or a reload
    /// that is elsewhere than the time that has passed.
    pub(super) fn script_ns(&self, stream: usize, now_ns: u64) -> u64 {
        let place_ns = self.pacer.place_ns(stream, now_ns);
        let place_ns = self.options.from_ns.saturating_add(place_ns);
        match self.splices.get(stream) {
            Some(spliced) => spliced.script_ns(place_ns),
            None => place_ns,
        }
    }

    pub(super) fn stream_states(&self, now_ns: u64) -> Vec<StreamState> {
        let state = |stream: usize| {
            let place_ns = self.script_ns(stream, now_ns);
            StreamState {
                name: self.task.streams[stream].0.clone(),
                place_s: place_ns as f64 / 1e9,
                target_per_s: self.pacer.rate(stream, now_ns),
                paused: self.pacer.is_paused(stream),
                jobs: self.stats.streams()[stream].counts,
            }
        };
        self.streams().map(state).collect()
    }

    pub(super) fn queue_states(&self) -> Vec<QueueState> {
        let queues = self.probe.queues().iter().zip(self.stats.depths());
        let state = |(place, (queue, depth)): (usize, (&Queue, &QueueDepth))| {
            let watched = self.probe.is_watched(place);
            let workers = self.probe.workers(place);
            QueueState {
                name: queue.name.clone(),
                depth: depth.latest,
                workers: watched.then(|| workers.now(self.acked_by(place))).flatten(),
            }
        };
        queues.enumerate().map(state).collect()
    }

    pub(super) fn guard_states(&mut self, now_ns: u64) -> Vec<GuardState> {
        let pacer = &self.pacer;
        let due = |stream: Option<usize>| match stream {
            Some(stream) => pacer.due(stream),
            None => (0..pacer.streams()).map(|stream| pacer.due(stream)).sum(),
        };
        let states = self.guards.states(now_ns, due);
        let whole = |(place, state): (usize, GuardState)| {
            let stream = self.guards.guard(place).stream;
            let stream = stream.and_then(|stream| self.task.streams[stream].0.clone());
            let hits = self.teller.recorder.hits.get(&state.guard).copied().unwrap_or(0);
            GuardState { stream, hits, ..state }
        };
        states.into_iter().map(whole).collect()
    }
}
