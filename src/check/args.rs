//! Arguments: which parameter of a shape each is for, and whether it goes with it.

use super::Checker;
use super::units::unit_name;
use super::value::{State, Val};
use crate::ast::{Arg, Expr, Name, Param, Shape, Unit};
use crate::problem::{Code, Problem, did_you_mean};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// What each parameter stands for in a call, and where that was written.
#[derive(Default)]
pub(super) struct Bound {
    pub values: BTreeMap<String, Option<Val>>,
    pub given: BTreeMap<String, Span>,
}

impl Checker<'_> {
    /// What a call gives to each parameter; `None` where that does not go with the shape.
    pub(super) fn bind(
        &mut self,
        shape: &Shape,
        args: &[Arg],
        values: Vec<Option<Val>>,
        (call, own): (&Name, &BTreeSet<(Code, Span)>),
    ) -> Option<Bound> {
        let Bound { values: mut bound, mut given } = Bound::default();
        let (mut good, mut named) = (true, false);
        for (at, (arg, value)) in args.iter().zip(values).enumerate() {
            named |= arg.name.is_some();
            let Some(param) = self.param_of(shape, arg, at, named) else {
                good = false;
                continue;
            };
            if let Some(first) = given.get(&param.name.node) {
                let message = format!("`{}` is given twice", param.name.node);
                self.report(
                    Problem::error(Code::Twice, arg.value.span, message)
                        .label("the second time")
                        .and(*first, "the first")
                        .help("remove one of the two"),
                );
                good = false;
                continue;
            }
            // A default that is wrong itself says nothing of what is right.
            let is_wrong = |default: &Expr| own.iter().any(|(_, at)| default.span.contains(*at));
            let value = match &param.default {
                Some(default) if !is_wrong(default) => {
                    value.and_then(|value| self.fitting(param, value, &arg.value))
                }
                _ => value,
            };
            given.insert(param.name.node.clone(), arg.value.span);
            bound.insert(param.name.node.clone(), value);
        }
        let lacks =
            |param: &&Param| param.default.is_none() && !bound.contains_key(&param.name.node);
        let missing: Vec<&Param> = shape.params.iter().filter(lacks).collect();
        if let (Some(first), true) = (missing.first(), good) {
            let names: Vec<String> = missing.iter().map(|p| format!("`{}`", p.name.node)).collect();
            let message = format!("`{}` needs {}", call.node, names.join(", "));
            self.report(
                Problem::error(Code::MissingArgument, call.span, message)
                    .label("called without it")
                    .and(first.name.span, "has no default")
                    .help(format!("write `{}`", form(shape))),
            );
            good = false;
        }
        good.then_some(Bound { values: bound, given })
    }

    /// The parameter that an argument is for.
    fn param_of<'p>(
        &mut self,
        shape: &'p Shape,
        arg: &Arg,
        at: usize,
        named: bool,
    ) -> Option<&'p Param> {
        let (span, message, help) = match &arg.name {
            Some(name) => {
                let found = shape.params.iter().find(|param| param.name.node == name.node);
                if found.is_some() {
                    return found;
                }
                // The body was found to use a name that no parameter has: this is the same.
                if matches!(self.names.get(&name.node), Some(State::Done(None))) {
                    return None;
                }
                let known: Vec<&str> = shape.params.iter().map(|p| p.name.node.as_str()).collect();
                let help = match did_you_mean(&name.node, known.iter().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("it is called as `{}`", form(shape)),
                };
                let message = format!("`{}` has no parameter `{}`", shape.name.node, name.node);
                (name.span, message, help)
            }
            None if named => {
                let message = "an argument without a name stands behind one with a name";
                let help = format!("give it a name too, as in `{}`", form(shape));
                (arg.value.span, message.to_owned(), help)
            }
            None => match shape.params.get(at) {
                Some(param) => return Some(param),
                None => {
                    let takes = crate::show::plural(shape.params.len() as u64, "argument");
                    let message = format!("`{}` takes {takes}", shape.name.node);
                    (arg.value.span, message, format!("it is called as `{}`", form(shape)))
                }
            },
        };
        let problem = Problem::error(Code::BadCall, span, message).help(help);
        self.report(problem.and(shape.name.span, "defined here"));
        None
    }

    /// A value as its parameter takes it: the default says which unit that is.
    fn fitting(&mut self, param: &Param, value: Val, arg: &Expr) -> Option<Val> {
        let Some(default) = &param.default else { return Some(value) };
        let Val::Quantity(amount, unit) = value else { return Some(value) };
        let Some(wanted) = self.unit_of_default(default) else {
            return Some(Val::Quantity(amount, unit));
        };
        match (wanted, unit) {
            // What a plain number is for, only its use can tell.
            (Unit::Plain, _) => Some(Val::Quantity(amount, unit)),
            (Unit::Rate | Unit::Share, Unit::Plain) => Some(Val::Quantity(amount, wanted)),
            _ if wanted == unit => Some(Val::Quantity(amount, unit)),
            _ => {
                let name = &param.name.node;
                let message =
                    format!("`{name}` is {}, and this is {}", unit_name(wanted), unit_name(unit));
                self.report(
                    Problem::error(Code::WrongUnit, arg.span, message)
                        .and(default.span, "its default says so")
                        .help(format!(
                            "write {} such as `{name} = {}`",
                            unit_name(wanted),
                            self.one_line(default.span)
                        )),
                );
                None
            }
        }
    }

    /// The unit of a default, as far as it can be told without the other parameters.
    fn unit_of_default(&mut self, default: &Expr) -> Option<Unit> {
        let before = self.problems.len();
        let frame = self.names.swap(None);
        let value = self.value(default);
        self.names.swap(frame);
        // What is wrong with it was said where it stands.
        self.problems.truncate(before);
        match value? {
            Val::Quantity(_, unit) => Some(unit),
            Val::Text(_) | Val::Env(..) => None,
        }
    }
}

/// How a shape is called.
fn form(shape: &Shape) -> String {
    let params: Vec<String> =
        shape.params.iter().map(|param| format!("{} = …", param.name.node)).collect();
    format!("{}({})", shape.name.node, params.join(", "))
}
