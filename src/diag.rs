//! The sole renderer of findings: for people by miette, for machines as JSON, SARIF and the
//! workflow commands of GitHub.

mod github;
mod human;
mod sarif;

pub use github::{fault as github_fault, github};
pub use human::{Style, human};
pub use sarif::sarif;

use crate::problem::{Problem, Severity};
use crate::source::{SourceFile, Span};
use serde::Serialize;

/// A place as machines want it: lines and columns from 1, bytes from 0.
#[derive(Serialize)]
struct Place<'a> {
    /// Of another place, where it is another file than the finding's.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    start: u32,
    end: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    label: &'a str,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lint: Option<&'static str>,
    severity: &'static str,
    message: &'a str,
    file: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
    others: Vec<Place<'a>>,
    help: Option<&'a str>,
}

fn place<'a>(source: &SourceFile, span: Span, label: &'a str) -> Place<'a> {
    let (line, column) = source.line_column(span.start);
    let (end_line, end_column) = source.line_column(span.end);
    Place {
        file: None,
        line,
        column,
        end_line,
        end_column,
        start: span.start,
        end: span.end,
        label,
    }
}

/// The word for a severity.
pub fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// Findings of one file as JSON values, in order.
pub fn json(source: &SourceFile, problems: &[Problem]) -> Vec<serde_json::Value> {
    let finding = |problem: &Problem| {
        let file = source.name_at(problem.place.0.start);
        let others = problem.others.iter().map(|(span, text)| {
            let other = Some(source.name_at(span.start)).filter(|other| *other != file);
            Place { file: other, ..place(source, *span, text) }
        });
        let finding = Finding {
            code: problem.code.as_str(),
            lint: problem.code.lint(),
            severity: severity_word(problem.severity),
            message: &problem.message,
            file,
            place: place(source, problem.place.0, &problem.place.1),
            others: others.collect(),
            help: problem.help.as_deref(),
        };
        serde_json::to_value(finding).unwrap_or_default()
    };
    problems.iter().map(finding).collect()
}
