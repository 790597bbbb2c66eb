//! The document of a run: its report, and what it takes to show the run again.

use super::columns::Columns;
use crate::run::report::Report;
use crate::stats::history::History;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// What `loadc run --json` prints: the fields of the report, and
/// the script, the plan, the environment, the histograms and the history.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    #[serde(flatten)]
    report: &'a Report,
    script: Script<'a>,
    environment: Environment,
    plan: Box<RawValue>,
    histograms: Box<RawValue>,
    history: Box<RawValue>,
}

/// The script as it was run.
#[derive(Clone, Debug, Serialize)]
pub struct Script<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
    /// The files that it uses.
    pub files: Vec<Used<'a>>,
}

/// A file that a script uses.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Used<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// What the run was made with.
#[derive(Clone, Debug, Serialize)]
pub struct Environment {
    /// loadc's version.
    pub loadc: &'static str,
    /// The system and its processor's kind.
    pub system: String,
    /// Processors that loadc may use.
    pub processors: usize,
    /// The gap between wake-ups, in milliseconds.
    pub gap_ms: f64,
    /// `exactly once` or `at least once`.
    pub delivery: &'static str,
}

impl<'a> Document<'a> {
    /// Puts a document together; `plan` is that of `loadc plan --json`.
    ///
    /// # Errors
    ///
    /// None that is known: every number that can be in it is finite.
    pub fn new(
        report: &'a Report,
        script: Script<'a>,
        environment: Environment,
        plan: &impl Serialize,
        history: &History,
    ) -> serde_json::Result<Document<'a>> {
        let plan = to_raw_value(plan)?;
        let history = to_raw_value(&Columns::of(history))?;
        let histograms = to_raw_value(&report.histograms)?;
        Ok(Document { report, script, environment, plan, histograms, history })
    }
}
