//! How many jobs a second loadc enqueues in the formats of frameworks, and at what cost, against the
//! frameworks' own clients asked for many at once: `cargo bench --bench formats`.
//!
//! Runs are interleaved and medians taken, so that what else the machine does falls on all alike. The
//! frameworks are those that `./workers` has installed; a peer that is missing is said.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench talks to whoever runs it")]

use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[path = "../../tests/support/redis_server.rs"]
mod redis_server;

use redis_server::RedisServer;

const ROUNDS: usize = 5;
/// Jobs of one run of a peer, and of loadc.
const PEER_JOBS: u32 = 10_000;
const OWN_JOBS: u32 = 200_000;

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
fn loadc(server: &RedisServer, job: &str, jobs: u32) -> Figures {
    flush(server);
    let script = format!("{job}\nsend {jobs} at once\nguard {{ jobs <= 10M }}");
    let mut child = Command::new(env!("CARGO_BIN_EXE_loadc"))
        .args(["run", "-", "--json", "--quiet", "--no-journal", "--target", &server.url()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("loadc");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(script.as_bytes()).expect("its input");
    drop(input);
    let output = child.wait_with_output().expect("its end");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["jobs"]["acked"], jobs, "{report}");
    let number = |what: &str| report[what].as_f64().expect("a number");
    Figures::new(jobs, number("elapsed_s"), number("cpu_s"))
}

fn flush(server: &RedisServer) {
    redis::cmd("FLUSHALL").exec(&mut server.connection()).expect("the server");
}

/// Runs a framework's own client; none if it is not there.
fn peer(server: &RedisServer, command: &mut Command) -> Option<Figures> {
    flush(server);
    let output = command.env("REDIS_URL", server.url()).output().ok()?;
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
    let server = RedisServer::start();
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
    let own = |format: &str, carried: &str| {
        loadc(&server, &format!("job a {{ queue \"bulk\" as {format}; {carried} }}"), OWN_JOBS)
    };
    println!("{:<36}{:>28}{:>28}", "", "jobs a second", "processor s a million jobs");
    println!(
        "medians of {ROUNDS} runs in turn{:>10}{:>10}{:>8}{:>10}{:>10}{:>8}",
        "loadc", "peer", "ratio", "loadc", "peer", "ratio"
    );
    against("bullmq / addBulk", || own("bullmq", body), || peer(&server, &mut node()));
    against(
        "celery / apply_async, one producer",
        || own("celery task \"jobs.order\"", args),
        || peer(&server, &mut python("celery")),
    );
    against(
        "rq / enqueue_many, pipelined",
        || own("rq function \"jobs.order\"", args),
        || peer(&server, &mut python("rq")),
    );
    let many = |format: &str, carried: &str| {
        loadc(&server, &format!("job a {{ queue \"bulk\" as {format}; {carried} }}"), 1_000_000)
    };
    against(
        "sidekiq / list, both coalesced",
        || many("sidekiq class \"Order\"", args),
        || Some(many("list", body)),
    );
}
