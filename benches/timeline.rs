//! How long Λ, Λ⁻¹ and compiling take, in nanoseconds each: `cargo bench --bench timeline`.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints and may stop")]

use loadc::ast::RampCurve;
use loadc::exact::{Exact, fraction, whole};
use loadc::timeline::Timeline;
use loadc::timeline::curve::Curve;
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::time::Duration;

fn constant(rate: i128, seconds: i128) -> Curve {
    Curve::Constant { rate: whole(rate), length: Some(whole(seconds)) }
}

fn ramp(from: i128, to: i128, over: i128, curve: RampCurve) -> Curve {
    Curve::Ramp { from: whole(from), to: whole(to), over: whole(over), curve, mirrored: false }
}

fn sine(base: i128, amp: i128, period: Exact, length: i128) -> Curve {
    let (base, amp, phase) = (whole(base), whole(amp), fraction(1, 5));
    Curve::Sine { base, amp, period, phase, length: Some(whole(length)) }
}

fn repeat(times: u64, body: Vec<Curve>) -> Curve {
    Curve::Repeat { times: Some(times), body: Box::new(Curve::Sequence(body)) }
}

fn cases() -> Vec<(&'static str, Curve)> {
    let hours = 8 * 3600;
    let bursts = || repeat(2000, vec![constant(500, 5), constant(0, 10)]);
    let daily = vec![
        constant(5, 6 * 3600),
        ramp(5, 100, 7200, RampCurve::Linear),
        sine(100, 30, whole(3600), hours),
        repeat(4, vec![constant(200, 900), constant(0, 900)]),
        ramp(100, 5, 6 * 3600, RampCurve::Linear),
    ];
    let sum = vec![sine(100, 30, whole(3600), hours), ramp(0, 70, hours, RampCurve::Linear)];
    let capped = Curve::Cap {
        rate: whole(550),
        body: Box::new(Curve::Together(vec![bursts(), sine(100, 30, whole(60), 30_000)])),
    };
    vec![
        ("constant", constant(100, hours)),
        ("linear", ramp(10, 500, hours, RampCurve::Linear)),
        ("sine", sine(100, 30, whole(3600), hours)),
        ("sine, clipped", sine(100, 300, whole(60), hours)),
        ("exponential", ramp(10, 500, hours, RampCurve::Exponential)),
        ("smooth", ramp(10, 500, hours, RampCurve::Smooth)),
        ("logarithmic", ramp(10, 500, hours, RampCurve::Logarithmic)),
        ("bursts", bursts()),
        ("daily.load", Curve::Sequence(daily)),
        ("sum", Curve::Together(sum)),
        ("capped sum", capped),
        ("100k points", points()),
    ]
}

/// This thread's own time, which others on the machine do not add to.
fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// A recorded day: a level each 0.864 s, in hundredths.
fn points() -> Curve {
    let level = |i: i128| fraction(i * 7919 % 100_000, 100);
    let part = |i: i128| Curve::Ramp {
        from: level(i),
        to: level(i + 1),
        over: fraction(864, 1000),
        curve: RampCurve::Linear,
        mirrored: false,
    };
    Curve::Sequence((0..100_000).map(part).collect())
}

/// Nanoseconds for one call, over at least a tenth of a second.
fn time<T>(mut call: impl FnMut(u64) -> T) -> f64 {
    let mut rounds = 1u64;
    loop {
        let start = now();
        for i in 0..rounds {
            black_box(call(i));
        }
        let taken = now() - start;
        if taken.as_millis() >= 100 {
            return taken.as_nanos() as f64 / rounds as f64;
        }
        rounds *= 2;
    }
}

fn main() {
    println!(
        "{:<14}{:>12}{:>10}{:>10}{:>10}{:>10}",
        "", "compile", "jobs_by", "time_of", "in turn", "rate"
    );
    // What the loop around each call takes, to be taken off.
    let round = time(|i| i.wrapping_mul(7_777_777_777_777) % black_box(28_800_000_000_000));
    println!("{:<14}{:>12}{round:>10.1}{round:>10.1}", "the loop", "");
    for (name, curve) in cases() {
        let compile = time(|_| Timeline::new(&curve));
        let timeline = Timeline::new(&curve).expect("a curve of the bench compiles");
        let jobs = timeline.jobs().unwrap_or(u64::MAX);
        let length = timeline.length_ns().unwrap_or(u64::MAX);
        // Steps that share no divisor with a round number.
        let instant = |i: u64| i.wrapping_mul(7_777_777_777_777) % length;
        let by = time(|i| timeline.jobs_by(instant(i)));
        let of = time(|i| timeline.time_of(i.wrapping_mul(999_983) % jobs + 1));
        let in_turn = time(|i| timeline.time_of(i % jobs + 1));
        let rate = time(|i| timeline.rate(instant(i)));
        println!("{name:<14}{compile:>12.0}{by:>10.1}{of:>10.1}{in_turn:>10.1}{rate:>10.1}");
    }
}
