//! Comments that speak to loadc: `# loadc: allow(cold-jump)`.
//!
//! On a line of its own such a comment holds for the next statement (or field of a body), with all
//! that stands in it; behind a statement or a field, for that one. `allow-file` holds for the whole file.

use crate::ast::{JobFieldKind, Script, Statement, StatementKind, Value, ValueKind};
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
    let mut units: Option<Units> = None;
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
                    match Code::of_lint_or_code(name) {
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
fn unit(source: &SourceFile, units: &Units, comment: Span) -> Span {
    let start = comment.start as usize;
    let line = source.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let nothing = Span { start: comment.start, end: comment.start };
    if source.text[line..start].trim().is_empty() {
        // The next statement, or the next field of a body; the outermost of those that begin there.
        let next =
            |of: &[Span]| of.get(of.partition_point(|unit| unit.start < comment.end)).copied();
        let (statement, field) = (next(&units.statements), next(&units.fields));
        return match (statement, field) {
            (Some(statement), Some(field)) if field.start < statement.start => field,
            (statement, field) => statement.or(field).unwrap_or(nothing),
        };
    }
    // The last that begins on this line before the comment, else the last that ends on it.
    let on_line = |at: u32| at as usize >= line && at <= comment.start;
    let begun = |of: &[Span]| of.iter().rev().find(|unit| on_line(unit.start)).copied();
    let ended = || units.statements.iter().find(|unit| on_line(unit.end)).copied();
    begun(&units.statements).or_else(|| begun(&units.fields)).or_else(ended).unwrap_or(nothing)
}

/// What a comment may hold for, each by where it begins; an outer one first.
struct Units {
    /// Statements and the rules of blocks.
    statements: Vec<Span>,
    /// The fields of bodies.
    fields: Vec<Span>,
}

fn units_of(script: &Script) -> Units {
    let mut units = Units { statements: Vec::new(), fields: Vec::new() };
    collect(&script.statements, &mut units);
    for spans in [&mut units.statements, &mut units.fields] {
        spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    }
    units
}

fn collect(statements: &[Statement], units: &mut Units) {
    for statement in statements {
        units.statements.push(statement.span);
        match &statement.kind {
            StatementKind::Load(load) => collect(&load.body, units),
            StatementKind::Shape(shape) => collect(&shape.body, units),
            StatementKind::Phrase(phrase) => collect(phrase.kind.body(), units),
            StatementKind::Job(job) => {
                for field in &job.fields {
                    units.statements.push(field.span);
                    match &field.kind {
                        JobFieldKind::Body(value)
                        | JobFieldKind::Args(value)
                        | JobFieldKind::Kwargs(value) => collect_fields(value, &mut units.fields),
                        _ => {}
                    }
                }
            }
            StatementKind::Guard(rules) => {
                units.statements.extend(rules.iter().map(|rule| rule.span));
            }
            StatementKind::Expect(rules) => {
                units.statements.extend(rules.iter().map(|rule| rule.span));
            }
            _ => {}
        }
    }
}

fn collect_fields(value: &Value, fields: &mut Vec<Span>) {
    match &value.kind {
        ValueKind::Object(own) => {
            for (name, value) in own {
                fields.push(name.span.to(value.span));
                collect_fields(value, fields);
            }
        }
        ValueKind::Array(items) => {
            for item in items {
                fields.push(item.span);
                collect_fields(item, fields);
            }
        }
        ValueKind::List { item, .. } => collect_fields(item, fields),
        _ => {}
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
