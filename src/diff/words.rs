//! Phrases and changes in words.

use super::Pair;
use super::contents::beside;
use super::facts::Change;
use crate::plan::{Phrase, PhraseJobs};
use crate::show;

/// Stands between before and after.
pub(super) const ARROW: &str = "→";

/// The sign of what became of something.
pub(super) fn sign<T>(pair: &Pair<T>) -> char {
    match (&pair.old, &pair.new) {
        (None, _) => '+',
        (_, None) => '-',
        _ => '~',
    }
}

/// `before → after`, or the one that is there; once where both are the same.
pub(super) fn arrow(old: Option<String>, new: Option<String>) -> String {
    match (old, new) {
        (Some(old), Some(new)) if old == new => new,
        (Some(old), Some(new)) => format!("{old} {ARROW} {new}"),
        (old, new) => new.or(old).unwrap_or_default(),
    }
}

/// A phrase as it was written, with its name.
pub(super) fn title(phrase: &Phrase) -> String {
    let label = phrase.label.as_ref();
    let label = label.map_or_else(String::new, |label| format!(" “{}”", show::clean(label)));
    // A shape's text holds its name already.
    let label = if phrase.text.contains(" as \"") { String::new() } else { label };
    format!("{}{label}", show::clean(&phrase.text))
}

fn jobs(phrase: &Phrase) -> String {
    match phrase.jobs {
        PhraseJobs::Exact(jobs) => show::plural(jobs, "job"),
        PhraseJobs::Share(jobs) => format!("{} jobs of the sum", show::share_of_jobs(jobs)),
    }
}

/// A phrase by itself.
pub(super) fn facts(phrase: &Phrase) -> String {
    let start = show::duration(phrase.start_ns);
    if phrase.end_ns == phrase.start_ns {
        return format!("{} at {start}", jobs(phrase));
    }
    let length = show::duration(phrase.end_ns - phrase.start_ns);
    let peak = show::rate(phrase.peak_per_s);
    format!("{} in {length} from {start}, peak {peak}", jobs(phrase))
}

/// What of a phrase is another number now.
pub(super) fn compared(old: &Phrase, new: &Phrase) -> String {
    let count = |phrase: &Phrase| match phrase.jobs {
        PhraseJobs::Exact(jobs) => show::count(jobs),
        PhraseJobs::Share(jobs) => show::share_of_jobs(jobs),
    };
    let length = |phrase: &Phrase| show::duration(phrase.end_ns - phrase.start_ns);
    let all = [
        ("", count(old), count(new), " jobs"),
        ("length ", length(old), length(new), ""),
        ("peak ", show::rate(old.peak_per_s), show::rate(new.peak_per_s), ""),
        ("starts at ", show::rate(old.rate_start_per_s), show::rate(new.rate_start_per_s), ""),
        ("ends at ", show::rate(old.rate_end_per_s), show::rate(new.rate_end_per_s), ""),
    ];
    let changed = all.iter().filter(|(_, old, new, _)| old != new);
    let said = changed.map(|(lead, old, new, unit)| format!("{lead}{old} {ARROW} {new}{unit}"));
    let mut parts: Vec<String> = said.collect();
    let flags = [
        (old.is_warmup, new.is_warmup, "only warms up"),
        (old.is_bound, new.is_bound, "may end before its time"),
        (old.is_overlay, new.is_overlay, "is laid over the others"),
    ];
    for (before, after, what) in flags {
        match (before, after) {
            (false, true) => parts.push(format!("{what} now")),
            (true, false) => parts.push(format!("{what} no longer")),
            _ => {}
        }
    }
    if parts.is_empty() {
        parts.push(format!("{} as before, on another curve", jobs(new)));
    }
    parts.join(", ")
}

/// A fact before and after, each cut down to where it differs: `class "A" → "B"`.
pub(super) fn told(change: &Change) -> String {
    let what = show::clean(&change.what);
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => {
            let (old, new) = beside(old, new);
            format!("{what} {old} {ARROW} {new}")
        }
        (old, new) => {
            let say = |side: &Option<String>| {
                side.as_ref().map_or_else(|| "none".to_owned(), |text| beside(text, "").0)
            };
            format!("{what} {} {ARROW} {}", say(old), say(new))
        }
    }
}
