//! `loadc run` through the front door, into a real redis-server.
//!
//! The counts asserted here are exact and do not depend on how fast the machine is; how long
//! anything takes is not looked at.

use crate::redis_server::RedisServer;
use redis::Commands as _;
use serde_json::Value;
use std::collections::HashSet;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

pub(crate) fn loadc() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadc"));
    command.env_remove("REDIS_URL").env("NO_COLOR", "1");
    // Long runs keep a journal.
    command.env("XDG_STATE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/state"));
    command
}

/// Runs a script from standard input against a target, with more flags.
pub(crate) fn run(script: &str, target: &str, flags: &[&str]) -> (Output, Value) {
    let mut command = loadc();
    command.args(["run", "-", "--json", "--target", target]).args(flags);
    let output = fed(command, script);
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output, report)
}

pub(crate) fn fed(mut command: Command, script: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn count(report: &Value, field: &str) -> u64 {
    report["jobs"][field].as_u64().unwrap_or_else(|| panic!("no jobs.{field} in {report}"))
}

/// due = sent + skipped, sent = acked + failed + unknown, and the streams add up to the whole.
pub(crate) fn assert_adds_up(report: &Value) {
    assert_eq!(count(report, "due"), count(report, "sent") + count(report, "skipped"));
    let answered = count(report, "acked") + count(report, "failed") + count(report, "unknown");
    assert_eq!(count(report, "sent"), answered);
    for field in ["planned", "due", "sent", "acked", "failed", "unknown", "skipped"] {
        let streams = report["streams"].as_array().unwrap().iter();
        let sum: u64 = streams.map(|stream| stream["jobs"][field].as_u64().unwrap()).sum();
        assert_eq!(sum, count(report, field), "{field}");
    }
}

#[track_caller]
pub(crate) fn assert_done(output: &Output, report: &Value, jobs: u64) {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    assert_eq!(report["outcome"], "done");
    assert_eq!(count(report, "planned"), jobs);
    assert_eq!(count(report, "acked"), jobs);
    assert_adds_up(report);
}

const CONSTANT: &str = "job a { queue \"q\"; body { id: uuid(), n: seq() } }\nconstant 10000 for 10s\nguard { jobs <= 100k }";

#[test]
fn a_constant_load_leaves_exactly_its_jobs_in_a_list() {
    let server = RedisServer::start();
    let (output, report) = run(CONSTANT, &server.url(), &["--speed", "x10"]);
    assert_done(&output, &report, 100_000);
    let mut redis = server.connection();
    assert_eq!(redis.llen::<_, u64>("q").unwrap(), 100_000);
    // Every number once: nothing lost, nothing twice, whatever the order within a push.
    let jobs: Vec<String> = redis.lrange("q", 0, -1).unwrap();
    let numbers: HashSet<u64> = jobs
        .iter()
        .map(|job| serde_json::from_str::<Value>(job).unwrap()["n"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers.len(), 100_000);
    assert!(numbers.iter().all(|number| (1..=100_000).contains(number)));
}

#[test]
fn a_ramp_leaves_exactly_its_jobs_in_a_stream() {
    let server = RedisServer::start();
    let script =
        "job a { queue \"s\" as stream; body { id: uuid(), n: seq() } }\nramp 100->10000 over 10s";
    let (output, report) = run(script, &server.url(), &["--speed", "x5"]);
    assert_done(&output, &report, 50_500);
    assert_eq!(server.ask::<u64>("XLEN s"), 50_500);
    let queue = &report["streams"][0]["queues"][0];
    assert_eq!((&queue["depth_start"], &queue["depth_end"]), (&0.into(), &50_500.into()));
}

#[test]
fn three_loads_at_once_each_leave_their_jobs() {
    let server = RedisServer::start();
    let script = "
        load a { job a { queue \"a\" }; constant 1000 for 2s }
        load b { after 500ms; job b { queue \"b\" as stream }; ramp 0->2000 over 1s; send 500 at once }
        load c { job c1 { queue \"c1\" }; job c2 { queue \"c2\" }; send c1 3, c2 1; sine base 500 amp 400 period 1s for 2s }
        guard { rate <= 10000/s }";
    let (output, report) = run(script, &server.url(), &[]);
    assert_done(&output, &report, 2000 + 1500 + 1000);
    let mut redis = server.connection();
    assert_eq!(redis.llen::<_, u64>("a").unwrap(), 2000);
    assert_eq!(server.ask::<u64>("XLEN b"), 1500);
    assert_eq!(redis.llen::<_, u64>("c1").unwrap(), 750);
    assert_eq!(redis.llen::<_, u64>("c2").unwrap(), 250);
}

#[test]
fn the_daily_example_runs_sixty_times_as_fast() {
    let server = RedisServer::start();
    let script =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/daily.load"))
            .unwrap();
    // Sixty times as fast, three minutes of the night take three seconds.
    let script = script
        .replace("constant 5 for 6h ", "constant 5 for 3m ")
        .replace("depth <= 10k then pause until 8k", "");
    // How near to the plan a busy machine comes is not what this is about.
    let script = script.replace("expect { deviation < 1%; errors < 0.1% }", "");
    let (output, report) = run(&script, &server.url(), &["--speed", "x60", "--for", "5s"]);
    // 3 min · 5/s, then 2 min of a ramp from 5 by 95/7200 each second.
    let ramp = 5.0 * 120.0 + 95.0 / 7200.0 * 120.0 * 120.0 / 2.0;
    let jobs = (900.0 + ramp + 0.5_f64).floor() as u64;
    assert_done(&output, &report, jobs);
    assert_eq!(server.connection().llen::<_, u64>("orders").unwrap(), jobs);
}

#[test]
fn the_same_script_sends_the_same_bytes() {
    let script = "seed 3; job a { queue \"q\"; body { id: uuid(), x: int(1..9), t: text(20B), l: list(1..3) hex(4) } }; constant 1000 for 200ms";
    let sent = |_: u32| {
        let server = RedisServer::start();
        let (output, report) = run(script, &server.url(), &[]);
        assert_done(&output, &report, 200);
        let mut jobs: Vec<String> = server.connection().lrange("q", 0, -1).unwrap();
        jobs.sort();
        (jobs, report["digest"].clone())
    };
    let first = sent(1);
    assert_eq!(first, sent(2));
    assert_eq!(first.0.iter().collect::<HashSet<_>>().len(), 200);
}

#[test]
fn nothing_is_sent_by_a_script_that_is_refused() {
    let server = RedisServer::start();
    let (output, _) = run("constant 10 for 1s; guard { jobs <= 9 }", &server.url(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(stderr(&output).contains("E0601"), "{}", stderr(&output));
    assert_eq!(redis::cmd("DBSIZE").query::<u64>(&mut server.connection()).unwrap(), 0);
}

#[test]
fn a_dry_run_sends_nothing_and_shows_the_first_jobs() {
    let server = RedisServer::start();
    let (output, report) = run(CONSTANT, &server.url(), &["--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!((&report["dry_run"], &report["jobs"]), (&true.into(), &100_000.into()));
    assert_eq!(report["samples"].as_array().unwrap().len(), 3);
    assert_eq!(redis::cmd("DBSIZE").query::<u64>(&mut server.connection()).unwrap(), 0);
}

#[test]
fn a_missed_expectation_is_exit_code_one() {
    let server = RedisServer::start();
    let script = "constant 100 for 1s; expect { jobs = 100; max response < 0ms }";
    let (output, report) = run(script, &server.url(), &[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(report["outcome"], "done");
    let met: Vec<bool> = report["expectations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["met"].as_bool().unwrap())
        .collect();
    assert_eq!(met, [true, false]);
}

#[test]
fn a_depth_guard_stops_the_run_with_exit_code_three() {
    let server = RedisServer::start();
    let script = "constant 1000 for 1m; guard { depth <= 200 }";
    let (output, report) = run(script, &server.url(), &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(report["outcome"], "guard");
    assert_eq!(report["guards"][0]["guard"], "depth <= 200");
    assert_adds_up(&report);
    let sent = count(&report, "sent");
    assert!(sent > 200 && sent < 60_000, "{sent}");
    assert_eq!(server.connection().llen::<_, u64>("loadc").unwrap(), sent);
}

#[test]
fn a_depth_guard_that_may_not_ask_fails_the_run_before_its_first_job() {
    let server = RedisServer::start();
    let _: String = server.ask("ACL SETUSER pusher on >secret ~* &* +@all -llen");
    let target = format!("redis://pusher:secret@127.0.0.1:{}", server.port());
    let (output, report) = run("constant 100 for 1s; guard { depth <= 50 }", &target, &[]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert_eq!((&report["outcome"], count(&report, "due")), (&"failed".into(), 0));
    let message = report["failure"]["message"].as_str().unwrap();
    assert!(message.contains("depth <= 50") && message.contains("NOPERM"), "{message}");
    assert_eq!(server.connection().llen::<_, u64>("loadc").unwrap(), 0);
}

#[test]
fn a_depth_guard_pauses_until_workers_have_caught_up_and_the_plan_stays_whole() {
    let server = RedisServer::start();
    let script = "constant 2000 for 1s; guard { depth <= 300 then pause until 50; time <= 1m }";
    let mut worker = server.connection();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    // A worker that takes at most 20 jobs at a time and counts what it took.
    let working = std::thread::spawn(move || {
        let mut taken = 0;
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            let jobs: Option<Vec<String>> =
                redis::cmd("RPOP").arg("loadc").arg(20).query(&mut worker).unwrap();
            taken += jobs.map_or(0, |jobs| jobs.len());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        taken
    });
    let (output, report) = run(script, &server.url(), &[]);
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let taken = working.join().unwrap() as u64;
    assert_done(&output, &report, 2000);
    assert!(!report["guards"].as_array().unwrap().is_empty());
    let left = server.connection().llen::<_, u64>("loadc").unwrap();
    assert_eq!(taken + left, 2000);
}

#[test]
fn a_planned_end_of_something_endless_is_exit_code_zero() {
    let server = RedisServer::start();
    let (output, report) =
        run("constant 500 forever; guard { jobs <= 321 then stop }", &server.url(), &[]);
    assert_done(&output, &report, 321);
    assert_eq!(server.connection().llen::<_, u64>("loadc").unwrap(), 321);
    let (output, report) = run("constant 500 forever", &server.url(), &["--for", "500ms"]);
    assert_done(&output, &report, 250);
}

#[test]
fn a_stop_file_ends_the_run() {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stop");
    std::fs::write(&file, "").unwrap();
    let script = format!("constant 100 for 1m; guard {{ file \"{}\" }}", file.display());
    let (output, report) = run(&script, &server.url(), &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_adds_up(&report);
}

/// What is wrong with the target, and the words its error must hold.
#[track_caller]
fn assert_target_fault(script: &str, target: &str, code: i32, words: &[&str]) {
    let (output, report) = run(script, target, &[]);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{told}");
    if code == 4 {
        assert_eq!((&report["outcome"], &report["exit_code"]), (&"failed".into(), &4.into()));
        assert!(report["failure"]["message"].is_string(), "{report}");
        assert_adds_up(&report);
    }
    for word in words {
        assert!(told.contains(word), "no `{word}` in: {told}");
    }
    assert!(told.contains("help:"), "{told}");
    assert!(!told.contains("secret"), "{told}");
}

#[test]
fn each_fault_of_a_target_has_its_own_error() {
    let server = RedisServer::start();
    let closed = server.port();
    let script = "constant 100 for 1s";
    redis::cmd("SET").arg("loadc").arg("x").exec(&mut server.connection()).unwrap();
    assert_target_fault(script, &server.url(), 4, &["loadc", "string", "list"]);

    let replica = RedisServer::with().replica_of(&server).start();
    assert_target_fault(script, &replica.url(), 4, &["replica"]);

    let locked = RedisServer::with().password("secret-1").start();
    let url = format!("redis://127.0.0.1:{}", locked.port());
    assert_target_fault(script, &url, 4, &["password"]);
    let url = format!("redis://:secret-2@127.0.0.1:{}", locked.port());
    assert_target_fault(script, &url, 4, &["password"]);
    let url = format!("redis://:secret-1@127.0.0.1:{}", locked.port());
    let (output, report) = run("constant 100 for 200ms", &url, &[]);
    assert_done(&output, &report, 20);
    assert!(!report["target"].as_str().unwrap().contains("secret"));

    drop((replica, server));
    assert_target_fault(script, &format!("redis://127.0.0.1:{closed}"), 4, &["refused"]);
    assert_target_fault(script, "http://127.0.0.1", 2, &["redis://"]);
}

#[test]
fn a_full_server_fails_the_jobs_and_the_account_says_so() {
    let server = RedisServer::with()
        .option("maxmemory", "3mb")
        .option("maxmemory-policy", "noeviction")
        .start();
    let script =
        "job a { queue \"q\"; size 1KB }; constant 5000 for 5s; guard { errors <= 50% over 1s }";
    let (output, report) = run(script, &server.url(), &[]);
    assert!(matches!(output.status.code(), Some(3 | 4)), "{}", stderr(&output));
    assert_adds_up(&report);
    assert!(count(&report, "failed") > 0);
    assert_eq!(report["errors"][0]["kind"], "OOM");
    assert_eq!(server.connection().llen::<_, u64>("q").unwrap(), count(&report, "acked"));
}

#[cfg(unix)]
#[test]
fn one_interrupt_ends_gracefully_with_a_report() {
    let server = RedisServer::start();
    let mut command = loadc();
    command.args(["run", "-", "--json", "--target", &server.url()]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"constant 1000 for 10m").unwrap();
    let mut redis = server.connection();
    // It is running once its first jobs are there.
    while redis.llen::<_, u64>("loadc").unwrap() == 0 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["outcome"], "interrupted");
    assert_adds_up(&report);
    assert_eq!(count(&report, "unknown"), 0);
    assert_eq!(redis.llen::<_, u64>("loadc").unwrap(), count(&report, "acked"));
    assert!(stderr(&output).contains("interrupted after"), "{}", stderr(&output));
}

#[cfg(feature = "embedded")]
#[test]
fn without_a_target_the_embedded_server_takes_the_jobs() {
    let mut command = loadc();
    command.args(["run", "-", "--json", "--for", "2s"]);
    let output = fed(command, "constant 200 for 1h");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_done(&output, &report, 400);
    assert!(report["target"].as_str().unwrap().contains("embedded server"));
    let told = stderr(&output);
    assert!(told.contains("embedded server") && told.contains("400 of 400 acknowledged"), "{told}");
}

/// Two signals leave at once even when nobody reads what the run has to say: the pipe it writes to
/// is full from the start.
#[cfg(unix)]
#[test]
fn two_interrupts_leave_though_nobody_reads() {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let server = RedisServer::start();
    let (unread, mut full) = std::io::pipe().unwrap();
    let blocking = fcntl_getfl(&full).unwrap();
    fcntl_setfl(&full, blocking | OFlags::NONBLOCK).unwrap();
    while full.write(&[b'.'; 512]).is_ok() {}
    while full.write(b".").is_ok() {}
    fcntl_setfl(&full, blocking).unwrap();
    let mut command = loadc();
    command.args(["run", "-", "--target", &server.url()]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(full).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"constant 100 for 10m").unwrap();
    let mut redis = server.connection();
    while redis.llen::<_, u64>("loadc").unwrap() == 0 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let pid = rustix::process::Pid::from_child(&child);
    for _ in 0..2 {
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        // Signals of one kind that are pending together count as one.
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(unread);
}

/// A report that cannot be written is not a success.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_success() {
    let server = RedisServer::start();
    for (flags, code) in
        [(vec!["run", "-", "--json", "--target"], 4), (vec!["plan", "-", "--json"], 2)]
    {
        let mut command = loadc();
        command.args(&flags);
        if code == 4 {
            command.arg(server.url());
        }
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut child =
            command.stdin(Stdio::piped()).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"constant 100 for 200ms").unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        assert!(stderr(&output).contains("standard output"), "{}", stderr(&output));
    }
}

#[test]
fn quiet_says_why_it_did_not_end_well() {
    let server = RedisServer::start();
    let mut command = loadc();
    command.args(["run", "-", "--quiet", "--target", &server.url()]);
    let output = fed(command, "constant 100 for 200ms; expect { jobs = 21 }");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), "error: <stdin>: not as expected: jobs = 21\n");
}

#[test]
fn a_target_flag_goes_before_one_of_the_environment() {
    let server = RedisServer::start();
    let script = "target env(\"LOADC_TEST_IS_NOT_SET\"); constant 100 for 200ms";
    let (output, report) = run(script, &server.url(), &[]);
    assert_done(&output, &report, 20);
}

/// 192.0.2.1 is set aside for documentation: nothing is there, and nothing is sent, since the
/// script is refused before anybody connects.
#[test]
fn for_a_target_elsewhere_the_defaults_hold_where_the_script_states_none() {
    let fast = "constant 1500 for 3s";
    let cases = [
        (fast.to_owned(), "rate <= 1000/s"),
        (
            format!("load x {{ {fast}; guard {{ rate <= 2000/s }} }}; load y {{ {fast} }}"),
            "rate <= 1000/s",
        ),
        (format!("{fast}; guard {{ rate <= 5000/s over 1h }}"), "rate <= 1000/s"),
        ("constant 1 for 2h".to_owned(), "time <= 1h"),
        ("send 2M at once; guard { rate <= 2M/s }".to_owned(), "jobs <= 1M"),
    ];
    for (script, default) in cases {
        let (output, _) = run(&script, "redis://192.0.2.1:1", &[]);
        assert_eq!(output.status.code(), Some(2), "{script}: {}", stderr(&output));
        assert!(stderr(&output).contains(default), "{script}: {}", stderr(&output));
        let mut command = loadc();
        command.args(["check", "-"]);
        let named = format!("target \"redis://192.0.2.1:1\"\n{script}");
        let output = fed(command, &named);
        assert_eq!(output.status.code(), Some(2), "{named}: {}", stderr(&output));
    }
    let own = format!("target \"redis://192.0.2.1:1\"; {fast}; guard {{ rate <= 2000/s }}");
    let mut command = loadc();
    command.args(["check", "-"]);
    assert_eq!(fed(command, &own).status.code(), Some(0));
}

#[test]
fn quiet_says_nothing() {
    let server = RedisServer::start();
    let mut command = loadc();
    command.args(["run", "-", "--quiet", "--target", &server.url()]);
    let output = fed(command, "constant 100 for 200ms");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{}", stderr(&output));
}
