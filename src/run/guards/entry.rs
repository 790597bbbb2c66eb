//! A guard's hit as events and the report have it.

use super::Guards;
use crate::plan::{Action, GuardKind};
use serde::Serialize;

/// How much a hit matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The plan's own end.
    Info,
    /// Something is near its bound, or was held to it and the run goes on.
    Warning,
    /// Something was stopped.
    Critical,
}

/// A hit in the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GuardEntry {
    /// The guard as written.
    pub guard: String,
    /// What it bounds: `rate`, `jobs`, `depth` …
    pub kind: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// When it was hit, in seconds of the run.
    pub at_s: f64,
    /// What was measured: jobs, seconds, bytes, a share; 1 for a file.
    pub value: f64,
    /// The bound, in the same measure.
    pub limit: f64,
    /// What was asked for: the same as `value`.
    pub requested: f64,
    /// What is allowed: the same as `limit`.
    pub allowed: f64,
    /// What is done: `stop`, `pause until N`, `slow`, `shed` or `warn`.
    pub action: String,
    /// Why it could not be kept, if that is what stopped the run: then the value is the last known.
    pub cause: Option<String>,
    /// By how much the bound was exceeded at the most, as far as the run saw: of a depth, what came
    /// in between two looks; null where nothing was.
    pub overshoot: Option<f64>,
    /// When it was over and the run went on as planned, in seconds of the run; null if it never was.
    pub ended_at_s: Option<f64>,
}

impl Guards {
    /// A hit as the report has it.
    pub fn entry(&self, guard: usize, value: f64, at_ns: u64) -> GuardEntry {
        let guard = &self.armed[guard].guard;
        let limit = guard.kind.limit();
        let (action, severity) = match guard.action {
            Some(Action::Stop) if ends_the_plan(&guard.kind) => ("stop".to_owned(), Severity::Info),
            None | Some(Action::Stop) => ("stop".to_owned(), Severity::Critical),
            Some(Action::PauseUntil(level)) => (format!("pause until {level}"), Severity::Warning),
            Some(Action::Slow) => ("slow".to_owned(), Severity::Warning),
            Some(Action::Shed) => ("shed".to_owned(), Severity::Warning),
        };
        let sent_in_between = matches!(guard.kind, GuardKind::Depth { .. });
        GuardEntry {
            guard: guard.text.clone(),
            kind: guard.kind.word(),
            severity,
            at_s: at_ns as f64 / 1e9,
            value,
            limit,
            requested: value,
            allowed: limit,
            action,
            cause: None,
            overshoot: (sent_in_between && value > limit).then_some(value - limit),
            ended_at_s: None,
        }
    }

    /// A guard that is near its bound, as the report has it.
    pub fn near_entry(&self, guard: usize, value: f64, at_ns: u64) -> GuardEntry {
        let hit = self.entry(guard, value, at_ns);
        GuardEntry {
            severity: Severity::Warning,
            action: "warn".to_owned(),
            overshoot: None,
            ..hit
        }
    }
}

fn ends_the_plan(kind: &GuardKind) -> bool {
    matches!(kind, GuardKind::Jobs(_) | GuardKind::Time(_))
}
