//! What the run tells while it runs, and its report.

use super::record::Recorder;
use super::{Dispatcher, Ending, SECOND_NS};
use crate::job::layouts::layout;
use crate::run::clock::Clock;
use crate::run::events::{Event, Publisher, Record, Snapshot, instant_text};
use crate::run::guards::GuardEntry;
use crate::run::jobs::Jobs;
use crate::run::report::{
    FailureEntry, ForgottenEntry, Histograms, JudgedReport, OutcomeName, Report, StallEntry,
    StreamFacts, StreamReport, judge, per_second,
};
use crate::sink::{Forgotten, Notice, Sink};
use crate::stats::minutes::{Minute, Minutes};
use crate::stats::process::{cpu_s, rss_max_bytes};
use crate::stats::times::{Recent, Times};
use crate::stats::workers::WorkersReport;
use std::collections::BTreeMap;

/// What was told so far.
pub(super) struct Teller {
    pub(super) publisher: Publisher,
    /// Queues that jobs go to: the first of all.
    written_queues: usize,
    /// And these, since a reload.
    pub(super) also_written: Vec<usize>,
    next_second_ns: u64,
    told_ns: u64,
    told_due: u64,
    told_sent: u64,
    told_processed: Option<u64>,
    told_failures: Option<u64>,
    send_delay: Recent,
    response: Recent,
    minutes: Minutes,
    minute_start_ns: u64,
    minute: Option<Minute>,
    /// Jobs told of, by kind of error.
    told_errors: Vec<u64>,
    hits: Vec<GuardEntry>,
    unlisted: u64,
    /// The hit of each guard that is not over, by its place in the list.
    open_hits: BTreeMap<usize, usize>,
    warnings: Vec<GuardEntry>,
    forgotten: Vec<ForgottenEntry>,
    stalls: Vec<StallEntry>,
    pub(super) cpu_at_start_s: f64,
    pub(super) recorder: Recorder,
}

/// Hits beyond these are counted, not listed.
const LISTED_HITS: usize = 10_000;

const MINUTE_NS: u64 = 60 * SECOND_NS;

impl Teller {
    pub(super) fn new(publisher: Publisher, written_queues: usize, slice_ns: u64) -> Teller {
        Teller {
            publisher,
            written_queues,
            also_written: Vec::new(),
            next_second_ns: SECOND_NS,
            told_ns: 0,
            told_due: 0,
            told_sent: 0,
            told_processed: None,
            told_failures: None,
            send_delay: Recent::default(),
            response: Recent::default(),
            minutes: Minutes::default(),
            minute_start_ns: 0,
            minute: None,
            told_errors: Vec::new(),
            hits: Vec::new(),
            unlisted: 0,
            open_hits: BTreeMap::new(),
            warnings: Vec::new(),
            forgotten: Vec::new(),
            stalls: Vec::new(),
            cpu_at_start_s: cpu_s(),
            recorder: Recorder::new(slice_ns),
        }
    }

    /// Begins at an instant of a run under way, of which so many jobs were sent before.
    pub(super) fn go_on(&mut self, now_ns: u64, sent: u64) {
        self.next_second_ns = now_ns - now_ns % SECOND_NS + SECOND_NS;
        self.told_ns = now_ns;
        self.told_sent = sent;
        self.minute_start_ns = now_ns;
        self.recorder.go_on(now_ns);
    }

    pub(super) fn next_second_ns(&self) -> u64 {
        self.next_second_ns
    }

    pub(super) fn tell(&self, record: Record) {
        self.publisher.tell(record);
    }

    pub(super) fn list_stall(&mut self, stall: StallEntry) {
        if self.stalls.len() < LISTED_HITS {
            self.stalls.push(stall);
        }
    }

    /// How many queues were written to from the start: the first of all.
    pub(super) fn written_queues(&self) -> usize {
        self.written_queues
    }

    /// Notes that guards are elsewhere in their list now, or gone.
    pub(super) fn move_hits(&mut self, places: &[Option<usize>]) {
        let open = std::mem::take(&mut self.open_hits);
        let moved = |(guard, hit): (usize, usize)| Some(((*places.get(guard)?)?, hit));
        self.open_hits = open.into_iter().filter_map(moved).collect();
    }

    /// Lists a hit of a guard.
    pub(super) fn list(&mut self, guard: usize, hit: GuardEntry) {
        if self.hits.len() < LISTED_HITS {
            self.open_hits.insert(guard, self.hits.len());
            self.hits.push(hit);
        } else {
            self.open_hits.remove(&guard);
            self.unlisted += 1;
        }
    }

    /// Notes when the last hit of a guard was over.
    pub(super) fn end_hit(&mut self, guard: usize, now_ns: u64) {
        if let Some(place) = self.open_hits.remove(&guard) {
            self.hits[place].ended_at_s = Some(now_ns as f64 / 1e9);
        }
    }

    /// Notes by how much a guard that was hit is exceeded.
    pub(super) fn exceeded(&mut self, guard: usize, by: f64) {
        if let Some(place) = self.open_hits.get(&guard) {
            let most = self.hits[*place].overshoot.unwrap_or(0.0);
            self.hits[*place].overshoot = Some(most.max(by));
        }
    }

    /// Lists a warning, unless there are very many.
    pub(super) fn list_warning(&mut self, near: GuardEntry) {
        if self.warnings.len() < LISTED_HITS {
            self.warnings.push(near);
        }
    }
}

impl<J: Jobs, S: Sink, C: Clock + 'static> Dispatcher<J, S, C> {
    /// Reads the depths, looks for files, starts the clock and says so. A guard that can't be kept from the start
    /// fails the run before its first job.
    pub(super) async fn open(&mut self) {
        let blind =
            self.read_depths(|run, queue, depth| run.stats.depth_mut(queue).at_start(depth)).await;
        let looked = self.look_first();
        let measured = self.measure_first().await;
        self.clock.start_at(self.resumed_at_ns);
        self.note_start();
        let end_ns = self.task.streams.iter().map(|(_, schedule)| schedule.end_ns()).max();
        self.tell(Event::Started {
            run_id: self.options.run_id.clone(),
            file: self.task.file.clone(),
            digest: self.task.digest.clone(),
            target: self.options.target.clone(),
            jobs: self.stats.counts().planned,
            duration_s: end_ns.unwrap_or(0) as f64 / 1e9,
        });
        if self.has_forgotten {
            let acked_jobs = self.stats.counts().acked;
            let message = "the key that shows what arrived is gone since the run was left: \
                           deleted, evicted, its time up, or the server's data with it";
            self.tell_forgotten(Forgotten { acked_jobs, message: message.to_owned() });
        }
        let first = self.snapshot(self.resumed_at_ns);
        self.teller.publisher.show(first);
        self.tell_notices();
        if let Some(failure) = blind {
            self.fail(failure, 0);
        }
        for found in [looked, measured] {
            match found {
                Ok(hits) => self.act(hits, 0),
                Err(failure) => self.fail(failure, 0),
            }
        }
    }

    /// Once a second: completes the seconds that are over, tells errors and shows the state.
    pub(super) fn tell_seconds(&mut self, now_ns: u64) {
        if now_ns < self.teller.next_second_ns {
            return;
        }
        self.teller.next_second_ns = now_ns - now_ns % SECOND_NS + SECOND_NS;
        let open_ns = self.flights.oldest_ns().unwrap_or(now_ns).min(self.fresh_ns);
        self.stats.close_seconds(open_ns / SECOND_NS);
        let looked_back_ns = self.fresh_ns.saturating_sub(self.guards.longest_window_ns() + 1);
        for stream in self.streams() {
            self.pacer.forget(stream, looked_back_ns, self.backlog.oldest(stream));
        }
        if now_ns - self.teller.minute_start_ns >= MINUTE_NS {
            self.cut_minute(now_ns);
        }
        self.second_of_expectations(now_ns);
        self.note_time(now_ns);
        self.notice_clock_step(now_ns);
        self.tell_state(now_ns);
    }

    fn cut_minute(&mut self, now_ns: u64) {
        let seconds = (now_ns - self.teller.minute_start_ns) as f64 / 1e9;
        self.teller.minute = Some(self.teller.minutes.cut(&self.stats, seconds));
        self.teller.minute_start_ns = now_ns;
    }

    /// Tells what the sink has to say of itself.
    pub(super) fn tell_notices(&mut self) {
        for notice in self.sink.notices() {
            match notice {
                Notice::Warning(message) => self.tell(Event::Warning { message }),
                Notice::Forgot(forgotten) => self.tell_forgotten(forgotten),
            }
        }
    }

    fn tell_forgotten(&mut self, forgotten: Forgotten) {
        let Forgotten { acked_jobs, message } = forgotten;
        let at_s = self.clock.now_ns() as f64 / 1e9;
        let entry = ForgottenEntry { at_s, acked_jobs, message: message.clone() };
        self.teller.forgotten.push(entry);
        self.tell(Event::Forgot { acked_jobs, message });
    }

    fn tell_state(&mut self, now_ns: u64) {
        self.tell_notices();
        self.tell_undelivered();
        self.tell_errors();
        let snapshot = self.snapshot(now_ns);
        self.teller.publisher.show(snapshot.clone());
        self.tell(Event::Metrics(Box::new(snapshot)));
    }

    fn tell_errors(&mut self) {
        let entries = self.stats.errors().entries();
        self.teller.told_errors.resize(entries.len(), 0);
        for (entry, told) in entries.iter().zip(&mut self.teller.told_errors) {
            let count = entry.count - *told;
            *told = entry.count;
            if count > 0 {
                let (kind, message) = (entry.kind.clone(), entry.last.clone());
                let now_ns = self.clock.now_ns();
                let at = self.clock.start_unix_ns().saturating_add(now_ns);
                let event = Event::Error { kind, outcome: entry.outcome, count, message };
                self.teller.publisher.tell(Record { at, t_s: now_ns as f64 / 1e9, event });
            }
        }
    }

    fn snapshot(&mut self, now_ns: u64) -> Snapshot {
        let jobs = self.stats.counts();
        let since_s = (now_ns - self.teller.told_ns) as f64 / 1e9;
        let newly_sent = jobs.sent.saturating_sub(self.teller.told_sent);
        self.teller.told_ns = now_ns;
        let newly_due = jobs.due.saturating_sub(self.teller.told_due);
        (self.teller.told_due, self.teller.told_sent) = (jobs.due, jobs.sent);
        let times = || self.stats.streams().iter().map(|stream| &stream.times);
        let send_delay = self.teller.send_delay.take(times().map(|times| &times.send_delay));
        let response = self.teller.response.take(times().map(|times| &times.response));
        let remaining_ns =
            self.streams().map(|stream| self.pacer.remaining_ns(stream, now_ns)).max();
        let watched = (0..self.teller.written_queues).filter(|queue| self.probe.is_watched(*queue));
        let ages = watched.clone().filter_map(|queue| self.probe.workers(queue).age_s());
        let oldest_age_s = ages.reduce(f64::max);
        let failures =
            watched.clone().map(|queue| self.probe.workers(queue).failed()).sum::<Option<u64>>();
        let processed = watched
            .map(|queue| self.probe.workers(queue).processed(self.acked_by(queue)?))
            .sum::<Option<u64>>();
        let told = std::mem::replace(&mut self.teller.told_processed, processed);
        let told_failures = std::mem::replace(&mut self.teller.told_failures, failures);
        let more = |now: Option<u64>, then: Option<u64>| {
            now.zip(then).map(|(now, then)| per_second(now.saturating_sub(then) as f64, since_s))
        };
        let processed_per_s = more(processed, told);
        let worker_failures_per_s = more(failures, told_failures);
        let (written, also) = (self.teller.written_queues, &self.teller.also_written);
        let depths = self.stats.depths();
        let depths = depths[..written].iter().chain(also.iter().map(|queue| &depths[*queue]));
        Snapshot {
            elapsed_s: now_ns as f64 / 1e9,
            remaining_s: remaining_ns.unwrap_or(0) as f64 / 1e9,
            target_per_s: self.streams().map(|stream| self.pacer.rate(stream, now_ns)).sum(),
            offered_per_s: per_second(newly_due as f64, since_s),
            achieved_per_s: per_second(newly_sent as f64, since_s),
            jobs,
            in_flight: jobs.in_flight(),
            overdue: jobs.overdue(),
            depth: depths.filter_map(|depth| depth.latest).reduce(|sum, depth| sum + depth),
            p99_response_us: response.map(|brief| brief.p99_us),
            p99_send_delay_us: send_delay.map(|brief| brief.p99_us),
            deviation: self.stats.deviation().so_far(),
            oldest_age_s,
            processed_per_s,
            worker_failures_per_s,
            paused: self.is_paused(),
            cpu: self.teller.recorder.cpu(now_ns),
            rss_bytes: self.teller.recorder.rss_bytes(),
            streams: self.stream_states(now_ns),
            queues: self.queue_states(),
            guards: self.guard_states(now_ns),
            minute: self.teller.minute.clone(),
        }
    }

    /// Reads the depths once more, says that the run is over and writes the report.
    pub(super) async fn close(mut self) -> Report {
        let elapsed_ns = self.clock.now_ns();
        self.judge_waits(elapsed_ns);
        if !self.broken_off {
            self.read_depths(|run, queue, depth| run.stats.depth_mut(queue).at_end(depth)).await;
        }
        self.wait_for_drain().await;
        if !self.notes.has_doubts() {
            self.sink.finish().await;
        }
        self.stats.close_seconds(u64::MAX);
        if self.ending.is_none() {
            let hits = self.guards.judge_errors_at_end(elapsed_ns);
            self.act(hits, elapsed_ns);
        }
        self.judge_refusals(elapsed_ns, true);
        self.look_at_expectations(elapsed_ns);
        self.cut_minute(elapsed_ns);
        self.cut_last_slice(elapsed_ns);
        self.tell_state(elapsed_ns);
        let mut report = self.report(elapsed_ns);
        self.close_journal(report.outcome == OutcomeName::Done);
        let Report { outcome, exit_code, jobs, .. } = report;
        self.tell(Event::Stopped { outcome, exit_code, jobs });
        (report.events, report.events_unlisted) = self.teller.publisher.take_told();
        report
    }

    /// What the workers of a queue did, where that was to be watched.
    fn workers_report(&self, queue: usize, elapsed_s: f64) -> Option<WorkersReport> {
        if !self.probe.is_watched(queue) {
            return None;
        }
        let format = &self.probe.queues()[queue].format;
        let by = layout(format.word()).and_then(|layout| layout.pickup.ok());
        self.probe.workers(queue).report(self.acked_by(queue), elapsed_s, by)
    }

    /// Jobs that a queue has acknowledged; none if some of them may have gone to another, or before
    /// its depth was first seen: in a run that is gone on with.
    pub(super) fn acked_by(&self, queue: usize) -> Option<u64> {
        if self.is_resumed {
            return None;
        }
        let mut acked = 0;
        for stream in self.streams() {
            for (queues, counts) in self.kinds_and_counts(stream) {
                if !queues.contains(&queue) {
                    continue;
                }
                if queues.len() > 1 {
                    return None;
                }
                acked += counts.acked;
            }
        }
        Some(acked)
    }

    fn stream_report(&self, stream: usize, elapsed_s: f64) -> StreamReport {
        let queues = self
            .lane_queues(stream)
            .into_iter()
            .map(|queue| {
                let name = self.probe.queues()[queue].name.clone();
                (name, queue, self.workers_report(queue, elapsed_s))
            })
            .collect();
        StreamFacts { name: self.task.streams[stream].0.clone(), queues }.report(
            &self.stats,
            stream,
            elapsed_s,
        )
    }

    fn report(&mut self, elapsed_ns: u64) -> Report {
        let elapsed_s = elapsed_ns as f64 / 1e9;
        let jobs = self.stats.counts();
        let bytes: u64 = self.stats.streams().iter().map(|stream| stream.bytes).sum();
        let times = self.stats.times();
        let Times { send_delay, service, response } = &times;
        let mut expectations = judge(&self.expecting, &self.stats, &self.queue_facts());
        expectations.extend(self.task.waits.expectations());
        let all_met = expectations.iter().all(|expectation| expectation.met);
        let outcome = self.outcome();
        let failure = match &self.ending {
            Some(Ending::Failed(failure)) => {
                Some(FailureEntry { kind: failure.kind.clone(), message: failure.message.clone() })
            }
            _ => None,
        };
        let (part, of) = (self.options.shard.part(), self.options.shard.of());
        Report {
            run_id: self.options.run_id.clone(),
            file: self.task.file.clone(),
            digest: self.task.digest.clone(),
            seed: self.task.seed,
            target: self.options.target.clone(),
            shard: (of > 1).then(|| format!("{part}/{of}")),
            started_at: instant_text(self.clock.start_unix_ns()),
            elapsed_s,
            jobs,
            achieved_per_s: per_second(jobs.sent as f64, elapsed_s),
            mb_per_s: per_second(bytes as f64 / 1e6, elapsed_s),
            deviation: self.stats.deviation().of_run(),
            send_delay_us: send_delay.summary(),
            service_time_us: service.summary(),
            response_time_us: response.summary(),
            streams: self.streams().map(|stream| self.stream_report(stream, elapsed_s)).collect(),
            errors: self.stats.errors().entries().to_vec(),
            forgotten: std::mem::take(&mut self.teller.forgotten),
            stalls: std::mem::take(&mut self.teller.stalls),
            guards: std::mem::take(&mut self.teller.hits),
            guards_unlisted: self.teller.unlisted,
            warnings: std::mem::take(&mut self.teller.warnings),
            events: Vec::new(),
            events_unlisted: 0,
            judged: self.stats.judged().map(JudgedReport::of),
            waits: self.task.waits.take_entries(),
            expectations,
            reloads: std::mem::take(&mut self.reloads),
            histograms: Histograms::of(&times),
            cpu_s: cpu_s() - self.teller.cpu_at_start_s,
            rss_max_bytes: rss_max_bytes(),
            outcome,
            failure,
            exit_code: outcome.exit_code(all_met),
        }
    }
}
