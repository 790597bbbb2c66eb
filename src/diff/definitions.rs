//! What files define that hold no load: compared word by word, since nothing has been made of it.

use super::Pair;
use super::align::{Key, unordered};
use crate::ast::{Script, StatementKind};
use crate::source::{SourceFile, Span};
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// A definition, or another statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// `let`, `shape`, `job`, `flow`; of others nothing.
    pub kind: &'static str,
    /// Its name, or how it begins.
    pub name: String,
    /// Its words and signs, without comments and without what parts statements.
    words: Vec<String>,
}

impl Definition {
    /// On one line.
    pub(super) fn text(&self) -> String {
        self.words.join(" ")
    }
}

/// What the files of a source say, whose trees are given.
pub fn definitions(source: &SourceFile, scripts: &[Script]) -> Vec<Definition> {
    let mut found = Vec::new();
    for script in scripts {
        for statement in &script.statements {
            let (kind, name) = match &statement.kind {
                StatementKind::Let(it) => ("let", it.name.node.clone()),
                StatementKind::Shape(it) => ("shape", it.name.node.clone()),
                StatementKind::Job(it) => ("job", it.name.node.clone()),
                StatementKind::Flow(it) => ("flow", it.name.node.clone()),
                // What it brings is compared itself.
                StatementKind::Use(_) => continue,
                _ => ("", String::new()),
            };
            let Span { start, end } = statement.span;
            let within = |span: &&Span| statement.span.contains(**span);
            let shift =
                |span: &Span| Span { start: span.start - start, end: span.end.min(end) - start };
            let comments: Vec<Span> = script.comments.iter().filter(within).map(shift).collect();
            let words = crate::fmt::words(source.slice(statement.span), &comments);
            let first = || words.first().cloned().unwrap_or_default();
            let name = if kind.is_empty() { first() } else { name };
            found.push(Definition { kind, name, words });
        }
    }
    found
}

/// What became of the definitions.
pub(super) fn changes(old: Vec<Definition>, new: Vec<Definition>) -> Vec<Pair<Definition>> {
    let whole: Key<'_, Definition> = &|it| Some(format!("{} {} {:?}", it.kind, it.name, it.words));
    let name: Key<'_, Definition> = &|it| Some(format!("{} {}", it.kind, it.name));
    let pair = |(old, new): (Option<Definition>, Option<Definition>)| {
        let same = old.is_some() && old == new;
        Pair { old, new, same }
    };
    unordered(old, new, &[whole, name]).into_iter().map(pair).collect()
}

/// The words that changed, each with the one before: `for 1m → for 2m`.
pub(super) fn hunks(old: &Definition, new: &Definition) -> Vec<(String, String)> {
    let mut hunks = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &old.words, &new.words) {
        if let DiffOp::Equal { .. } = op {
            continue;
        }
        let words = |words: &[String], range: std::ops::Range<usize>| {
            words[range.start.saturating_sub(1)..range.end].join(" ")
        };
        hunks.push((words(&old.words, op.old_range()), words(&new.words, op.new_range())));
    }
    hunks
}
