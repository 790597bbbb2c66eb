//! What follows from a bracket or a quote that is missing: that is said once, where it is missing.

use crate::problem::{Code, Problem};
use crate::source::{SourceFile, Span};
use std::collections::BTreeSet;

/// The findings without those that another of them has brought about.
pub(super) fn without_echoes(source: &SourceFile, mut problems: Vec<Problem>) -> Vec<Problem> {
    let causes: Vec<&Problem> = problems
        .iter()
        .filter(|problem| matches!(problem.code, Code::Quote | Code::Bracket))
        .collect();
    if causes.is_empty() {
        return problems;
    }
    let text = |problem: &Problem| source.slice(problem.place.0);
    let line = |problem: &Problem| {
        let start = problem.place.0.start;
        (source.part_of(start), source.line(start))
    };
    // A quote that is missing turns the texts of its line inside out.
    let open: Vec<&Problem> = causes
        .iter()
        .filter(|cause| cause.code == Code::Quote && text(cause).starts_with('"'))
        .copied()
        .collect();
    let quoted: BTreeSet<(usize, usize)> = open.iter().map(|cause| line(cause)).collect();
    let swallowed: Vec<&str> = open.iter().map(|cause| text(cause)).collect();
    // What stands in round or square brackets stands on one line, but for a few.
    let bracketed: BTreeSet<(usize, usize)> = causes
        .iter()
        .filter(|cause| cause.code == Code::Bracket && matches!(text(cause), "(" | ")" | "[" | "]"))
        .map(|cause| line(cause))
        .collect();
    let lost: Vec<Span> = causes
        .iter()
        .filter(|cause| cause.code == Code::Bracket)
        .map(|cause| cause.place.0)
        .collect();
    let follows = |problem: &Problem| match problem.code {
        Code::Quote => false,
        Code::Bracket => quoted.contains(&line(problem)),
        _ if quoted.contains(&line(problem)) || bracketed.contains(&line(problem)) => true,
        Code::UnknownName => {
            let name = text(problem).trim_matches('"');
            let name = name.split('(').next().unwrap_or_default().trim();
            swallowed.iter().any(|text| holds_word(text, name))
                || lost.iter().any(|place| is_defined_at(source, *place, name))
                || !lost.is_empty() && is_defined_within(&source.text, name)
        }
        _ => false,
    };
    let mut kept: Vec<bool> = problems.iter().map(|problem| !follows(problem)).collect();
    for text in swallowed {
        spare_partners(text, source, &problems, &mut kept);
    }
    let mut kept = kept.into_iter();
    problems.retain(|_| kept.next().unwrap_or(true));
    problems
}

/// Brackets that an open quote has taken in are missed by their partners elsewhere.
fn spare_partners(swallowed: &str, source: &SourceFile, problems: &[Problem], kept: &mut [bool]) {
    for (opening, closing) in [("{", "}"), ("(", ")"), ("[", "]")] {
        let taken = |bracket: &str| swallowed.matches(bracket).count();
        for (alone, mut count) in [(opening, taken(closing)), (closing, taken(opening))] {
            for (problem, kept) in problems.iter().zip(&mut *kept) {
                let is_alone =
                    problem.code == Code::Bracket && source.slice(problem.place.0) == alone;
                if is_alone && *kept && count > 0 {
                    (*kept, count) = (false, count - 1);
                }
            }
        }
    }
}

/// Whether the line of a bracket that is missing defines a shape of that name.
fn is_defined_at(source: &SourceFile, place: Span, name: &str) -> bool {
    let text = &source.text;
    let from = text[..place.start as usize].rfind(['\n', ';', '{', '}']).map_or(0, |at| at + 1);
    let defines = text[from..place.start as usize].trim_start().strip_prefix("shape ");
    defines.is_some_and(|rest| rest.trim_start().starts_with(name))
}

/// Whether some shape has a parameter or a `let` of that name: where a brace is missing, what belongs to
/// which shape is not known.
fn is_defined_within(text: &str, name: &str) -> bool {
    words(text, name).any(|at| {
        let before = text[..at].trim_end();
        let parameter = || {
            let shape = before.rfind("shape ").map_or("", |shape| &before[shape..]);
            shape.contains('(') && !shape.contains([')', '{', '}'])
        };
        before.ends_with("let") || parameter()
    })
}

fn holds_word(text: &str, name: &str) -> bool {
    words(text, name).next().is_some()
}

/// Where a word stands in a text.
fn words<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> + 't {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    let found = text.match_indices(name).filter(move |(at, _)| {
        !name.is_empty()
            && !text[..*at].ends_with(joins)
            && !text[at + name.len()..].starts_with(joins)
    });
    found.map(|(at, _)| at)
}
