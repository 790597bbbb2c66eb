//! What changed, for machines. What the names mean is a contract, see `docs/interfaces.md`.

use super::definitions::Definition;
use super::facts::Change;
use super::jobs;
use super::{Diff, JobLine, Pair, PhraseChange, Rule, Side, StreamChange};
use crate::plan::{Phrase, PhraseJobs, Stream};
use crate::view::Load;
use crate::view::text::queues;
use serde_json::{Value, json};

/// The document of `loadc diff --json`.
///
/// `note` is a remark on how much can be told, if there is one.
pub fn document(diff: &Diff<'_>, names: (&str, &str), note: Option<&str>) -> Value {
    let side = |side: Option<&Side<'_>>, name| side.map(|side| self::side(side, name));
    json!({
        "same": diff.sides.same,
        "note": note,
        "old": side(diff.sides.old.as_ref(), names.0),
        "new": side(diff.sides.new.as_ref(), names.1),
        "streams": diff.streams.iter().map(stream).collect::<Vec<_>>(),
        "guards": diff.guards.iter().map(rule).collect::<Vec<_>>(),
        "expectations": diff.expectations.iter().map(rule).collect::<Vec<_>>(),
        "definitions": diff.definitions.iter().map(definition).collect::<Vec<_>>(),
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
            "jobs": stream.jobs(),
            "arrivals": stream.arrivals.to_string(),
            "late": stream.late.to_string(),
            "batch": stream.batch,
            "expected_steps": stream.expected_steps(),
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
        "changes": changes(&change.facts),
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
            "warmup": phrase.is_warmup,
            "bound": phrase.is_bound,
            "overlay": phrase.is_overlay,
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
        "changes": changes(&jobs::facts(pair)),
    })
}

fn changes(changes: &[Change]) -> Vec<Value> {
    let one =
        |change: &Change| json!({ "what": change.what, "old": change.old, "new": change.new });
    changes.iter().map(one).collect()
}

fn definition(pair: &Pair<Definition>) -> Value {
    let one = pair.new.as_ref().or(pair.old.as_ref());
    json!({
        "change": pair.word(),
        "kind": one.map(|one| one.kind),
        "name": one.map(|one| &one.name),
        "old": pair.old.as_ref().map(Definition::text),
        "new": pair.new.as_ref().map(Definition::text),
    })
}

fn rule(pair: &Pair<Rule>) -> Value {
    let load = pair.new.as_ref().or(pair.old.as_ref()).and_then(|rule| rule.load.as_deref());
    json!({
        "change": pair.word(),
        "load": load,
        "old": pair.old.as_ref().map(|rule| &rule.text),
        "new": pair.new.as_ref().map(|rule| &rule.text),
        "changes": changes(&match (&pair.old, &pair.new) {
            (Some(old), Some(new)) => old.changes(new),
            _ => Vec::new(),
        }),
    })
}

fn seconds(t_ns: u64) -> f64 {
    t_ns as f64 / 1e9
}
