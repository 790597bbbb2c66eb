//! Bodies: every generator and its arguments.

use super::Checker;
use super::fields::Fields;
use super::units::decimal;
use crate::ast::{CallArg, Expr, ExprKind, Name, RangeArg, TextPart, Unit, Value, ValueKind};
use crate::exact::{Exact, to_f64, whole};
use crate::job;
use crate::problem::{Code, Problem};
use crate::source::Span;

/// Generators of this version.
pub(super) const GENERATORS: &[&str] = &[
    "uuid",
    "ulid",
    "seq",
    "now",
    "int",
    "float",
    "normal",
    "exponential",
    "zipf",
    "bool",
    "pick",
    "text",
    "hex",
    "bytes",
    "list",
];
/// Most items of a `list`.
const MAX_ITEMS: u64 = 100_000;
/// Most bytes or digits that one value draws.
const MAX_DRAWN: u64 = 100_000_000;

impl Checker<'_> {
    /// A job's body.
    pub(super) fn body(&mut self, value: &Value) -> Option<job::Value> {
        let mut fields = Fields::default();
        let body = self.drawn(value, &mut fields);
        // Whatever else is wrong with it.
        let is_sound = self.no_circle(fields);
        body.filter(|_| is_sound)
    }

    pub(super) fn drawn<'v>(
        &mut self,
        value: &'v Value,
        fields: &mut Fields<'v>,
    ) -> Option<job::Value> {
        Some(match &value.kind {
            ValueKind::Null => job::Value::Null,
            ValueKind::Bool(value) => job::Value::Bool(*value),
            ValueKind::Number(literal) => {
                if literal.unit != Unit::Plain {
                    self.report(
                        Problem::error(
                            Code::WrongUnit,
                            value.span,
                            "a number in a body has no unit",
                        )
                        .help(format!(
                            "JSON knows plain numbers only: write `{}`, or `\"{}\"` as text",
                            decimal(&literal.value),
                            literal.text
                        )),
                    );
                    return None;
                }
                job::Value::Number(decimal(&literal.value))
            }
            ValueKind::Text(parts) => {
                let parts = parts.iter().map(|part| match part {
                    TextPart::Literal(text) => Some(job::TextPart::Literal(text.clone())),
                    TextPart::Value(value) => self.drawn(value, fields).map(job::TextPart::Value),
                });
                job::Value::Text(parts.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?)
            }
            ValueKind::Array(items) => {
                let items = items.iter().map(|item| self.drawn(item, fields)).collect::<Vec<_>>();
                job::Value::Array(items.into_iter().collect::<Option<_>>()?)
            }
            ValueKind::Object(entries) => self.object(entries, fields)?,
            ValueKind::List { count, item } => {
                let range = self.count_range(count, MAX_ITEMS, "the length of a list");
                let item = self.drawn(item, fields);
                let (min, max) = range?;
                let clip = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
                job::Value::List { min: clip(min), max: clip(max), item: Box::new(item?) }
            }
            ValueKind::Call { name, args } => {
                return self.generator(name, args, value.span, fields);
            }
            ValueKind::Reference(name) => return self.reference(name, fields),
            ValueKind::Column(row, column) => return self.column(row, column),
        })
    }

    fn generator<'v>(
        &mut self,
        name: &Name,
        args: &'v [CallArg],
        span: Span,
        fields: &mut Fields<'v>,
    ) -> Option<job::Value> {
        if args.iter().any(is_unreadable) {
            return None;
        }
        match name.node.as_str() {
            "uuid" => self.no_args(name, args).then_some(job::Value::Uuid),
            "seq" => self.no_args(name, args).then_some(job::Value::Seq),
            "now" => self.no_args(name, args).then_some(job::Value::Now),
            "ulid" => self.no_args(name, args).then_some(job::Value::Ulid),
            "list" => self.bad_args(span, "list", "list(1..6) { sku: int(1..9) }"),
            "int" => {
                let (low, high) = self.both_ends(name, args, span, "int(1..6)")?;
                let (min, max) = (self.integer(low)?, self.integer(high)?);
                if min > max {
                    self.range_order(low.span, high.span);
                    return None;
                }
                Some(job::Value::Int { min, max })
            }
            "float" => self.float(name, args, span),
            "normal" => self.normal(args, span),
            "exponential" => self.exponential(args, span),
            "zipf" => self.zipf(args, span),
            "bytes" => self.random_bytes(args, span),
            "bool" => match args {
                [] => Some(job::Value::Chance(0.5)),
                [arg] => {
                    let expr = self.one_expr(arg, "bool(30%)")?;
                    self.share(&expr).map(|share| job::Value::Chance(to_f64(&share)))
                }
                _ => self.bad_args(span, "bool", "bool(30%)"),
            },
            "pick" => self.pick(name, args, fields),
            "text" => self.random_text(args, span),
            "hex" => {
                let [arg] = args else { return self.bad_args(span, "hex", "hex(16)") };
                let range = self.ends(arg, span, "hex(16)")?;
                let (min, max) = self.count_range(&range, MAX_DRAWN, "a number of digits")?;
                Some(job::Value::Hex { min, max })
            }
            other => match job::Fake::of(other) {
                Some(fake) => self.no_args(name, args).then_some(job::Value::Fake(fake)),
                None => {
                    self.no_generator(name);
                    None
                }
            },
        }
    }

    fn float(&mut self, name: &Name, args: &[CallArg], span: Span) -> Option<job::Value> {
        let (low, high) = self.both_ends(name, args, span, "float(0..1)")?;
        let (min, max) = (self.plain(low)?, self.plain(high)?);
        if min > max {
            self.range_order(low.span, high.span);
            return None;
        }
        if min == max {
            self.report(
                Problem::error(Code::OutOfRange, span, "there is nothing in this range")
                    .label("`float` leaves its upper end out")
                    .help("write the number itself, or a wider range"),
            );
            return None;
        }
        Some(job::Value::Float { min: to_f64(&min), max: to_f64(&max) })
    }

    fn random_text(&mut self, args: &[CallArg], span: Span) -> Option<job::Value> {
        let [arg] = args else { return self.bad_args(span, "text", "text(1KB..4KB)") };
        let (min, max) = self.sizes(arg, span, "text(1KB..4KB)")?;
        Some(job::Value::RandomText { min, max })
    }

    /// A range of sizes.
    pub(super) fn sizes(&mut self, arg: &CallArg, span: Span, example: &str) -> Option<(u64, u64)> {
        let range = self.ends(arg, span, example)?;
        let min = self.size(&range.low);
        let max = range.high.as_ref().map_or(min, |high| self.size(high));
        let (min, max) = (min?, max?);
        if min > max {
            let high = range.high.as_ref().map_or(range.low.span, |high| high.span);
            self.range_order(range.low.span, high);
            return None;
        }
        Some((min, max))
    }

    fn pick<'v>(
        &mut self,
        name: &Name,
        args: &'v [CallArg],
        fields: &mut Fields<'v>,
    ) -> Option<job::Value> {
        let choices = self.choices(name.span, args)?;
        if let [(Value { kind: ValueKind::Array(_), span }, _)] = choices.as_slice() {
            self.report(
                Problem::error(Code::BadGenerator, *span, "this picks the whole list")
                    .label("the only choice")
                    .help("write the choices without brackets: `pick(\"a\", \"b\")`"),
            );
            return None;
        }
        let drawn = choices
            .into_iter()
            .map(|(value, weight)| self.drawn(value, fields).map(|value| (value, to_f64(&weight))));
        let drawn = drawn.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()?;
        Some(job::Value::Pick(drawn))
    }

    /// The choices of a `pick` and their weights.
    pub(super) fn choices<'v>(
        &mut self,
        span: Span,
        args: &'v [CallArg],
    ) -> Option<Vec<(&'v Value, Exact)>> {
        let mut choices = Vec::new();
        let mut good = true;
        for arg in args {
            let CallArg::Value(value, weight) = arg else {
                return self.bad_args(span, "pick", "pick(\"a\" 70%, \"b\" 30%)");
            };
            if let Some(Expr { kind: ExprKind::Text(text), span }) = weight {
                let share = self.source.slice(value.span);
                self.report(
                    Problem::error(Code::BadGenerator, *span, "a weight stands behind its value")
                        .label("this text stands where the weight belongs")
                        .help(format!("write `\"{text}\" {share}`")),
                );
                return None;
            }
            let amount = weight.as_ref().map_or(Some(whole(1)), |weight| self.weight(weight));
            match (amount, weight) {
                (Some(amount), Some(expr)) if amount == whole(0) => {
                    self.report(
                        Problem::error(
                            Code::OutOfRange,
                            expr.span,
                            "a choice of weight 0 is never picked",
                        )
                        .help("remove it, or give it a weight above 0"),
                    );
                    good = false;
                }
                (Some(amount), _) => choices.push((value, amount)),
                (None, _) => good = false,
            }
        }
        if choices.is_empty() && good {
            return self.bad_args(span, "pick", "pick(\"a\", \"b\")");
        }
        if good {
            let weights = choices.iter().map(|(_, weight)| *weight).collect();
            self.pick_lint(span, args, weights);
        }
        good.then_some(choices)
    }

    fn no_args(&mut self, name: &Name, args: &[CallArg]) -> bool {
        if !args.is_empty() {
            let message = format!("`{}` takes nothing in its parentheses", name.node);
            self.report(
                Problem::error(Code::BadGenerator, name.span, message)
                    .help(format!("write `{}()`", name.node)),
            );
        }
        args.is_empty()
    }

    pub(super) fn bad_args<T>(&mut self, span: Span, name: &str, example: &str) -> Option<T> {
        let message = match name {
            "int" | "float" => format!("`{name}` takes a range"),
            "this" => "this is not what belongs here".to_owned(),
            _ => format!("`{name}` does not take this"),
        };
        self.report(
            Problem::error(Code::BadGenerator, span, message).help(format!("write `{example}`")),
        );
        None
    }

    fn both_ends<'v>(
        &mut self,
        name: &Name,
        args: &'v [CallArg],
        span: Span,
        example: &str,
    ) -> Option<(&'v Expr, &'v Expr)> {
        match args {
            [CallArg::Range(RangeArg { low, high: Some(high), .. })] => Some((low, high)),
            [CallArg::Value(low, None), CallArg::Value(high, None)] => {
                let [low, high] = [low, high].map(|end| self.source.slice(end.span));
                let meant = format!("{}({low}..{high})", name.node);
                self.bad_args(span, &name.node, &meant)
            }
            [CallArg::Value(high, None)] => {
                let meant = format!("{}(0..{})", name.node, self.source.slice(high.span));
                self.bad_args(span, &name.node, &meant)
            }
            _ => self.bad_args(span, &name.node, example),
        }
    }

    /// A range, or one value for both of its ends.
    fn ends(&mut self, arg: &CallArg, span: Span, example: &str) -> Option<RangeArg> {
        match arg {
            CallArg::Range(range) => Some(range.clone()),
            CallArg::Value(..) => {
                let low = self.one_expr(arg, example)?;
                Some(RangeArg { low, high: None, span })
            }
        }
    }

    /// An argument that is a number or the name of one.
    pub(super) fn one_expr(&mut self, arg: &CallArg, example: &str) -> Option<Expr> {
        let CallArg::Value(value, None) = arg else {
            let span = match arg {
                CallArg::Range(range) => range.span,
                CallArg::Value(value, _) => value.span,
            };
            return self.bad_args(span, "this", example);
        };
        let kind = match &value.kind {
            ValueKind::Number(literal) => ExprKind::Literal(literal.clone()),
            ValueKind::Reference(name) => ExprKind::Name(name.node.clone()),
            _ => return self.bad_args(value.span, "this", example),
        };
        Some(Expr { kind, span: value.span })
    }

    fn integer(&mut self, expr: &Expr) -> Option<i64> {
        let value = self.plain(expr)?;
        let found = value.is_integer().then(|| i64::try_from(value.to_integer()).ok()).flatten();
        if found.is_none() {
            self.report(
                Problem::error(
                    Code::OutOfRange,
                    expr.span,
                    "this is not a whole number of 64 bits",
                )
                .help("`float(a..b)` draws numbers with decimals"),
            );
        }
        found
    }

    fn count_range(&mut self, range: &RangeArg, most: u64, what: &str) -> Option<(u64, u64)> {
        let min = self.count(&range.low, what);
        let max = range.high.as_ref().map_or(min, |high| self.count(high, what));
        let (min, max) = (min?, max?);
        let high = range.high.as_ref().map_or(range.low.span, |high| high.span);
        if min > max {
            self.range_order(range.low.span, high);
            return None;
        }
        if max > most {
            let most = crate::show::count(most);
            self.report(
                Problem::error(Code::OutOfRange, high, format!("{what} cannot be above {most}"))
                    .help(format!("it lies between 0 and {most}")),
            );
            return None;
        }
        Some((min, max))
    }

    /// A text without values in it.
    pub(super) fn plain_text(&mut self, value: &Value) -> Option<String> {
        if let ValueKind::Text(parts) = &value.kind {
            match parts.as_slice() {
                [] => return Some(String::new()),
                [TextPart::Literal(text)] => return Some(text.clone()),
                _ => {}
            }
        }
        self.report(
            Problem::error(Code::BadFormat, value.span, "a plain text belongs here")
                .help("write the name in quotes, without values in it: `\"orders\"`"),
        );
        None
    }
}

/// Whether an argument was found wrong when it was read.
fn is_unreadable(arg: &CallArg) -> bool {
    let CallArg::Value(value, _) = arg else { return false };
    matches!(&value.kind, ValueKind::Reference(name) if name.node.is_empty())
}
