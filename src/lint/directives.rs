//! Comments that speak to loadc: `# loadc: allow(cold-jump)`.
//!
//! On a line of its own such a comment holds for the next statement, with all that stands in it;
//! behind a statement, for that statement. `allow-file` holds for the whole file.

use crate::ast::{JobField, Script, Statement, StatementKind};
use crate::problem::{Code, Problem};
use crate::source::{SourceFile, Span};

/// What a comment that speaks to loadc begins with.
const MARK: &str = "loadc:";

/// A lint that a comment allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// The lint.
    pub code: Code,
    /// Where its name stands.
    pub place: Span,
    /// Where it is allowed.
    pub within: Span,
}

/// What the comments of a script allow, and those that are not understood.
pub fn read(source: &SourceFile, script: &Script) -> (Vec<Allow>, Vec<Problem>) {
    let (mut allows, mut problems) = (Vec::new(), Vec::new());
    let mut units: Option<Vec<Span>> = None;
    for comment in &script.comments {
        let text = source.slice(*comment);
        let said = text.trim_start_matches('#').trim_start();
        let Some(said) = said.strip_prefix(MARK) else { continue };
        let at = comment.start as usize + (text.len() - said.len());
        let units = units.get_or_insert_with(|| units_of(script));
        match names(said, at) {
            Some((names, whole)) => {
                let within = match whole {
                    true => source.part_span(source.part_of(comment.start)),
                    false => unit(source, units, *comment),
                };
                for (name, place) in names {
                    match Code::of_lint(name) {
                        Some(code) => allows.push(Allow { code, place, within }),
                        None => problems.push(unknown(name, place)),
                    }
                }
            }
            None => problems.push(
                Problem::error(Code::BadDirective, *comment, "loadc does not understand this")
                    .label("a comment for loadc")
                    .help("write `# loadc: allow(cold-jump)` or `# loadc: allow-file(no-guard)`"),
            ),
        }
    }
    (allows, problems)
}

/// A lint that does not exist.
fn unknown(name: &str, place: Span) -> Problem {
    let help = match Code::nearest_lint(name) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "`loadc explain` lists every lint".to_owned(),
    };
    Problem::error(Code::BadDirective, place, format!("there is no lint `{name}`")).help(help)
}

/// The names in `allow(a, b)`, each with its place, and whether they hold for the whole file.
fn names(said: &str, at: usize) -> Option<(Vec<(&str, Span)>, bool)> {
    let open = said.find('(')?;
    let close = said.find(')')?;
    let whole = match said.get(..open)?.trim() {
        "allow" => false,
        "allow-file" => true,
        _ => return None,
    };
    let mut found = Vec::new();
    let mut from = open + 1;
    for part in said.get(open + 1..close)?.split(',') {
        let lead = part.len() - part.trim_start().len();
        let name = part.trim();
        let start = at + from + lead;
        found.push((name, Span::new(start, start + name.len())));
        from += part.len() + 1;
    }
    (found.iter().all(|(name, _)| !name.is_empty())).then_some((found, whole))
}

/// What a comment that is no `allow-file` holds for.
fn unit(source: &SourceFile, units: &[Span], comment: Span) -> Span {
    let start = comment.start as usize;
    let line = source.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let nothing = Span { start: comment.start, end: comment.start };
    if source.text[line..start].trim().is_empty() {
        // The next statement; the outermost of those that begin there.
        let next = units.partition_point(|unit| unit.start < comment.end);
        return units.get(next).copied().unwrap_or(nothing);
    }
    // The last that begins on this line before the comment, else the last that ends on it.
    let on_line = |at: u32| at as usize >= line && at <= comment.start;
    let begun = units.iter().rev().find(|unit| on_line(unit.start));
    let ended = || units.iter().find(|unit| on_line(unit.end));
    begun.or_else(ended).copied().unwrap_or(nothing)
}

/// Every statement and every rule of a block, by where they begin; an outer one first.
fn units_of(script: &Script) -> Vec<Span> {
    let mut found = Vec::new();
    collect(&script.statements, &mut found);
    found.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    found
}

fn collect(statements: &[Statement], found: &mut Vec<Span>) {
    for statement in statements {
        found.push(statement.span);
        match &statement.kind {
            StatementKind::Load(load) => collect(&load.body, found),
            StatementKind::Shape(shape) => collect(&shape.body, found),
            StatementKind::Phrase(phrase) => collect(phrase.kind.body(), found),
            StatementKind::Job(job) => {
                found.extend(job.fields.iter().map(|field: &JobField| field.span));
            }
            StatementKind::Guard(rules) => found.extend(rules.iter().map(|rule| rule.span)),
            StatementKind::Expect(rules) => found.extend(rules.iter().map(|rule| rule.span)),
            _ => {}
        }
    }
}

/// Leaves out what is allowed, of the first `warnings` and of the rest apart; with the rest come the
/// allows that allow nothing.
pub fn apply(
    found: Vec<Problem>,
    warnings: usize,
    allows: &[Allow],
) -> (Vec<Problem>, Vec<Problem>) {
    let mut used = vec![false; allows.len()];
    let (mut kept, mut rest) = (Vec::new(), Vec::new());
    for (at, problem) in found.into_iter().enumerate() {
        let start = problem.place.0.start;
        let mut allowed = false;
        for (allow, used) in allows.iter().zip(&mut used) {
            let inside = allow.within.start <= start && start <= allow.within.end;
            if allow.code == problem.code && inside {
                (allowed, *used) = (true, true);
            }
        }
        if !allowed {
            if at < warnings { &mut kept } else { &mut rest }.push(problem);
        }
    }
    let idle = allows.iter().zip(used).filter(|(_, used)| !used).map(|(allow, _)| {
        let name = allow.code.lint().unwrap_or_default();
        let message = format!("this allows nothing: there is no `{name}` here");
        Problem::warning(Code::UnusedAllow, allow.place, message).help("remove it")
    });
    rest.extend(idle);
    (kept, rest)
}
