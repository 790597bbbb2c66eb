//! What may stand where: an expression's value as a rate, a duration, a count and so on, each in its
//! range.

use super::Checker;
use super::value::Val;
use crate::ast::{Expr, ExprKind, Unit};
use crate::exact::{Exact, checked, order, to_f64, whole};
use crate::problem::{Code, Problem};

/// The highest rate a script may ask for, in jobs per second.
const MAX_RATE: i128 = 1_000_000_000;
/// A leap year, in seconds.
const YEAR_SECONDS: i128 = 366 * 86_400;
/// The longest a plan may last, in nanoseconds: five times the longest shape.
pub(super) const MAX_NANOS: u64 = 500 * YEAR_SECONDS as u64 * 1_000_000_000;
/// The longest a shape may last.
const MAX_YEARS: i128 = 100;
/// The highest count: beyond it sums of several would not be exact any more.
pub(super) const MAX_COUNT: i128 = 1_000_000_000_000_000;

/// Whether a value lies between two whole numbers, or is one of them.
fn is_within(value: &Exact, low: i128, high: i128) -> bool {
    order(value, &whole(low)).is_ge() && order(value, &whole(high)).is_le()
}

/// A unit in a reader's words.
pub(super) fn unit_name(unit: Unit) -> &'static str {
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
    pub(super) fn wrong(
        &mut self,
        expr: &Expr,
        unit: Unit,
        wanted: &str,
        help: &str,
    ) -> Option<Val> {
        self.wrong_unit(expr, unit, wanted, help.to_owned());
        None
    }

    pub(super) fn wrong_unit(&mut self, expr: &Expr, unit: Unit, wanted: &str, help: String) {
        let message = format!("{wanted} belongs here, and this is {}", unit_name(unit));
        let mut problem = Problem::error(Code::WrongUnit, expr.span, message).help(help);
        if let ExprKind::Name(name) = &expr.kind {
            if !self.misused.insert(name.clone()) {
                return;
            }
            if self.names.is_local(name) {
                problem = self.at_argument(name, problem, wanted);
            } else if let Some(place) = self.lets.get(name) {
                problem = problem.and(*place, format!("defined as {}", unit_name(unit)));
            }
        }
        self.report(problem);
    }

    /// What a parameter stands for was written elsewhere, and is what must change.
    pub(super) fn at_argument(&self, name: &str, mut problem: Problem, wanted: &str) -> Problem {
        if let Some(given) = self.names.given(name) {
            let (used, _) = std::mem::replace(&mut problem.place, (given, String::new()));
            problem = problem.and(used, format!("used as {wanted} here"));
        }
        problem
    }

    pub(super) fn text_of(&self, expr: &Expr) -> String {
        self.source.slice(expr.span).to_owned()
    }

    /// A value within two bounds, which are a `unit` of things.
    fn range(
        &mut self,
        expr: &Expr,
        value: Exact,
        (low, high): (i128, i128),
        (what, unit): (&str, &str),
    ) -> Option<Exact> {
        if !is_within(&value, low, high) {
            let below = value < whole(low);
            let (bound, side) = if below { (low, "below") } else { (high, "above") };
            let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
            let bound =
                if bound == 0 { "0".to_owned() } else { format!("{}{unit}", grouped(bound)) };
            self.report(
                Problem::error(
                    Code::OutOfRange,
                    expr.span,
                    format!("{what} cannot be {side} {bound}"),
                )
                .help(format!(
                    "it lies between {} and {}{unit}",
                    grouped(low),
                    grouped(high)
                )),
            );
            return None;
        }
        Some(value)
    }

    /// A rate in jobs per second.
    pub(super) fn rate(&mut self, expr: &Expr) -> Option<Exact> {
        let value = self.any_rate(expr)?;
        self.range(expr, value, (0, MAX_RATE), ("a rate", "jobs per second"))
    }

    /// A rate that may be negative, such as the height of a wave.
    pub(super) fn signed_rate(&mut self, expr: &Expr) -> Option<Exact> {
        let value = self.any_rate(expr)?;
        self.range(expr, value, (-MAX_RATE, MAX_RATE), ("a rate", "jobs per second"))
    }

    fn any_rate(&mut self, expr: &Expr) -> Option<Exact> {
        let (value, unit) = self.quantity(expr)?;
        if matches!(unit, Unit::Rate | Unit::Plain) {
            if let (ExprKind::Name(name), Unit::Plain) = (&expr.kind, unit) {
                self.uses.entry(name.clone()).or_default().1 += 1;
            }
            return Some(value);
        }
        let text = self.text_of(expr);
        let help = match unit {
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
        if is_within(&value, 0, MAX_YEARS * YEAR_SECONDS) {
            return Some(value);
        }
        let years = checked('/', &value, &whole(YEAR_SECONDS))?;
        self.range(expr, years, (0, MAX_YEARS), ("a duration", "years")).map(|_| value)
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
        let value = self.range(expr, value, (0, MAX_COUNT), (what, ""))?;
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
        self.range(expr, value, (0, 1_000_000_000), ("a weight", ""))
    }

    /// A factor, `x1.5`.
    pub(super) fn factor(&mut self, expr: &Expr) -> Option<Exact> {
        let (value, unit) = self.quantity(expr)?;
        if unit != Unit::Factor {
            let text = self.text_of(expr);
            let text = match &expr.kind {
                ExprKind::Parens(inner) => self.text_of(inner),
                _ => text,
            };
            let help = match (&expr.kind, unit) {
                (ExprKind::Literal(_), Unit::Plain) => format!("write `x{text}`"),
                (ExprKind::Literal(_), Unit::Share) => format!("write `x{}`", decimal(&value)),
                (_, Unit::Plain | Unit::Share) => format!("write `x({text})`"),
                _ => "a factor is written `x2` or `x0.5`".to_owned(),
            };
            self.wrong_unit(expr, unit, "a factor", help);
            return None;
        }
        self.range(expr, value, (0, 1_000_000_000), ("a factor", ""))
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
                problem.help("write a share, such as `1%` or `0.01`")
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
                let help = match &expr.kind {
                    ExprKind::Literal(literal) if unit == Unit::Plain => {
                        format!("write `{0}deg`, or a part of the period: `{0}s`", literal.text)
                    }
                    _ => "write `90deg`, `0.25turn`, `1.57rad`, or a part of the period such as `15m`"
                        .to_owned(),
                };
                self.wrong_unit(expr, unit, "an angle or a time", help);
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
        let value = self.range(expr, value, (0, 100_000_000), ("a payload", "bytes"))?;
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
            Val::Text(text) | Val::Env(_, Some(text)) => Some(text),
            Val::Env(..) if self.options.lenient_env => None,
            Val::Env(name, None) => {
                self.not_set(&name, expr.span);
                None
            }
            Val::Quantity(_, unit) => {
                self.wrong_unit(
                    expr,
                    unit,
                    "a text",
                    format!("write it in quotes: `\"{example}\"`"),
                );
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
