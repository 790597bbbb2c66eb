//! Jobs: queues, sizes and bodies.

use super::tokens::tokens;
use super::{Pair, Reader, Rule, words};
use crate::ast::{
    CallArg, Content, Expr, ExprKind, Job, JobField, JobFieldKind, Name, Queue, RangeArg, RowOrder,
    Rows, SizeSpec, StatementKind, TextPart, Value, ValueKind,
};
use crate::problem::{Code, Problem};
use crate::source::Span;

/// Lists of lists may be this deep.
const MAX_LISTS: usize = 16;

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
        self.parted(pair).into_iter().map(|field| self.job_field(field)).collect()
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
        let rule = pair.as_rule();
        let mut word = "";
        let mut parts = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_queue
                | Rule::kw_size
                | Rule::kw_body
                | Rule::kw_args
                | Rule::kw_kwargs
                | Rule::kw_priority
                | Rule::kw_delay
                | Rule::kw_timeout
                | Rule::kw_retry
                | Rule::kw_command => word = part.as_str(),
                Rule::kw_file | Rule::kw_rows | Rule::kw_as => {}
                Rule::no_mark => self.no_mark(&part, word),
                _ => parts.push(part),
            }
        }
        let mut parts = parts.into_iter();
        match rule {
            Rule::queue => {
                let name = self.queue_name(parts.next()?);
                let (format, options) = match parts.next() {
                    Some(format) => self.format(format),
                    None => (None, Vec::new()),
                };
                Some(JobFieldKind::Queue(Queue { name, format, options }))
            }
            Rule::body_file => Some(JobFieldKind::BodyFile(self.plain_string(&parts.next()?))),
            Rule::rows => self.rows(parts),
            Rule::size => {
                let value = parts.next()?;
                let content = match parts.next() {
                    Some(word) if word.as_str() == "binary" => Content::Binary,
                    _ => Content::Text,
                };
                if value.as_rule() == Rule::range {
                    let range = self.range(value)?;
                    return Some(JobFieldKind::Size(
                        SizeSpec::Range(range.low, range.high),
                        content,
                    ));
                }
                let expr = self.expr(value);
                let size = match expr.kind {
                    ExprKind::Name(class) if is_size_class(&class) => {
                        SizeSpec::Class(Name::new(class, expr.span))
                    }
                    _ => SizeSpec::Range(expr, None),
                };
                Some(JobFieldKind::Size(size, content))
            }
            Rule::args => parts.next().map(|value| JobFieldKind::Args(self.value(value))),
            Rule::kwargs => parts.next().map(|value| JobFieldKind::Kwargs(self.value(value))),
            Rule::priority => Some(JobFieldKind::Priority(self.range(parts.next()?)?)),
            Rule::job_delay => Some(JobFieldKind::Delay(self.range(parts.next()?)?)),
            Rule::job_timeout => parts.next().map(|value| JobFieldKind::Timeout(self.expr(value))),
            Rule::retry => parts.next().map(|value| JobFieldKind::Retry(self.expr(value))),
            Rule::own_command => {
                Some(JobFieldKind::Command(parts.map(|word| self.value(word)).collect()))
            }
            _ => parts.next().map(|value| JobFieldKind::Body(self.value(value))),
        }
    }

    /// `rows "users.csv" as user once`
    fn rows<'s>(&mut self, mut parts: impl Iterator<Item = Pair<'s>>) -> Option<JobFieldKind> {
        let path = self.plain_string(&parts.next()?);
        let name = parts.next()?;
        let name = Name::new(name.as_str().to_owned(), self.span(&name));
        let order = match parts.next().map(|order| order.as_str()) {
            Some("random") => RowOrder::Random,
            Some("once") => RowOrder::Once,
            _ => RowOrder::InTurn,
        };
        Some(JobFieldKind::Rows(Rows { path, name, order }))
    }

    /// `queue: "orders"`, as other languages write it.
    fn no_mark(&mut self, pair: &Pair<'_>, word: &str) {
        let mark = pair.as_str().trim();
        let end = self.span(pair).end as usize;
        let span = Span::new(end - mark.len(), end);
        let message = format!("no `{mark}` stands behind `{word}`");
        let form = words::form(word).unwrap_or(word);
        let problem = Problem::error(Code::Expected, span, message);
        self.push(problem.help(format!("leave it out, as in `{form}`")));
    }

    fn queue_name(&mut self, pair: Pair<'_>) -> Value {
        if pair.as_rule() != Rule::bare_text {
            return self.value(pair);
        }
        let name = self.quoted(&pair, "the name of a queue");
        Value { kind: ValueKind::Text(vec![TextPart::Literal(name.node)]), span: name.span }
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
            Rule::column => {
                let mut parts = pair.into_inner();
                match (parts.next(), parts.next()) {
                    (Some(row), Some(column)) => {
                        let row = Name::new(row.as_str().to_owned(), self.span(&row));
                        ValueKind::Column(row, self.column_name(&column))
                    }
                    _ => ValueKind::Null,
                }
            }
            Rule::reference => ValueKind::Reference(Name::new(pair.as_str().to_owned(), span)),
            Rule::array => {
                let items = self.listed(pair).into_iter();
                ValueKind::Array(items.map(|item| self.value(item)).collect())
            }
            Rule::object => {
                let entries = self.listed(pair).into_iter();
                ValueKind::Object(entries.filter_map(|entry| self.entry(entry)).collect())
            }
            Rule::list => self.list(pair),
            Rule::call => self.call(pair),
            _ => ValueKind::Null,
        };
        Value { kind, span }
    }

    /// A column: a word, or a text in quotes.
    fn column_name(&mut self, pair: &Pair<'_>) -> Name {
        match pair.as_rule() {
            Rule::string => self.plain_string(pair),
            _ => Name::new(pair.as_str().to_owned(), self.span(pair)),
        }
    }

    fn number_value(&mut self, pair: Pair<'_>) -> ValueKind {
        let negative = pair.as_str().starts_with('-');
        let span = self.span(&pair);
        let number = pair.into_inner().last();
        let Some(mut literal) = number.and_then(|number| self.number(&number)) else {
            // No name is empty, so `check` can tell.
            return ValueKind::Reference(Name::new(String::new(), span));
        };
        if negative {
            literal.value = -literal.value;
            literal.text.insert(0, '-');
        }
        ValueKind::Number(literal)
    }

    /// The parts of an object or an array, without the commas between them; where one is missing,
    /// that is said.
    fn listed<'s>(&mut self, pair: Pair<'s>) -> Vec<Pair<'s>> {
        let mut parts: Vec<Pair<'s>> = Vec::new();
        let mut missing = false;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::comma_mark => {}
                Rule::not_comma => {
                    let mark = part.as_str();
                    self.push(
                        Problem::error(
                            Code::Expected,
                            self.span(&part),
                            format!("these are parted by `,`, not by `{mark}`"),
                        )
                        .help(format!("write `,` for `{mark}`")),
                    );
                }
                Rule::no_comma => missing = true,
                _ => {
                    if std::mem::take(&mut missing) {
                        self.missing_comma(parts.last(), &part);
                    }
                    parts.push(part);
                }
            }
        }
        parts
    }

    fn missing_comma(&mut self, before: Option<&Pair<'_>>, behind: &Pair<'_>) {
        // The last character of what comes before, or what comes behind.
        let span = before.map_or(self.span(behind), |before| {
            let end = self.trimmed(before).end as usize;
            let last = before.as_str().trim_end().chars().next_back();
            Span::new(end - last.map_or(0, char::len_utf8), end)
        });
        let first = tokens(behind.as_str()).first().map_or("", |token| token.text).to_owned();
        self.push(
            Problem::error(Code::Expected, span, format!("a comma is missing before `{first}`"))
                .label("`,` belongs behind this")
                .help("values in brackets are parted by commas: `{ a: 1, b: 2 }`"),
        );
    }

    fn entry(&mut self, pair: Pair<'_>) -> Option<(Name, Value)> {
        let (mut parts, mut lacks_colon) = (Vec::new(), false);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::colon => {}
                Rule::no_colon => lacks_colon = true,
                Rule::not_colon => {
                    let message = format!(
                        "`:` stands between a field and its value, not `{}`",
                        part.as_str()
                    );
                    let problem = Problem::error(Code::Expected, self.span(&part), message);
                    self.push(problem.help("write `field: value`"));
                }
                _ => parts.push(part),
            }
        }
        let mut inner = parts.into_iter();
        let key = inner.next()?;
        let written = key.as_str();
        let key = self.name(key);
        let value = inner.next()?;
        if lacks_colon {
            let message = format!("`:` is missing behind `{written}`");
            let help = format!("write `{written}: {}`", value.as_str());
            self.push(Problem::error(Code::Expected, self.span(&value), message).help(help));
        }
        if !matches!(value.as_rule(), Rule::bad_value | Rule::no_value) {
            return Some((key, self.value(value)));
        }
        let span = self.trimmed(&value);
        self.broken_entry(&pair);
        // No name is empty, so `check` can tell.
        let kind = ValueKind::Reference(Name::new(String::new(), span));
        Some((key, Value { kind, span }))
    }

    /// `list(1..6) list(2) value`: lists of lists, outermost first.
    fn list(&mut self, pair: Pair<'_>) -> ValueKind {
        let whole = self.trimmed(&pair);
        let (mut counts, mut item) = (Vec::new(), None);
        for part in pair.into_inner() {
            let start = self.span(&part).start as usize;
            if part.as_rule() != Rule::list_head {
                item = Some(self.value(part));
                continue;
            }
            let count = part.into_inner().find(|p| p.as_rule() != Rule::kw_list);
            if let Some(count) = count.and_then(|count| self.range(count)) {
                counts.push((start, count));
            }
        }
        if counts.len() > MAX_LISTS {
            let message = format!("lists are nested more than {MAX_LISTS} deep");
            self.push(
                Problem::error(Code::TooDeep, whole, message)
                    .help("make the item an object of lists"),
            );
            return ValueKind::Null;
        }
        let Some(mut item) = item else { return ValueKind::Null };
        for (start, count) in counts.into_iter().rev() {
            let span = Span::new(start, whole.end as usize);
            let kind = ValueKind::List { count: Box::new(count), item: Box::new(item) };
            item = Value { kind, span };
        }
        item.kind
    }

    fn call(&mut self, pair: Pair<'_>) -> ValueKind {
        let span = self.span(&pair);
        let mut name = Name::new(String::new(), span);
        let mut args = Vec::new();
        for part in self.listed(pair) {
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
    pub(super) fn range(&mut self, pair: Pair<'_>) -> Option<RangeArg> {
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
