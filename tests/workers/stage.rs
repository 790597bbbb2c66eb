//! One framework tried: its jobs written by loadc, run by its own worker, compared with what that
//! worker wrote down.

use crate::frameworks::{Framework, node};
use crate::install::Missing;
use crate::redis_server::RedisServer;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Jobs of the main part.
const JOBS: u64 = 1_000;
/// Jobs sent a second time with the same seed.
const AGAIN: u64 = 100;
/// Jobs put off, and by how much at least.
const LATER: u64 = 20;
const DELAY_MS: f64 = 1_500.0;
/// Jobs that fail, and how often each is begun.
const FAILING: u64 = 3;
const TRIES: u64 = 3;
/// Jobs of each priority.
const RANKED: u64 = 10;
/// After so long without a new line a worker counts as stuck: far longer than any of them takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was wrong, or why it could not be tried.
pub enum Trouble {
    Missing(Missing),
    Wrong(String),
}

impl From<String> for Trouble {
    fn from(text: String) -> Trouble {
        Trouble::Wrong(text)
    }
}

/// A line of the worker's record.
#[derive(Debug)]
pub struct Line {
    kind: String,
    n: u64,
    at_ms: f64,
    due_ms: f64,
    whole: Value,
}

struct Stage<'a> {
    framework: &'a Framework,
    server: RedisServer,
    folder: tempfile::TempDir,
}

/// A worker, ended with all of its processes.
struct Worker(Child);

impl Worker {
    fn signal(&self, signal: Signal) {
        if let Some(group) = Pid::from_raw(self.0.id().cast_signed()) {
            _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        _ = self.0.wait();
    }
}

/// Tries a framework.
pub fn play(framework: &Framework) -> Result<String, Trouble> {
    // Whether it is there is asked before anything is started.
    (framework.worker)(framework).map_err(Trouble::Missing)?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let stage = Stage { framework, server: RedisServer::start(), folder };
    let outcome = stage.play();
    if outcome.is_err() {
        let said = std::fs::read_to_string(stage.log()).unwrap_or_default();
        let lines: Vec<_> = said.lines().collect();
        let from = lines.len().saturating_sub(15);
        eprintln!("--- the worker of {} said:\n{}", framework.name, lines[from..].join("\n"));
    }
    outcome
}

impl Stage<'_> {
    fn log(&self) -> PathBuf {
        self.folder.path().join("worker.log")
    }

    fn record(&self) -> PathBuf {
        self.folder.path().join("record")
    }

    fn start(&self) -> Result<Worker, Trouble> {
        let mut command = (self.framework.worker)(self.framework).map_err(Trouble::Missing)?;
        let log = std::fs::File::options().create(true).append(true).open(self.log());
        let log = log.map_err(|error| error.to_string())?;
        let errors = log.try_clone().map_err(|error| error.to_string())?;
        command.env("REDIS_URL", self.server.url()).env("RECORD", self.record());
        command.env("RQ_REDIS_URL", self.server.url());
        command.stdin(Stdio::null()).stdout(log).stderr(errors).process_group(0);
        let child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        Ok(Worker(child))
    }

    /// A load of the script: so many jobs of a kind, with what else the job says.
    fn load(&self, kind: &str, jobs: u64, shape: &str, more: &str) -> String {
        let Framework { format, call, .. } = self.framework;
        let text = "\"say \\\"é\\\" {seq()}\"";
        let thing = "{ a: [1, null, true, -70000000000], f: 0.5, nested: { s: \"x\" } }";
        let carried = if *call {
            format!("args [\"{kind}\", seq(), {text}, {thing}, now()]")
        } else {
            format!(
                "body {{ kind: \"{kind}\", n: seq(), text: {text}, thing: {thing}, due: now() }}"
            )
        };
        let job = format!("job {kind} {{ queue \"work\" {format}; {more}\n{carried} }}");
        let shape = shape.replace("JOBS", &jobs.to_string());
        format!("load {kind} {{\n{job}\n{shape}\n}}\n")
    }

    /// Runs a script with loadc; returns its report.
    fn send(&self, script: &str, jobs: u64) -> Result<Value, Trouble> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadc"));
        command.args(["run", "-", "--json", "--target", &self.server.url()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(script.as_bytes()).map_err(|error| error.to_string())?;
        }
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if report["jobs"]["acked"] != jobs {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("loadc did not send {jobs} jobs: {said}\n{script}").into());
        }
        Ok(report)
    }

    fn lines(&self) -> Vec<Line> {
        let text = std::fs::read_to_string(self.record()).unwrap_or_default();
        // The last line may be half written.
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        whole.filter_map(|line| Line::read(line)).collect()
    }

    /// Waits until the worker has written so many lines.
    fn wait_for(&self, lines: u64) -> Result<Vec<Line>, Trouble> {
        let (mut seen, mut since) = (0, Instant::now());
        loop {
            let found = self.lines();
            if found.len() as u64 >= lines {
                return Ok(found);
            }
            if found.len() > seen {
                (seen, since) = (found.len(), Instant::now());
            }
            if since.elapsed() > PATIENCE {
                return Err(format!("the worker ran {seen} of {lines} jobs and no more").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn play(&self) -> Result<String, Trouble> {
        let mut told = Vec::new();
        let mut expected = 0;
        if !self.framework.listens {
            expected += self.stand(&mut told)?;
        }
        let worker = self.start()?;
        if self.framework.listens {
            self.listener()?;
        }
        self.wait_for(expected)?;
        self.ranks(&mut told)?;
        expected += self.main_part(&worker)?;
        let lines = self.wait_for(expected)?;
        // Whatever runs twice does so soon.
        std::thread::sleep(Duration::from_millis(500));
        let lines = if self.lines().len() > lines.len() { self.lines() } else { lines };
        drop(worker);
        self.judge(&lines, &mut told)?;
        Ok(told.join(", "))
    }

    /// With no worker: what is sent stands in the queue, and loadc says how much it is.
    fn stand(&self, told: &mut Vec<String>) -> Result<u64, Trouble> {
        let shape = "send JOBS at once";
        let script = match self.framework.priority {
            Some((soon, late)) => {
                let rank =
                    |kind, number| self.load(kind, RANKED, shape, &format!("priority {number}"));
                // The late ones first.
                format!(
                    "{}{}",
                    rank("late", late),
                    rank("soon", soon).replacen('{', "{ after 50ms", 1)
                )
            }
            None => self.load("late", 2 * RANKED, shape, ""),
        };
        let report = self.send(&script, 2 * RANKED)?;
        let depth = &report["streams"][0]["queues"][0]["depth_end"];
        if self.framework.depth && *depth != 2 * RANKED {
            return Err(format!("{} jobs wait, and loadc says {depth}", 2 * RANKED).into());
        }
        told.push("depth".to_owned());
        Ok(2 * RANKED)
    }

    /// Waits until somebody listens.
    fn listener(&self) -> Result<(), Trouble> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            let mut connection = self.server.connection();
            let count = redis::cmd("PUBSUB").arg("NUMSUB").arg("work").query(&mut connection);
            if let Ok((_, 1..)) = count.map(|pair: (String, u64)| pair) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err("nobody listens".to_owned().into())
    }

    fn ranks(&self, told: &mut Vec<String>) -> Result<(), Trouble> {
        if self.framework.priority.is_none() {
            return Ok(());
        }
        let kinds: Vec<_> = self.lines().into_iter().map(|line| line.kind).collect();
        let half = RANKED as usize;
        if kinds[..half].iter().any(|kind| kind != "soon") {
            return Err(format!("the sooner ones did not come first: {kinds:?}").into());
        }
        told.push("priority".to_owned());
        Ok(())
    }

    /// A thousand jobs while the worker works and is halted for a while, then some of them again.
    fn main_part(&self, worker: &Worker) -> Result<u64, Trouble> {
        let mut script = self.load("plain", JOBS, "constant 500 for 2s", "");
        let (mut jobs, mut lines) = (JOBS, JOBS + AGAIN);
        if self.framework.delay {
            let delay = format!("delay {DELAY_MS}ms..2500ms");
            script += &self.load("later", LATER, "constant 20 for 1s", &delay);
            (jobs, lines) = (jobs + LATER, lines + LATER);
        }
        if let Some(retry) = self.framework.retry {
            script += &self.load("fail", FAILING, "constant 3 for 1s", retry);
            (jobs, lines) = (jobs + FAILING, lines + FAILING * TRIES);
        }
        let sent = std::thread::scope(|scope| {
            let sending = scope.spawn(|| self.send(&script, jobs));
            std::thread::sleep(Duration::from_millis(700));
            let halted = self.halt(worker);
            let sent = sending.join().unwrap_or_else(|_| Err("a panic".to_owned().into()));
            halted.and(sent)
        });
        sent?;
        self.send(&self.load("plain", AGAIN, "send JOBS at once", ""), AGAIN)?;
        Ok(lines)
    }

    /// Halts the queue by the framework's own means where there are some, else the worker.
    fn halt(&self, worker: &Worker) -> Result<(), Trouble> {
        let pause = Duration::from_millis(500);
        let name = self.framework.name;
        if !name.starts_with("bull") {
            if !self.framework.listens {
                worker.signal(Signal::STOP);
                std::thread::sleep(pause);
                worker.signal(Signal::CONT);
            }
            return Ok(());
        }
        for order in ["pause", "resume"] {
            let mut command = node(&[name, order]).map_err(Trouble::Missing)?;
            let ended = command.env("REDIS_URL", self.server.url()).stdout(Stdio::null()).status();
            if !ended.is_ok_and(|status| status.success()) {
                return Err(format!("could not {order} the queue").into());
            }
            std::thread::sleep(pause);
        }
        Ok(())
    }

    fn judge(&self, lines: &[Line], told: &mut Vec<String>) -> Result<(), Trouble> {
        let mut runs: BTreeMap<(&str, u64), u64> = BTreeMap::new();
        for line in lines {
            *runs.entry((line.kind.as_str(), line.n)).or_default() += 1;
            line.is_whole()?;
            if line.kind == "later" && line.at_ms < line.due_ms + DELAY_MS - 1.0 {
                return Err(format!("a delayed job ran early: {}", line.whole).into());
            }
        }
        let mut wanted: BTreeMap<(&str, u64), u64> = BTreeMap::new();
        (1..=JOBS).for_each(|n| _ = wanted.insert(("plain", n), 1 + u64::from(n <= AGAIN)));
        if self.framework.delay {
            (1..=LATER).for_each(|n| _ = wanted.insert(("later", n), 1));
            told.push("delay".to_owned());
        }
        if self.framework.retry.is_some() {
            (1..=FAILING).for_each(|n| _ = wanted.insert(("fail", n), TRIES));
            told.push("retry".to_owned());
        }
        match (self.framework.priority, self.framework.listens) {
            (_, true) => {}
            (Some(_), _) => (1..=RANKED).for_each(|n| {
                wanted.insert(("late", n), 1);
                wanted.insert(("soon", n), 1);
            }),
            (None, _) => (1..=2 * RANKED).for_each(|n| _ = wanted.insert(("late", n), 1)),
        }
        let all = wanted.keys().chain(runs.keys());
        let odd: Vec<_> = all.filter(|key| wanted.get(*key) != runs.get(*key)).collect();
        match odd.first() {
            None => Ok(()),
            Some(key) => Err(format!(
                "{} jobs did not run as often as they should: {key:?} ran {} times, not {}",
                odd.len(),
                runs.get(*key).unwrap_or(&0),
                wanted.get(*key).unwrap_or(&0)
            )
            .into()),
        }
    }
}

impl Line {
    fn read(text: &str) -> Option<Line> {
        let whole: Value = serde_json::from_str(text).ok()?;
        let due: jiff::Timestamp = whole["due"].as_str()?.parse().ok()?;
        Some(Line {
            kind: whole["kind"].as_str()?.to_owned(),
            n: whole["n"].as_u64()?,
            at_ms: whole["at_ms"].as_f64()?,
            due_ms: due.as_millisecond() as f64,
            whole,
        })
    }

    /// Whether it has its arguments as they were written.
    fn is_whole(&self) -> Result<(), String> {
        let text = format!("say \"é\" {}", self.n);
        let thing = serde_json::json!({
            "a": [1, null, true, -70_000_000_000_i64], "f": 0.5, "nested": { "s": "x" }
        });
        if self.whole["text"] == text && self.whole["thing"] == thing {
            return Ok(());
        }
        Err(format!("a job has lost its arguments: {}", self.whole))
    }
}
