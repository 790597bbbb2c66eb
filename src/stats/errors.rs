//! Errors by kind.

use crate::sink::Failure;
use serde::Serialize;

/// What became of the jobs that met an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The server refused them.
    Failed,
    /// Nobody knows: the connection broke, or no answer came in time.
    Unknown,
    /// They were due and never sent.
    Skipped,
}

impl std::fmt::Display for Fate {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Fate::Failed => "failed",
            Fate::Unknown => "unknown",
            Fate::Skipped => "skipped",
        })
    }
}

/// Errors of one kind that led to the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorEntry {
    /// The kind, in the server's own word where it gave one.
    pub kind: String,
    /// What became of the jobs.
    pub outcome: Fate,
    /// Jobs that met it.
    pub count: u64,
    /// The last message.
    pub last: String,
    /// When it came last, in seconds of the run.
    pub at_s: f64,
    /// When it came first.
    pub first_at_s: f64,
}

/// Errors by kind and by what became of the jobs, in the order of their first coming. Kinds beyond the 64th count as `other`, so
/// that a server which makes up words can't fill the memory.
#[derive(Clone, Debug, Default)]
pub struct Errors {
    entries: Vec<ErrorEntry>,
}

const KINDS: usize = 64;

impl Errors {
    /// Notes that so many jobs met a failure, and what became of them.
    pub fn note(&mut self, failure: &Failure, outcome: Fate, jobs: u64, at_ns: u64) {
        let at_s = at_ns as f64 / 1e9;
        let is = |entry: &ErrorEntry, kind: &str| entry.kind == kind && entry.outcome == outcome;
        let known = self.entries.iter().any(|entry| is(entry, &failure.kind));
        let kind =
            if !known && self.entries.len() >= KINDS { "other" } else { failure.kind.as_str() };
        match self.entries.iter_mut().find(|entry| is(entry, kind)) {
            Some(entry) => {
                entry.count += jobs;
                entry.at_s = at_s;
                entry.last.clone_from(&failure.message);
            }
            None => self.entries.push(ErrorEntry {
                kind: kind.to_owned(),
                outcome,
                count: jobs,
                last: failure.message.clone(),
                at_s,
                first_at_s: at_s,
            }),
        }
    }

    /// The kinds so far.
    pub fn entries(&self) -> &[ErrorEntry] {
        &self.entries
    }

    /// The one that came last.
    pub fn latest(&self) -> Option<&ErrorEntry> {
        self.entries.iter().max_by(|a, b| a.at_s.total_cmp(&b.at_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: &str, message: &str) -> Failure {
        Failure { kind: kind.to_owned(), message: message.to_owned(), lasting: false }
    }

    #[test]
    fn counts_by_kind_with_the_last_message() {
        let mut errors = Errors::default();
        errors.note(&failure("OOM", "first"), Fate::Failed, 3, 1_000_000_000);
        errors.note(&failure("io", "broken"), Fate::Failed, 1, 2_000_000_000);
        errors.note(&failure("OOM", "second"), Fate::Failed, 4, 2_500_000_000);
        let oom = &errors.entries()[0];
        assert_eq!((oom.kind.as_str(), oom.count, oom.last.as_str()), ("OOM", 7, "second"));
        assert_eq!((oom.first_at_s, oom.at_s), (1.0, 2.5));
        assert_eq!(errors.latest().map(|entry| entry.kind.as_str()), Some("OOM"));
    }

    #[test]
    fn what_became_of_the_jobs_tells_entries_apart() {
        let mut errors = Errors::default();
        let io = failure("io", "broken");
        for outcome in [Fate::Unknown, Fate::Skipped, Fate::Unknown] {
            errors.note(&io, outcome, 2, 0);
        }
        let entries: Vec<_> =
            errors.entries().iter().map(|entry| (entry.outcome, entry.count)).collect();
        assert_eq!(entries, [(Fate::Unknown, 4), (Fate::Skipped, 2)]);
        assert_eq!(serde_json::to_string(&Fate::Skipped).unwrap(), "\"skipped\"");
    }

    #[test]
    fn kinds_are_bounded() {
        let mut errors = Errors::default();
        for word in 0..1_000 {
            errors.note(&failure(&format!("E{word}"), "?"), Fate::Failed, 1, 0);
        }
        assert_eq!(errors.entries().len(), KINDS + 1);
        assert_eq!(errors.entries()[KINDS].count, 1_000 - KINDS as u64);
    }
}
