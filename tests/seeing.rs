//! What a run is seen by: events, CSV, metrics. Through the front door, into a real redis-server.

use crate::cli_run::{assert_adds_up, count, loadc, stderr};
use crate::redis_server::RedisServer;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// A run of a script from standard input.
pub(crate) fn start(script: &str, target: &str, flags: &[&str]) -> Child {
    let mut command = loadc();
    command.args(["run", "-", "--target", target]).args(flags);
    spawn(command, script)
}

fn spawn(mut command: Command, script: &str) -> Child {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    child
}

pub(crate) fn run(script: &str, target: &str, flags: &[&str]) -> (Output, Value) {
    let output = start(script, target, flags).wait_with_output().unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output, report)
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

const SCRIPT: &str =
    "constant 500 for 2s; guard { jobs <= 900 then stop; depth <= 100k }; expect { errors < 1% }";

#[test]
fn events_and_rows_tell_the_run_and_agree_with_its_report() {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let (events, rows) = (folder.path().join("e.jsonl"), folder.path().join("r.csv"));
    let flags = ["--json", "--events", events.to_str().unwrap(), "--csv", rows.to_str().unwrap()];
    let (output, report) = run(SCRIPT, &server.url(), &flags);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_adds_up(&report);
    let told = lines(&read(&events));
    let names = names(&told);
    assert_eq!((names[0], names[names.len() - 1]), ("started", "stopped"));
    assert!(names.contains(&"metrics"), "{names:?}");
    let last = &told[told.len() - 1];
    assert_eq!((&last["jobs"], &last["outcome"]), (&report["jobs"], &"done".into()));
    let metrics = told.iter().rev().find(|event| event["event"] == "metrics").unwrap();
    assert_eq!(metrics["jobs"], report["jobs"]);
    assert_eq!(
        (&metrics["guards"][0]["value"], &metrics["guards"][0]["hits"]),
        (&900.0.into(), &0.into())
    );
    // The report has the same events, the metrics of each second apart.
    let kept = report["events"].as_array().unwrap();
    let expected: Vec<&Value> = told.iter().filter(|event| event["event"] != "metrics").collect();
    assert_eq!(kept.iter().collect::<Vec<_>>(), expected);
    let rows = read(&rows);
    let row: Vec<&str> = rows.lines().last().unwrap().split(',').collect();
    assert_eq!((row[4], row[5], row[6]), ("900", "900", "900"), "{rows}");
}

#[test]
fn events_may_go_to_standard_output_and_nothing_else_does() {
    let server = RedisServer::start();
    let (output, _) = run(SCRIPT, &server.url(), &["--events", "-"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let told = lines(std::str::from_utf8(&output.stdout).unwrap());
    assert_eq!(names(&told).last(), Some(&"stopped"));
    assert!(stderr(&output).contains("900 of 900 acknowledged"), "{}", stderr(&output));
    let (output, _) = run(SCRIPT, &server.url(), &["--events", "-", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("share standard output"), "{}", stderr(&output));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_for_events_stops_nothing_and_is_said_at_the_end() {
    let server = RedisServer::start();
    let (output, report) = run(SCRIPT, &server.url(), &["--json", "--events", "/dev/full"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(count(&report, "acked"), 900);
    let told = stderr(&output);
    assert!(told.contains("/dev/full is not whole") && told.contains("No space left"), "{told}");
}

#[test]
fn what_cannot_be_had_is_refused_before_anything_is_sent() {
    let server = RedisServer::start();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (flags, words) in [
        (["--metrics", address.as_str()], ["in use", "another port"]),
        (["--metrics", "nowhere"], ["cannot serve metrics at nowhere", "127.0.0.1:9464"]),
        (["--events", "/nowhere/e.jsonl"], ["cannot write /nowhere/e.jsonl", "folder must exist"]),
        (["--history-every", "1ms"], ["10ms to 1m", "--help"]),
        (["--history-size", "5"], ["100 to 100,000", "--help"]),
    ] {
        let (output, _) = run(SCRIPT, &server.url(), &flags);
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        for word in words {
            assert!(stderr(&output).contains(word), "{word}: {}", stderr(&output));
        }
    }
    assert_eq!(redis::cmd("DBSIZE").query::<u64>(&mut server.connection()).unwrap(), 0);
}

/// The metrics of a run whose standard error says where they are.
pub(crate) fn metrics_address(child: &mut Child) -> String {
    let mut told = String::new();
    let mut byte = [0];
    let error = child.stderr.as_mut().unwrap();
    while !told.contains("/metrics\n") {
        assert_eq!(error.read(&mut byte).unwrap(), 1, "{told}");
        told.push(char::from(byte[0]));
    }
    let (_, address) = told.split_once("http://").unwrap();
    address.split_once('/').unwrap().0.to_owned()
}

#[test]
fn metrics_are_served_while_the_run_goes_on() {
    let server = RedisServer::start();
    let script = "load a { job j { queue \"q\" }; constant 200 for 10m }; guard { depth <= 1M }";
    let mut child = start(script, &server.url(), &["--metrics", "127.0.0.1:0", "--json"]);
    let address = metrics_address(&mut child);
    let acked = |page: &str| -> u64 {
        let line = "loadc_jobs_total{load=\"a\",state=\"acked\"} ";
        page.lines().find_map(|text| text.strip_prefix(line)).map_or(0, |n| n.parse().unwrap())
    };
    let mut page = String::new();
    while acked(&page) < 100 {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: loadc\r\n\r\n").unwrap();
        page.clear();
        stream.read_to_string(&mut page).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    for line in [
        "loadc_target_rate{load=\"a\"} 200.0",
        "loadc_jobs_planned{load=\"a\"} 120000.0",
        "loadc_guard_limit{guard=\"depth <= 1M\",load=\"\"} 1000000.0",
        "loadc_queue_depth{queue=\"q\"} ",
        "loadc_response_time_seconds_bucket{le=\"+Inf\"} ",
        "# EOF",
    ] {
        assert!(page.contains(line), "{line} in {page}");
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_adds_up(&report);
}

/// The names of metrics in a text.
fn metrics_in(text: &str) -> std::collections::BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c: char| !is_name(c));
    let names = words.filter(|word| word.starts_with("loadc_"));
    names.map(str::to_owned).collect()
}

fn documented(name: &str) -> String {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/prometheus").join(name))
}

#[test]
fn dashboard_and_alerts_ask_for_metrics_that_there_are() {
    let served = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(
        "src/metrics/snapshots/loadc__metrics__tests__the_page_holds_every_number_in_its_unit.snap",
    ));
    let served = metrics_in(&served);
    let dashboard: Value = serde_json::from_str(&documented("dashboard.json")).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 9);
    for text in [dashboard.to_string(), documented("alerts.yml")] {
        let asked = metrics_in(&text);
        assert!(asked.len() > 5, "{asked:?}");
        let unknown: Vec<_> = asked.difference(&served).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

#[test]
fn promtool_finds_nothing_wrong_with_the_alerts() {
    let alerts = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/prometheus/alerts.yml");
    match Command::new("promtool").args(["check", "rules"]).arg(alerts).output() {
        Ok(output) => assert!(output.status.success(), "{}", stderr(&output)),
        Err(error) => eprintln!("SKIPPED: promtool (Debian's package prometheus): {error}"),
    }
}
