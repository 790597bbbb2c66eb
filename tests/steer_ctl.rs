//! A run seen and steered from outside: the control socket, signals, and its script read again.

use crate::cli_run::{assert_adds_up, count, loadc, stderr};
use crate::redis_server::RedisServer;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// A run under way, in a folder of its own.
struct Running {
    folder: tempfile::TempDir,
    child: Option<Child>,
    server: RedisServer,
}

impl Running {
    fn start(script: &str, flags: &[&str]) -> Running {
        let (folder, server) = (tempfile::tempdir().unwrap(), RedisServer::start());
        let mut running = Running { folder, child: None, server };
        fs::write(running.script(), script).unwrap();
        let mut command = running.command();
        command.args(["run", running.script().to_str().unwrap(), "--json"]);
        command.args(["--target", &running.server.url()]).args(flags);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        running.child = Some(child);
        running.until("it has begun", |status| status["jobs"]["sent"].as_u64() > Some(0));
        running
    }

    fn script(&self) -> PathBuf {
        self.folder.path().join("day.load")
    }

    fn command(&self) -> Command {
        let mut command = loadc();
        command.env("XDG_RUNTIME_DIR", self.folder.path());
        command
    }

    fn ctl(&self, words: &[&str]) -> Output {
        self.command().args(["ctl", "day"]).args(words).output().unwrap()
    }

    fn did(&self, words: &[&str]) {
        let output = self.ctl(words);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", stderr(&output));
    }

    fn status(&self) -> Value {
        serde_json::from_slice(&self.ctl(&["status", "--json"]).stdout).unwrap_or(Value::Null)
    }

    /// Asks until something holds, however long that takes.
    fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..1_200 {
            let status = self.status();
            if holds(&status) {
                return status;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{what}: {}", self.status());
    }

    fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    fn end(&mut self) -> (Output, Value) {
        let output = self.child.take().unwrap().wait_with_output().unwrap();
        let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output, report)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

const STEADY: &str = "job a { queue \"q\"; body { n: seq() } }\nconstant 200 for 10m as \"steady\"";

#[test]
fn a_run_is_listed_paused_scaled_moved_and_stopped() {
    let mut run = Running::start(STEADY, &[]);
    let list = run.command().args(["ps", "--json"]).output().unwrap();
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    // Runs that others started on this machine may be in the list, too.
    let own = run.script().display().to_string();
    let own: Vec<&Value> =
        list.as_array().unwrap().iter().filter(|listed| listed["file"] == *own).collect();
    let [own] = &own[..] else { panic!("{list}") };
    assert_eq!(own["state"], "running");
    let shown = String::from_utf8(run.ctl(&["status"]).stdout).unwrap();
    assert!(shown.contains("line 2, ") && shown.contains("constant 200 for 10m"), "{shown}");

    run.did(&["pause"]);
    run.until("it stands still", |status| status["state"] == "paused");
    run.did(&["resume"]);
    run.until("it goes on", |status| status["state"] == "running");
    run.did(&["scale", "x2.5"]);
    let status = run.status();
    assert_eq!((&status["scale"], &status["target_per_s"]), (&2.5.into(), &500.0.into()));
    let refused = run.ctl(&["scale", "x100000"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("up to x1000"), "{}", stderr(&refused));
    run.did(&["seek", "0:05"]);
    let place =
        run.until("it is there", |status| status["places"][0]["plan_s"].as_f64() >= Some(300.0));
    assert_eq!(place["places"][0]["label"], "steady");
    let history = run.ctl(&["history", "--last", "5m", "--json"]);
    let history: Value = serde_json::from_slice(&history.stdout).unwrap();
    assert!(history.as_array().unwrap().iter().any(|point| point["sent"].as_u64() > Some(0)));
    run.did(&["stop"]);
    let (output, report) = run.end();
    assert_eq!((output.status.code(), &report["outcome"]), (Some(130), &"stopped".into()));
    assert_adds_up(&report);
}

#[test]
fn signals_pause_resume_and_reload() {
    let mut run = Running::start(STEADY, &[]);
    run.signal("-USR1");
    run.until("it stands still", |status| status["state"] == "paused");
    run.signal("-USR2");
    run.until("it goes on", |status| status["state"] == "running");
    fs::write(run.script(), STEADY.replace("200", "300")).unwrap();
    run.signal("-HUP");
    let status = run.until("it was read again", |status| status["reloads"] == 1);
    assert_eq!(status["target_per_s"], 300.0);
    run.signal("-INT");
    let (output, report) = run.end();
    assert_eq!((output.status.code(), &report["outcome"]), (Some(130), &"interrupted".into()));
    assert_eq!(report["reloads"][0]["splice"], "elapsed");
    assert!(stderr(&output).contains("~ constant 200 for 10m"), "{}", stderr(&output));
}

#[test]
fn a_script_that_is_saved_is_spliced_in_and_a_broken_one_is_not() {
    // Saves of the same length, until the last, by which it is over.
    let script = |rate: u64| {
        format!(
            "use \"lib.load\"\njob a {{ queue \"q\"; body {{ n: seq() }} }}\nconstant {rate} for length"
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let lib = folder.path().join("lib.load");
    fs::write(&lib, "let length = 10m").unwrap();
    let mut run = {
        let (folder, server) = (folder, RedisServer::start());
        let mut running = Running { folder, child: None, server };
        fs::write(running.script(), script(100)).unwrap();
        let mut command = running.command();
        command.args(["run", running.script().to_str().unwrap(), "--json", "--watch"]);
        command.args(["--target", &running.server.url()]);
        running.child =
            Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        running.until("it has begun", |status| status["jobs"]["sent"].as_u64() > Some(0));
        running
    };
    // As editors do: another file in its place.
    let (new, script_path) = (run.folder.path().join(".new"), run.script());
    let replace = |text: String| {
        fs::write(&new, text).unwrap();
        fs::rename(&new, &script_path).unwrap();
    };
    replace(script(300));
    run.until("it was read", |status| status["reloads"] == 1);
    replace("constant 300 for".to_owned());
    std::thread::sleep(Duration::from_millis(300));
    // What the target would refuse is not taken: there is a key of another type.
    let mut other = run.server.connection();
    redis::Commands::set::<_, _, ()>(&mut other, "taken", "text").unwrap();
    replace(script(200).replace("\"q\"", "\"taken\""));
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(run.status()["reloads"], 1);
    replace(script(200));
    run.until("the next was read", |status| status["reloads"] == 2);
    fs::write(&lib, "let length = 100ms").unwrap();
    let mut redis = run.server.connection();
    let (output, report) = run.end();
    assert_eq!((output.status.code(), &report["outcome"]), (Some(0), &"done".into()));
    assert!(stderr(&output).contains("not reloaded"), "{}", stderr(&output));
    let sent = count(&report, "sent");
    assert_eq!((sent, count(&report, "acked")), (count(&report, "planned"), sent));
    assert_eq!(report["reloads"].as_array().unwrap().len(), 3);
    // By the instants of the seams, what was in force comes to just that.
    let seams: Vec<f64> =
        report["reloads"].as_array().unwrap().iter().map(|r| r["at_s"].as_f64().unwrap()).collect();
    let integral = 100.0 * seams[0] + 300.0 * (seams[1] - seams[0]) + 200.0 * (seams[2] - seams[1]);
    assert!((sent as f64 - integral).abs() <= 0.501, "{sent} and {integral}");
    let jobs: Vec<String> = redis::Commands::lrange(&mut redis, "q", 0, -1).unwrap();
    let mut numbers: Vec<u64> = jobs
        .iter()
        .map(|job| serde_json::from_str::<Value>(job).unwrap()["n"].as_u64().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=sent).collect::<Vec<_>>());
}

#[test]
fn a_stale_socket_is_tidied_up_and_no_run_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let sockets = folder.path().join("loadc");
    fs::create_dir(&sockets).unwrap();
    let stale = sockets.join("20261121-000000-0.sock");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    let with = |words: &[&str]| {
        loadc()
            .env("XDG_RUNTIME_DIR", folder.path())
            .env("TMPDIR", folder.path())
            .args(words)
            .output()
            .unwrap()
    };
    let listed = with(&["ps", "--json"]);
    assert_eq!((listed.status.code(), listed.stdout.as_slice()), (Some(0), &b"[]\n"[..]));
    assert!(!stale.exists());
    let missed = with(&["ctl", "day", "pause"]);
    assert_eq!(missed.status.code(), Some(2));
    assert!(stderr(&missed).contains("no run `day`"), "{}", stderr(&missed));
}

#[test]
fn a_run_that_can_have_no_socket_goes_on() {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let script = folder.path().join("day.load");
    fs::write(&script, "constant 100 for 1s").unwrap();
    let output = loadc()
        .env("XDG_RUNTIME_DIR", &file)
        .env("TMPDIR", &file)
        .args(["run", script.to_str().unwrap(), "--target", &server.url()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("`loadc ctl` can't steer this run"), "{}", stderr(&output));
}
