//! Fields of a body: objects, and values that are those of other fields.

use super::Checker;
use super::payload::GENERATORS;
use super::units::decimal;
use super::value::{State, Val};
use crate::ast::{Expr, ExprKind, Name, Value};
use crate::job;
use crate::problem::{Code, Problem};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// The path of a field: the keys from the body's top.
type Path = Vec<String>;

/// The objects around the value in hand, outermost first, and what has been referred to so far.
#[derive(Default)]
pub(super) struct Fields<'v> {
    levels: Vec<Level<'v>>,
    /// Path of the value in hand.
    path: Path,
    references: Vec<Reference>,
}

/// An object: the path under which it stands, and its keys.
struct Level<'v> {
    depth: usize,
    keys: BTreeMap<&'v str, Span>,
}

/// A field that needs another.
struct Reference {
    from: Path,
    to: Path,
    span: Span,
}

impl Checker<'_> {
    /// An object and every field of it.
    pub(super) fn object<'v>(
        &mut self,
        entries: &'v [(Name, Value)],
        fields: &mut Fields<'v>,
    ) -> Option<job::Value> {
        let mut keys: BTreeMap<&str, Span> = BTreeMap::new();
        let mut twice = false;
        for (key, _) in entries {
            if let Some(first) = keys.get(key.node.as_str()) {
                twice = true;
                let message = format!("there are two fields `{}`", key.node);
                self.report(
                    Problem::error(Code::DuplicateName, key.span, message)
                        .label("defined again here")
                        .and(*first, "defined first here")
                        .help("give one of them another name"),
                );
            } else {
                keys.insert(&key.node, key.span);
            }
        }
        fields.levels.push(Level { depth: fields.path.len(), keys });
        let mut drawn = Some(Vec::with_capacity(entries.len()));
        for (key, value) in entries {
            fields.path.push(key.node.clone());
            let value = self.drawn(value, fields);
            fields.path.pop();
            match (value, drawn.as_mut()) {
                (Some(value), Some(drawn)) => drawn.push((key.node.clone(), value)),
                _ => drawn = None,
            }
        }
        fields.levels.pop();
        drawn.filter(|_| !twice).map(job::Value::Object)
    }

    /// The value of a field of an object around, or of a `let`.
    pub(super) fn reference(&mut self, name: &Name, fields: &mut Fields<'_>) -> Option<job::Value> {
        // What could not be read has no name, and has been reported.
        if name.node.is_empty() {
            return None;
        }
        let mut itself = false;
        for level in fields.levels.iter().rev() {
            if !level.keys.contains_key(name.node.as_str()) {
                continue;
            }
            // The field that this value is part of cannot be meant: look further out.
            if fields.path.get(level.depth) == Some(&name.node) {
                itself = true;
                continue;
            }
            let mut to = fields.path[..level.depth].to_vec();
            to.push(name.node.clone());
            self.shadow_lint(name, "the field");
            let from = fields.path.clone();
            fields.references.push(Reference { from, to: to.clone(), span: name.span });
            return Some(job::Value::Field(to));
        }
        if self.names.contains_key(&name.node) {
            let expr = Expr { kind: ExprKind::Name(name.node.clone()), span: name.span };
            return match self.value(&expr)? {
                Val::Env(..) if self.options.lenient_env => None,
                Val::Env(env, None) => {
                    self.not_set(&env, name.span);
                    None
                }
                Val::Text(text) | Val::Env(_, Some(text)) => {
                    Some(job::Value::Text(vec![job::TextPart::Literal(text)]))
                }
                Val::Quantity(value, _) => Some(job::Value::Number(decimal(&value))),
            };
        }
        if itself {
            let message = format!("the field `{}` needs itself", name.node);
            self.report(
                Problem::error(Code::Cycle, name.span, message)
                    .help("name another field, or a `let`; texts stand in quotes"),
            );
        } else {
            self.unknown_field(name, fields);
        }
        None
    }

    fn unknown_field(&mut self, name: &Name, fields: &Fields<'_>) {
        // It may be a name of a file that is not to be had.
        if self.lacks_file {
            return;
        }
        let word = name.node.as_str();
        // Its parenthesis may be the bracket that is missing.
        if self.shaky && GENERATORS.contains(&word) {
            return;
        }
        if let Some(columns) = self.columns_of(word) {
            let message = format!("`{word}` is a whole row, and a field takes one value");
            let help = format!("name a column of it: {columns}");
            self.report(Problem::error(Code::UnknownName, name.span, message).help(help));
            return;
        }
        let keys = fields.levels.iter().flat_map(|level| level.keys.keys().copied());
        let help = match self.meant(word, keys.chain(GENERATORS.iter().copied())) {
            _ if literal(word).is_some() => {
                format!("write `{}`", literal(word).unwrap_or_default())
            }
            Some(meant) if GENERATORS.contains(&meant.as_str()) => {
                format!("did you mean `{meant}()`?")
            }
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!(
                "texts stand in quotes: `\"{word}\"`; a name is another field of the body, or a `let`"
            ),
        };
        let message = format!("there is no field `{word}` here");
        self.report(Problem::error(Code::UnknownName, name.span, message).help(help));
        self.names.insert(word.to_owned(), State::Done(None));
    }

    /// Whether no field needs itself by way of others.
    pub(super) fn no_circle(&mut self, fields: Fields<'_>) -> bool {
        let references = fields.references;
        let Some(circle) = circle(&references) else { return true };
        let at = |index: usize| &references[circle[index]];
        let names = circle.iter().map(|index| references[*index].to.join("."));
        let names = names.collect::<Vec<_>>().join("` → `");
        let mut problem =
            Problem::error(Code::Cycle, at(0).span, format!("fields need each other: `{names}`"))
                .label("needs this one")
                .help("break the circle: give one of them a value of its own");
        for index in 1..circle.len().min(4) {
            problem = problem.and(at(index).span, "which needs this one");
        }
        self.report(problem);
        false
    }
}

/// What other languages call a value that has a name here.
fn literal(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "none" | "nil" | "null" | "undefined" => "null",
        "true" | "yes" | "on" => "true",
        "false" | "no" | "off" => "false",
        _ => return None,
    })
}

/// References that lead from a field back to itself, in order.
fn circle(references: &[Reference]) -> Option<Vec<usize>> {
    // A field needs what its parts need, so what a field refers to leads on to the references of
    // every field that begins with its path: a range of the sorted paths.
    let mut sorted: Vec<usize> = (0..references.len()).collect();
    sorted.sort_by(|a, b| references[*a].from.cmp(&references[*b].from));
    let behind = |index: usize| {
        let to = &references[index].to;
        let start = sorted.partition_point(|other| references[*other].from < *to);
        let end = start
            + sorted[start..].partition_point(|other| references[*other].from.starts_with(to));
        start..end
    };
    let mut done: BTreeSet<usize> = BTreeSet::new();
    for first in 0..references.len() {
        if done.contains(&first) {
            continue;
        }
        // The way so far: a reference, and those behind it that are left to follow.
        let mut way = vec![(first, behind(first))];
        let mut on_way = BTreeSet::from([first]);
        while let Some((here, rest)) = way.last_mut() {
            let here = *here;
            match rest.next().map(|position| sorted[position]) {
                Some(next) if on_way.contains(&next) => {
                    let start = way.iter().position(|(index, _)| *index == next)?;
                    return Some(way[start..].iter().map(|(index, _)| *index).collect());
                }
                Some(next) if done.contains(&next) => {}
                Some(next) => {
                    on_way.insert(next);
                    way.push((next, behind(next)));
                }
                None => {
                    on_way.remove(&here);
                    done.insert(here);
                    way.pop();
                }
            }
        }
    }
    None
}
