//! Values and their units: names, arithmetic, and what may stand where.

use super::Checker;
use crate::ast::{Expr, ExprKind, Literal, Operator, PerUnit, Unit};
use crate::exact::{Exact, checked, to_f64, whole};
use crate::problem::{Code, Problem, did_you_mean};
use crate::source::Span;

/// What an expression comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Val {
    /// A number and what it measures.
    Quantity(Exact, Unit),
    /// A text.
    Text(String),
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

/// The highest rate a script may ask for, in jobs per second.
const MAX_RATE: i128 = 1_000_000_000;
/// The longest a shape may last: a hundred years, in seconds.
const MAX_SECONDS: i128 = 100 * 366 * 86_400;
/// The highest count: beyond it sums of several would not be exact any more.
pub(super) const MAX_COUNT: i128 = 1_000_000_000_000_000;

/// A unit in a reader's words.
fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Plain => "a plain number",
        Unit::Duration => "a duration",
        Unit::Size => "a size",
        Unit::Share => "a share",
        Unit::Angle => "an angle",
        Unit::Rate => "a rate",
        Unit::Factor => "a factor",
    }
}

impl Checker<'_> {
    /// Works out an expression; what is wrong with it is reported once, here.
    pub(super) fn value(&mut self, expr: &Expr) -> Option<Val> {
        match &expr.kind {
            ExprKind::Literal(Literal { value, unit, .. }) => Some(Val::Quantity(*value, *unit)),
            ExprKind::Text(text) => Some(Val::Text(text.clone())),
            ExprKind::Name(name) => self.name_value(name, expr.span),
            ExprKind::Env(name) => self.env_value(name, expr.span),
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

    fn quantity(&mut self, expr: &Expr) -> Option<(Exact, Unit)> {
        match self.value(expr)? {
            Val::Quantity(value, unit) => Some((value, unit)),
            Val::Text(text) => {
                let help = match crate::parse::expression(&text) {
                    Some(_) => format!("write it without quotes: `{text}`"),
                    None => "write a number, such as `10` or `10k`".to_owned(),
                };
                self.report(
                    Problem::error(
                        Code::WrongUnit,
                        expr.span,
                        "this is a text, and a number belongs here",
                    )
                    .help(help),
                );
                None
            }
        }
    }

    fn name_value(&mut self, name: &str, span: Span) -> Option<Val> {
        match self.names.get(name).cloned() {
            Some(State::Done(value)) => value,
            Some(State::Busy) => {
                self.report(
                    Problem::error(Code::Cycle, span, format!("`{name}` is defined by itself"))
                        .label("needed here to work out itself")
                        .help("break the circle: give one of the names a number"),
                );
                None
            }
            Some(State::Waiting(expr)) => {
                self.names.insert(name.to_owned(), State::Busy);
                let value = self.value(&expr);
                self.names.insert(name.to_owned(), State::Done(value.clone()));
                value
            }
            None => {
                self.unknown_name(name, span);
                None
            }
        }
    }

    fn unknown_name(&mut self, name: &str, span: Span) {
        // One mistake, one finding: later uses of the same unknown name follow from the first.
        self.names.insert(name.to_owned(), State::Done(None));
        let known = self.names.iter().filter(|(_, state)| !matches!(state, State::Done(None)));
        let known = known.map(|(known, _)| known.as_str()).collect::<Vec<_>>();
        let glued = self.source.text[..span.start as usize].trim_end().ends_with('/');
        let per = match name {
            _ if !glued => None,
            "m" | "min" | "minute" | "mins" => Some("min"),
            "h" | "hour" | "hr" => Some("h"),
            "d" | "day" | "days" => Some("day"),
            "s" | "sec" | "second" | "secs" => Some("s"),
            _ => None,
        };
        let message = match per {
            Some(unit) if unit == name => format!("`/{unit}` is glued to its number"),
            Some(_) => format!("there is no rate per `{name}`"),
            None => format!("there is no `{name}` here"),
        };
        let problem = Problem::error(Code::UnknownName, span, message);
        let help = match did_you_mean(name, known) {
            _ if per.is_some() => {
                let unit = per.unwrap_or_default();
                format!("rates are per `/s`, `/min`, `/h` or `/day`: write `/{unit}`")
            }
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("define it: `let {name} = …`"),
        };
        self.report(problem.help(help));
    }

    fn env_value(&mut self, name: &crate::ast::Name, span: Span) -> Option<Val> {
        match std::env::var(&name.node) {
            Ok(value) => Some(Val::Text(value)),
            Err(_) if self.options.lenient_env => None,
            Err(_) => {
                self.report(
                    Problem::error(
                        Code::Environment,
                        span,
                        format!("the environment variable `{}` is not set", name.node),
                    )
                    .help(format!("set it before the run: `{}=… loadc run …`", name.node)),
                );
                None
            }
        }
    }

    fn arithmetic(&mut self, operator: char, a: &Exact, b: &Exact, span: Span) -> Option<Exact> {
        let result = checked(operator, a, b);
        if result.is_none() {
            let problem = if operator == '/' && *b == whole(0) {
                Problem::error(Code::Arithmetic, span, "this divides by zero")
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

    fn wrong(&mut self, expr: &Expr, unit: Unit, wanted: &str, help: &str) -> Option<Val> {
        self.wrong_unit(expr, unit, wanted, help.to_owned());
        None
    }

    fn wrong_unit(&mut self, expr: &Expr, unit: Unit, wanted: &str, help: String) {
        let message = format!("{wanted} belongs here, and this is {}", unit_name(unit));
        self.report(Problem::error(Code::WrongUnit, expr.span, message).help(help));
    }

    fn text_of(&self, expr: &Expr) -> String {
        self.source.slice(expr.span).to_owned()
    }

    fn range(
        &mut self,
        expr: &Expr,
        value: Exact,
        low: i128,
        high: i128,
        what: &str,
    ) -> Option<Exact> {
        if value < whole(low) || value > whole(high) {
            let (bound, side) = if value < whole(low) { (low, "below") } else { (high, "above") };
            self.report(
                Problem::error(
                    Code::OutOfRange,
                    expr.span,
                    format!("{what} cannot be {side} {}", grouped(bound)),
                )
                .help(format!("it lies between {} and {}", grouped(low), grouped(high))),
            );
            return None;
        }
        Some(value)
    }

    /// A rate in jobs per second.
    pub(super) fn rate(&mut self, expr: &Expr) -> Option<Exact> {
        let value = self.any_rate(expr)?;
        self.range(expr, value, 0, MAX_RATE, "a rate in jobs per second")
    }

    /// A rate that may be negative, such as the height of a wave.
    pub(super) fn signed_rate(&mut self, expr: &Expr) -> Option<Exact> {
        let value = self.any_rate(expr)?;
        self.range(expr, value, -MAX_RATE, MAX_RATE, "a rate in jobs per second")
    }

    fn any_rate(&mut self, expr: &Expr) -> Option<Exact> {
        let (value, unit) = self.quantity(expr)?;
        let text = self.text_of(expr);
        let help = match unit {
            Unit::Rate | Unit::Plain => return Some(value),
            Unit::Duration if text.ends_with('m') => {
                let number = &text[..text.len() - 1];
                format!(
                    "`m` is minutes; a million is `{number}M`, and a rate per minute `{number}/min`"
                )
            }
            _ => "write a rate, such as `50` or `50/s`, `30/min`, `100/h`".to_owned(),
        };
        self.wrong_unit(expr, unit, "a rate", help);
        None
    }

    /// A duration in seconds.
    pub(super) fn duration(&mut self, expr: &Expr) -> Option<Exact> {
        let (value, unit) = self.quantity(expr)?;
        if unit != Unit::Duration {
            let text = self.text_of(expr);
            let help = match unit {
                Unit::Plain if matches!(expr.kind, ExprKind::Literal(_)) => {
                    format!("write it with a unit: `{text}ms`, `{text}s`, `{text}m` or `{text}h`")
                }
                _ => "write a duration, such as `30s` or `1h30m`".to_owned(),
            };
            self.wrong_unit(expr, unit, "a duration", help);
            return None;
        }
        self.range(expr, value, 0, MAX_SECONDS, "a duration in seconds")
    }

    /// A duration above 0.
    pub(super) fn some_duration(&mut self, expr: &Expr) -> Option<Exact> {
        let value = self.duration(expr)?;
        if value == whole(0) {
            self.report(
                Problem::error(Code::OutOfRange, expr.span, "this duration cannot be 0")
                    .help("write a longer one, such as `1s`"),
            );
            return None;
        }
        Some(value)
    }

    /// A whole number of things.
    pub(super) fn count(&mut self, expr: &Expr, what: &str) -> Option<u64> {
        let (value, unit) = self.quantity(expr)?;
        if unit != Unit::Plain {
            let help = match &expr.kind {
                ExprKind::Factor(number) => format!("write `{}`", self.text_of(number)),
                _ => format!("{what} is a whole number, such as `10`, `10k` or `2.5M`"),
            };
            self.wrong_unit(expr, unit, "a number", help);
            return None;
        }
        if !value.is_integer() {
            self.report(
                Problem::error(Code::OutOfRange, expr.span, format!("{what} is a whole number"))
                    .label(format!("this is {}", to_f64(&value)))
                    .help(format!("write `{}` or `{}`", value.floor(), value.ceil())),
            );
            return None;
        }
        let value = self.range(expr, value, 0, MAX_COUNT, what)?;
        u64::try_from(value.to_integer()).ok()
    }

    /// A plain number at least 0, such as a weight.
    pub(super) fn weight(&mut self, expr: &Expr) -> Option<Exact> {
        let (value, unit) = self.quantity(expr)?;
        if !matches!(unit, Unit::Plain | Unit::Share) {
            self.wrong_unit(
                expr,
                unit,
                "a weight",
                "a weight is a number or a share: `40`, `40%`".to_owned(),
            );
            return None;
        }
        self.range(expr, value, 0, 1_000_000_000, "a weight")
    }

    /// A factor, `x1.5`.
    pub(super) fn factor(&mut self, expr: &Expr) -> Option<Exact> {
        let (value, unit) = self.quantity(expr)?;
        if unit != Unit::Factor {
            let text = self.text_of(expr);
            let help = match (&expr.kind, unit) {
                (ExprKind::Literal(_), Unit::Plain) => format!("write `x{text}`"),
                (ExprKind::Literal(_), Unit::Share) => format!("write `x{}`", decimal(&value)),
                (_, Unit::Plain | Unit::Share) => format!("write `x({text})`"),
                _ => "a factor is written `x2` or `x0.5`".to_owned(),
            };
            self.wrong_unit(expr, unit, "a factor", help);
            return None;
        }
        self.range(expr, value, 0, 1_000_000_000, "a factor")
    }

    /// A share in ones.
    pub(super) fn share(&mut self, expr: &Expr) -> Option<Exact> {
        let (value, unit) = self.quantity(expr)?;
        if !matches!(unit, Unit::Plain | Unit::Share) {
            self.wrong_unit(
                expr,
                unit,
                "a share",
                "write a share, such as `1%` or `0.01`".to_owned(),
            );
            return None;
        }
        if value < whole(0) || value > whole(1) {
            let text = self.text_of(expr);
            let problem =
                Problem::error(Code::OutOfRange, expr.span, "a share lies between 0% and 100%");
            self.report(if unit == Unit::Plain && value <= whole(100) {
                problem.help(format!("write `{text}%`"))
            } else {
                problem
            });
            return None;
        }
        Some(value)
    }

    /// A rate, or a factor of one (then with `true`).
    pub(super) fn rate_or_factor(&mut self, expr: &Expr) -> Option<(Exact, bool)> {
        match self.quantity(expr)? {
            (_, Unit::Factor) => self.factor(expr).map(|factor| (factor, true)),
            _ => self.rate(expr).map(|rate| (rate, false)),
        }
    }

    /// An angle in turns; a duration is a part of the period.
    pub(super) fn phase(&mut self, expr: &Expr, period: Option<Exact>) -> Option<Exact> {
        let (value, unit) = self.quantity(expr)?;
        match unit {
            Unit::Angle => Some(value),
            Unit::Duration => {
                let period = period.filter(|period| *period > whole(0))?;
                self.arithmetic('/', &value, &period, expr.span)
            }
            _ => {
                self.wrong_unit(
                    expr,
                    unit,
                    "an angle or a time",
                    "write `90deg`, `0.25turn`, `1.57rad`, or a part of the period such as `15m`"
                        .to_owned(),
                );
                None
            }
        }
    }

    /// A size in bytes.
    pub(super) fn size(&mut self, expr: &Expr) -> Option<u64> {
        let (value, unit) = self.quantity(expr)?;
        if unit != Unit::Size {
            let text = self.text_of(expr);
            let help = match unit {
                Unit::Plain if matches!(expr.kind, ExprKind::Literal(_)) => {
                    format!("write it with a unit: `{text}B` or `{text}KB`")
                }
                _ => "write a size, such as `512B`, `4KB` or `1MiB`".to_owned(),
            };
            self.wrong_unit(expr, unit, "a size", help);
            return None;
        }
        let value = self.range(expr, value, 0, 100_000_000, "a payload in bytes")?;
        u64::try_from(value.ceil().to_integer()).ok()
    }

    /// A number of any size, for values that are drawn.
    pub(super) fn plain(&mut self, expr: &Expr) -> Option<Exact> {
        let (value, unit) = self.quantity(expr)?;
        if unit != Unit::Plain {
            self.wrong_unit(
                expr,
                unit,
                "a plain number",
                "write a number without a unit".to_owned(),
            );
            return None;
        }
        Some(value)
    }

    /// A text.
    pub(super) fn text(&mut self, expr: &Expr, example: &str) -> Option<String> {
        match self.value(expr)? {
            Val::Text(text) => Some(text),
            Val::Quantity(_, unit) => {
                self.wrong_unit(expr, unit, "a text", format!("write it in quotes: `{example}`"));
                None
            }
        }
    }
}

/// A bound with its thousands apart.
fn grouped(bound: i128) -> String {
    let sign = if bound < 0 { "-" } else { "" };
    let size = u64::try_from(bound.unsigned_abs()).unwrap_or(u64::MAX);
    format!("{sign}{}", crate::show::count(size))
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

/// A number in decimal digits, as JSON wants it: exact where the decimals end, else the nearest
/// 64-bit float.
pub(super) fn decimal(value: &Exact) -> String {
    let mut denominator = *value.denom();
    let mut places = 0_u32;
    let mut factor = 1_i128;
    for prime in [10, 5, 2] {
        while denominator % prime == 0 && places < 24 {
            denominator /= prime;
            factor = factor.saturating_mul(if prime == 10 { 1 } else { 10 / prime });
            places += 1;
        }
    }
    let scaled = value.numer().checked_mul(factor);
    match scaled {
        Some(scaled) if denominator == 1 => {
            let sign = if scaled < 0 { "-" } else { "" };
            let digits = format!("{:0>width$}", scaled.unsigned_abs(), width = places as usize + 1);
            let (whole, decimals) = digits.split_at(digits.len() - places as usize);
            let decimals = decimals.trim_end_matches('0');
            let point = if decimals.is_empty() { "" } else { "." };
            format!("{sign}{whole}{point}{decimals}")
        }
        _ => to_f64(value).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::fraction;

    #[test]
    fn decimals_are_exact_where_they_end() {
        let cases = [
            (fraction(1, 10), "0.1"),
            (fraction(-5, 4), "-1.25"),
            (whole(10_000), "10000"),
            (fraction(1, 3), "0.3333333333333333"),
            (fraction(7, 160), "0.04375"),
            (whole(0), "0"),
        ];
        for (value, text) in cases {
            assert_eq!(decimal(&value), text);
        }
    }
}
