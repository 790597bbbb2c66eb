use super::*;
use crate::plan::{Action, GuardKind, Tuning};
use crate::run::clock::{Rehearsal, RehearsalClock};
use crate::run::events::channel;
use crate::run::fakes::{Answer, FakeJobs, FakeSink, Fate, Listed, Seen, failure};
use crate::run::run_task;
use crate::stats::Counts;
use futures_util::future::join;

mod braking;
mod expecting;
mod faults;
mod guarding;
mod holding;
mod lanes;
mod lateness;
mod measuring;
mod reloading;
mod steering;
mod waiting;
mod warming;

const MS: u64 = 1_000_000;
const SECOND: u64 = SECOND_NS;

/// A run to be rehearsed.
struct Scene {
    rehearsal: Rehearsal,
    streams: Vec<Listed>,
    jobs: FakeJobs,
    late: Vec<crate::plan::Late>,
    guards: Vec<Guard>,
    options: RunOptions,
    control: Control,
}

/// What came of it.
struct Played {
    report: Report,
    seen: Seen,
    events: Vec<Record>,
}

impl Scene {
    /// Streams that each write to a queue of their own: `q0`, `q1`, …
    fn of(streams: Vec<Listed>) -> Scene {
        let names: Vec<String> = (0..streams.len()).map(|stream| format!("q{stream}")).collect();
        let names: Vec<[&str; 1]> = names.iter().map(|name| [name.as_str()]).collect();
        let names: Vec<&[&str]> = names.iter().map(|name| name.as_slice()).collect();
        Scene {
            rehearsal: Rehearsal::starting_at(1_763_732_400 * SECOND),
            jobs: FakeJobs::to(&names),
            streams,
            late: Vec::new(),
            guards: Vec::new(),
            options: RunOptions::default(),
            control: Control::new(),
        }
    }

    fn guard(mut self, kind: GuardKind, action: Option<Action>, stream: Option<usize>) -> Scene {
        let text = format!("guard {}", self.guards.len());
        let tuning = Tuning::default();
        self.guards.push(Guard { kind, action, stream, text, span: None, tuning });
        self
    }

    /// Changes what is said of the last guard besides its bound.
    fn tuned(mut self, change: impl FnOnce(&mut Tuning)) -> Scene {
        change(&mut self.guards.last_mut().unwrap().tuning);
        self
    }

    fn options(mut self, change: impl FnOnce(&mut RunOptions)) -> Scene {
        change(&mut self.options);
        self
    }

    fn sink(&self, script: impl FnMut(u64, u64) -> Answer + Send + 'static) -> FakeSink {
        FakeSink::new(self.rehearsal.clock(), script)
    }

    /// A sink that acknowledges everything after so long.
    fn prompt(&self, after_ns: u64) -> FakeSink {
        self.sink(move |_, _| Answer::all(Fate::Acked, after_ns))
    }

    fn play(self, sink: &FakeSink) -> Played {
        self.play_with(sink, async |_, _| {})
    }

    /// Plays it beside somebody who steers it; every job the sink took must have been answered.
    fn play_with(
        self,
        sink: &FakeSink,
        actor: impl AsyncFnOnce(RehearsalClock, Control),
    ) -> Played {
        let played = self.play_with_losses(sink, actor);
        assert_eq!(played.seen.accepted.len() as u64, played.report.jobs.acked);
        played
    }

    /// The same, but answers may be lost: what the sink took may count as unknown.
    fn play_with_losses(
        self,
        sink: &FakeSink,
        actor: impl AsyncFnOnce(RehearsalClock, Control),
    ) -> Played {
        let (publisher, mut views) = channel(100_000);
        let streams = self.streams.into_iter().enumerate();
        let task = Task {
            file: "test.load".to_owned(),
            digest: "d1".to_owned(),
            seed: 1,
            streams: streams.map(|(at, jobs)| (Some(format!("s{at}")), jobs.shared())).collect(),
            late: self.late,
            jobs: self.jobs,
            guards: self.guards,
            expectations: Vec::new(),
            sources: Vec::new(),
            wall: crate::plan::WallClock::default(),
            places: Vec::new(),
            warmups: Warmups::default(),
            waits: Waits::default(),
        };
        let clock = self.rehearsal.clock();
        let acting = actor(clock.clone(), self.control.clone());
        let running =
            run_task(task, sink.clone(), self.options, clock, self.control.clone(), publisher);
        let (report, ()) = self.rehearsal.play(join(running, acting)).expect("the run goes on");
        let mut events = Vec::new();
        while let Ok(event) = views.events.try_recv() {
            events.push(event);
        }
        let played = Played { report, seen: sink.seen(), events };
        played.assert_balanced();
        played
    }
}

fn assert_identities(jobs: &Counts, what: &str) {
    assert_eq!(jobs.due, jobs.sent + jobs.skipped + jobs.overdue(), "{what}: {jobs:?}");
    let answered = jobs.acked + jobs.failed + jobs.unknown;
    assert_eq!(jobs.sent, answered + jobs.in_flight(), "{what}: {jobs:?}");
    assert!(jobs.due <= jobs.planned, "{what}: {jobs:?}");
}

impl Played {
    /// The account adds up, at the end and in every snapshot.
    fn assert_balanced(&self) {
        let streams = self.report.streams.iter().map(|stream| &stream.jobs);
        for jobs in std::iter::once(&self.report.jobs).chain(streams) {
            assert_identities(jobs, "at the end");
            assert_eq!((jobs.overdue(), jobs.in_flight()), (0, 0), "{jobs:?}");
        }
        for record in &self.events {
            if let Event::Metrics(snapshot) = &record.event {
                assert_identities(&snapshot.jobs, "in a snapshot");
            }
        }
        for stream in &self.report.streams {
            let kinds: u64 = stream.by_job.iter().map(|job| job.sent).sum();
            assert_eq!(kinds, stream.jobs.sent);
        }
        let acked = self.report.jobs.acked;
        let taken = self.seen.accepted.len() as u64;
        assert!((acked..=acked + self.report.jobs.unknown).contains(&taken));
    }

    /// Every job of a stream up to a number was accepted once.
    fn assert_whole(&self, stream: usize, jobs: u64) {
        let mut numbers = self.seen.numbers(stream);
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=jobs).collect::<Vec<_>>());
    }

    fn outcome(&self) -> (OutcomeName, u8) {
        (self.report.outcome, self.report.exit_code)
    }

    /// The instants of the events that a test looks for.
    fn instants(&self, wanted: impl Fn(&Event) -> bool) -> Vec<f64> {
        let found = self.events.iter().filter(|record| wanted(&record.event));
        found.map(|record| record.t_s).collect()
    }
}

#[test]
fn every_job_is_sent_once_at_its_instant() {
    let scene = Scene::of(vec![Listed::every(10 * MS, 300)]);
    let sink = scene.prompt(MS / 2);
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    let expected: Vec<_> =
        (0..300).map(|k| (k * 10 * MS + 5 * MS, format!("0:{}", k + 1))).collect();
    assert_eq!(played.seen.accepted, expected);
    let report = &played.report;
    assert_eq!((report.jobs.acked, report.elapsed_s, report.deviation), (300, 3.0, 0.0));
    assert_eq!(report.send_delay_us.unwrap().max, 0.0);
    assert_eq!(report.service_time_us.unwrap().max, 500.0);
    assert_eq!(report.response_time_us.unwrap().mean, 500.0);
    assert_eq!(report.started_at, "2025-11-21T13:40:00.000Z");
}

#[test]
fn ramps_and_constants_are_exact_to_the_job() {
    let streams = vec![Listed::rising(10_000.0, 10.0), Listed::every(100_000, 100_000)];
    let scene = Scene::of(streams);
    let sink = scene.prompt(300_000);
    let played = scene.play(&sink);
    played.assert_whole(0, 50_000);
    played.assert_whole(1, 100_000);
    assert!(played.report.deviation < 0.002, "{}", played.report.deviation);
    // Coalesced to the gap, a job waits at most that long.
    assert!(played.report.send_delay_us.unwrap().max <= 1_000.0);
}

#[test]
fn an_empty_plan_is_done() {
    let scene = Scene::of(vec![Listed::at(vec![])]);
    let sink = scene.prompt(0);
    let played = scene.play(&sink);
    assert_eq!(played.outcome(), (OutcomeName::Done, 0));
    assert_eq!(played.report.send_delay_us, None);
}

#[test]
fn a_slow_sink_does_not_slow_the_schedule() {
    // 1,000 jobs a second for a second, each answered after 10 s: all leave on time.
    let scene = Scene::of(vec![Listed::every(MS, 1_000)]);
    let sink = scene.prompt(10 * SECOND);
    let played = scene.play(&sink);
    assert_eq!(played.report.send_delay_us.unwrap().max, 0.0);
    assert_eq!(played.seen.most_in_flight, 1_000);
    assert_eq!(played.report.response_time_us.unwrap().max, 10e6);
}

#[test]
fn what_is_in_flight_is_bounded_and_nothing_is_lost() {
    let scene =
        Scene::of(vec![Listed::every(MS, 900)]).options(|options| options.max_in_flight_jobs = 50);
    let sink = scene.prompt(100 * MS);
    let played = scene.play(&sink);
    played.assert_whole(0, 900);
    assert_eq!(played.seen.most_in_flight, 50);
    // 50 jobs per 100 ms: the last leaves after 1.7 s, 0.8 s after its instant.
    let delay = played.report.send_delay_us.unwrap();
    assert!((750_000.0..=900_000.0).contains(&delay.max), "{delay:?}");
    let behind = played.events.iter().filter_map(|record| match &record.event {
        Event::Metrics(snapshot) => Some(snapshot.overdue),
        _ => None,
    });
    assert!(behind.max().unwrap() > 300);
    assert!(played.report.deviation < 1e-9, "one window for the whole of a short plan");
}

#[test]
fn bytes_in_flight_are_bounded_too() {
    let scene = Scene::of(vec![Listed::at(vec![0; 1_000])])
        .options(|options| options.max_in_flight_bytes = 200);
    let sink = scene.prompt(MS);
    let played = scene.play(&sink);
    played.assert_whole(0, 1_000);
    assert!(played.seen.most_in_flight <= 60, "{}", played.seen.most_in_flight);
    let scene = Scene::of(vec![Listed::at(vec![0; 100])])
        .options(|options| options.max_in_flight_bytes = 0);
    let sink = scene.prompt(MS);
    scene.play(&sink).assert_whole(0, 100);
}

#[test]
fn a_large_number_at_once_goes_in_bounded_batches() {
    let scene = Scene::of(vec![Listed::at(vec![SECOND; 10_000])])
        .options(|options| options.batch_jobs = 300);
    let sink = scene.prompt(MS);
    let played = scene.play(&sink);
    played.assert_whole(0, 10_000);
    assert_eq!(played.seen.sends.iter().map(|(_, jobs)| *jobs).max(), Some(300));
    assert!(played.seen.sends.iter().all(|(at, _)| *at == SECOND));
}

#[test]
fn streams_share_the_room_when_the_sink_is_full() {
    // One stream has ten times the other's jobs, all due at once: both get half of the room until
    // the smaller is through.
    let scene = Scene::of(vec![Listed::at(vec![0; 10_000]), Listed::at(vec![0; 1_000])])
        .options(|options| options.max_in_flight_jobs = 100);
    let sink = scene.prompt(10 * MS);
    let played = scene.play(&sink);
    let last_of_small = played.seen.accepted.iter().rposition(|(_, job)| job.starts_with("1:"));
    assert!((1_990..=2_010).contains(&(last_of_small.unwrap() + 1)), "{last_of_small:?}");
    played.assert_whole(0, 10_000);
    played.assert_whole(1, 1_000);
}

#[test]
fn kinds_and_queues_are_reported() {
    let mut scene = Scene::of(vec![Listed::every(MS, 10)]);
    scene.jobs = FakeJobs::to(&[&["a", "b"]]);
    let sink = scene.prompt(0).with_depth(|now_ns, queue| match queue {
        "a" => Ok(3 + u64::from(now_ns > 5 * MS)),
        _ => Err(failure("WRONGTYPE", true)),
    });
    let played = scene.play(&sink);
    let stream = &played.report.streams[0];
    let kinds: Vec<_> = stream.by_job.iter().map(|job| (job.job.as_str(), job.acked)).collect();
    assert_eq!(kinds, [("to a", 5), ("to b", 5)]);
    let queues: Vec<_> =
        stream.queues.iter().map(|queue| (queue.depth_start, queue.depth_end)).collect();
    assert_eq!(queues, [(Some(3), Some(4)), (None, None)]);
    let warned = played.instants(|event| matches!(event, Event::Warning { .. }));
    assert_eq!(warned.len(), 1, "said once: {warned:?}");
}

#[test]
fn progress_is_told_every_second() {
    let scene = Scene::of(vec![Listed::every(10 * MS, 13_000)]);
    let sink = scene.prompt(MS).with_depth(|_, _| Ok(7));
    let played = scene.play(&sink);
    let snapshots: Vec<_> = (played.events.iter())
        .filter_map(|record| match &record.event {
            Event::Metrics(snapshot) => Some(snapshot),
            _ => None,
        })
        .collect();
    assert_eq!(snapshots.len(), 131, "one a second and the last");
    let middle = snapshots[69];
    assert_eq!((middle.elapsed_s, middle.remaining_s), (70.0, 60.0));
    assert_eq!((middle.target_per_s, middle.depth), (100.0, Some(7)));
    assert!((99.0..=101.0).contains(&middle.achieved_per_s));
    assert_eq!(middle.p99_response_us, Some(1_000.0));
    let minute = middle.minute.as_ref().unwrap();
    assert!((5_999..=6_001).contains(&minute.jobs), "{minute:?}");
    assert_eq!((minute.minute, minute.success), (0, 1.0));
    assert_eq!(snapshots[130].minute.as_ref().unwrap().minute, 2);
    assert!(matches!(played.events[0].event, Event::Started { jobs: 13_000, .. }));
    let last = played.events.last().map(|record| &record.event);
    assert!(matches!(last, Some(Event::Stopped { outcome: OutcomeName::Done, exit_code: 0, .. })));
}

#[test]
fn a_stall_of_the_process_is_made_good_at_once_and_shows() {
    let scene = Scene::of(vec![Listed::every(MS, 20_000)]);
    let clock = scene.rehearsal.clock();
    let mut stalled = false;
    let sink = scene.sink(move |_, now_ns| {
        if now_ns >= 10 * SECOND && !stalled {
            stalled = true;
            clock.stall(5 * SECOND);
        }
        Answer::all(Fate::Acked, 0)
    });
    let played = scene.play(&sink);
    played.assert_whole(0, 20_000);
    let max = played.report.send_delay_us.unwrap().max;
    assert!((4.9e6..=5.0e6).contains(&max), "{max}");
    assert!(played.report.deviation > 0.99, "nothing was sent for seconds");
}
