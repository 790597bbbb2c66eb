//! `run --dry-run`: everything but the sending.

use crate::cli::Exit;
use crate::cli::check::totals;
use crate::cli::output::Output;
use crate::job::Format;
use crate::plan::{Plan, Stream};
use crate::run::jobs::{DueJob, Jobs};
use crate::schedule::Schedule as _;
use crate::show;
use crate::sink::{Args, Unit};
use serde_json::json;
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// Jobs of each stream that are shown.
const SHOWN: u64 = 3;
/// Bytes of a job that are shown.
const SHOWN_BYTES: usize = 200;

/// Says what would be sent where, with the first jobs as they would be.
pub(super) fn run(
    as_json: bool,
    plan: &Plan,
    jobs: &impl Jobs,
    target: &str,
    out: &Output,
) -> Exit {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_unix_ns = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
    let start_unix_ns = super::prepared::payload_start(plan).unwrap_or(now_unix_ns);
    let (_, end_ns, peak) = totals(plan);
    // The steps of flows with them: so many as there will be, not as they are to be expected.
    let schedules = plan.streams.iter().map(|one| crate::run::schedule(one, plan.seed, plan.part));
    let total: u64 = schedules.map(|schedule| schedule.len()).sum();
    let end_ns = end_ns.saturating_sub(plan.part.from_ns);
    let samples: Vec<Sample> = plan
        .streams
        .iter()
        .enumerate()
        .flat_map(|(index, stream)| samples(index, stream, plan, jobs, start_unix_ns))
        .collect();
    let bound = plan.streams.iter().map(Stream::bound_jobs).sum::<u64>().min(total);
    let guards: Vec<&str> = plan.guards.iter().map(|guard| guard.text.as_str()).collect();
    if as_json {
        let samples = samples.iter().map(|sample| {
            json!({ "stream": sample.stream, "job": sample.job, "number": sample.number,
                    "due_s": sample.due_ns as f64 / 1e9, "queue": sample.queue, "arguments": sample.arguments })
        });
        out.json(&json!({
            "dry_run": true, "file": plan.file, "digest": plan.digest, "seed": plan.seed, "target": target,
            "jobs": total, "bound_jobs": bound, "duration_s": end_ns as f64 / 1e9, "peak_per_s": peak,
            "guards": guards, "samples": samples.collect::<Vec<_>>(),
        }));
        return Exit::Done;
    }
    out.say(&format!(
        "{}: would send {}{} in {}, peak {}, to {target}",
        plan.file,
        if plan.streams.iter().any(|stream| !stream.waits.is_empty()) { "at most " } else { "" },
        show::plural(total, "job"),
        show::duration(end_ns),
        show::rate(peak)
    ));
    guards.iter().for_each(|guard| out.say(&format!("  guard   {guard}")));
    for sample in &samples {
        out.say(&format!(
            "  {} → {}: `{}` number {}: {}",
            show::duration(sample.due_ns),
            sample.queue,
            sample.job,
            sample.number,
            clipped(&sample.arguments.join(" "))
        ));
    }
    out.say("  nothing was sent");
    Exit::Done
}

struct Sample {
    stream: Option<String>,
    job: String,
    number: u64,
    due_ns: u64,
    queue: String,
    arguments: Vec<String>,
}

fn samples(
    index: usize,
    stream: &Stream,
    plan: &Plan,
    jobs: &impl Jobs,
    start_unix_ns: u64,
) -> Vec<Sample> {
    let placed = plan.part.of(stream);
    let sample = |at: u64| {
        let (number, due_ns) = (placed.number_of(at), placed.time_of(at));
        let choice = jobs.choose(index, number);
        let mut unit = Unit::default();
        let due_unix_ns = start_unix_ns.saturating_add(due_ns);
        let due = DueJob { stream: index, number, due_unix_ns, now_unix_ns: due_unix_ns };
        jobs.write(due, choice, &mut unit);
        let args = unit.take();
        // Of a list's push and a stream's entry what the job carries; of the others every word.
        let lead = match jobs.queues()[choice.queue].format {
            Format::List => 2,
            Format::Stream { .. } => {
                args.iter().position(|word| word == b"*").map_or(0, |at| at + 1)
            }
            _ => 0,
        };
        Sample {
            stream: stream.name.clone(),
            job: jobs.kinds(index)[choice.job].name.clone(),
            number,
            due_ns,
            queue: jobs.queues()[choice.queue].name.clone(),
            arguments: args
                .iter()
                .skip(lead)
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect(),
        }
    };
    (1..=placed.len().min(SHOWN)).map(sample).collect()
}

/// Jobs that are looked at for those of each kind.
const LOOKED_AT: u64 = 2_000;

/// A few jobs of each kind to each queue, by the queue's place: their commands as they would be
/// sent.
pub(super) fn one_of_each(plan: &Plan, jobs: &impl Jobs) -> Vec<(usize, Args)> {
    let mut found: Vec<(usize, Args)> = Vec::new();
    let mut seen: HashMap<(usize, usize, usize), u32> = HashMap::new();
    for (index, stream) in plan.streams.iter().enumerate() {
        let placed = plan.part.of(stream);
        for at in 1..=placed.len().min(LOOKED_AT) {
            let number = placed.number_of(at);
            let choice = jobs.choose(index, number);
            let times = seen.entry((index, choice.job, choice.queue)).or_default();
            if *times < 3 {
                *times += 1;
                let mut unit = Unit::default();
                let due = DueJob { stream: index, number, due_unix_ns: 0, now_unix_ns: 0 };
                jobs.write(due, choice, &mut unit);
                found.push((choice.queue, unit.take()));
            }
        }
    }
    found
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(SHOWN_BYTES) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
