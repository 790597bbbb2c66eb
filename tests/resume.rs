//! Runs that are killed and gone on with: every job once, over any number of processes.

use crate::cli_run::{assert_adds_up, count, loadc, stderr};
use crate::exactly_once::{Run, assert_each_once, assert_no_cursor, jobs_in};
use crate::proxy::Proxy;
use crate::redis_server::RedisServer;
use serde_json::Value;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

const SCRIPT: &str = "
    load one { job a { queue \"q\"; body { n: seq() } }; constant 1000 for 3s }
    load two { job b { queue \"s\" as stream; body { n: seq() } }; constant 500 for 3s }";

/// A script in a folder of its own.
fn folder(script: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.load"), script).unwrap();
    dir
}

fn start(dir: &Path, words: &[&str]) -> Run {
    let mut command = loadc();
    command.current_dir(dir).env("XDG_STATE_HOME", dir.join("state"));
    command.env("XDG_RUNTIME_DIR", dir);
    command.args(["run", "--json"]).args(words);
    Run::of(command)
}

fn ended(run: Run) -> (Output, Value) {
    let (output, report) = run.end();
    assert!(output.status.code().is_some(), "{}", stderr(&output));
    (output, report)
}

/// The plan's whole, each job acknowledged by one of the processes.
#[track_caller]
fn assert_whole(server: &RedisServer, output: &Output, report: &Value) {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    assert_adds_up(report);
    let counts = ["planned", "due", "acked", "failed", "unknown", "skipped"];
    assert_eq!(counts.map(|field| count(report, field)), [4500, 4500, 4500, 0, 0, 0]);
    assert_each_once(server, "q", 3000);
    assert_each_once(server, "s", 1500);
    assert_no_cursor(server);
}

#[test]
fn a_run_that_is_killed_again_and_again_sends_every_job_once() {
    let server = RedisServer::start();
    let dir = folder(SCRIPT);
    let journal = dir.path().join("j");
    let words = ["a.load", "--target", &server.url(), "--journal", "j"];
    let mut run = start(dir.path(), &words);
    for jobs in [200, 900, 901, 1700, 2400] {
        run.has_sent(&server, "q", jobs);
        run.kill();
        assert!(journal.is_file());
        run = start(dir.path(), &["--resume", "./j"]);
    }
    let (output, report) = ended(run);
    assert_whole(&server, &output, &report);
    assert_eq!(report["streams"][0]["by_job"][0]["acked"], 3000);
    assert_eq!(report["forgotten"], Value::Array(Vec::new()));
    assert!(!journal.exists(), "nothing is left to go on with");
}

#[test]
fn a_load_that_its_guard_has_stopped_stays_stopped() {
    let server = RedisServer::start();
    let script = "
        load one { job a { queue \"q\"; body { n: seq() } }; constant 500 for 4s }
        load two {
          job b { queue \"s\"; body { n: seq() } }
          constant 500 for 4s
          guard { errors <= 5% over 1s then stop }
        }";
    let dir = folder(script);
    let mut run = start(dir.path(), &["a.load", "--target", &server.url(), "--journal", "j"]);
    run.has_sent(&server, "s", 100);
    // At once: what is pushed between the two would be acknowledged, and gone.
    let mut both = redis::pipe();
    both.atomic().cmd("RENAME").arg("s").arg("t").ignore().cmd("SET").arg("s").arg("x").ignore();
    both.exec(&mut server.connection()).unwrap();
    let journal = || std::fs::read_to_string(dir.path().join("j")).unwrap();
    run.wait_until(|| journal().lines().any(|line| line.split(' ').nth(1) == Some("x")));
    let jobs = jobs_in(&server, "q");
    run.has_sent(&server, "q", jobs + 50);
    run.kill();
    let _: u64 = server.ask("DEL s");
    let (output, report) = ended(start(dir.path(), &["--resume", "./j"]));
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_adds_up(&report);
    assert_each_once(&server, "q", 2000);
    assert_eq!(jobs_in(&server, "s"), 0);
    let of_two = &report["streams"][1]["jobs"];
    let [due, acked, failed, skipped] =
        ["due", "acked", "failed", "skipped"].map(|field| of_two[field].as_u64().unwrap());
    assert!(due < 2000 && failed > 0 && acked == jobs_in(&server, "t"), "{of_two}");
    assert_eq!(due, acked + failed + skipped);
}

#[test]
fn a_run_that_was_scaled_and_moved_goes_on_so() {
    let server = RedisServer::start();
    let script = "
        load one { job a { queue \"q\"; body { n: seq() } }; constant 200 for 20s }
        load two { job b { queue \"s\" as stream; body { n: seq() } }; ramp 20->200 over 20s }";
    let dir = folder(script);
    let mut run = start(dir.path(), &["a.load", "--target", &server.url(), "--journal", "j"]);
    let go_on = |run: &mut Run, more: u64| {
        let wanted = jobs_in(&server, "q") + more;
        run.has_sent(&server, "q", wanted);
    };
    go_on(&mut run, 100);
    steer(dir.path(), &["scale", "x2.5"]);
    go_on(&mut run, 300);
    run.kill();
    let mut run = start(dir.path(), &["--resume", "./j"]);
    go_on(&mut run, 100);
    // Over a kill the factor holds: a jump in the plan keeps it.
    // It listens in the place that the killed process left.
    let sockets = std::fs::read_dir(dir.path().join("loadc")).unwrap();
    let sockets: Vec<_> = sockets.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(sockets.len(), 1);
    std::os::unix::net::UnixStream::connect(&sockets[0]).unwrap();
    steer(dir.path(), &["seek", "17s"]);
    go_on(&mut run, 100);
    run.kill();
    let mut run = start(dir.path(), &["--resume", "./j"]);
    go_on(&mut run, 50);
    run.kill();
    let (output, report) = ended(start(dir.path(), &["--resume", "./j"]));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_adds_up(&report);
    let counts = ["planned", "due", "acked"].map(|field| count(&report, field));
    assert_eq!([counts[1], counts[2]], [counts[0]; 2]);
    let planned = |stream: usize| report["streams"][stream]["jobs"]["planned"].as_u64().unwrap();
    assert_each_once(&server, "q", planned(0));
    assert_each_once(&server, "s", planned(1));
    // The last three seconds by the plan are 600 jobs, and two and a half times as many by now.
    assert!((1_500 + 500..4_000).contains(&planned(0)), "{}", planned(0));
    assert_no_cursor(&server);
    assert!(!dir.path().join("j").exists());
}

#[test]
fn what_a_killed_process_left_on_its_way_is_neither_lost_nor_doubled() {
    let server = RedisServer::start();
    let dir = folder(SCRIPT);
    let words = ["a.load", "--target", &server.url(), "--journal", "j"];
    let mut run = start(dir.path(), &words);
    run.has_sent(&server, "q", 300);
    // The server takes in what comes and does nothing with it before the process is dead.
    server.pause();
    std::thread::sleep(Duration::from_millis(200));
    run.kill();
    let run = start(dir.path(), &["--resume", "./j"]);
    std::thread::sleep(Duration::from_millis(200));
    server.resume();
    let (output, report) = ended(run);
    assert_whole(&server, &output, &report);
}

#[test]
fn a_killed_run_goes_on_over_a_bad_network() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port(), 9, 3);
    let dir = folder(SCRIPT);
    let mut run = start(dir.path(), &["a.load", "--target", &proxy.url(), "--journal", "j"]);
    for jobs in [300, 1500] {
        run.has_sent(&server, "q", jobs);
        run.kill();
        run = start(dir.path(), &["--resume", "./j", "--resume-at", "original"]);
    }
    let (output, report) = ended(run);
    assert_whole(&server, &output, &report);
}

#[test]
fn a_long_run_is_journaled_by_itself_and_goes_on_after_an_interrupt() {
    let server = RedisServer::start();
    let script = SCRIPT.replace("for 3s", "for 10m");
    let dir = folder(&script);
    let mut words = vec!["a.load".to_owned(), "--target".to_owned(), server.url()];
    for jobs in [300, 900, 1500] {
        let mut run = start(dir.path(), &words.iter().map(String::as_str).collect::<Vec<_>>());
        run.has_sent(&server, "q", jobs);
        run.interrupt();
        let (output, report) = ended(run);
        assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
        assert_adds_up(&report);
        let id = report["run_id"].as_str().unwrap();
        let told = stderr(&output);
        assert!(told.contains(&format!("loadc run --resume {id}")), "{told}");
        for (stream, queue) in ["q", "s"].into_iter().enumerate() {
            let acked = report["streams"][stream]["jobs"]["acked"].as_u64().unwrap();
            assert_each_once(&server, queue, acked);
        }
        words = vec!["--resume".to_owned(), id.to_owned()];
    }
}

#[test]
fn without_proof_what_was_in_flight_is_unknown_after_a_kill() {
    let server = RedisServer::start();
    let dir = folder(SCRIPT);
    let url = server.url();
    let words = ["a.load", "--target", &url, "--journal", "j", "--at-least-once"];
    let mut run = start(dir.path(), &words);
    run.has_sent(&server, "q", 300);
    server.pause();
    std::thread::sleep(Duration::from_millis(100));
    run.kill();
    server.resume();
    let (output, report) = ended(start(dir.path(), &["--resume", "./j"]));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_adds_up(&report);
    assert_eq!(count(&report, "acked") + count(&report, "unknown"), 4500);
    assert!(count(&report, "unknown") > 0);
    assert!(jobs_in(&server, "q") <= 3000);
}

#[test]
fn a_server_that_lost_its_data_meanwhile_has_forgotten() {
    let mut server = RedisServer::start();
    let dir = folder(SCRIPT);
    let mut run = start(dir.path(), &["a.load", "--target", &server.url(), "--journal", "j"]);
    run.has_sent(&server, "q", 300);
    run.kill();
    server.kill();
    server.restart();
    let (output, report) = ended(start(dir.path(), &["--resume", "./j"]));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_adds_up(&report);
    assert_eq!(report["forgotten"].as_array().unwrap().len(), 1);
    let forgotten = report["forgotten"][0]["acked_jobs"].as_u64().unwrap();
    let there = jobs_in(&server, "q") + server.ask::<u64>("XLEN s");
    assert_eq!(there, count(&report, "acked") - forgotten);
    assert_eq!(count(&report, "acked") + count(&report, "unknown"), 4500);
}

#[track_caller]
fn assert_refused(dir: &Path, words: &[&str], said: &str) {
    let (output, _) = ended(start(dir, words));
    assert_eq!(output.status.code(), Some(2), "{words:?}: {}", stderr(&output));
    assert!(stderr(&output).contains(said), "{words:?}: {}", stderr(&output));
}

#[test]
fn what_cannot_be_gone_on_with_is_said() {
    let server = RedisServer::start();
    let dir = folder(SCRIPT);
    let url = server.url();
    let mut run = start(dir.path(), &["a.load", "--target", &url, "--journal", "j"]);
    run.has_sent(&server, "q", 300);
    assert_refused(dir.path(), &["--resume", "./j"], "is still going on");
    let again = ["a.load", "--target", &url, "--journal", "j"];
    assert_refused(dir.path(), &again, "another run writes its journal");
    run.kill();
    assert_refused(dir.path(), &["--resume", "nothing"], "there is no journal of `nothing`");
    let bytes = std::fs::read(dir.path().join("j")).unwrap();
    let mut mangled = bytes.clone();
    mangled[40] ^= 1;
    std::fs::write(dir.path().join("k"), mangled).unwrap();
    assert_refused(dir.path(), &["--resume", "./k"], "can't be used: line 1");
    std::fs::write(dir.path().join("k"), b"").unwrap();
    assert_refused(dir.path(), &["--resume", "./k"], "can't be used: it ends before");
    // As after a power failure: batches arrived that the journal does not tell of.
    let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    let short = bytes[..last / 2].iter().rposition(|byte| *byte == b'\n').unwrap();
    std::fs::write(dir.path().join("k"), &bytes[..=short]).unwrap();
    assert_refused(dir.path(), &["--resume", "./k"], "lacks its end");
    std::fs::write(dir.path().join("a.load"), SCRIPT.replace("3s", "4s")).unwrap();
    assert_refused(dir.path(), &["--resume", "./j"], "is not the plan of that run any more");
    let unwritable = ["a.load", "--target", &url, "--journal", "no/such/folder/j"];
    assert_refused(dir.path(), &unwritable, "cannot write the journal");
}

/// Several queues in one batch, of which one comes to hold something else while the run goes on.
const PARTLY: &str = "
    load one { job a { queue \"q\"; body { n: seq() } }; constant 1000 for 3s }
    load two { job b { queue \"s\" as stream; body { n: seq() } }; constant 500 for 3s }
    load bad { job c { queue \"w\"; body { n: seq() } }; constant 700 for 3s }
    guard { errors <= 100% over 1s }";

/// Turns a list that jobs go to into something else; what is in it is kept under another name.
fn spoil(server: &RedisServer) {
    let mut both = redis::pipe();
    both.atomic().cmd("RENAME").arg("w").arg("t").ignore().cmd("SET").arg("w").arg("x").ignore();
    both.exec(&mut server.connection()).unwrap();
}

/// The run has seen that the queue refuses its jobs, and noted it.
fn has_noted(run: &mut Run, dir: &Path) {
    let journal = || std::fs::read_to_string(dir.join("j")).unwrap();
    run.wait_until(|| journal().lines().any(|line| line.ends_with("w \"w\"")));
}

fn of_stream(report: &Value, stream: usize) -> [u64; 5] {
    let jobs = &report["streams"][stream]["jobs"];
    ["planned", "acked", "failed", "unknown", "skipped"].map(|field| jobs[field].as_u64().unwrap())
}

#[test]
fn what_a_batch_was_refused_in_part_is_failed_after_a_kill_too() {
    for seed in 0..4_u64 {
        let server = RedisServer::start();
        let dir = folder(PARTLY);
        let mut run = start(dir.path(), &["a.load", "--target", &server.url(), "--journal", "j"]);
        run.has_sent(&server, "w", 100 + seed * 150);
        spoil(&server);
        has_noted(&mut run, dir.path());
        for kill in 0..3 {
            // Half of the times with batches under way that are run after the kill.
            let stalled = (seed + kill) % 2 == 0;
            if stalled {
                server.pause();
            }
            std::thread::sleep(Duration::from_millis(1 + (seed * 37 + kill * 91) % 120));
            run.kill();
            if stalled {
                server.resume();
            }
            run = start(dir.path(), &["--resume", "./j"]);
            let wanted = jobs_in(&server, "q") + 50;
            run.has_sent(&server, "q", wanted);
        }
        let (output, report) = ended(run);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_adds_up(&report);
        assert_each_once(&server, "q", 3000);
        assert_each_once(&server, "s", 1500);
        assert_eq!(of_stream(&report, 0), [3000, 3000, 0, 0, 0]);
        assert_eq!(of_stream(&report, 1), [1500, 1500, 0, 0, 0]);
        let there = jobs_in(&server, "t");
        assert_each_once(&server, "t", there);
        assert_eq!(of_stream(&report, 2), [2100, there, 2100 - there, 0, 0]);
        assert_no_cursor(&server);
    }
}

#[test]
fn what_nobody_can_tell_of_a_queue_that_was_put_right_is_unknown() {
    for (place, noted) in [true, false].into_iter().enumerate() {
        let server = RedisServer::start();
        let dir = folder(PARTLY);
        let url = server.url();
        let mut run = start(dir.path(), &["a.load", "--target", &url, "--journal", "j"]);
        run.has_sent(&server, "w", 200);
        if noted {
            spoil(&server);
            has_noted(&mut run, dir.path());
            server.pause();
        } else {
            // The first that are refused are run after the kill.
            let mut other = server.connection();
            server.pause();
            let mut both = redis::pipe();
            both.cmd("RENAME").arg("w").arg("t").ignore().cmd("SET").arg("w").arg("x").ignore();
            other.send_packed_command(&both.get_packed_pipeline()).unwrap();
        }
        std::thread::sleep(Duration::from_millis(100 + 50 * place as u64));
        run.kill();
        server.resume();
        server.ask::<String>("PING");
        if !noted {
            // What came to be wrong meanwhile keeps the run from going on, and stays known.
            let (output, _) = ended(start(dir.path(), &["--resume", "./j"]));
            assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
            assert!(stderr(&output).contains("`w` holds a string"), "{}", stderr(&output));
        }
        let _: u64 = server.ask("DEL w");
        let (output, report) = ended(start(dir.path(), &["--resume", "./j"]));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_adds_up(&report);
        assert_each_once(&server, "q", 3000);
        assert_each_once(&server, "s", 1500);
        let [planned, acked, failed, unknown, skipped] = of_stream(&report, 2);
        assert_eq!((planned, skipped), (2100, 0));
        let there = jobs_in(&server, "t") + jobs_in(&server, "w");
        assert!(acked <= there && there <= acked + unknown, "{acked} {unknown} {there}");
        assert!(unknown > 0 && acked + failed + unknown == 2100, "{report}");
        assert_eq!(failed > 0, noted);
    }
}

#[test]
fn jobs_that_were_discarded_with_refused_ones_go_again_over_kills_too() {
    for seed in 0..3_u64 {
        let server = RedisServer::start();
        let () = server.ask("ACL SETUSER worker on >secret ~* +@all");
        let url = server.url().replace("redis://", "redis://worker:secret@");
        let dir = folder(PARTLY);
        let mut run = start(dir.path(), &["a.load", "--target", &url, "--journal", "j"]);
        run.has_sent(&server, "w", 100 + seed * 100);
        // Entries are refused when they are queued: no transaction with one of them is run.
        let () = server.ask("ACL SETUSER worker -xadd");
        for kill in 0..2 {
            let wanted = jobs_in(&server, "q") + 200;
            run.has_sent(&server, "q", wanted);
            std::thread::sleep(Duration::from_millis((seed * 53 + kill * 29) % 60));
            run.kill();
            run = start(dir.path(), &["--resume", "./j", "--target", &url]);
        }
        let wanted = jobs_in(&server, "q") + 100;
        run.has_sent(&server, "q", wanted);
        let () = server.ask("ACL SETUSER worker +xadd");
        let (output, report) = ended(run);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_adds_up(&report);
        assert_each_once(&server, "q", 3000);
        assert_each_once(&server, "w", 2100);
        let [planned, acked, failed, unknown, _] = of_stream(&report, 1);
        assert_eq!((planned, unknown, acked + failed), (1500, 0, 1500));
        assert_eq!(server.ask::<u64>("XLEN s"), acked);
        assert!(failed > 0);
        assert_no_cursor(&server);
    }
}

const BEFORE: &str = "
    load gone { job x { queue \"g\"; body { n: seq() } }; constant 300 for 20s }
    load one { job a { queue \"q\"; body { n: seq() } }; constant 600 for 20s }
    load two { job b { queue \"s\" as stream; body { n: seq() } }; ramp 0->500 over 20s }";

/// Another order, other rates, another kind of job, a load more and one less.
const AFTER: &str = "
    load three { job d { queue \"r\"; body { n: seq() } }; constant 200 for 6s }
    load two { job c { queue \"s\" as stream; body { n: seq() } }; constant 333.3 for 5500ms }
    load one { job a { queue \"q\"; body { n: seq() } }; ramp 900->100 over 7s }";

const LAST: &str = "
    load one { job a { queue \"q\"; body { n: seq() } }; constant 1100 for 4s }
    load two { job c { queue \"s\" as stream; body { n: seq() } }; constant 100 for 3s }";

fn steer(dir: &Path, words: &[&str]) {
    let mut command = loadc();
    command.env("XDG_RUNTIME_DIR", dir).args(["ctl", "a"]).args(words);
    // A run that was taken up may not listen yet.
    let mut told = String::new();
    for _ in 0..200 {
        let output = command.output().unwrap();
        if output.status.code() == Some(0) {
            return;
        }
        told = stderr(&output);
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{words:?} is refused: {told}");
}

/// The journal's first line.
fn head(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("j")).unwrap().lines().next().unwrap_or_default().to_owned()
}

/// Gives a run another script, and waits until it follows that.
fn reload(run: &mut Run, dir: &Path, script: &str) {
    let before = head(dir);
    std::fs::write(dir.join("a.load"), script).unwrap();
    steer(dir, &["reload"]);
    run.wait_until(|| head(dir) != before);
}

#[test]
fn a_run_that_was_reloaded_goes_on_with_its_new_script() {
    let server = RedisServer::start();
    let dir = folder(BEFORE);
    let dir = dir.path();
    let url = server.url();
    let mut run =
        start(dir, &["a.load", "--target", &url, "--journal", "j", "--splice", "restart"]);
    let go_on = |run: &mut Run, more: u64| {
        let wanted = jobs_in(&server, "q") + more;
        run.has_sent(&server, "q", wanted);
    };
    let again = |run: Run, stalled: bool| {
        if stalled {
            // What is under way is run after the kill.
            server.pause();
            std::thread::sleep(Duration::from_millis(60));
        }
        run.kill();
        if stalled {
            server.resume();
        }
        start(dir, &["--resume", "./j", "--splice", "restart"])
    };
    go_on(&mut run, 200);
    let mut run = again(run, false);
    go_on(&mut run, 100);
    steer(dir, &["scale", "x1.5"]);
    go_on(&mut run, 100);
    reload(&mut run, dir, AFTER);
    // At once, and then well after it.
    let run = again(run, true);
    let mut run = again(run, false);
    go_on(&mut run, 300);
    steer(dir, &["seek", "2s"]);
    go_on(&mut run, 200);
    let mut run = again(run, true);
    go_on(&mut run, 100);
    let left = jobs_in(&server, "g");
    reload(&mut run, dir, LAST);
    go_on(&mut run, 100);
    let mut run = again(run, false);
    go_on(&mut run, 300);
    let (output, report) = ended(again(run, true));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_adds_up(&report);
    assert_eq!([count(&report, "failed"), count(&report, "unknown")], [0, 0]);
    let streams = report["streams"].as_array().unwrap();
    let names: Vec<&str> = streams.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    for (name, queue) in [("one", "q"), ("two", "s"), ("three", "r"), ("gone", "g")] {
        let place = names.iter().position(|known| *known == name).unwrap();
        let [planned, acked, _, _, skipped] = of_stream(&report, place);
        assert_eq!(acked + skipped, planned, "{name}");
        let by_job = streams[place]["by_job"].as_array().unwrap();
        let of_kinds: u64 = by_job.iter().map(|kind| kind["acked"].as_u64().unwrap()).sum();
        assert_eq!(of_kinds, acked, "{name}");
        if ["one", "two"].contains(&name) {
            assert_eq!(skipped, 0, "{name}");
            assert_each_once(&server, queue, planned);
        } else {
            let there: Vec<String> = server.ask(&format!("LRANGE {queue} 0 -1"));
            let apart: std::collections::BTreeSet<&String> = there.iter().collect();
            assert_eq!((apart.len(), there.len() as u64), (there.len(), acked), "{name}");
        }
    }
    assert_eq!(jobs_in(&server, "g"), left, "a load that is gone sends no more");
    // 1,100 a second and a half more, for four seconds.
    let one = of_stream(&report, names.iter().position(|name| *name == "one").unwrap());
    assert!(one[0] > 6_600 && jobs_in(&server, "r") > 0, "{one:?}");
    assert_no_cursor(&server);
    assert!(!dir.join("j").exists());
}

#[test]
fn a_script_that_changed_after_a_reload_is_refused() {
    let server = RedisServer::start();
    let dir = folder(BEFORE);
    let dir = dir.path();
    let mut run = start(dir, &["a.load", "--target", &server.url(), "--journal", "j"]);
    run.has_sent(&server, "q", 100);
    reload(&mut run, dir, AFTER);
    run.kill();
    for script in [BEFORE, LAST] {
        std::fs::write(dir.join("a.load"), script).unwrap();
        assert_refused(dir, &["--resume", "./j"], "what it was when the run read it last");
    }
    std::fs::write(dir.join("a.load"), AFTER).unwrap();
    let (output, report) = ended(start(dir, &["--resume", "./j"]));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_adds_up(&report);
}
