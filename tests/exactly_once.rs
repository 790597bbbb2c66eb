//! Every job once, whatever happens to the connection or the server.
//!
//! What is asserted is exact and does not depend on how fast the machine is.

use crate::cli_run::{assert_adds_up, count, loadc, stderr};
use crate::proxy::Proxy;
use crate::redis_server::RedisServer;
use serde_json::Value;
use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// A run under way.
pub struct Run {
    child: Child,
}

impl Run {
    pub fn start(script: &str, target: &str, flags: &[&str]) -> Run {
        let mut command = loadc();
        command.args(["run", "-", "--json", "--no-journal", "--target", target]).args(flags);
        command.stdin(Stdio::piped());
        let mut run = Run::of(command);
        run.child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        run
    }

    pub fn of(mut command: Command) -> Run {
        Run { child: command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap() }
    }

    pub fn interrupt(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    }

    /// Waits until so many jobs are there, while the run goes on.
    #[track_caller]
    pub fn has_sent(&mut self, server: &RedisServer, queue: &str, jobs: u64) {
        while jobs_in(server, queue) < jobs {
            if self.child.try_wait().unwrap().is_some() && jobs_in(server, queue) < jobs {
                let mut told = String::new();
                _ = self.child.stderr.take().unwrap().read_to_string(&mut told);
                panic!("the run ended early: {told}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for something that comes to be while the run goes on.
    #[track_caller]
    pub fn wait_until(&mut self, mut is_so: impl FnMut() -> bool) {
        while !is_so() {
            self.must_go_on();
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[track_caller]
    fn must_go_on(&mut self) {
        if self.child.try_wait().unwrap().is_some() {
            let mut told = String::new();
            _ = self.child.stderr.take().unwrap().read_to_string(&mut told);
            panic!("the run ended early: {told}");
        }
    }

    /// Kills it at once (SIGKILL).
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn end(self) -> (Output, Value) {
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
pub fn assert_each_once(server: &RedisServer, queue: &str, jobs: u64) {
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
pub fn assert_no_cursor(server: &RedisServer) {
    assert_eq!(server.ask::<Vec<String>>("KEYS loadc:cursor:*"), Vec::<String>::new());
}

pub fn jobs_in(server: &RedisServer, queue: &str) -> u64 {
    server.ask(&format!("LLEN {queue}"))
}

/// Waits until so many jobs are there: the run is under way.
pub fn wait_for(server: &RedisServer, queue: &str, jobs: u64) {
    while jobs_in(server, queue) < jobs {
        std::thread::sleep(Duration::from_millis(5));
    }
}

const LIST: &str = "job a { queue \"q\"; body { n: seq() } }\n";
const BOTH: &str = "
    load list { job a { queue \"q\"; body { n: seq() } }; constant 1000 for 10m }
    load stream { job b { queue \"s\" as stream; body { n: seq() } }; constant 1000 for 10m }
    guard { jobs <= 2M }";

#[test]
fn a_thousand_broken_connections_lose_and_double_nothing() {
    let server = RedisServer::start();
    // Every other write that carries jobs is cut, halved, corrupted, swallowed, haunted or garbled.
    let proxy = Proxy::start(server.port(), 7, 2);
    let run = Run::start(BOTH, &proxy.url(), &[]);
    while proxy.breaks() < 1000 {
        std::thread::sleep(Duration::from_millis(5));
    }
    proxy.calm_down();
    run.interrupt();
    let (output, report) = run.end();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert_adds_up(&report);
    assert_eq!([count(&report, "failed"), count(&report, "unknown")], [0, 0]);
    for (queue, stream) in [("q", 0), ("s", 1)] {
        let acked = report["streams"][stream]["jobs"]["acked"].as_u64().unwrap();
        assert_each_once(&server, queue, acked);
        assert!(acked > 0);
    }
    assert_eq!(report["forgotten"], Value::Array(Vec::new()));
    assert_no_cursor(&server);
}

#[test]
fn a_plan_is_sent_whole_over_a_bad_network() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port(), 5, 3);
    let script = BOTH.replace("for 10m", "for 2s");
    let (output, report) = Run::start(&script, &proxy.url(), &[]).end();
    assert_exact(&output, &report, 4000);
    assert_each_once(&server, "q", 2000);
    assert_each_once(&server, "s", 2000);
    assert!(proxy.breaks() > 0);
}

#[test]
fn a_deleted_cursor_doubles_nothing_and_is_told_of() {
    let server = RedisServer::start();
    let run = Run::start(&format!("{LIST} constant 2000 for 2s"), &server.url(), &[]);
    for jobs in (200..3800).step_by(300) {
        wait_for(&server, "q", jobs);
        let keys: Vec<String> = server.ask("KEYS loadc:cursor:*");
        for key in keys {
            let _: u64 = server.ask(&format!("DEL {key}"));
        }
        let _: u64 = server.ask("CLIENT KILL TYPE normal SKIPME yes");
    }
    let (output, report) = run.end();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_adds_up(&report);
    assert_eq!((count(&report, "failed"), count(&report, "skipped")), (0, 0));
    let numbers = numbers(&server, "q");
    assert!(numbers.values().all(|times| *times == 1), "doubled");
    assert!(count(&report, "acked") <= numbers.len() as u64);
    if count(&report, "unknown") > 0 {
        assert!(!report["forgotten"].as_array().unwrap().is_empty());
    }
    assert_no_cursor(&server);
}

#[test]
fn a_replica_that_takes_over_doubles_nothing_and_what_it_lacks_is_told_of() {
    let mut master = RedisServer::start();
    let replica = RedisServer::with().replica_of(&master).start();
    while !replica.ask::<String>("INFO replication").contains("master_link_status:up") {
        std::thread::sleep(Duration::from_millis(5));
    }
    let proxy = Proxy::start(master.port(), 1, 1);
    proxy.calm_down();
    let run = Run::start(&format!("{LIST} constant 2000 for 2s"), &proxy.url(), &[]);
    wait_for(&replica, "q", 1000);
    master.kill();
    let () = replica.ask("REPLICAOF NO ONE");
    proxy.point_at(replica.port());
    let (output, report) = run.end();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_adds_up(&report);
    assert_eq!((count(&report, "failed"), count(&report, "skipped")), (0, 0));
    assert!(numbers(&replica, "q").values().all(|times| *times == 1), "doubled");
    let lost = forgotten(&report);
    assert_eq!(jobs_in(&replica, "q"), count(&report, "acked") - lost);
    assert!(lost > 0 || count(&report, "unknown") == 0);
}

#[test]
fn a_server_that_loads_its_data_is_waited_for() {
    let setup = RedisServer::with().option("appendonly", "yes");
    let mut server = setup.option("loading-process-events-interval-bytes", "1024").start();
    // So many keys, and so slow, that it answers LOADING for a while.
    let mut fill = redis::pipe();
    (0..2000).for_each(|n| _ = fill.cmd("SET").arg(format!("k{n}")).arg("x".repeat(100)).ignore());
    fill.exec(&mut server.connection()).unwrap();
    let run = Run::start(&format!("{LIST} constant 1000 for 2s"), &server.url(), &[]);
    wait_for(&server, "q", 300);
    server.kill();
    server.restart_with(&["--key-load-delay", "200"]);
    let (output, report) = run.end();
    assert_exact(&output, &report, 2000);
    assert_each_once(&server, "q", 2000);
}

#[test]
fn a_slot_that_is_not_served_for_a_while_refuses_exactly_what_failed() {
    let server = RedisServer::with().option("cluster-enabled", "yes").start();
    let () = server.ask("CLUSTER ADDSLOTSRANGE 0 16383");
    while !server.ask::<String>("CLUSTER INFO").contains("cluster_state:ok") {
        std::thread::sleep(Duration::from_millis(5));
    }
    let script = format!("{LIST} constant 1000 for 2s; guard {{ errors <= 100% over 1s }}");
    let run = Run::start(&script, &server.url(), &[]);
    wait_for(&server, "q", 200);
    let slot: u64 = server.ask("CLUSTER KEYSLOT q");
    let () = server.ask(&format!("CLUSTER DELSLOTS {slot}"));
    std::thread::sleep(Duration::from_millis(200));
    let () = server.ask(&format!("CLUSTER ADDSLOTS {slot}"));
    let (output, report) = run.end();
    assert_refused(&server, &output, &report, 2000, "CLUSTERDOWN");
}

#[test]
fn rights_taken_away_and_given_back_refuse_exactly_what_failed() {
    for taken in ["exec", "multi", "setrange", "lpush"] {
        let server = RedisServer::start();
        let url = user(&server, "~* +@all");
        let script = format!("{LIST} constant 1000 for 1s; guard {{ errors <= 100% over 1s }}");
        let run = Run::start(&script, &url, &[]);
        wait_for(&server, "q", 200);
        let () = server.ask(&format!("ACL SETUSER worker -{taken}"));
        std::thread::sleep(Duration::from_millis(100));
        let () = server.ask(&format!("ACL SETUSER worker +{taken}"));
        let (output, report) = run.end();
        assert_eq!(output.status.code(), Some(0), "{taken}: {}", stderr(&output));
        assert_adds_up(&report);
        assert_eq!((count(&report, "sent"), count(&report, "unknown")), (1000, 0), "{taken}");
        let numbers = numbers(&server, "q");
        assert_eq!(numbers.len() as u64, count(&report, "acked"), "{taken}");
        assert!(numbers.values().all(|times| *times == 1), "{taken}");
    }
}

#[test]
fn a_cursor_lives_as_long_as_its_run() {
    let server = RedisServer::start();
    let script = format!("{LIST} constant 1000 for 10m");
    let run = Run::start(&script, &server.url(), &[]);
    wait_for(&server, "q", 100);
    let keys: Vec<String> = server.ask("KEYS *");
    let cursor = keys.iter().find(|key| *key != "q").unwrap();
    assert!(cursor.starts_with("loadc:cursor:{q}:"), "{cursor}");
    let life: i64 = server.ask(&format!("TTL {cursor}"));
    assert!((1..=86400).contains(&life), "{life}");
    run.interrupt();
    let (output, report) = run.end();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert_eq!(report["run_id"], cursor["loadc:cursor:{q}:".len()..]);
    assert_each_once(&server, "q", count(&report, "acked"));
    assert_no_cursor(&server);
}

#[test]
fn a_server_that_is_stopped_for_a_while_loses_and_doubles_nothing() {
    let server = RedisServer::start();
    let run = Run::start(&format!("{LIST} constant 2000 for 2s"), &server.url(), &[]);
    for jobs in [200, 2000] {
        wait_for(&server, "q", jobs);
        server.pause();
        std::thread::sleep(Duration::from_millis(400));
        server.resume();
    }
    let (output, report) = run.end();
    assert_exact(&output, &report, 4000);
    assert_each_once(&server, "q", 4000);
}

#[test]
fn a_server_killed_and_restarted_with_its_log_leaves_nothing_unknown() {
    let setup = RedisServer::with().option("appendonly", "yes").option("appendfsync", "always");
    let mut server = setup.start();
    let script = format!("{LIST} constant 1000 for 4s");
    let run = Run::start(&script, &server.url(), &[]);
    for jobs in [100, 1000, 2000, 3000] {
        wait_for(&server, "q", jobs);
        server.kill();
        server.restart();
    }
    let (output, report) = run.end();
    assert_exact(&output, &report, 4000);
    assert_each_once(&server, "q", 4000);
    assert_eq!(report["forgotten"], Value::Array(Vec::new()));
    assert_no_cursor(&server);
}

/// What the server lost, as the report has it.
fn forgotten(report: &Value) -> u64 {
    let entries = report["forgotten"].as_array().unwrap();
    entries.iter().map(|entry| entry["acked_jobs"].as_u64().unwrap()).sum()
}

#[test]
fn a_server_killed_and_restarted_without_its_data_has_forgotten_and_the_report_says_so() {
    let mut server = RedisServer::start();
    let run = Run::start(&format!("{LIST} constant 1000 for 3s"), &server.url(), &[]);
    for jobs in [500, 700] {
        wait_for(&server, "q", jobs);
        server.kill();
        server.restart();
    }
    let (output, report) = run.end();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_adds_up(&report);
    assert_eq!(report["forgotten"].as_array().unwrap().len(), 2, "{}", report["forgotten"]);
    assert!(forgotten(&report) >= 1000);
    assert_eq!(jobs_in(&server, "q"), count(&report, "acked") - forgotten(&report));
    assert!(numbers(&server, "q").values().all(|times| *times == 1));
    assert_eq!(count(&report, "acked") + count(&report, "unknown"), 3000);
    let told = stderr(&output);
    assert_eq!(told.matches("] forgotten: ").count(), 2, "{told}");
    assert!(told.contains("has lost its data"), "{told}");
}

#[test]
fn a_server_restarted_with_older_data_has_forgotten_what_came_after() {
    let mut server = RedisServer::start();
    let run = Run::start(&format!("{LIST} constant 1000 for 2s"), &server.url(), &[]);
    wait_for(&server, "q", 300);
    let () = server.ask("SAVE");
    let saved = jobs_in(&server, "q");
    wait_for(&server, "q", saved + 500);
    server.kill();
    server.restart();
    let (output, report) = run.end();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_adds_up(&report);
    assert_eq!(report["forgotten"].as_array().unwrap().len(), 1, "{}", report["forgotten"]);
    assert!(forgotten(&report) >= 500 - 50, "{}", forgotten(&report));
    assert_eq!(jobs_in(&server, "q"), count(&report, "acked") - forgotten(&report));
    assert_eq!(count(&report, "acked") + count(&report, "unknown"), 2000);
}

#[test]
fn killed_clients_come_back_and_send_what_was_missing() {
    let server = RedisServer::start();
    let run = Run::start(&format!("{LIST} constant 2000 for 2s"), &server.url(), &[]);
    for jobs in (100..3900).step_by(100) {
        wait_for(&server, "q", jobs);
        let _: u64 = server.ask("CLIENT KILL TYPE normal SKIPME yes");
    }
    let (output, report) = run.end();
    assert_exact(&output, &report, 4000);
    assert_each_once(&server, "q", 4000);
}

/// Refused jobs are not there, all others are, once; and each error is of the server's own kind.
#[track_caller]
fn assert_refused(server: &RedisServer, output: &Output, report: &Value, jobs: u64, kind: &str) {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    assert_adds_up(report);
    assert_eq!((count(report, "sent"), count(report, "unknown")), (jobs, 0));
    let failed = count(report, "failed");
    assert!(0 < failed && failed < jobs, "{failed}");
    let kinds: Vec<_> = report["errors"].as_array().unwrap().iter().map(|e| &e["kind"]).collect();
    assert_eq!(kinds, [kind]);
    let numbers = numbers(server, "q");
    assert_eq!(numbers.len() as u64, jobs - failed);
    assert!(numbers.values().all(|times| *times == 1));
}

#[test]
fn a_server_that_turns_read_only_and_back_refuses_exactly_what_failed() {
    let server = RedisServer::start();
    let script = format!("{LIST} constant 1000 for 2s; guard {{ errors <= 100% over 1s }}");
    let run = Run::start(&script, &server.url(), &[]);
    wait_for(&server, "q", 200);
    // A master that isn't there: the data stays as it is.
    let () = server.ask("REPLICAOF 127.0.0.1 1");
    std::thread::sleep(Duration::from_millis(300));
    let _: u64 = server.ask("CLIENT KILL TYPE normal SKIPME yes");
    std::thread::sleep(Duration::from_millis(200));
    let () = server.ask("REPLICAOF NO ONE");
    let (output, report) = run.end();
    assert_refused(&server, &output, &report, 2000, "READONLY");
}

#[test]
fn a_server_that_is_full_for_a_while_refuses_exactly_what_failed() {
    let server = RedisServer::start();
    let script = "job a { queue \"q\"; body { n: seq(), x: text(1KB) } }\nconstant 1000 for 2s
        guard { errors <= 100% over 1s }";
    let run = Run::start(script, &server.url(), &[]);
    wait_for(&server, "q", 200);
    let () = server.ask("CONFIG SET maxmemory 1");
    std::thread::sleep(Duration::from_millis(200));
    let () = server.ask("CONFIG SET maxmemory 0");
    let (output, report) = run.end();
    assert_refused(&server, &output, &report, 2000, "OOM");
}

#[test]
fn a_server_that_forgets_its_scripts_misses_no_job() {
    let server = RedisServer::start();
    let script = "job a { queue \"q\" as bullmq name \"n\"; body { n: seq() } }
         constant 1000 for 2s; guard { jobs <= 1M }";
    let mut run = Run::start(script, &server.url(), &[]);
    // What was sent as a script goes with each batch: there is no NOSCRIPT.
    for jobs in [200, 400, 600] {
        run.has_sent(&server, "bull:q:wait", jobs);
        let () = server.ask("SCRIPT FLUSH");
    }
    let (output, report) = run.end();
    assert_exact(&output, &report, 2000);
    assert_eq!(jobs_in(&server, "bull:q:wait"), 2000);
}

#[test]
fn a_script_that_keeps_the_server_busy_refuses_exactly_what_failed() {
    let server = RedisServer::with().option("lua-time-limit", "20").start();
    let script = format!("{LIST} constant 1000 for 2s; guard {{ errors <= 100% over 1s }}");
    let run = Run::start(&script, &server.url(), &[]);
    wait_for(&server, "q", 200);
    let mut busy = server.connection();
    let looping = std::thread::spawn(move || {
        redis::cmd("EVAL").arg("while true do end").arg(0).query::<()>(&mut busy).unwrap_err()
    });
    std::thread::sleep(Duration::from_millis(300));
    let () = server.ask("SCRIPT KILL");
    looping.join().unwrap();
    let (output, report) = run.end();
    assert_refused(&server, &output, &report, 2000, "BUSY");
}

#[test]
fn a_sleeping_server_is_waited_for() {
    let server = RedisServer::with().option("enable-debug-command", "local").start();
    let run = Run::start(&format!("{LIST} constant 1000 for 2s"), &server.url(), &[]);
    wait_for(&server, "q", 200);
    let () = server.ask("DEBUG SLEEP 0.5");
    let (output, report) = run.end();
    assert_exact(&output, &report, 2000);
    assert_each_once(&server, "q", 2000);
}

#[test]
fn a_queue_that_turns_wrong_takes_none_of_the_others_with_it() {
    let server = RedisServer::start();
    let script = "
        load a { job a { queue \"q\"; body { n: seq() } }; constant 1000 for 2s }
        load b { job b { queue \"bad\"; body { n: seq() } }; constant 1000 for 2s }
        guard { errors <= 100% over 1s }";
    let run = Run::start(script, &server.url(), &[]);
    wait_for(&server, "q", 200);
    let mut connection = server.connection();
    redis::pipe().atomic().del("bad").set("bad", "x").exec(&mut connection).unwrap();
    let (output, report) = run.end();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_each_once(&server, "q", 2000);
    let streams = &report["streams"];
    assert_eq!(
        (&streams[0]["jobs"]["acked"], &streams[0]["jobs"]["failed"]),
        (&2000.into(), &0.into())
    );
    assert!(streams[1]["jobs"]["failed"].as_u64().unwrap() > 0);
    assert_eq!(report["errors"][0]["kind"], "WRONGTYPE");
}

/// A user with these rules, and the URL to log in by.
fn user(server: &RedisServer, rules: &str) -> String {
    let () = server.ask(&format!("ACL SETUSER worker on >hush {rules}"));
    format!("redis://worker:hush@127.0.0.1:{}", server.port())
}

#[test]
fn a_queue_that_is_forbidden_takes_none_of_the_others_with_it() {
    let server = RedisServer::start();
    let url = user(&server, "~q ~loadc:cursor:* +@all");
    let script = "
        load a { job a { queue \"q\"; body { n: seq() } }; constant 500 for 1s }
        load b { job b { queue \"no\"; body { n: seq() } }; constant 500 for 1s }
        guard { errors <= 100% over 1s }";
    let (output, report) = Run::start(script, &url, &[]).end();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_adds_up(&report);
    assert_each_once(&server, "q", 500);
    assert_eq!((count(&report, "acked"), count(&report, "failed")), (500, 500));
    assert_eq!(report["errors"][0]["kind"], "NOPERM");
}

#[test]
fn who_may_not_keep_the_account_is_told_before_anything_is_sent() {
    let server = RedisServer::start();
    let script = format!("{LIST} constant 1000 for 1s");
    for rules in [
        "~q +@all",
        "~* +@all -setrange",
        "~* +@all -get",
        "~* +@all -multi",
        "~* +@all -exec",
        "~* +@all -discard",
    ] {
        let url = user(&server, &format!("reset on >hush {rules}"));
        let (output, _) = Run::start(&script, &url, &[]).end();
        assert_eq!(output.status.code(), Some(4), "{rules}");
        let told = stderr(&output);
        assert!(told.contains("--at-least-once") && told.contains("NOPERM"), "{rules}: {told}");
        assert_eq!(server.ask::<u64>("DBSIZE"), 0, "{rules}");
        let (output, report) = Run::start(&script, &url, &["--at-least-once"]).end();
        assert_exact(&output, &report, 1000);
        assert_eq!(server.ask::<Vec<String>>("KEYS *"), ["q"], "{rules}");
        let _: u64 = server.ask("DEL q");
    }
}

#[test]
fn without_proof_what_was_in_flight_is_unknown() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port(), 3, 4);
    let script = format!("{LIST} constant 2000 for 2s");
    let (output, report) = Run::start(&script, &proxy.url(), &["--at-least-once"]).end();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_adds_up(&report);
    let numbers = numbers(&server, "q");
    assert!(numbers.values().all(|times| *times == 1));
    let (acked, unknown) = (count(&report, "acked"), count(&report, "unknown"));
    assert_eq!(acked + unknown, 4000);
    assert!((acked..=4000).contains(&(numbers.len() as u64)), "{acked} {}", numbers.len());
    assert!(unknown > 0 && proxy.breaks() > 10, "{unknown} {}", proxy.breaks());
    assert_eq!(server.ask::<Vec<String>>("KEYS *"), ["q"]);
}

#[test]
fn who_may_not_end_a_connection_loses_and_doubles_nothing_that_is_not_called_unknown() {
    let server = RedisServer::start();
    let url = user(&server, "~* +@all -@dangerous");
    let proxy = Proxy::start(server.port(), 11, 4);
    let url = url.replace(&server.port().to_string(), &proxy.port().to_string());
    let script = format!("{LIST} constant 2000 for 4s");
    let (output, report) = Run::start(&script, &url, &[]).end();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_adds_up(&report);
    let told = stderr(&output);
    assert_eq!(told.matches("warning: should a connection break").count(), 1, "{told}");
    let numbers = numbers(&server, "q");
    assert!(numbers.values().all(|times| *times == 1));
    let (acked, unknown) = (count(&report, "acked"), count(&report, "unknown"));
    assert_eq!(acked + unknown, 8000);
    assert!((acked..=8000).contains(&(numbers.len() as u64)), "{acked} {}", numbers.len());
    assert!(unknown > 0 && proxy.breaks() > 10, "{unknown} {}", proxy.breaks());
}
