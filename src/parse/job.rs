//! Jobs: queues, sizes and bodies.

use super::{Pair, Reader, Rule};
use crate::ast::{
    CallArg, Job, JobField, JobFieldKind, Name, Queue, RangeArg, SizeSpec, StatementKind, Value,
    ValueKind,
};
use crate::ast::{Expr, ExprKind};

impl Reader {
    pub(super) fn job(&mut self, pair: Pair<'_>) -> StatementKind {
        let (mut name, mut weight, mut fields) = (None, None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.name(part)),
                Rule::weight => weight = self.argument(part),
                Rule::job_block => fields = self.job_fields(part),
                Rule::excess => self.excess(&part),
                _ => {}
            }
        }
        match name {
            Some(name) => StatementKind::Job(Job { name, weight, fields }),
            None => StatementKind::Broken(None),
        }
    }

    /// The statements of a job's block.
    pub(super) fn job_fields(&mut self, pair: Pair<'_>) -> Vec<JobField> {
        pair.into_inner().map(|field| self.job_field(field)).collect()
    }

    fn job_field(&mut self, pair: Pair<'_>) -> JobField {
        let span = self.trimmed(&pair);
        let kind = match pair.as_rule() {
            Rule::broken_rule => {
                self.broken_rule(&pair, Rule::lone_job_field);
                None
            }
            _ => self.job_field_kind(pair),
        };
        JobField { kind: kind.unwrap_or(JobFieldKind::Broken), span }
    }

    fn job_field_kind(&mut self, pair: Pair<'_>) -> Option<JobFieldKind> {
        match pair.as_rule() {
            Rule::queue => {
                let mut parts = pair.into_inner().filter(|p| p.as_rule() != Rule::kw_queue);
                let name = self.value(parts.next()?);
                let (format, options) = match parts.next() {
                    Some(format) => self.format(format),
                    None => (None, Vec::new()),
                };
                Some(JobFieldKind::Queue(Queue { name, format, options }))
            }
            Rule::size => {
                let value = pair.into_inner().last()?;
                if value.as_rule() == Rule::range {
                    let range = self.range(value)?;
                    return Some(JobFieldKind::Size(SizeSpec::Range(range.low, range.high)));
                }
                let expr = self.expr(value);
                Some(JobFieldKind::Size(match expr.kind {
                    ExprKind::Name(class) if is_size_class(&class) => {
                        SizeSpec::Class(Name::new(class, expr.span))
                    }
                    _ => SizeSpec::Range(expr, None),
                }))
            }
            _ => pair.into_inner().last().map(|value| JobFieldKind::Body(self.value(value))),
        }
    }

    fn format(&mut self, pair: Pair<'_>) -> (Option<Name>, Vec<(Name, Option<Expr>)>) {
        let (mut format, mut options) = (None, Vec::new());
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::ident => format = Some(Name::new(part.as_str().to_owned(), span)),
                Rule::format_option => {
                    let mut inner = part.into_inner();
                    if let Some(word) = inner.next() {
                        let name = Name::new(word.as_str().to_owned(), self.span(&word));
                        options.push((name, inner.next().map(|value| self.expr(value))));
                    }
                }
                _ => {}
            }
        }
        (format, options)
    }

    /// A value of a body.
    pub(super) fn value(&mut self, pair: Pair<'_>) -> Value {
        let span = self.trimmed(&pair);
        let kind = match pair.as_rule() {
            Rule::null => ValueKind::Null,
            Rule::boolean => ValueKind::Bool(pair.as_str() == "true"),
            Rule::string_value => ValueKind::Text(self.interpolated(&pair)),
            Rule::number_value => self.number_value(pair),
            Rule::reference => ValueKind::Reference(Name::new(pair.as_str().to_owned(), span)),
            Rule::array => {
                let items = pair.into_inner().filter(|p| p.as_rule() != Rule::comma_mark);
                ValueKind::Array(
                    items.collect::<Vec<_>>().into_iter().map(|p| self.value(p)).collect(),
                )
            }
            Rule::object => {
                let entries = pair.into_inner().filter(|p| p.as_rule() == Rule::entry);
                let entries = entries.collect::<Vec<_>>();
                ValueKind::Object(entries.into_iter().filter_map(|p| self.entry(p)).collect())
            }
            Rule::list => self.list(pair),
            Rule::call => self.call(pair),
            _ => ValueKind::Null,
        };
        Value { kind, span }
    }

    fn number_value(&mut self, pair: Pair<'_>) -> ValueKind {
        let negative = pair.as_str().starts_with('-');
        let Some(number) = pair.into_inner().last() else { return ValueKind::Null };
        let mut literal = self.number(&number);
        if negative {
            literal.value = -literal.value;
            literal.text.insert(0, '-');
        }
        ValueKind::Number(literal)
    }

    fn entry(&mut self, pair: Pair<'_>) -> Option<(Name, Value)> {
        let mut inner = pair.into_inner().filter(|p| p.as_rule() != Rule::colon);
        let key = self.name(inner.next()?);
        Some((key, self.value(inner.next()?)))
    }

    fn list(&mut self, pair: Pair<'_>) -> ValueKind {
        let mut inner = pair.into_inner().filter(|p| p.as_rule() != Rule::kw_list);
        let count = inner.next().and_then(|count| self.range(count));
        let item = inner.next().map(|item| self.value(item));
        match (count, item) {
            (Some(count), Some(item)) => {
                ValueKind::List { count: Box::new(count), item: Box::new(item) }
            }
            _ => ValueKind::Null,
        }
    }

    fn call(&mut self, pair: Pair<'_>) -> ValueKind {
        let span = self.span(&pair);
        let mut name = Name::new(String::new(), span);
        let mut args = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::ident => name = Name::new(part.as_str().to_owned(), self.span(&part)),
                Rule::call_arg => {
                    let mut inner = part.into_inner();
                    let Some(first) = inner.next() else { continue };
                    args.extend(match first.as_rule() {
                        Rule::range => self.range(first).map(CallArg::Range),
                        _ => {
                            let value = self.value(first);
                            let weight = inner.next().map(|weight| self.expr(weight));
                            Some(CallArg::Value(value, weight))
                        }
                    });
                }
                _ => {}
            }
        }
        ValueKind::Call { name, args }
    }

    /// `1..6`, or an expression alone.
    fn range(&mut self, pair: Pair<'_>) -> Option<RangeArg> {
        let span = self.span(&pair);
        if pair.as_rule() == Rule::expr {
            return Some(RangeArg { low: self.expr(pair), high: None, span });
        }
        let mut ends = pair.into_inner().filter(|p| p.as_rule() == Rule::expr);
        let (low, high) = (ends.next()?, ends.next());
        Some(RangeArg { low: self.expr(low), high: high.map(|high| self.expr(high)), span })
    }
}

/// The words that name a range of sizes.
pub(crate) fn is_size_class(word: &str) -> bool {
    matches!(word, "small" | "medium" | "large" | "mixed")
}
