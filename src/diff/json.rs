//! What changed, for machines. What the names mean is a contract, see `docs/interfaces.md`.

use super::{Diff, JobLine, Pair, PhraseChange, Rule, Side, StreamChange};
use crate::plan::{Phrase, PhraseJobs, Stream};
use crate::view::Load;
use crate::view::text::queues;
use serde_json::{Value, json};

/// The document of `loadc diff --json`.
pub fn document(diff: &Diff<'_>, names: (&str, &str)) -> Value {
    let side = |side: Option<&Side<'_>>, name| side.map(|side| self::side(side, name));
    json!({
        "same": diff.sides.same,
        "old": side(diff.sides.old.as_ref(), names.0),
        "new": side(diff.sides.new.as_ref(), names.1),
        "streams": diff.streams.iter().map(stream).collect::<Vec<_>>(),
        "guards": diff.guards.iter().map(rule).collect::<Vec<_>>(),
        "expectations": diff.expectations.iter().map(rule).collect::<Vec<_>>(),
    })
}

fn side(side: &Side<'_>, name: &str) -> Value {
    json!({
        "file": name,
        "digest": side.plan.digest,
        "seed": side.plan.seed,
        "target": side.target,
        "jobs": side.load.jobs,
        "duration_s": seconds(side.load.end_ns),
        "peak_per_s": side.load.peak_per_s,
        "mean_per_s": side.load.mean_per_s(),
        "payload_mean_bytes": side.mean_payload_bytes,
    })
}

fn stream(change: &StreamChange<'_>) -> Value {
    let facts = |stream: &Stream| {
        let load = Load::of_stream(stream);
        json!({
            "jobs": load.jobs,
            "arrivals": stream.arrivals.to_string(),
            "late": stream.late.to_string(),
            "batch": stream.batch,
            "start_s": seconds(stream.after_ns),
            "duration_s": seconds(stream.timeline.length_ns().unwrap_or(0)),
            "peak_per_s": load.peak_per_s,
        })
    };
    let name = change.pair.new.or(change.pair.old).and_then(|stream| stream.name.as_deref());
    json!({
        "name": name,
        "change": change.pair.word(),
        "old": change.pair.old.map(facts),
        "new": change.pair.new.map(facts),
        "phrases": change.phrases.iter().map(phrase).collect::<Vec<_>>(),
        "jobs": change.jobs.iter().map(job).collect::<Vec<_>>(),
    })
}

fn phrase(change: &PhraseChange<'_>) -> Value {
    let facts = |phrase: &Phrase| {
        let (jobs, share) = match phrase.jobs {
            PhraseJobs::Exact(jobs) => ("jobs", json!(jobs)),
            PhraseJobs::Share(share) => ("share", json!(share)),
        };
        json!({
            "text": phrase.text,
            "label": phrase.label,
            "line": phrase.line,
            "start_s": seconds(phrase.start_ns),
            "end_s": seconds(phrase.end_ns),
            jobs: share,
            "rate_start_per_s": phrase.rate_start_per_s,
            "rate_end_per_s": phrase.rate_end_per_s,
            "peak_per_s": phrase.peak_per_s,
        })
    };
    let word = match change.pair.word() {
        "same" if !change.is_same() => "changed",
        word => word,
    };
    json!({
        "change": word,
        "old": change.pair.old.map(facts),
        "new": change.pair.new.map(facts),
        "phrases": change.inner.iter().map(phrase).collect::<Vec<_>>(),
    })
}

fn job(pair: &Pair<JobLine<'_>>) -> Value {
    let facts = |line: &JobLine<'_>| {
        json!({
            "job": line.spec.name,
            "share": line.share,
            "to": queues(line.spec),
            "payload_mean_bytes": line.mean_bytes,
        })
    };
    json!({
        "change": pair.word(),
        "old": pair.old.as_ref().map(facts),
        "new": pair.new.as_ref().map(facts),
    })
}

fn rule(pair: &Pair<Rule>) -> Value {
    let load = pair.new.as_ref().or(pair.old.as_ref()).and_then(|rule| rule.load.as_deref());
    json!({
        "change": pair.word(),
        "load": load,
        "old": pair.old.as_ref().map(|rule| &rule.text),
        "new": pair.new.as_ref().map(|rule| &rule.text),
    })
}

fn seconds(t_ns: u64) -> f64 {
    t_ns as f64 / 1e9
}
