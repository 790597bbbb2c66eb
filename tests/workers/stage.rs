//! A server, a worker and loadc, for one framework.

use crate::frameworks::Framework;
use crate::install::Missing;
use crate::record::Record;
use crate::redis_server::RedisServer;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// After so long without anything new a worker counts as stuck: far longer than any of them takes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What was wrong, or why it could not be tried.
#[derive(Debug)]
pub enum Trouble {
    Missing(Missing),
    Wrong(String),
}

impl From<String> for Trouble {
    fn from(text: String) -> Trouble {
        Trouble::Wrong(text)
    }
}

/// A worker, ended with all of its processes.
pub struct Worker(pub Child);

impl Worker {
    pub fn signal(&self, signal: Signal) {
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

/// A run of loadc, ended if nobody waits for its end.
pub struct Run(Option<Child>);

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            _ = child.kill();
            _ = child.wait();
        }
    }
}

impl Run {
    /// Its report, once it has ended.
    pub fn report(mut self) -> Result<Value, Trouble> {
        let child = self.0.take().ok_or_else(|| "it has ended".to_owned())?;
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        serde_json::from_slice(&output.stdout).map_err(|_| {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("loadc made no report: {said}").into()
        })
    }
}

pub struct Stage {
    pub framework: &'static Framework,
    pub server: RedisServer,
    folder: tempfile::TempDir,
}

impl Stage {
    pub fn new(framework: &'static Framework) -> Result<Stage, Trouble> {
        // Whether it is there is asked before anything is started.
        (framework.worker)(framework).map_err(Trouble::Missing)?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        Ok(Stage { framework, server: RedisServer::start(), folder })
    }

    /// The last lines that the worker said.
    pub fn said(&self) -> String {
        let said = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = said.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("worker.log")
    }

    /// A file that ends a run once it is there.
    pub fn stop_file(&self) -> PathBuf {
        self.folder.path().join("stop")
    }

    pub fn record(&self) -> Record {
        Record::read(&self.folder.path().join("record"))
    }

    pub fn start_worker(&self) -> Result<Worker, Trouble> {
        let mut command = (self.framework.worker)(self.framework).map_err(Trouble::Missing)?;
        let log = std::fs::File::options().create(true).append(true).open(self.log());
        let log = log.map_err(|error| error.to_string())?;
        let errors = log.try_clone().map_err(|error| error.to_string())?;
        command
            .env("REDIS_URL", self.server.url())
            .env("RECORD", self.folder.path().join("record"));
        command.env("RQ_REDIS_URL", self.server.url());
        command.stdin(Stdio::null()).stdout(log).stderr(errors).process_group(0);
        let child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        Ok(Worker(child))
    }

    /// A load of the script: so many jobs of a kind, with what else the format and the job say.
    pub fn load(&self, kind: &str, jobs: u64, shape: &str, options: &str, more: &str) -> String {
        let Framework { format, call, kwargs, .. } = self.framework;
        let text = "\"say \\\"é\\\" {seq()}\"";
        let thing = "{ a: [1, null, true, -70000000000], f: 0.5, nested: { s: \"x\" } }";
        let mut carried = if *call {
            format!("args [\"{kind}\", seq(), {text}, {thing}, now()]")
        } else {
            format!(
                "body {{ kind: \"{kind}\", n: seq(), text: {text}, thing: {thing}, due: now() }}"
            )
        };
        if *kwargs {
            carried += "\nkwargs { lang: \"en\", m: seq() }";
        }
        let job = format!("job {kind} {{ queue \"work\" {format} {options}; {more}\n{carried} }}");
        let shape = shape.replace("JOBS", &jobs.to_string());
        format!("load {kind} {{\n{job}\n{shape}\n}}\n")
    }

    /// Starts loadc with a script.
    pub fn begin(&self, script: &str) -> Result<Run, Trouble> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadc"));
        command.args(["run", "-", "--json", "--target", &self.server.url()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(script.as_bytes()).map_err(|error| error.to_string())?;
        }
        Ok(Run(Some(child)))
    }

    /// Runs a script with loadc; returns its report.
    pub fn send(&self, script: &str, jobs: u64) -> Result<Value, Trouble> {
        let report = self.begin(script)?.report()?;
        if report["jobs"]["acked"] != jobs {
            return Err(format!("loadc did not send {jobs} jobs: {report}\n{script}").into());
        }
        Ok(report)
    }

    /// Waits until something is so; what grows meanwhile is progress.
    pub fn until(
        &self,
        what: &str,
        mut progress: impl FnMut() -> Result<Option<u64>, Trouble>,
    ) -> Result<(), Trouble> {
        let (mut seen, mut since) = (0, Instant::now());
        while let Some(now) = progress()? {
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
            if since.elapsed() > PATIENCE {
                return Err(format!("waited for {what}, and had {seen} and no more").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Waits until the worker has written so many lines of jobs.
    pub fn lines(&self, wanted: u64) -> Result<(), Trouble> {
        self.until(&format!("{wanted} lines of the worker's"), || {
            let lines = self.record().lines.len() as u64;
            Ok((lines < wanted).then_some(lines))
        })
    }

    /// Waits until nothing is left in the queue, as loadc sees it.
    pub fn settle(&self) -> Result<(), Trouble> {
        let script = self.load("none", 1, "pause 10ms", "", "");
        self.until("an empty queue", || {
            let report = self.send(&script, 0)?;
            let depth = report["streams"][0]["queues"][0]["depth_end"].as_u64();
            Ok(depth.filter(|depth| *depth > 0))
        })
    }
}
