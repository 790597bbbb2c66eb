//! What came of a run, in a headline and a sentence.

use super::markup::{percent, seconds};
use super::model::Run;
use crate::show;

/// How well it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Good,
    Doubtful,
    Bad,
}

impl Mood {
    pub(super) fn class(self) -> &'static str {
        match self {
            Mood::Good => "good",
            Mood::Doubtful => "doubtful",
            Mood::Bad => "bad",
        }
    }

    pub(super) fn sign(self) -> &'static str {
        match self {
            Mood::Good => "✓",
            Mood::Doubtful => "!",
            Mood::Bad => "✗",
        }
    }
}

pub(super) struct Verdict {
    pub(super) mood: Mood,
    pub(super) headline: String,
    pub(super) sentence: String,
}

pub(super) fn of(run: &Run) -> Verdict {
    let missed = run.missed();
    let all = run.expectations.len();
    let trouble = run.jobs.failed + run.jobs.unknown > 0 || !run.forgotten.is_empty();
    let (mood, headline) = match run.outcome.as_str() {
        "done" if missed > 0 => (
            Mood::Bad,
            format!(
                "Not as expected: {missed} of {} missed",
                show::plural(all as u64, "expectation")
            ),
        ),
        "done" if all > 0 => (Mood::Good, "Done, as expected".to_owned()),
        "done" if trouble => (Mood::Doubtful, "Done, with errors".to_owned()),
        "done" => (Mood::Good, "Done".to_owned()),
        "guard" => {
            let guard = run.guards.last().map(|hit| format!(": {}", hit.guard)).unwrap_or_default();
            (Mood::Bad, format!("Stopped by a guard{guard}"))
        }
        "missed" => {
            let stopped = run.expectations.iter().find(|expectation| expectation.stopped);
            let which = stopped.map(|stopped| format!(": {}", stopped.text)).unwrap_or_default();
            (Mood::Bad, format!("Stopped, not as expected{which}"))
        }
        "failed" => (Mood::Bad, "Failed".to_owned()),
        "interrupted" => (Mood::Doubtful, "Interrupted".to_owned()),
        "stopped" => (Mood::Doubtful, "Stopped by hand".to_owned()),
        other => (Mood::Doubtful, other.to_owned()),
    };
    Verdict { mood, headline, sentence: sentence(run, missed) }
}

fn sentence(run: &Run, missed: usize) -> String {
    let jobs = &run.jobs;
    let mut parts = vec![format!(
        "{} of {} acknowledged in {}",
        show::count(jobs.acked),
        show::plural(jobs.planned, "job"),
        seconds(run.elapsed_s)
    )];
    if let Some(failure) = &run.failure {
        parts.push(failure.message.clone());
    }
    for (count, word) in
        [(jobs.failed, "failed"), (jobs.unknown, "unknown"), (jobs.skipped, "skipped")]
    {
        if count > 0 {
            parts.push(format!("{} {word}", show::count(count)));
        }
    }
    let all = run.expectations.len();
    if all > 0 && missed == 0 {
        parts.push(format!("all {} met", show::plural(all as u64, "expectation")));
    }
    match run.guards.len() as u64 + run.guards_unlisted {
        0 => parts.push("no guard was hit".to_owned()),
        1 => parts.push("one hit of a guard".to_owned()),
        hits => parts.push(format!("{} hits of guards", show::count(hits))),
    }
    parts.push(format!("deviation {}", percent(run.deviation)));
    parts.join(" · ")
}
