//! Every job once, whatever happens to the connection or the server.
//!
//! What is asserted is exact and does not depend on how fast the machine is.

use crate::cli_run::{assert_adds_up, count, loadc, stderr};
use crate::proxy::Proxy;
use crate::redis_server::RedisServer;
use serde_json::Value;
use std::collections::HashMap;
use std::io::Write as _;
use std::process::{Child, Output, Stdio};
use std::time::Duration;

/// A run under way.
struct Run {
    child: Child,
}

impl Run {
    fn start(script: &str, target: &str, flags: &[&str]) -> Run {
        let mut command = loadc();
        command.args(["run", "-", "--json", "--target", target]).args(flags);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        Run { child }
    }

    fn end(self) -> (Output, Value) {
        let output = self.child.wait_with_output().unwrap();
        let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output, report)
    }
}

/// The job numbers in a list or a stream, with how often each is there.
fn numbers(server: &RedisServer, queue: &str) -> HashMap<u64, u64> {
    let jobs: Vec<String> = match server.ask::<String>(&format!("TYPE {queue}")).as_str() {
        "stream" => {
            let entries: Vec<(String, Vec<String>)> = server.ask(&format!("XRANGE {queue} - +"));
            let number = |fields: &Vec<String>| {
                fields.chunks(2).find(|pair| pair[0] == "n").map(|pair| pair[1].clone())
            };
            entries.iter().map(|(_, fields)| number(fields).unwrap()).collect()
        }
        _ => server.ask(&format!("LRANGE {queue} 0 -1")),
    };
    let mut numbers = HashMap::new();
    for job in jobs {
        let job: Value = serde_json::from_str(&job).unwrap();
        let number = job.as_u64().or(job["n"].as_u64()).unwrap();
        *numbers.entry(number).or_default() += 1;
    }
    numbers
}

/// Each of the numbers 1 to `jobs` is there exactly once.
#[track_caller]
fn assert_each_once(server: &RedisServer, queue: &str, jobs: u64) {
    let numbers = numbers(server, queue);
    let missing: Vec<u64> = (1..=jobs).filter(|n| !numbers.contains_key(n)).collect();
    let doubled: Vec<_> = numbers.iter().filter(|(_, times)| **times > 1).collect();
    assert!(missing.is_empty(), "{} missing from {queue}: {missing:?}", missing.len());
    assert!(doubled.is_empty(), "{} twice in {queue}: {doubled:?}", doubled.len());
    assert_eq!(numbers.len() as u64, jobs, "{queue}");
}

/// The run went to its end, every job was acknowledged, and nothing of loadc's own is left.
#[track_caller]
fn assert_exact(output: &Output, report: &Value, jobs: u64) {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    assert_adds_up(report);
    let counts = ["planned", "acked", "failed", "unknown", "skipped"].map(|f| count(report, f));
    assert_eq!(counts, [jobs, jobs, 0, 0, 0], "{}", stderr(output));
}

#[track_caller]
fn assert_no_cursor(server: &RedisServer) {
    assert_eq!(server.ask::<Vec<String>>("KEYS loadc:cursor:*"), Vec::<String>::new());
}

fn jobs_in(server: &RedisServer, queue: &str) -> u64 {
    server.ask(&format!("LLEN {queue}"))
}

/// Waits until so many jobs are there: the run is under way.
fn wait_for(server: &RedisServer, queue: &str, jobs: u64) {
    while jobs_in(server, queue) < jobs {
        std::thread::sleep(Duration::from_millis(5));
    }
}

const LIST: &str = "job a { queue \"q\"; body { n: seq() } }\n";
const BOTH: &str = "
    load list { job a { queue \"q\"; body { n: seq() } }; constant 2000 for 6s }
    load stream { job b { queue \"s\" as stream; body { n: seq() } }; constant 2000 for 6s }
    guard { jobs <= 100k }";

#[test]
fn hundreds_of_broken_connections_lose_and_double_nothing() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port(), 7, 3);
    let (output, report) = Run::start(BOTH, &proxy.url(), &[]).end();
    println!("{} breaks, {} s", proxy.breaks(), report["elapsed_s"]);
    assert_exact(&output, &report, 24_000);
    assert_each_once(&server, "q", 12_000);
    assert_each_once(&server, "s", 12_000);
    assert_eq!(report["forgotten"], Value::Array(Vec::new()));
    assert_no_cursor(&server);
    assert!(proxy.breaks() >= 200, "{}", proxy.breaks());
}
