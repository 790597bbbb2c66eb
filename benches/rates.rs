//! How many jobs a second loadc can put into a real server, and what a run costs, against
//! redis-benchmark on the same server in the same minutes: `cargo bench --bench rates`.
//!
//! Runs are interleaved and medians taken, so that what else the machine does falls on all alike. It
//! needs redis-server and redis-benchmark (Debian: redis-server, redis-tools). A third peer is a
//! socket that sends prepared bytes and does nothing else: what the server takes at most.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench talks to whoever runs it")]

#[path = "support/mod.rs"]
mod support;

use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::time::Instant;
use support::{Server, loadc};

const ROUNDS: usize = 5;

/// Requests a second of redis-benchmark.
fn peer(server: &Server, command: &[&str], requests: u32) -> f64 {
    server.flush();
    let output = Command::new("redis-benchmark")
        .args(["-p", &server.port.to_string(), "-P", "64", "-c", "50", "--csv"])
        .args(["-n", &requests.to_string()])
        .args(command)
        .output()
        .expect("redis-benchmark is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let row = text.lines().last().unwrap_or_default().to_owned();
    // "LPUSH …","rps",…: the name holds no quote.
    let rate = row.split("\",\"").nth(1).and_then(|rate| rate.parse().ok());
    rate.expect("a row of figures")
}

/// Elements a second that the server takes of one connection that does nothing but send prepared
/// bytes, in pushes of so many elements: its own ceiling.
fn ceiling(server: &Server, elements: usize, total: usize) -> f64 {
    server.flush();
    let element = format!("$100\r\n{}\r\n", "x".repeat(100));
    let head = format!("*{}\r\n$5\r\nLPUSH\r\n$1\r\nq\r\n", elements + 2);
    let command = head + &element.repeat(elements);
    let commands = total / elements;
    let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).expect("the server");
    let mut replies = socket.try_clone().expect("the same socket");
    let start = Instant::now();
    let reader = std::thread::spawn(move || {
        let (mut seen, mut buffer) = (0, vec![0; 1 << 18]);
        while seen < commands {
            let read = replies.read(&mut buffer).expect("replies");
            assert!(read > 0, "the server hung up");
            seen += buffer[..read].iter().filter(|byte| **byte == b':').count();
        }
    });
    let at_once = (1 << 16) / command.len() + 1;
    let block = command.repeat(at_once);
    let mut left = commands;
    while left > 0 {
        let now = left.min(at_once);
        socket.write_all(&block.as_bytes()[..now * command.len()]).expect("the server");
        left -= now;
    }
    reader.join().expect("all replies");
    total as f64 / start.elapsed().as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn number(report: &Value, path: &str) -> f64 {
    report.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// Medians of a figure of loadc's and of one of a peer's, in turn.
fn against(title: &str, mut ours: impl FnMut() -> f64, mut theirs: impl FnMut() -> f64) {
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        own.push(ours());
        other.push(theirs());
    }
    let (own, other) = (median(own), median(other));
    println!("{title:<44}{own:>12.0}{other:>12.0}{:>8.2}", own / other);
}

fn main() {
    let server = Server::start();
    // 100 bytes a job, as redis-benchmark's: a quoted text of 98.
    let job = |format: &str, body: &str| format!("job a {{ queue \"q\" as {format}; {body} }}\n");
    let list = job("list", "size 100B");
    let stream = job("stream", "size 100B");
    let all = "send 2M at once\nguard { jobs <= 10M }";
    let rate =
        |script: &str, flags: &[&str]| number(&loadc(&server, script, flags), "/achieved_per_s");
    let push = || peer(&server, &["-d", "100", "-t", "lpush"], 2_000_000);
    let payload = "x".repeat(100);
    let add = || peer(&server, &["XADD", "q", "*", "data", &payload], 1_000_000);

    println!(
        "jobs of 100 bytes a second, medians of {ROUNDS} runs in turn with redis-benchmark -P 64 -c 50"
    );
    println!("{:<44}{:>12}{:>12}{:>8}", "", "loadc", "peer", "ratio");
    let script = format!("{list}{all}");
    against("a push for each job (--per-job) / LPUSH", || rate(&script, &["--per-job"]), push);
    against("coalesced pushes / LPUSH", || rate(&script, &[]), push);
    against(
        "a push for each job / prepared bytes",
        || rate(&script, &["--per-job"]),
        || ceiling(&server, 1, 2_000_000),
    );
    against(
        "coalesced pushes / prepared bytes, 1,000 each",
        || rate(&script, &[]),
        || ceiling(&server, 1_000, 2_000_000),
    );
    let script = format!("{stream}{}", all.replace("2M", "1M"));
    against("XADD / XADD", || rate(&script, &[]), add);

    println!("\n10,000 jobs a second for 10 s, gap 1 ms, a list; medians of {ROUNDS}");
    let script = format!("{}constant 10k for 10s", job("list", "body { id: uuid(), n: seq() }"));
    let reports: Vec<Value> = (0..ROUNDS).map(|_| loadc(&server, &script, &[])).collect();
    let figure = |path: &str| median(reports.iter().map(|report| number(report, path)).collect());
    println!(
        "processor, share of one      {:>8.2} %",
        figure("/cpu_s") / figure("/elapsed_s") * 100.0
    );
    println!("memory, most                 {:>8.2} MB", figure("/rss_max_bytes") / 1e6);
    println!(
        "send delay p50 / p99         {:>8.0} / {:.0} µs",
        figure("/send_delay_us/p50"),
        figure("/send_delay_us/p99")
    );

    let long = format!("{list}send 10M at once\nguard {{ jobs <= 10M }}");
    let short = format!("{list}send 10k at once");
    let (long, short) = (loadc(&server, &long, &[]), loadc(&server, &short, &[]));
    let (most, least) =
        (number(&long, "/rss_max_bytes") / 1e6, number(&short, "/rss_max_bytes") / 1e6);
    println!("memory of 10⁷ jobs overdue   {most:>8.2} MB, of 10⁴ {least:.2} MB");
}
