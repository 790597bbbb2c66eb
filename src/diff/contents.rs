//! What a job carries, in the words of the language, short enough to stand beside what it was.

use super::facts::Facts;
use crate::ast::{Content, RowOrder};
use crate::job::{Payload, TextPart, Value, WordPart};
use crate::show;

/// The contents of a job: each field of a body by itself.
pub(super) fn payload(payload: &Payload) -> Facts {
    match payload {
        Payload::Size { min, max, content } => {
            vec![("size".to_owned(), Some(format!("{}{}", range(min, max), made_of(*content))))]
        }
        Payload::Mixed(content) => {
            vec![("size".to_owned(), Some(format!("mixed{}", made_of(*content))))]
        }
        Payload::File(blob) => vec![("body".to_owned(), Some(named("file", &blob.hash)))],
        Payload::Body(body) => fields("body", body),
    }
}

/// The named arguments of a job.
pub(super) fn kwargs(value: Option<&Value>) -> Facts {
    value.map_or(Vec::new(), |value| fields("kwargs", value))
}

fn fields(what: &str, value: &Value) -> Facts {
    let Value::Object(fields) = value else {
        return vec![(what.to_owned(), Some(said(value)))];
    };
    let keys = fields.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>().join(", ");
    let one = |(key, value): &(String, Value)| (format!("{what}.{key}"), Some(said(value)));
    let order = (format!("fields of {what}"), Some(keys));
    fields.iter().map(one).chain([order]).collect()
}

/// The words of a command.
pub(super) fn command(words: &[Vec<WordPart>]) -> String {
    let part = |part: &WordPart| match part {
        WordPart::Literal(text) => text.clone(),
        WordPart::Key => "{key}".to_owned(),
        WordPart::Id => "{id}".to_owned(),
        WordPart::Body => "{body}".to_owned(),
        WordPart::Value(value) => format!("{{{}}}", said(value)),
    };
    let word = |word: &Vec<WordPart>| word.iter().map(part).collect::<String>();
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn made_of(content: Content) -> &'static str {
    match content {
        Content::Text => "",
        Content::Binary => " binary",
    }
}

fn named(what: &str, hash: &str) -> String {
    format!("{what} {}", hash.get(..12).unwrap_or(hash))
}

fn range<T: PartialEq + ToString>(low: &T, high: &T) -> String {
    if low == high {
        return low.to_string();
    }
    format!("{}..{}", low.to_string(), high.to_string())
}

/// A value as a script would say it.
fn said(value: &Value) -> String {
    let all = |values: &[Value]| values.iter().map(said).collect::<Vec<_>>().join(", ");
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(digits) => digits.clone(),
        Value::Text(parts) => {
            let part = |part: &TextPart| match part {
                TextPart::Literal(text) => text.escape_debug().to_string(),
                TextPart::Value(value) => format!("{{{}}}", said(value)),
            };
            format!("\"{}\"", parts.iter().map(part).collect::<String>())
        }
        Value::Array(items) => format!("[{}]", all(items)),
        Value::Object(fields) => {
            let field = |(key, value): &(String, Value)| format!("{key}: {}", said(value));
            format!("{{ {} }}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        Value::List { min, max, item } => format!("list({}) {}", range(min, max), said(item)),
        Value::Uuid => "uuid()".to_owned(),
        Value::Ulid => "ulid()".to_owned(),
        Value::Seq => "seq()".to_owned(),
        Value::Int { min, max } => format!("int({min}..{max})"),
        Value::Float { min, max } => format!("float({min}..{max})"),
        Value::Normal { mean, deviation } => format!("normal({mean}, {deviation})"),
        Value::Exponential(mean) => format!("exponential({mean})"),
        Value::Zipf { ranks, exponent } => format!("zipf({ranks}, {exponent})"),
        Value::Chance(share) => format!("chance({share})"),
        Value::Pick(values) => {
            let one = |(value, weight): &(Value, f64)| format!("{} {weight}", said(value));
            format!("pick({})", values.iter().map(one).collect::<Vec<_>>().join(", "))
        }
        Value::Now => "now()".to_owned(),
        Value::RandomText { min, max } => format!("text({})", range(min, max)),
        Value::Hex { min, max } => format!("hex({})", range(min, max)),
        Value::Bytes { min, max } => format!("bytes({})", range(min, max)),
        Value::Fake(fake) => format!("{fake:?}()").to_lowercase(),
        Value::Cell { rows, column } => {
            let order = match rows.order {
                RowOrder::InTurn => "in turn",
                RowOrder::Random => "at random",
                RowOrder::Once => "once",
            };
            let column = rows.table.columns().get(*column).map_or("", |column| &column.name);
            format!("{}.{column} of {} {order}", rows.name, named("rows", rows.table.hash()))
        }
        Value::Field(path) => path.join("."),
    }
}

/// Two values, cut down to where they differ if they are long.
pub(super) fn beside(old: &str, new: &str) -> (String, String) {
    const LONG: usize = 48;
    const LEAD: usize = 16;
    let same = old.chars().zip(new.chars()).take_while(|(a, b)| a == b).count();
    let short = |text: &str| {
        let skipped = if text.chars().count() > LONG { same.saturating_sub(LEAD) } else { 0 };
        let rest: String = text.chars().skip(skipped).collect();
        let lead = if skipped > 0 { "…" } else { "" };
        show::cut(&show::clean(&format!("{lead}{rest}")), LONG)
    };
    (short(old), short(new))
}
