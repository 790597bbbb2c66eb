//! The names a script defines: each once, none a word of the language, and `--set` in their place.

use crate::ast::{Expr, Name};
use crate::check::Checker;
use crate::check::value::State;
use crate::parse::table;
use crate::problem::{Code, Problem, did_you_mean};
use crate::source::Span;
use std::collections::BTreeMap;

impl Checker<'_> {
    pub(super) fn first_of(
        &mut self,
        kind: &str,
        name: &Name,
        firsts: &mut BTreeMap<String, Span>,
    ) -> bool {
        let key = format!("{kind} {}", name.node);
        if let Some(first) = firsts.get(&key).filter(|_| !self.shaky) {
            self.report(
                Problem::error(
                    Code::DuplicateName,
                    name.span,
                    format!("there are two of `{kind} {}`", name.node),
                )
                .label("defined again here")
                .and(*first, "defined first here")
                .help("give one of them another name"),
            );
            // Which of the two is meant cannot be told, nor whether it is seen from where it is used.
            self.misused.insert(format!("{} unseen", name.node));
            return false;
        }
        firsts.insert(key, name.span);
        true
    }

    pub(super) fn allowed(&mut self, name: &Name) -> bool {
        let free = self.is_free(name);
        if !free {
            self.names.insert(name.node.clone(), State::Done(None));
        }
        free
    }

    /// Whether a name is no word of the language.
    pub(in crate::check) fn is_free(&mut self, name: &Name) -> bool {
        let factor = name
            .node
            .strip_prefix('x')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if !factor && !table::leads(&name.node, table::RESERVED) {
            return true;
        }
        let message = match factor {
            true => format!("`{}` would be read as a factor", name.node),
            false => format!("`{}` is a word of the language", name.node),
        };
        self.report(
            Problem::error(Code::ReservedName, name.span, message)
                .help(format!("choose another name, such as `my_{}`", name.node)),
        );
        false
    }

    /// `--set NAME=VALUE`
    pub(super) fn override_names(&mut self) {
        for (name, value) in self.options.set.clone() {
            let top = Span::default();
            if !self.names.contains_key(&name) {
                let known = self.names.keys().map(String::as_str).collect::<Vec<_>>();
                let help = match did_you_mean(&name, known.iter().copied()) {
                    Some(meant) => format!("did you mean `--set {meant}={value}`?"),
                    None if known.is_empty() => "the script has no `let`".to_owned(),
                    None => format!("the script's names are {}", known.join(", ")),
                };
                let message = format!("--set {name}={value}: the script has no `let {name}`");
                self.report(Problem::error(Code::UnknownName, top, message).help(help));
                continue;
            }
            match crate::parse::expression(&value) {
                Some(mut expr) => {
                    // Its place is the command line, which has none in the file.
                    set_spans(&mut expr, Span::default());
                    self.names.insert(name, State::Waiting(expr));
                }
                None => {
                    let message = format!("--set {name}={value}: `{value}` is not a value");
                    self.report(
                        Problem::error(Code::Expected, top, message)
                            .help("write a value as in the script: `--set peak=500/s`"),
                    );
                }
            }
        }
    }

    /// Works out every name, so that mistakes in unused ones are found too.
    pub(in crate::check) fn unused_names(&mut self) {
        let names = self.names.keys().cloned().collect::<Vec<_>>();
        for name in names {
            self.work_out(&name);
        }
    }
}

/// Gives every part of an expression one place.
pub(in crate::check) fn set_spans(expr: &mut Expr, span: Span) {
    use crate::ast::ExprKind as K;
    expr.span = span;
    match &mut expr.kind {
        K::Negate(inner) | K::Factor(inner) | K::Parens(inner) | K::Per(inner, _) => {
            set_spans(inner, span);
        }
        K::Binary(left, operator, right) => {
            operator.span = span;
            set_spans(left, span);
            set_spans(right, span);
        }
        K::Call(name, args) => {
            name.span = span;
            args.iter_mut().for_each(|arg| set_spans(arg, span));
        }
        K::Env(name) => name.span = span,
        K::Literal(_) | K::Text(_) | K::Name(_) => {}
    }
}
