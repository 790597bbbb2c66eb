//! How many jobs a second loadc can put into a real server, and what a run costs, against
//! redis-benchmark on the same server in the same minutes: `cargo bench --bench rates`.
//!
//! Runs are interleaved and medians taken, so that what else the machine does falls on all alike. It
//! needs redis-server and redis-benchmark (Debian: redis-server, redis-tools).

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench talks to whoever runs it")]

use serde_json::Value;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ROUNDS: usize = 5;

/// A server on a free port, killed in the end.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        drop(listener);
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Server { child, port }
    }

    fn flush(&self) {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        stream.expect("the server").write_all(b"FLUSHALL\r\n").expect("the server");
        std::thread::sleep(Duration::from_millis(200));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Runs a script and returns its report.
fn loadc(server: &Server, script: &str, flags: &[&str]) -> Value {
    server.flush();
    let mut child = Command::new(env!("CARGO_BIN_EXE_loadc"))
        .args(["run", "-", "--json", "--quiet", "--no-journal"])
        .args(["--target", &format!("redis://127.0.0.1:{}", server.port)])
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("loadc");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(script.as_bytes()).expect("its input");
    drop(input);
    let output = child.wait_with_output().expect("its end");
    serde_json::from_slice(&output.stdout).expect("a report")
}

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
