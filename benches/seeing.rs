//! What it costs to see a run: `cargo bench --bench seeing`.
//!
//! Each line is the median of many; the last is what they add up to at one update a second.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench talks to whoever runs it")]

use loadc::check::{Options, check};
use loadc::live::{Ink, Picture};
use loadc::metrics::{self, Facts};
use loadc::report::{Columns, Run, page};
use loadc::run::events::{Event, QueueState, Record, SharedTold, Snapshot, StreamState};
use loadc::run::guards::GuardState;
use loadc::source::SourceFile;
use loadc::stats::Counts;
use loadc::stats::history::{Grain, History, Sample, SharedHistory};
use loadc::stats::sketch::SliceTimes;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::hint::black_box;
use std::time::Instant;

const SCRIPT: &str = "ramp 10->10000 over 1h\nsine base 5000 amp 2000 period 1h for 22h\nramp 10000->10 over 1h\nguard { rate <= 20000/s; depth <= 1M }";
/// A day, in slices of 100 ms.
const SLICES: u64 = 864_000;
/// Jobs in a slice.
const JOBS: u64 = 1_000;

/// The median of a number of times, in microseconds.
fn median_us(times: usize, mut work: impl FnMut()) -> f64 {
    let mut took: Vec<f64> = (0..times)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    took.sort_by(f64::total_cmp);
    took[times / 2]
}

fn say(what: &str, us: f64) {
    println!("{what:<58} {us:>12.2} µs");
}

fn sample(slice: u64) -> Sample {
    let jobs = slice * JOBS;
    Sample {
        at_ns: slice * 100_000_000,
        target_per_s: 10_000.0,
        counts: Counts { due: jobs, sent: jobs, acked: jobs, ..Counts::default() },
        depths: vec![Some(slice % 5_000); 4],
        cpu_s: slice as f64 * 0.005,
        rss_bytes: Some(11_000_000),
        paused: false,
    }
}

/// The times of a slice's jobs.
fn times(seed: u64, times: &mut SliceTimes) {
    times.clear();
    let mut state = seed | 1;
    for _ in 0..JOBS {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let ns = 200_000 + (state >> 44);
        times.send_delay.record(ns / 2, 1);
        times.service.record(ns / 3, 1);
        times.response.record(ns, 1);
    }
}

fn snapshot() -> Snapshot {
    let jobs = Counts {
        planned: 9_000_000,
        due: 900_000,
        sent: 900_000,
        acked: 899_990,
        ..Counts::default()
    };
    let guard = |text: &str| GuardState {
        guard: text.to_owned(),
        value: 7.0,
        limit: 9.0,
        ..GuardState::default()
    };
    let queue =
        |name: u32| QueueState { name: format!("queue-{name}"), depth: Some(1_234), workers: None };
    Snapshot {
        elapsed_s: 86_400.0,
        remaining_s: 900.0,
        target_per_s: 10_000.0,
        offered_per_s: 10_000.0,
        achieved_per_s: 9_999.0,
        jobs,
        depth: Some(4_936),
        p99_response_us: Some(1_200.0),
        p99_send_delay_us: Some(1_000.0),
        streams: vec![StreamState { place_s: 80_000.0, jobs, ..StreamState::default() }],
        queues: (0..4).map(queue).collect(),
        guards: vec![
            guard("rate <= 20000/s"),
            guard("depth <= 1M"),
            guard("jobs <= 1G"),
            guard("errors <= 1%"),
        ],
        ..Snapshot::default()
    }
}

fn main() {
    let mut history =
        History::new(Grain::default(), (0..4).map(|n| format!("queue-{n}")).collect());
    let mut slice_times = SliceTimes::default();
    let start = Instant::now();
    let mut recording = 0.0;
    for slice in 1..=SLICES {
        if slice % 100 == 1 {
            let before = Instant::now();
            times(slice, &mut slice_times);
            recording += before.elapsed().as_secs_f64();
        }
        history.push(sample(slice), &slice_times);
    }
    let push_us = (start.elapsed().as_secs_f64() - recording) * 1e6 / SLICES as f64;
    println!(
        "a day at {} jobs/s: {:.2} MB of history, {} slices of the whole",
        JOBS * 10,
        history.bytes() as f64 / 1e6,
        history.whole().len()
    );
    let record_us = recording * 1e6 / (SLICES / 100) as f64 / JOBS as f64;
    say("the three times of a job, noted in a slice", record_us);
    say("a slice of the history", push_us);
    let shared = SharedHistory::new(history);

    let now = snapshot();
    let record = Record {
        at: 1_763_732_400_000_000_000,
        t_s: 1.0,
        event: Event::Metrics(Box::new(now.clone())),
    };
    let line_us = median_us(1_000, || drop(black_box(serde_json::to_string(&record))));
    say("a second's event as JSON", line_us);
    let (facts, told) = (Facts::default(), SharedTold::default());
    let metrics_us =
        median_us(300, || drop(black_box(metrics::text(&facts, now.clone(), &shared, &told))));
    say("the metrics, asked for once", metrics_us);

    let source = SourceFile::new("day.load", SCRIPT);
    let plan = check(&source, &Options::default()).plan.expect("the bench's script checks");
    let mut draw_us = [0.0; 2];
    for (place, (width, height)) in [(80, 24), (200, 50)].into_iter().enumerate() {
        let mut picture =
            Picture::new(plan.clone(), SCRIPT, "redis://x".to_owned(), Ink { color: true });
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a buffer");
        picture.update(now.clone(), Vec::new());
        draw_us[place] = median_us(100, || {
            let from_ns = picture.needs_from_ns();
            let slices = shared.look(|history| history.since(from_ns));
            picture.update(now.clone(), slices);
            terminal.draw(|frame| picture.draw(frame)).expect("a buffer takes everything");
        });
        say(&format!("the live picture at {width} × {height}"), draw_us[place]);
    }

    let second_us = record_us * 10_000.0 + push_us * 10.0 + line_us + metrics_us + draw_us[1];
    println!(
        "all of it at 10,000 jobs/s and one update a second: {:.2}% of a core",
        second_us / 1e4
    );

    let columns = shared.look(Columns::of);
    let document = serde_json::json!({ "run_id": "r", "outcome": "done", "file": "day.load", "elapsed_s": 86_400.0, "history": columns });
    let run = Run::read(&document.to_string()).expect("a document of a run");
    let page_us = median_us(10, || drop(black_box(page(&run))));
    say("the page of that day", page_us);
    println!("{:.2} MB of it", page(&run).len() as f64 / 1e6);
}
