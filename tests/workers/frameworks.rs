//! Each framework: how a job for it is written, and how its worker is started.

use crate::install::{self, Missing, here};
use crate::proofs::{self, Proof};
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
    /// Whether these may be named.
    pub kwargs: bool,
    /// Whether jobs can be put off.
    pub delay: bool,
    /// A priority that is sooner, and one that is later.
    pub priority: Option<(u32, u32)>,
    /// Whether nobody may be late: what is sent while no worker listens is gone.
    pub listens: bool,
    /// Whether the depth is known.
    pub depth: bool,
    /// Whether the framework keeps when each job was begun.
    pub picks: bool,
    /// The keys in which the framework counts attempts, and failed ones.
    pub totals: Option<[&'static str; 2]>,
    /// Further options, in groups that frameworks share.
    pub proofs: &'static [&'static [Proof]],
    /// Starts the worker.
    pub worker: fn(&Framework) -> Result<Command, Missing>,
}

impl Framework {
    /// Further options.
    pub fn proofs(&self) -> impl Iterator<Item = &'static Proof> + use<> {
        self.proofs.iter().copied().flatten()
    }
}

const PLAIN: Framework = Framework {
    name: "",
    format: "",
    call: false,
    kwargs: false,
    delay: false,
    priority: None,
    listens: false,
    depth: true,
    picks: false,
    totals: None,
    proofs: &[],
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

/// A program of the Ruby frameworks, out of a gem or out of Debian's packages.
fn ruby(gem: Option<(&str, &str)>, program: &str, args: &[&str]) -> Result<Command, Missing> {
    let home = match gem {
        Some((name, version)) => Some(install::gem(name, version)?),
        None => None,
    };
    let mut command = match &home {
        Some(home) if program != "ruby" => Command::new(home.join("bin").join(program)),
        _ => Command::new(program),
    };
    if let Some(home) = home {
        command.env("GEM_HOME", &home).env("GEM_PATH", &home);
    }
    command.args(args).current_dir(here().join("ruby"));
    Ok(command)
}

const SIDEKIQ: &[&str] = &["-q", "work", "-c", "4", "-r"];

fn sidekiq(app: &str) -> Result<Command, Missing> {
    install::system("sidekiq", "Debian's ruby-sidekiq")?;
    ruby(None, "sidekiq", &[SIDEKIQ, &[app]].concat())
}

fn sidekiq_of(version: &str) -> Result<Command, Missing> {
    ruby(Some(("sidekiq", version)), "sidekiq", &[SIDEKIQ, &["./sidekiq_app.rb"]].concat())
}

fn taskiq(framework: &Framework) -> Result<Command, Missing> {
    let mut command = python("taskiq", &["worker", "taskiq_app:broker", "-w", "1"])?;
    if framework.format.contains(" stream ") {
        command.env("STREAM", "1");
    }
    Ok(command)
}

fn celery(_: &Framework) -> Result<Command, Missing> {
    // Time limits need a process for the task.
    let mut command =
        python("celery", &["-A", "celery_app", "worker", "-P", "prefork", "-c", "1"])?;
    command.args(["-Q", "work", "--without-gossip", "--without-mingle", "--without-heartbeat"]);
    Ok(command)
}

fn rq(more: &[&str]) -> Result<Command, Missing> {
    let args = ["worker", "-w", "rq.SimpleWorker", "--with-scheduler", "-q", "work"];
    python("rq", &[&args, more].concat())
}

fn laravel(_: &Framework) -> Result<Command, Missing> {
    install::php()?;
    let mut command = Command::new("sh");
    command.arg("again.sh").current_dir(here().join("php"));
    Ok(command)
}

const SIDEKIQ_6: Framework = Framework {
    name: "sidekiq",
    format: "as sidekiq class \"Recorder\" version 6",
    call: true,
    delay: true,
    totals: Some(["stat:processed", "stat:failed"]),
    proofs: &[proofs::SIDEKIQ],
    worker: |_| sidekiq("./sidekiq_app.rb"),
    ..PLAIN
};

const BULLMQ: Framework = Framework {
    name: "bullmq5",
    format: "as bullmq",
    delay: true,
    priority: Some((1, 9)),
    picks: true,
    proofs: &[proofs::BULLMQ],
    worker: |framework| node(&[framework.name]),
    ..PLAIN
};

const RQ: Framework = Framework {
    name: "rq",
    format: "as rq function \"rq_jobs.record\"",
    call: true,
    kwargs: true,
    delay: true,
    picks: true,
    proofs: &[proofs::RQ],
    worker: |_| rq(&[]),
    ..PLAIN
};

const ARQ: Framework = Framework {
    name: "arq",
    format: "as arq function \"record\"",
    call: true,
    kwargs: true,
    delay: true,
    picks: true,
    proofs: &[proofs::ARQ],
    worker: |_| python("arq", &["arq_app.WorkerSettings"]),
    ..PLAIN
};

const TASKIQ: Framework = Framework {
    name: "taskiq",
    format: "as taskiq task \"jobs:record\"",
    call: true,
    kwargs: true,
    proofs: &[proofs::TASKIQ],
    worker: taskiq,
    ..PLAIN
};

const RESQUE: Framework = Framework {
    name: "resque",
    format: "as resque class \"Recorder\"",
    call: true,
    totals: Some(["resque:stat:processed", "resque:stat:failed"]),
    proofs: &[proofs::RESQUE],
    worker: |_| ruby(Some(("resque", "3.0.0")), "ruby", &["./resque_app.rb"]),
    ..PLAIN
};

/// Everything that is tried.
pub const FRAMEWORKS: &[Framework] = &[
    Framework { name: "list", format: "as list", ..PLAIN },
    Framework { name: "right", format: "as list right", ..PLAIN },
    Framework { name: "stream", format: "as stream group \"workers\"", picks: true, ..PLAIN },
    Framework { name: "delayed", format: "as delayed", delay: true, ..PLAIN },
    Framework { name: "pubsub", format: "as pubsub", listens: true, depth: false, ..PLAIN },
    Framework {
        name: "custom",
        format: "as custom; command \"HSET\" \"job:{id}\" \"data\" body; command \"LPUSH\" key \"job:{id}\"",
        depth: false,
        worker: |_| python("python", &["custom.py"]),
        ..PLAIN
    },
    SIDEKIQ_6,
    Framework {
        name: "sidekiq7",
        format: "as sidekiq class \"Recorder\" version 7",
        worker: |_| sidekiq_of("7.3.10"),
        ..SIDEKIQ_6
    },
    Framework {
        name: "sidekiq8",
        format: "as sidekiq class \"Recorder\"",
        worker: |_| sidekiq_of("8.0.10"),
        ..SIDEKIQ_6
    },
    Framework {
        name: "sidekiq-activejob",
        format: "as sidekiq class \"Task\" activejob version 6",
        proofs: &[],
        worker: |_| {
            install::ruby("active_job", "Debian's ruby-activejob")?;
            sidekiq("./activejob_app.rb")
        },
        ..SIDEKIQ_6
    },
    BULLMQ,
    Framework { name: "bullmq6", ..BULLMQ },
    Framework {
        name: "bull",
        format: "as bull",
        priority: None,
        proofs: &[proofs::BULLMQ, proofs::BULL],
        ..BULLMQ
    },
    Framework {
        name: "celery",
        format: "as celery task \"jobs.record\"",
        call: true,
        kwargs: true,
        delay: true,
        priority: Some((0, 9)),
        proofs: &[proofs::CELERY],
        worker: celery,
        ..PLAIN
    },
    RQ,
    Framework {
        name: "rq-json",
        format: "as rq function \"rq_jobs.record\" serializer json",
        proofs: &[proofs::RETRIES],
        worker: |_| rq(&["-S", "rq.serializers.JSONSerializer"]),
        ..RQ
    },
    ARQ,
    Framework {
        name: "arq-json",
        format: "as arq function \"record\" serializer json",
        worker: |_| {
            let mut command = python("arq", &["arq_app.JsonSettings"])?;
            command.env("JSON", "1");
            Ok(command)
        },
        ..ARQ
    },
    Framework {
        name: "dramatiq",
        format: "as dramatiq actor \"record\"",
        call: true,
        kwargs: true,
        delay: true,
        proofs: &[proofs::DRAMATIQ],
        worker: |_| python("dramatiq", &["dramatiq_app", "-p", "1", "-t", "4"]),
        ..PLAIN
    },
    Framework {
        name: "huey",
        format: "as huey task \"huey_app.record\"",
        call: true,
        kwargs: true,
        delay: true,
        proofs: &[proofs::HUEY],
        worker: |_| {
            // Time limits need a process for the task.
            let consumer = ["-m", "huey.bin.huey_consumer", "huey_app.huey"];
            let mut command = python("python", &consumer)?;
            command.args(["-k", "process", "-w", "2"]);
            Ok(command)
        },
        ..PLAIN
    },
    TASKIQ,
    Framework {
        name: "taskiq-stream",
        format: "as taskiq stream task \"jobs:record\" group \"taskiq\"",
        ..TASKIQ
    },
    Framework {
        name: "asynq",
        format: "as asynq type \"record\"",
        delay: true,
        totals: Some(["asynq:{work}:processed", "asynq:{work}:failed"]),
        proofs: &[proofs::ASYNQ],
        worker: |_| install::go().map(Command::new),
        ..PLAIN
    },
    RESQUE,
    Framework {
        name: "node-resque",
        // It counts failed jobs as failed, and not as processed besides, as Resque does.
        totals: None,
        worker: |_| node(&["resque"]),
        ..RESQUE
    },
    Framework {
        name: "laravel",
        format: "as laravel job \"Recorder@fire\" prefix \"app_\"",
        delay: true,
        proofs: &[proofs::LARAVEL],
        worker: laravel,
        ..PLAIN
    },
];
