//! How long reading and checking a script take, against a plain read of the file, and how long a
//! plan does that is long in time and rate: `cargo bench --bench check`.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints and may stop")]

use loadc::check::{Options, check};
use loadc::parse::parse;
use loadc::source::SourceFile;
use rustix::time::{ClockId, clock_gettime};
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

const ROUNDS: usize = 7;

/// This thread's own time, which others on the machine do not add to.
fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The median of some rounds, in milliseconds, of calls that take at least a millisecond together.
fn time<T>(mut call: impl FnMut() -> T) -> f64 {
    let mut calls = 1u32;
    let mut round = |calls: u32| {
        let start = now();
        for _ in 0..calls {
            black_box(call());
        }
        now() - start
    };
    while round(calls) < Duration::from_millis(1) {
        calls *= 4;
    }
    let mut rounds: Vec<_> = (0..ROUNDS).map(|_| round(calls) / calls).collect();
    rounds.sort();
    rounds[ROUNDS / 2].as_secs_f64() * 1e3
}

/// A script of so many bytes in which every kind of phrase has its turn.
fn script(bytes: usize) -> String {
    let mut text = String::from(
        "seed 7\nguard { rate <= 1000/s; jobs <= 1_000_000M }\nlet peak = 500/s\n\
         job order weight 3 {\n  queue \"orders\"\n  body {\n    id: uuid(), user: pick(\"ann\" 70%, \"bo\" 30%),\n    \
         lines: list(1..6) { sku: int(1..965), qty: int(1..3) }, at: now()\n  }\n}\n",
    );
    let mut state = 1u64;
    let mut draw = |from: u64, to: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        from + (state >> 33) % (to - from)
    };
    for line in 0.. {
        if text.len() >= bytes {
            break;
        }
        let (low, high, length) = (draw(60, 100), draw(100, 500), draw(1, 60));
        let phrase = match line % 9 {
            0 => format!("constant {low} for {length}m   # steady"),
            1 => format!("ramp {low}->{high} over {length}s"),
            2 => format!("sine base {high} amp {low} period 1h for {length}h"),
            3 => format!("burst {high} for 5s every 15s over {length}m"),
            4 => format!("steps {low}, {high}, 90 each 30s"),
            5 => format!("points 0s 60, 30s {high}, 60s {low}, 2m 70"),
            6 => format!("ramp {low}->peak over 5m hold 3m back"),
            7 => format!(
                "repeat 3 {{ constant {low} for {length}s; ramp {low}->{high} over {length}s }}"
            ),
            _ => format!("stairs {low}->{high} by 10 every {length}s"),
        };
        writeln!(text, "{phrase}").expect("a string takes all");
    }
    text
}

fn main() {
    let path = std::env::temp_dir().join(format!("loadc-bench-{}.load", std::process::id()));
    println!("{:<12}{:>10}{:>10}{:>10}   milliseconds", "", "read", "parse", "check");
    for bytes in [1_000, 10_000, 100_000, 1_000_000] {
        let text = script(bytes);
        std::fs::write(&path, &text).expect("a file for the time being");
        let source = SourceFile::new("bench.load", text);
        let checked = check(&source, &Options::default());
        let wrong: Vec<_> = checked.problems.iter().map(|problem| &problem.message).collect();
        assert!(!checked.has_errors(), "{wrong:?}");
        let read = time(|| std::fs::read_to_string(&path).expect("the file"));
        let parsed = time(|| parse(&source));
        let whole = time(|| check(&source, &Options::default()));
        println!("{:<12}{read:>10.3}{parsed:>10.3}{whole:>10.3}", format!("{} KB", bytes / 1000));
    }
    std::fs::remove_file(&path).expect("the file");
    println!();
    for (name, load) in [
        ("a year at 30,000/s", "constant 30k for 365d"),
        ("the same, a sine", "sine base 30k amp 10k period 1d for 365d"),
        (
            "the same, hours of the day",
            "starts 2026-01-01 00:00 in \"Europe/Berlin\"\nhours { 07:00-19:00 x1.5; 22:00-06:00 x0.3 }\nconstant 30k for 365d",
        ),
        ("the same, as Poisson", "arrivals poisson\nconstant 30k for 365d"),
        ("the same, a walk a second", "walk from 30k by 100 every 1s within 20k..40k for 365d"),
        ("the same, jitter", "jitter 5% { constant 30k for 365d }"),
    ] {
        let source = SourceFile::new("bench.load", load.to_owned());
        let checked = check(&source, &Options::default());
        let jobs =
            checked.plan.expect("a plan").streams.iter().map(|stream| stream.jobs()).sum::<u64>();
        let whole = time(|| check(&source, &Options::default()));
        println!("{name:<28}{whole:>10.3} ms, {jobs} jobs");
    }
}
