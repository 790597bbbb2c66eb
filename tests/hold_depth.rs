//! `hold depth` against a real redis-server, with workers that take jobs meanwhile.
//!
//! The counts asserted here are exact and do not depend on how fast the machine is.

use crate::cli_run::{assert_adds_up, count, loadc, run, stderr};
use crate::exactly_once::{Run, jobs_in};
use crate::redis_server::RedisServer;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

/// Takes jobs, a few at a time, until it is told to stop; returns them, and how many were in the list
/// at most before any of them was taken.
fn work<'s>(
    scope: &'s Scope<'s, '_>,
    server: &'s RedisServer,
    stop: &'s AtomicBool,
) -> ScopedJoinHandle<'s, (Vec<String>, u64)> {
    scope.spawn(move || {
        let (mut redis, mut taken, mut most) = (server.connection(), Vec::new(), 0);
        while !stop.load(Ordering::SeqCst) {
            // Both at one instant of the server's.
            let mut both = redis::pipe();
            both.atomic().cmd("LLEN").arg("q").cmd("LPOP").arg("q").arg(7);
            let (depth, jobs): (u64, Option<Vec<String>>) = both.query(&mut redis).unwrap();
            most = most.max(depth);
            taken.extend(jobs.unwrap_or_default());
            std::thread::sleep(Duration::from_millis(20));
        }
        (taken, most)
    })
}

/// No job twice.
fn assert_distinct(jobs: &[String]) {
    let mut numbers: Vec<u64> = jobs
        .iter()
        .map(|job| serde_json::from_str::<Value>(job).unwrap()["n"].as_u64().unwrap())
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), jobs.len());
}

const JOB: &str = "job a { queue \"q\"; body { n: seq() } }\n";

#[test]
fn the_list_is_never_longer_than_it_is_to_be() {
    let server = RedisServer::start();
    let script = format!("{JOB}hold depth 60 at most 2000 for 4s");
    let stop = AtomicBool::new(false);
    let (output, report, taken, most) = std::thread::scope(|scope| {
        let worker = work(scope, &server, &stop);
        let (output, report) = run(&script, &server.url(), &[]);
        stop.store(true, Ordering::SeqCst);
        let (taken, most) = worker.join().unwrap();
        (output, report, taken, most)
    });
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_adds_up(&report);
    let [planned, acked, cut, skipped] =
        ["planned", "acked", "cut", "skipped"].map(|field| count(&report, field));
    assert_eq!((planned, acked + cut, skipped), (acked, 8_000, 0));
    assert!(most <= 60, "{most} at once");
    let most = report["streams"][0]["queues"][0]["depth_max"].as_u64().unwrap();
    assert!(most <= 60, "{most} by the report");
    assert_eq!(acked, taken.len() as u64 + jobs_in(&server, "q"));
    assert_distinct(&taken);
    // More than fits at once: it went on as the worker took some.
    assert!(acked > 60, "{acked}");
    let wait = &report["waits"][0];
    assert_eq!(
        (&wait["kind"], &wait["met"], &wait["cut"]),
        (&"hold".into(), &true.into(), &cut.into())
    );
    assert!(stderr(&output).contains("came up to its depth"), "{}", stderr(&output));
}

#[test]
fn a_run_that_is_killed_holds_on_and_what_was_cut_stays_cut() {
    let server = RedisServer::start();
    let dir = tempfile::tempdir().unwrap();
    let script = format!("{JOB}hold depth 50 at most 1000 for 3s\nconstant 100 for 1s");
    std::fs::write(dir.path().join("a.load"), script).unwrap();
    let start = |words: &[&str]| {
        let mut command = loadc();
        command.current_dir(dir.path()).env("XDG_STATE_HOME", dir.path().join("state"));
        command.env("XDG_RUNTIME_DIR", dir.path()).args(["run", "--json"]).args(words);
        Run::of(command)
    };
    let mut run = start(&["a.load", "--target", &server.url(), "--journal", "j"]);
    let journal = || std::fs::read_to_string(dir.path().join("j")).unwrap_or_default();
    let mut taken: Vec<String> = Vec::new();
    for _ in 0..2 {
        run.has_sent(&server, "q", 50);
        assert_eq!(jobs_in(&server, "q"), 50);
        // It has said that some were left out.
        run.wait_until(|| journal().lines().any(|line| line.split(' ').nth(1) == Some("c")));
        run.kill();
        taken.extend(server.ask::<Vec<String>>("LPOP q 30"));
        run = start(&["--resume", "./j"]);
    }
    let (output, report) = run.end();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_adds_up(&report);
    // 50, and twice 30 in the place of those taken, and those behind.
    let [planned, acked, cut] = ["planned", "acked", "cut"].map(|field| count(&report, field));
    assert_eq!((planned, acked, acked + cut), (210, 210, 3_100));
    taken.extend(server.ask::<Vec<String>>("LRANGE q 0 -1"));
    assert_eq!(taken.len() as u64, acked);
    assert_distinct(&taken);
}

#[test]
fn a_dry_run_says_that_it_takes_the_bound_and_parts_are_refused() {
    let script = format!("{JOB}hold depth 60 for 10s\nconstant 10 for 1s");
    let server = RedisServer::start();
    let (output, report) = run(&script, &server.url(), &["--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!((&report["jobs"], &report["bound_jobs"]), (&610.into(), &600.into()));
    let (output, _) = run(&script, &server.url(), &["--shard", "1/2"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("E0407"), "{}", stderr(&output));
}
