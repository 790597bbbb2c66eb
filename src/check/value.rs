//! Values and their units: names, arithmetic, and what may stand where.

use super::Checker;
use super::units::unit_name;
use crate::ast::{Expr, ExprKind, Literal, Operator, PerUnit, Unit};
use crate::exact::{Exact, checked, whole};
use crate::problem::{Code, Problem, did_you_mean};
use crate::source::Span;
use std::collections::BTreeMap;

/// What an expression comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Val {
    /// A number and what it measures.
    Quantity(Exact, Unit),
    /// A text.
    Text(String),
    /// An environment variable and its value, a text that may be a number; none where it is not set
    /// and that is no error yet.
    Env(String, Option<String>),
}

/// How far the definition of a name has been worked out.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// Not yet.
    Waiting(Expr),
    /// Being worked out: meeting it again is a cycle.
    Busy,
    /// Worked out, or found wrong and reported.
    Done(Option<Val>),
}

impl Checker<'_> {
    /// Works out an expression; what is wrong with it is reported once, here.
    pub(super) fn value(&mut self, expr: &Expr) -> Option<Val> {
        match &expr.kind {
            ExprKind::Literal(Literal { value, unit, .. }) => Some(Val::Quantity(*value, *unit)),
            ExprKind::Text(text) => Some(Val::Text(text.clone())),
            ExprKind::Name(name) => self.name_value(name, expr.span),
            ExprKind::Env(name) => Some(self.env_value(name)),
            ExprKind::Parens(inner) => self.value(inner),
            ExprKind::Negate(inner) => {
                let (value, unit) = self.quantity(inner)?;
                Some(Val::Quantity(-value, unit))
            }
            ExprKind::Factor(inner) => {
                let (value, unit) = self.quantity(inner)?;
                match unit {
                    Unit::Plain | Unit::Factor | Unit::Share => {
                        Some(Val::Quantity(value, Unit::Factor))
                    }
                    _ => self.wrong(
                        inner,
                        unit,
                        "a plain number",
                        "a factor is `x1.5`, or `x(k)` of a number `k`",
                    ),
                }
            }
            ExprKind::Per(inner, per) => {
                let (value, unit) = self.quantity(inner)?;
                let seconds = match per.node {
                    PerUnit::Second => 1,
                    PerUnit::Minute => 60,
                    PerUnit::Hour => 3600,
                    PerUnit::Day => 86_400,
                };
                if unit != Unit::Plain {
                    return self.wrong(
                        inner,
                        unit,
                        "a plain number",
                        "a rate is a number over a time, such as `50/s`",
                    );
                }
                self.arithmetic('/', &value, &whole(seconds), expr.span)
                    .map(|rate| Val::Quantity(rate, Unit::Rate))
            }
            ExprKind::Binary(left, operator, right) => {
                self.binary(expr, left, operator.node, right)
            }
            ExprKind::Call(name, args) => self.call(name, args),
        }
    }

    pub(super) fn quantity(&mut self, expr: &Expr) -> Option<(Exact, Unit)> {
        match self.value(expr)? {
            Val::Quantity(value, unit) => Some((value, unit)),
            Val::Env(name, Some(text)) => self.env_quantity(&name, &text, expr.span),
            Val::Env(name, None) => {
                self.not_set(&name, expr.span);
                None
            }
            Val::Text(text) => {
                let number = text.starts_with(|c: char| c.is_ascii_digit());
                let help = match crate::parse::expression(&text).filter(|_| number) {
                    Some(_) => format!("write it without quotes: `{text}`"),
                    None => "write a number, such as `10` or `10k`".to_owned(),
                };
                let message = "this is a text, and a number belongs here";
                let mut problem = Problem::error(Code::WrongUnit, expr.span, message).help(help);
                if let ExprKind::Name(name) = &expr.kind
                    && self.names.is_local(name)
                {
                    if !self.misused.insert(name.clone()) {
                        return None;
                    }
                    problem = self.at_argument(name, problem, "a number");
                }
                self.report(problem);
                None
            }
        }
    }

    fn name_value(&mut self, name: &str, span: Span) -> Option<Val> {
        // What could not be read has no name, and has been reported.
        if name.is_empty() {
            return None;
        }
        if let Some(defined) = self.lets.get(name).copied().filter(|_| !self.names.is_local(name))
            && !self.is_seen(span, defined)
        {
            self.out_of_sight(name, span, defined);
            return None;
        }
        if !self.names.is_local(name) {
            self.uses.entry(name.to_owned()).or_default().0 += 1;
            self.reach(span, self.lets.get(name).copied());
        }
        if let Some(State::Waiting(_)) = self.names.get(name) {
            self.work_out(name);
        }
        match self.names.get(name) {
            Some(State::Done(value)) => value.clone(),
            Some(_) => {
                self.report(
                    Problem::error(Code::Cycle, span, format!("`{name}` is defined by itself"))
                        .label("needed here to work out itself")
                        .help("break the circle: give one of the names a number"),
                );
                None
            }
            None => {
                self.unknown_name(name, span);
                None
            }
        }
    }

    /// Works out a name, those it needs first: a chain of names may be longer than a stack is deep.
    pub(super) fn work_out(&mut self, name: &str) {
        let mut stack = vec![name.to_owned()];
        let mut held: BTreeMap<String, Expr> = BTreeMap::new();
        while let Some(top) = stack.last() {
            let top = top.clone();
            if let Some(State::Waiting(_)) = self.names.get(&top) {
                let state = self.names.insert(top.clone(), State::Busy);
                let Some(State::Waiting(expr)) = state else { continue };
                let mut needed = Vec::new();
                names_in(&expr, &mut needed);
                needed.retain(|name| matches!(self.names.get(name), Some(State::Waiting(_))));
                held.insert(top, expr);
                stack.append(&mut needed);
                continue;
            }
            if let Some(expr) = held.remove(&top) {
                let value = self.value(&expr);
                self.names.insert(top, State::Done(value));
            }
            stack.pop();
        }
    }

    fn unknown_name(&mut self, name: &str, span: Span) {
        // It may be one of a file that is not to be had.
        if self.lacks_file {
            return;
        }
        let known = self.names.iter().filter(|(_, state)| !matches!(state, State::Done(None)));
        let meant = self.meant(name, known.map(|(known, _)| known.as_str()));
        let glued = self.source.text[..span.start as usize].trim_end().ends_with('/');
        let per = match name {
            _ if !glued => None,
            "m" | "min" | "minute" | "mins" => Some("min"),
            "h" | "hour" | "hr" => Some("h"),
            "d" | "day" | "days" => Some("day"),
            "s" | "sec" | "second" | "secs" => Some("s"),
            _ => None,
        };
        if per.is_none() {
            // One mistake, one finding: later uses of the same unknown name follow from the first.
            self.names.insert(name.to_owned(), State::Done(None));
        }
        let message = match per {
            Some(unit) if unit == name => format!("`/{unit}` is glued to its number"),
            Some(_) => format!("there is no rate per `{name}`"),
            None => format!("there is no `{name}` here"),
        };
        let problem = Problem::error(Code::UnknownName, span, message);
        let help = match meant {
            _ if per.is_some() => {
                let unit = per.unwrap_or_default();
                format!("rates are per `/s`, `/min`, `/h` or `/day`: write `/{unit}`")
            }
            _ if self.factor_of(name).is_some() => {
                format!("a factor is written `x({})`", self.factor_of(name).unwrap_or_default())
            }
            _ if name == "x" => "a factor is `x2`, or `x(…)` of a value".to_owned(),
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("define it: `let {name} = …`"),
        };
        self.report(problem.help(help));
    }

    /// The known name in `xname`.
    fn factor_of<'n>(&self, name: &'n str) -> Option<&'n str> {
        name.strip_prefix('x').filter(|rest| self.names.contains_key(rest))
    }

    fn env_value(&mut self, name: &crate::ast::Name) -> Val {
        Val::Env(name.node.clone(), std::env::var(&name.node).ok())
    }

    /// Reports an environment variable that is not set.
    pub(super) fn not_set(&mut self, name: &str, span: Span) {
        let message = format!("the environment variable `{name}` is not set");
        self.report(
            Problem::error(Code::Environment, span, message)
                .help(format!("set it before the run: `{name}=… loadc run …`")),
        );
    }

    /// A number that an environment variable holds.
    fn env_quantity(&mut self, name: &str, text: &str, span: Span) -> Option<(Exact, Unit)> {
        let read = crate::parse::expression(text).and_then(|mut expr| {
            // Its place is the variable, wherever in it something is wrong.
            super::scope::set_spans(&mut expr, span);
            let mut names = Vec::new();
            names_in(&expr, &mut names);
            names.is_empty().then_some(expr)
        });
        match read {
            Some(expr) if !matches!(expr.kind, ExprKind::Env(_)) => self.quantity(&expr),
            _ => {
                let message = format!("the environment variable `{name}` holds no number");
                self.report(
                    Problem::error(Code::Environment, span, message)
                        .label(format!("it is {text:?}"))
                        .help(format!("set it to a value such as `{name}=500/s`")),
                );
                None
            }
        }
    }

    pub(super) fn arithmetic(
        &mut self,
        operator: char,
        a: &Exact,
        b: &Exact,
        span: Span,
    ) -> Option<Exact> {
        let result = checked(operator, a, b);
        if result.is_none() {
            let problem = if operator == '/' && *b == whole(0) {
                Problem::error(Code::Arithmetic, span, "this divides by zero")
                    .label("the divisor is 0")
            } else {
                Problem::error(Code::Arithmetic, span, "this needs more digits than loadc keeps")
                    .help("numbers are exact, to about 38 digits above and below the fraction bar")
            };
            self.report(problem);
        }
        result
    }

    fn binary(
        &mut self,
        expr: &Expr,
        left: &Expr,
        operator: Operator,
        right: &Expr,
    ) -> Option<Val> {
        // Both sides are worked out before either may end this, so that each is checked.
        let (a, b) = (self.quantity(left), self.quantity(right));
        let ((a, left_unit), (b, right_unit)) = (a?, b?);
        let (symbol, unit) = match operator {
            Operator::Add => ('+', sum_unit(left_unit, right_unit)),
            Operator::Subtract => ('-', sum_unit(left_unit, right_unit)),
            Operator::Multiply => ('*', product_unit(left_unit, right_unit)),
            Operator::Divide => ('/', quotient_unit(left_unit, right_unit)),
        };
        let Some(unit) = unit else {
            let (one, two) = (unit_name(left_unit), unit_name(right_unit));
            let message = match operator {
                Operator::Add => format!("{one} and {two} cannot be added"),
                Operator::Subtract => format!("{two} cannot be taken from {one}"),
                Operator::Multiply => format!("{one} and {two} cannot be multiplied"),
                Operator::Divide => format!("{one} cannot be divided by {two}"),
            };
            self.report(
                Problem::error(Code::MixedUnits, left.span, message)
                    .label(one)
                    .and(right.span, two)
                    .help(mixed_help(operator, left_unit, right_unit)),
            );
            return None;
        };
        self.arithmetic(symbol, &a, &b, expr.span).map(|value| Val::Quantity(value, unit))
    }

    fn call(&mut self, name: &crate::ast::Name, args: &[Expr]) -> Option<Val> {
        let smaller = match name.node.as_str() {
            "min" => true,
            "max" => false,
            other => {
                let help = match did_you_mean(other, ["min", "max"]) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "functions of numbers are `min` and `max`".to_owned(),
                };
                let message = format!("there is no function `{other}`");
                self.report(Problem::error(Code::UnknownName, name.span, message).help(help));
                return None;
            }
        };
        let values = args.iter().map(|arg| (arg, self.quantity(arg))).collect::<Vec<_>>();
        let mut best: Option<(Exact, Unit, &Expr)> = None;
        for (arg, value) in values {
            let (value, unit) = value?;
            best = Some(match best {
                None => (value, unit, arg),
                Some((so_far, so_far_unit, first)) => {
                    let Some(common) = sum_unit(so_far_unit, unit) else {
                        let message = format!("`{}` compares like with like", name.node);
                        self.report(
                            Problem::error(Code::MixedUnits, arg.span, message)
                                .label(unit_name(unit))
                                .and(first.span, unit_name(so_far_unit)),
                        );
                        return None;
                    };
                    let better = if smaller { value < so_far } else { value > so_far };
                    (if better { value } else { so_far }, common, first)
                }
            });
        }
        best.map(|(value, unit, _)| Val::Quantity(value, unit))
    }
}

/// The names that an expression mentions.
fn names_in(expr: &Expr, found: &mut Vec<String>) {
    match &expr.kind {
        ExprKind::Name(name) => found.push(name.clone()),
        ExprKind::Negate(inner)
        | ExprKind::Factor(inner)
        | ExprKind::Parens(inner)
        | ExprKind::Per(inner, _) => names_in(inner, found),
        ExprKind::Binary(left, _, right) => {
            names_in(left, found);
            names_in(right, found);
        }
        ExprKind::Call(_, args) => args.iter().for_each(|arg| names_in(arg, found)),
        ExprKind::Literal(_) | ExprKind::Text(_) | ExprKind::Env(_) => {}
    }
}

fn sum_unit(a: Unit, b: Unit) -> Option<Unit> {
    match (a, b) {
        _ if a == b => Some(a),
        (Unit::Rate, Unit::Plain) | (Unit::Plain, Unit::Rate) => Some(Unit::Rate),
        (Unit::Share | Unit::Factor, Unit::Plain) | (Unit::Plain, Unit::Share | Unit::Factor) => {
            Some(Unit::Plain)
        }
        _ => None,
    }
}

fn product_unit(a: Unit, b: Unit) -> Option<Unit> {
    match (a, b) {
        _ if a == b && matches!(a, Unit::Share | Unit::Plain | Unit::Factor) => Some(a),
        (Unit::Plain | Unit::Share, Unit::Plain | Unit::Share) => Some(Unit::Plain),
        (Unit::Factor, Unit::Plain | Unit::Share) | (Unit::Plain | Unit::Share, Unit::Factor) => {
            Some(Unit::Factor)
        }
        (Unit::Plain | Unit::Share | Unit::Factor, other) => Some(other),
        (other, Unit::Plain | Unit::Share | Unit::Factor) => Some(other),
        (Unit::Rate, Unit::Duration) | (Unit::Duration, Unit::Rate) => Some(Unit::Plain),
        _ => None,
    }
}

fn quotient_unit(a: Unit, b: Unit) -> Option<Unit> {
    match (a, b) {
        _ if a == b => Some(Unit::Plain),
        (other, Unit::Plain | Unit::Share | Unit::Factor) => Some(other),
        (Unit::Plain, Unit::Duration) => Some(Unit::Rate),
        (Unit::Plain, Unit::Rate) => Some(Unit::Duration),
        _ => None,
    }
}

fn mixed_help(operator: Operator, a: Unit, b: Unit) -> String {
    match (operator, a, b) {
        (Operator::Add | Operator::Subtract, Unit::Duration, Unit::Plain)
        | (Operator::Add | Operator::Subtract, Unit::Plain, Unit::Duration) => {
            "give the number a unit, such as `5s`".to_owned()
        }
        (Operator::Add | Operator::Subtract, _, _) => "both sides must measure the same".to_owned(),
        _ => {
            "what goes: a number times anything, a rate times a duration (a count), a count over a \
              duration (a rate), a count over a rate (a duration), like over like (a number)"
                .to_owned()
        }
    }
}
