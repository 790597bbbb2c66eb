//! How many jobs a second loadc enqueues in the formats of frameworks, and at what cost, against the
//! frameworks' own clients asked for many at once: `cargo bench --bench formats`.
//!
//! Runs are interleaved and medians taken, so that what else the machine does falls on all alike. The
//! frameworks are those that `./workers` has installed; a peer that is missing is said.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench talks to whoever runs it")]

#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::Server;

const ROUNDS: usize = 5;
/// Jobs of one run of a peer, and of loadc.
const PEER_JOBS: u32 = 10_000;
const OWN_JOBS: u32 = 200_000;
/// Jobs of one run where both are loadc's.
const MANY: u32 = 1_000_000;

/// Jobs a second, and processor seconds a million jobs.
#[derive(Clone, Copy)]
struct Figures {
    per_s: f64,
    cpu_s: f64,
}

impl Figures {
    fn new(jobs: u32, wall_s: f64, cpu_s: f64) -> Figures {
        let jobs = f64::from(jobs);
        Figures { per_s: jobs / wall_s, cpu_s: cpu_s / jobs * 1e6 }
    }
}

/// Runs a script's jobs at once and takes loadc's own figures, its whole process included.
fn own(server: &Server, job: &str, jobs: u32) -> Figures {
    let script = format!("{job}\nsend {jobs} at once\nguard {{ jobs <= 10M }}");
    let report = support::loadc(server, &script, &[]);
    assert_eq!(report["jobs"]["acked"], jobs, "{report}");
    let number = |what: &str| report[what].as_f64().expect("a number");
    Figures::new(jobs, number("elapsed_s"), number("cpu_s"))
}

/// Runs a framework's own client; none if it is not there.
fn peer(server: &Server, command: &mut Command) -> Option<Figures> {
    server.flush();
    let url = format!("redis://127.0.0.1:{}", server.port);
    let output = command.env("REDIS_URL", url).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = said.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(wall_s)), Some(Ok(cpu_s))) => Some(Figures::new(PEER_JOBS, wall_s, cpu_s)),
        _ => None,
    }
}

fn median(figures: &[Figures], of: fn(&Figures) -> f64) -> f64 {
    let mut figures: Vec<f64> = figures.iter().map(of).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Medians of loadc's and of a peer's, in turn.
fn against(title: &str, ours: impl Fn() -> Figures, theirs: impl Fn() -> Option<Figures>) {
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let Some(figures) = theirs() else {
            println!("{title:<36} not installed: run ./workers first");
            return;
        };
        other.push(figures);
        own.push(ours());
    }
    let [rate, peer_rate] = [&own, &other].map(|figures| median(figures, |one| one.per_s));
    let [cost, peer_cost] = [&own, &other].map(|figures| median(figures, |one| one.cpu_s));
    println!(
        "{title:<36}{rate:>10.0}{peer_rate:>10.0}{:>8.2}{cost:>10.2}{peer_cost:>10.2}{:>8.3}",
        rate / peer_rate,
        cost / peer_cost
    );
}

fn main() {
    let server = Server::start();
    let installed = Path::new(env!("CARGO_TARGET_TMPDIR")).join("workers");
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/formats");
    let python = |framework: &str| -> Command {
        let mut command = Command::new(installed.join("requirements.txt/bin/python"));
        command.arg(here.join("bulk.py")).args([framework, &PEER_JOBS.to_string()]);
        command
    };
    let node = || -> Command {
        let modules: PathBuf = installed.join("node/node_modules");
        let mut command = Command::new("node");
        command.arg(here.join("bulk.js")).arg(PEER_JOBS.to_string()).env("NODE_PATH", modules);
        command
    };
    let body = "body { number: seq(), user: pick(\"ann\", \"bo\", \"cy\") }";
    let args = "args [seq(), pick(\"ann\", \"bo\", \"cy\")]";
    let run = |format: &str, carried: &str, jobs: u32| {
        own(&server, &format!("job a {{ queue \"bulk\" as {format}; {carried} }}"), jobs)
    };
    println!("{:<36}{:>28}{:>28}", "", "jobs a second", "processor s a million jobs");
    println!(
        "medians of {ROUNDS} runs in turn{:>10}{:>10}{:>8}{:>10}{:>10}{:>8}",
        "loadc", "peer", "ratio", "loadc", "peer", "ratio"
    );
    against("bullmq / addBulk", || run("bullmq", body, OWN_JOBS), || peer(&server, &mut node()));
    against(
        "celery / apply_async, one producer",
        || run("celery task \"jobs.order\"", args, OWN_JOBS),
        || peer(&server, &mut python("celery")),
    );
    against(
        "rq / enqueue_many, pipelined",
        || run("rq function \"jobs.order\"", args, OWN_JOBS),
        || peer(&server, &mut python("rq")),
    );
    against(
        "sidekiq / list, both coalesced",
        || run("sidekiq class \"Order\"", args, MANY),
        || Some(run("list", body, MANY)),
    );
}
