//! Bodies: every generator, its arguments, and references between fields.

use super::Checker;
use super::value::{State, Val, decimal};
use crate::ast::{CallArg, Expr, ExprKind, Name, RangeArg, TextPart, Unit, Value, ValueKind};
use crate::exact::{Exact, to_f64, whole};
use crate::job;
use crate::problem::{Code, Problem, did_you_mean};
use crate::source::Span;

/// Generators of this version.
const GENERATORS: &[&str] =
    &["uuid", "seq", "int", "float", "bool", "pick", "now", "text", "hex", "list"];
/// Generators of the language that this version does not have.
const TO_COME: &[&str] = &[
    "name",
    "email",
    "ulid",
    "bytes",
    "zipf",
    "normal",
    "exponential",
    "address",
    "company",
    "phone",
    "city",
    "country",
    "rows",
    "file",
];

/// Most items of a `list`.
const MAX_ITEMS: u64 = 100_000;
/// Most bytes or digits that one value draws.
const MAX_DRAWN: u64 = 100_000_000;

/// The objects around a value, outermost first: the key under which each stands, and its keys.
#[derive(Clone, Default)]
struct Scope<'v> {
    levels: Vec<(Vec<String>, &'v [(Name, Value)])>,
    /// Path of the value in hand.
    path: Vec<String>,
}

impl Checker<'_> {
    /// A job's body.
    pub(super) fn body(&mut self, value: &Value) -> Option<job::Value> {
        let body = self.drawn(value, &Scope::default());
        match body {
            Some(body) => self.no_circle(&body, value.span).then_some(body),
            None => None,
        }
    }

    fn drawn(&mut self, value: &Value, scope: &Scope<'_>) -> Option<job::Value> {
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
                    TextPart::Value(value) => self.drawn(value, scope).map(job::TextPart::Value),
                });
                job::Value::Text(parts.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?)
            }
            ValueKind::Array(items) => {
                let items = items.iter().map(|item| self.drawn(item, scope)).collect::<Vec<_>>();
                job::Value::Array(items.into_iter().collect::<Option<_>>()?)
            }
            ValueKind::Object(entries) => self.object(entries, scope)?,
            ValueKind::List { count, item } => {
                let range = self.count_range(count, MAX_ITEMS, "the length of a list");
                let item = self.drawn(item, scope);
                let (min, max) = range?;
                let clip = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
                job::Value::List { min: clip(min), max: clip(max), item: Box::new(item?) }
            }
            ValueKind::Call { name, args } => return self.generator(name, args, value.span, scope),
            ValueKind::Reference(name) => return self.reference(name, scope),
        })
    }

    fn object(&mut self, entries: &[(Name, Value)], scope: &Scope<'_>) -> Option<job::Value> {
        let mut inner = scope.clone();
        inner.levels.push((scope.path.clone(), entries));
        let mut fields = Some(Vec::with_capacity(entries.len()));
        let mut seen: Vec<&Name> = Vec::new();
        for (key, value) in entries {
            if let Some(first) = seen.iter().find(|first| first.node == key.node) {
                let message = format!("there are two fields `{}`", key.node);
                self.report(
                    Problem::error(Code::DuplicateName, key.span, message)
                        .label("defined again here")
                        .and(first.span, "defined first here")
                        .help("give one of them another name"),
                );
                fields = None;
                continue;
            }
            seen.push(key);
            inner.path.push(key.node.clone());
            let value = self.drawn(value, &inner);
            inner.path.pop();
            match (value, fields.as_mut()) {
                (Some(value), Some(fields)) => fields.push((key.node.clone(), value)),
                _ => fields = None,
            }
        }
        fields.map(job::Value::Object)
    }

    /// A field of an object around, or a `let`.
    fn reference(&mut self, name: &Name, scope: &Scope<'_>) -> Option<job::Value> {
        for (path, entries) in scope.levels.iter().rev() {
            if entries.iter().any(|(key, _)| key.node == name.node) {
                let mut path = path.clone();
                path.push(name.node.clone());
                return Some(job::Value::Field(path));
            }
        }
        if self.names.contains_key(&name.node) {
            let expr = Expr { kind: ExprKind::Name(name.node.clone()), span: name.span };
            return match self.value(&expr)? {
                Val::Text(text) => Some(job::Value::Text(vec![job::TextPart::Literal(text)])),
                Val::Quantity(value, _) => Some(job::Value::Number(decimal(&value))),
            };
        }
        let fields = scope.levels.iter().flat_map(|(_, entries)| entries.iter());
        let fields = fields.map(|(key, _)| key.node.as_str()).collect::<Vec<_>>();
        let help = match did_you_mean(
            &name.node,
            fields.iter().copied().chain(GENERATORS.iter().copied()),
        ) {
            Some(meant) if GENERATORS.contains(&meant) => format!("did you mean `{meant}()`?"),
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!(
                "texts stand in quotes: `\"{}\"`; a name is another field of the body, or a `let`",
                name.node
            ),
        };
        let message = format!("there is no field `{}` here", name.node);
        self.report(Problem::error(Code::UnknownName, name.span, message).help(help));
        self.names.insert(name.node.clone(), State::Done(None));
        None
    }

    fn generator(
        &mut self,
        name: &Name,
        args: &[CallArg],
        span: Span,
        scope: &Scope<'_>,
    ) -> Option<job::Value> {
        match name.node.as_str() {
            "uuid" => self.no_args(name, args).then_some(job::Value::Uuid),
            "seq" => self.no_args(name, args).then_some(job::Value::Seq),
            "now" => self.no_args(name, args).then_some(job::Value::Now),
            "int" => {
                let (low, high) = self.both_ends(name, args, span, "int(1..6)")?;
                let (min, max) = (self.integer(low)?, self.integer(high)?);
                if min > max {
                    self.range_order(low.span, high.span);
                    return None;
                }
                Some(job::Value::Int { min, max })
            }
            "float" => {
                let (low, high) = self.both_ends(name, args, span, "float(0..1)")?;
                let (min, max) = (self.plain(low)?, self.plain(high)?);
                if min >= max {
                    self.range_order(low.span, high.span);
                    return None;
                }
                Some(job::Value::Float { min: to_f64(&min), max: to_f64(&max) })
            }
            "bool" => match args {
                [] => Some(job::Value::Chance(0.5)),
                [arg] => {
                    let expr = self.one_expr(arg, "bool(30%)")?;
                    self.share(&expr).map(|share| job::Value::Chance(to_f64(&share)))
                }
                _ => self.bad_args(span, "bool", "bool(30%)"),
            },
            "pick" => self.pick(name, args, scope),
            "text" => {
                let [arg] = args else { return self.bad_args(span, "text", "text(1KB..4KB)") };
                let (low, high) = self.ends(arg, "text(1KB..4KB)")?;
                let (min, max) = (self.size(&low)?, self.size(&high)?);
                if min > max {
                    self.range_order(low.span, high.span);
                    return None;
                }
                Some(job::Value::RandomText { min, max })
            }
            "hex" => {
                let [arg] = args else { return self.bad_args(span, "hex", "hex(16)") };
                let (low, high) = self.ends(arg, "hex(16)")?;
                let range = RangeArg { low, high: Some(high), span };
                let (min, max) = self.count_range(&range, MAX_DRAWN, "a number of digits")?;
                Some(job::Value::Hex { min, max })
            }
            other => {
                let problem = if TO_COME.contains(&other) {
                    let message = format!("this version of loadc has no `{other}()` yet");
                    Problem::error(Code::NotYet, name.span, message)
                        .help(format!("it has {}", GENERATORS.join(", ")))
                } else {
                    let message = format!("there is no generator `{other}`");
                    let help = match did_you_mean(other, GENERATORS.iter().copied()) {
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None => format!("generators are {}", GENERATORS.join(", ")),
                    };
                    Problem::error(Code::BadGenerator, name.span, message).help(help)
                };
                self.report(problem);
                None
            }
        }
    }

    fn pick(&mut self, name: &Name, args: &[CallArg], scope: &Scope<'_>) -> Option<job::Value> {
        let choices = self.choices(name.span, args)?;
        let drawn = choices
            .into_iter()
            .map(|(value, weight)| self.drawn(value, scope).map(|value| (value, to_f64(&weight))));
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

    fn bad_args<T>(&mut self, span: Span, name: &str, example: &str) -> Option<T> {
        let message = format!("`{name}` does not take this");
        self.report(
            Problem::error(Code::BadGenerator, span, message)
                .help(format!("write it as `{example}`")),
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
            _ => self.bad_args(span, &name.node, example),
        }
    }

    /// A range, or one value for both of its ends.
    fn ends(&mut self, arg: &CallArg, example: &str) -> Option<(Expr, Expr)> {
        match arg {
            CallArg::Range(RangeArg { low, high, .. }) => {
                Some((low.clone(), high.clone().unwrap_or_else(|| low.clone())))
            }
            CallArg::Value(..) => self.one_expr(arg, example).map(|expr| (expr.clone(), expr)),
        }
    }

    /// An argument that is a number or the name of one.
    fn one_expr(&mut self, arg: &CallArg, example: &str) -> Option<Expr> {
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
            self.report(Problem::error(
                Code::OutOfRange,
                high,
                format!("{what} cannot be above {most}"),
            ));
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

    /// Whether no field needs itself.
    fn no_circle(&mut self, body: &job::Value, span: Span) -> bool {
        let mut fields = Vec::new();
        gather(body, &mut Vec::new(), &mut fields);
        for (path, _) in &fields {
            if let Some(circle) = circle_from(path, &fields) {
                let names =
                    circle.iter().map(|path| path.join(".")).collect::<Vec<_>>().join(" → ");
                self.report(
                    Problem::error(
                        Code::Cycle,
                        span,
                        format!("fields that need each other: {names}"),
                    )
                    .help("break the circle: give one of them a value of its own"),
                );
                return false;
            }
        }
        true
    }
}

type Fields = Vec<(Vec<String>, Vec<Vec<String>>)>;

/// Every field of a body and the fields it mentions.
fn gather(value: &job::Value, path: &mut Vec<String>, fields: &mut Fields) {
    match value {
        job::Value::Object(entries) => {
            for (key, value) in entries {
                path.push(key.clone());
                let mut mentioned = Vec::new();
                mentions(value, &mut mentioned);
                fields.push((path.clone(), mentioned));
                gather(value, path, fields);
                path.pop();
            }
        }
        job::Value::Array(items) => items.iter().for_each(|item| gather(item, path, fields)),
        job::Value::List { item, .. } => gather(item, path, fields),
        job::Value::Pick(choices) => {
            choices.iter().for_each(|(item, _)| gather(item, path, fields))
        }
        _ => {}
    }
}

fn mentions(value: &job::Value, found: &mut Vec<Vec<String>>) {
    match value {
        job::Value::Field(path) => found.push(path.clone()),
        job::Value::Object(entries) => entries.iter().for_each(|(_, value)| mentions(value, found)),
        job::Value::Array(items) => items.iter().for_each(|item| mentions(item, found)),
        job::Value::List { item, .. } => mentions(item, found),
        job::Value::Pick(choices) => choices.iter().for_each(|(item, _)| mentions(item, found)),
        job::Value::Text(parts) => {
            for part in parts {
                if let job::TextPart::Value(value) = part {
                    mentions(value, found);
                }
            }
        }
        _ => {}
    }
}

/// A way from a field back to itself.
fn circle_from(start: &[String], fields: &Fields) -> Option<Vec<Vec<String>>> {
    let mut stack = vec![vec![start.to_vec()]];
    let mut seen: Vec<Vec<String>> = Vec::new();
    while let Some(way) = stack.pop() {
        let here = way.last()?;
        for (_, mentioned) in fields.iter().filter(|(path, _)| path == here) {
            for next in mentioned {
                let mut longer = way.clone();
                longer.push(next.clone());
                // A field that holds the one it is part of would hold itself.
                if next == start || start.starts_with(next) {
                    return Some(longer);
                }
                if !seen.contains(next) {
                    seen.push(next.clone());
                    stack.push(longer);
                }
            }
        }
    }
    None
}
