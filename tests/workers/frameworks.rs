//! Each framework: how a job for it is written, and how its worker is started.

use crate::install::{self, Missing, here};
use std::path::Path;
use std::process::Command;

/// A framework and its worker.
#[derive(Clone, Copy)]
pub struct Framework {
    /// Its name in this suite.
    pub name: &'static str,
    /// What stands behind `queue "work"`.
    pub format: &'static str,
    /// Whether jobs are calls with arguments.
    pub call: bool,
    /// Whether jobs can be put off.
    pub delay: bool,
    /// A priority that is sooner, and one that is later.
    pub priority: Option<(u32, u32)>,
    /// What makes a failing job be tried twice more, soon.
    pub retry: Option<&'static str>,
    /// Whether nobody may be late: what is sent while no worker listens is gone.
    pub listens: bool,
    /// Whether the depth is known.
    pub depth: bool,
    /// Starts the worker.
    pub worker: fn(&Framework) -> Result<Command, Missing>,
}

const PLAIN: Framework = Framework {
    name: "",
    format: "",
    call: false,
    delay: false,
    priority: None,
    retry: None,
    listens: false,
    depth: true,
    worker: |framework| python("python", &["plain.py", framework.name]),
};

fn python(program: &str, args: &[&str]) -> Result<Command, Missing> {
    // arq wants another version of the client than all others.
    let list = if program == "arq" { "arq.txt" } else { "requirements.txt" };
    let bin = install::python(list)?;
    let folder = here().join("python");
    let mut command = Command::new(bin.join(program));
    command.args(args).current_dir(&folder).env("PYTHONPATH", &folder);
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
    Ok(command)
}

/// The program of the Node frameworks, which may be told to do something else than work.
pub fn node(args: &[&str]) -> Result<Command, Missing> {
    let home = install::node()?;
    let program = here().join("node/worker.js");
    let mut command = Command::new("node");
    // Modules are looked for where the program lies, so it goes to where they are.
    let copy = home.join("worker.js");
    let newer = |a: &Path, b: &Path| std::fs::read(a).ok() != std::fs::read(b).ok();
    if newer(&program, &copy) {
        std::fs::copy(&program, &copy).map_err(|error| error.to_string())?;
    }
    command.arg(copy).args(args).current_dir(&home);
    Ok(command)
}

fn sidekiq(_: &Framework) -> Result<Command, Missing> {
    install::system("sidekiq", "Debian's ruby-sidekiq")?;
    let mut command = Command::new("sidekiq");
    let folder = here().join("ruby");
    command.args(["-r", "./sidekiq_app.rb", "-q", "work", "-c", "4"]).current_dir(folder);
    Ok(command)
}

fn taskiq(framework: &Framework) -> Result<Command, Missing> {
    let mut command = python("taskiq", &["worker", "taskiq_app:broker", "-w", "1"])?;
    if framework.format.contains(" stream ") {
        command.env("STREAM", "1");
    }
    Ok(command)
}

/// Everything that is tried.
pub const FRAMEWORKS: &[Framework] = &[
    Framework { name: "list", format: "as list", ..PLAIN },
    Framework { name: "right", format: "as list right", ..PLAIN },
    Framework { name: "stream", format: "as stream group \"workers\"", ..PLAIN },
    Framework { name: "delayed", format: "as delayed", delay: true, ..PLAIN },
    Framework { name: "pubsub", format: "as pubsub", listens: true, depth: false, ..PLAIN },
    Framework {
        name: "custom",
        format: "as custom; command \"HSET\" \"job:{id}\" \"data\" body; command \"LPUSH\" key \"job:{id}\"",
        depth: false,
        worker: |_| python("python", &["custom.py"]),
        ..PLAIN
    },
    Framework {
        name: "sidekiq",
        format: "as sidekiq class \"Recorder\" version 6",
        call: true,
        delay: true,
        worker: sidekiq,
        ..PLAIN
    },
    Framework {
        name: "sidekiq-activejob",
        format: "as sidekiq class \"Recorder\" activejob version 6",
        call: true,
        worker: sidekiq,
        ..PLAIN
    },
    Framework {
        name: "bullmq5",
        format: "as bullmq",
        delay: true,
        priority: Some((1, 9)),
        retry: Some("retry 2"),
        worker: |_| node(&["bullmq5"]),
        ..PLAIN
    },
    Framework {
        name: "bullmq6",
        format: "as bullmq",
        delay: true,
        priority: Some((1, 9)),
        retry: Some("retry 2"),
        worker: |_| node(&["bullmq6"]),
        ..PLAIN
    },
    Framework {
        name: "bull",
        format: "as bull",
        delay: true,
        retry: Some("retry 2"),
        worker: |_| node(&["bull"]),
        ..PLAIN
    },
    Framework {
        name: "celery",
        format: "as celery task \"jobs.record\"",
        call: true,
        delay: true,
        priority: Some((0, 9)),
        worker: |_| {
            let quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"];
            let mut command = python("celery", &["-A", "celery_app", "worker", "-P", "solo"])?;
            command.args(["-Q", "work"]).args(quiet);
            Ok(command)
        },
        ..PLAIN
    },
    Framework {
        name: "rq",
        format: "as rq function \"rq_jobs.record\"",
        call: true,
        delay: true,
        retry: Some("retry 2"),
        worker: |_| {
            python("rq", &["worker", "-w", "rq.SimpleWorker", "--with-scheduler", "-q", "work"])
        },
        ..PLAIN
    },
    Framework {
        name: "rq-json",
        format: "as rq function \"rq_jobs.record\" serializer json",
        call: true,
        retry: Some("retry 2"),
        worker: |_| {
            let json = ["-S", "rq.serializers.JSONSerializer", "-q", "work"];
            let mut command = python("rq", &["worker", "-w", "rq.SimpleWorker"])?;
            command.args(json);
            Ok(command)
        },
        ..PLAIN
    },
    Framework {
        name: "arq",
        format: "as arq function \"record\"",
        call: true,
        delay: true,
        worker: |_| python("arq", &["arq_app.WorkerSettings"]),
        ..PLAIN
    },
    Framework {
        name: "arq-json",
        format: "as arq function \"record\" serializer json",
        call: true,
        worker: |_| python("arq", &["arq_app.JsonSettings"]),
        ..PLAIN
    },
    Framework {
        name: "dramatiq",
        format: "as dramatiq actor \"record\" min_backoff 100ms max_backoff 200ms",
        call: true,
        delay: true,
        retry: Some("retry 2"),
        worker: |_| python("dramatiq", &["dramatiq_app", "-p", "1", "-t", "4"]),
        ..PLAIN
    },
    Framework {
        name: "huey",
        format: "as huey task \"huey_app.record\"",
        call: true,
        delay: true,
        retry: Some("retry 2"),
        worker: |_| {
            let consumer = ["-m", "huey.bin.huey_consumer", "huey_app.huey"];
            let mut command = python("python", &consumer)?;
            command.args(["-k", "thread", "-w", "2"]);
            Ok(command)
        },
        ..PLAIN
    },
    Framework {
        name: "taskiq",
        format: "as taskiq task \"jobs:record\"",
        call: true,
        retry: Some("retry 2"),
        worker: taskiq,
        ..PLAIN
    },
    Framework {
        name: "taskiq-stream",
        format: "as taskiq stream task \"jobs:record\" group \"taskiq\"",
        call: true,
        worker: taskiq,
        ..PLAIN
    },
];
