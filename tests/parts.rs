//! `--from` and `--shard`: a run that plays a part of its plan, whose jobs keep their numbers.

use crate::cli_run::{assert_done, count, fed, loadc, run, stderr};
use crate::redis_server::RedisServer;
use redis::Commands as _;
use serde_json::Value;

const SCRIPT: &str = "job a { queue \"q\"; body { n: seq() } }
    arrivals poisson
    constant 300 for 2s
    load b { after 500ms; arrivals even; job b { queue \"b\"; body { n: seq() } }; ramp 100->200 over 1s }
    guard { jobs <= 10k; time <= 1m }";

/// The numbers in a queue, in order.
fn numbers(server: &RedisServer, queue: &str) -> Vec<u64> {
    let jobs: Vec<String> = server.connection().lrange(queue, 0, -1).unwrap();
    let number = |job: &String| serde_json::from_str::<Value>(job).unwrap()["n"].as_u64().unwrap();
    let mut numbers: Vec<u64> = jobs.iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// What `loadc plan` says of a script.
fn planned(script: &str, flags: &[&str]) -> Value {
    let mut command = loadc();
    command.args(["plan", "-", "--json"]).args(flags);
    let output = fed(command, script);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn shards_together_send_every_job_once() {
    let server = RedisServer::start();
    let whole = planned(SCRIPT, &[]);
    assert_eq!(whole["part"], Value::Null);
    let mut sum = 0;
    for shard in ["1/3", "2/3", "3/3"] {
        let part = planned(SCRIPT, &["--shard", shard]);
        assert_eq!(part["digest"], whole["digest"]);
        let jobs = part["part"]["jobs"].as_u64().unwrap();
        let (output, report) = run(SCRIPT, &server.url(), &["--shard", shard]);
        assert_done(&output, &report, jobs);
        assert_eq!(report["shard"], shard);
        assert_eq!(report["digest"], whole["digest"]);
        sum += jobs;
    }
    assert_eq!(sum, whole["jobs"].as_u64().unwrap());
    let (a, b) = (numbers(&server, "q"), numbers(&server, "b"));
    assert_eq!(b, (1..=150).collect::<Vec<_>>());
    assert_eq!(a, (1..=sum - 150).collect::<Vec<_>>());
}

#[test]
fn a_run_that_enters_later_sends_the_rest_under_its_own_numbers() {
    let server = RedisServer::start();
    let (output, report) = run(SCRIPT, &server.url(), &["--from", "1s"]);
    let part = planned(SCRIPT, &["--from", "1s"]);
    assert_eq!(part["part"]["from_s"], 1.0);
    assert_done(&output, &report, part["part"]["jobs"].as_u64().unwrap());
    // Of the ramp 62.5 jobs come before: the 63rd is due just then.
    assert_eq!(numbers(&server, "b"), (63..=150).collect::<Vec<_>>());
    let a = numbers(&server, "q");
    let all = part["streams"][0]["jobs"].as_u64().unwrap();
    assert_eq!((a[0], *a.last().unwrap()), (all - a.len() as u64 + 1, all));
}

#[test]
fn a_clock_time_is_that_of_the_calendar() {
    let of = |script: &str, flags: &[&str]| planned(script, flags)["part"]["from_s"].as_f64();
    let day = "constant 10 for 24h";
    let berlin = format!("starts 2026-10-25 01:00 in \"Europe/Berlin\"\n{day}");
    assert_eq!(of(day, &["--from", "14:30"]), Some(52_200.0));
    assert_eq!(
        of(&berlin, &["--from", "14:30"]),
        Some(52_200.0),
        "an hour later, and one more that night"
    );
    let longer = format!("{berlin}; pause 1h; constant 1 for 1h");
    assert_eq!(of(&longer, &["--from", "00:30"]), Some(24.5 * 3600.0), "the next day");
    assert_eq!(of(day, &["--from", "14:30", "--speed", "x60"]), Some(870.0));
    assert_eq!(of(day, &["--from", "6m", "--speed", "x60"]), Some(360.0), "of the plan as it is");
}

#[test]
fn lengths_and_bounds_on_time_count_from_the_entry() {
    let script = "constant 100 forever\nguard { time <= 3s then stop }";
    let plan = planned(script, &["--from", "10s"]);
    assert_eq!((&plan["duration_s"], &plan["part"]["jobs"]), (&13.0.into(), &300.into()));
    let plan = planned("constant 100 forever", &["--from", "10s", "--for", "2s"]);
    assert_eq!((&plan["duration_s"], &plan["part"]["jobs"]), (&12.0.into(), &200.into()));
    let server = RedisServer::start();
    let (output, report) = run(script, &server.url(), &["--from", "10s", "--for", "1s"]);
    assert_done(&output, &report, 100);
    assert_eq!(count(&report, "planned"), 100);
}

#[test]
fn parts_that_are_none_are_refused() {
    for flags in [
        ["--shard", "0/3"],
        ["--shard", "4/3"],
        ["--shard", "1"],
        ["--from", "25:00"],
        ["--from", "6"],
    ] {
        let mut command = loadc();
        command.args(["plan", "examples/hello.load"]).args(flags);
        let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
    }
}
