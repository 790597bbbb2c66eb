//! How near the plan jobs leave, seen by the server and against a bare timer loop in the same
//! minutes: `cargo bench --bench pacing`.
//!
//! An independent sampler takes every job's arrival from the server's own clock (the millisecond in
//! the id of a stream's entry), counts them in windows and compares with the plan. The bare loop is
//! the physical floor: a thread that sleeps to the same instants with the system's own call and
//! notes how late it wakes.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench talks to whoever runs it")]

#[path = "support/mod.rs"]
mod support;

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use support::{Server, loadc};

const ROUNDS: usize = 3;
const SECONDS: u64 = 5;

/// The milliseconds at which the entries of a stream were added.
fn arrivals(server: &Server, stream: &str) -> Vec<u64> {
    let entries: Vec<(String, Vec<String>)> = redis::cmd("XRANGE")
        .arg(stream)
        .arg("-")
        .arg("+")
        .query(&mut server.connect())
        .expect("a stream");
    let millis = |id: &str| id.split('-').next().and_then(|ms| ms.parse().ok()).expect("an id");
    entries.iter().map(|(id, _)| millis(id)).collect()
}

fn quantile(figures: &mut [f64], share: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[((figures.len() - 1) as f64 * share).round() as usize]
}

/// Relative errors of the counts in whole windows, against a plan's cumulative count. The plan's
/// start is where it fits best: the first arrival is half a job after it.
fn errors(arrivals: &[u64], window_ms: u64, planned: impl Fn(f64) -> f64) -> Vec<f64> {
    let start = arrivals[0];
    let windows = SECONDS * 1000 / window_ms;
    (1..windows - 1)
        .map(|window| {
            let (from, to) = (start + window * window_ms, start + (window + 1) * window_ms);
            let seen = arrivals.iter().filter(|at| (from..to).contains(*at)).count() as f64;
            let seconds = |ms: u64| (ms - start) as f64 / 1e3;
            let wanted = planned(seconds(to)) - planned(seconds(from));
            (seen / wanted - 1.0).abs()
        })
        .collect()
}

fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// How late a bare loop over the system's timer wakes at each millisecond, with what jobs wait for
/// the tick that takes them, ten a millisecond: in microseconds.
fn floor() -> Vec<f64> {
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::empty()).expect("a timer");
    let start = now_ns();
    let mut late = Vec::new();
    for tick in 1..=SECONDS * 1000 {
        let due = start + tick * 1_000_000;
        let it_value = Timespec {
            tv_sec: (due / 1_000_000_000).cast_signed(),
            tv_nsec: (due % 1_000_000_000).cast_signed(),
        };
        let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        let setting = Itimerspec { it_interval, it_value };
        timerfd_settime(&timer, TimerfdTimerFlags::ABSTIME, &setting).expect("a setting");
        rustix::io::read(&timer, &mut [0; 8]).expect("the timer");
        let woke = (now_ns() - due) as f64 / 1e3;
        late.extend((0..10).map(|job| woke + f64::from(job) * 100.0 + 50.0));
    }
    late
}

/// The jobs planned by an instant of a run of some length, both in seconds.
type Planned = fn(f64, f64) -> f64;

fn main() {
    let server = Server::start();
    let job = "job a { queue \"s\" as stream; body { n: seq() } }\n";
    let constant = format!("{job}constant 10k for {SECONDS}s");
    let ramp = format!("{job}ramp 2k->18k over {SECONDS}s");
    println!(
        "counts by the server's clock against the plan: relative error p50 / p90, medians of {ROUNDS}"
    );
    println!("{:<34}{:>20}{:>20}", "", "10 ms windows", "100 ms windows");
    let seconds = SECONDS as f64;
    let cases: [(&str, &str, Planned); 2] = [
        ("constant 10k", &constant, |t, _| 10_000.0 * t),
        ("ramp 2k->18k", &ramp, |t, length| 2_000.0 * t + 16_000.0 * t * t / (2.0 * length)),
    ];
    for (name, script, planned) in cases {
        let mut figures = vec![Vec::new(); 4];
        for _ in 0..ROUNDS {
            loadc(&server, script, &["--gap", "1ms"]);
            let arrivals = arrivals(&server, "s");
            for (place, window) in [10, 100].into_iter().enumerate() {
                let mut errors = errors(&arrivals, window, |t| planned(t, seconds));
                figures[2 * place].push(quantile(&mut errors, 0.5) * 100.0);
                figures[2 * place + 1].push(quantile(&mut errors, 0.9) * 100.0);
            }
        }
        let medians: Vec<f64> = figures.iter_mut().map(|all| quantile(all, 0.5)).collect();
        println!(
            "{name:<34}{:>10.2} / {:.2} %{:>10.2} / {:.2} %",
            medians[0], medians[1], medians[2], medians[3]
        );
    }
    println!("\nsend delay at 10k/s, gap 1 ms, against a bare timer loop: µs, medians of {ROUNDS}");
    let list = constant.replace("as stream", "as list");
    let mut figures = vec![Vec::new(); 6];
    for _ in 0..ROUNDS {
        let report = loadc(&server, &list, &["--gap", "1ms"]);
        let mut bare = floor();
        for (place, share) in [0.5, 0.99, 0.999].into_iter().enumerate() {
            let name = ["p50", "p99", "p999"][place];
            let delay = report["send_delay_us"][name].as_f64().unwrap_or(f64::NAN);
            figures[2 * place].push(delay);
            figures[2 * place + 1].push(quantile(&mut bare, share));
        }
    }
    for (place, name) in ["p50", "p99", "p99.9"].into_iter().enumerate() {
        let own = quantile(&mut figures[2 * place], 0.5);
        let bare = quantile(&mut figures[2 * place + 1], 0.5);
        println!("{name:<8}{own:>10.0}{bare:>10.0}{:>8.2}", own / bare);
    }
}
