//! The commands of a `custom` job: known ones only, with the number and kind of words they take.

use super::Checker;
use super::envelope::Told;
use super::fields::Fields;
use crate::ast::{TextPart, Value, ValueKind};
use crate::job::{Value as Drawn, WordPart};
use crate::problem::{Code, Problem, did_you_mean};
use crate::source::Span;

/// A command that writes.
struct Known {
    name: &'static str,
    /// The words behind the name: what each is called.
    words: &'static [Takes],
    /// What may follow, as often as one likes; at least once.
    rest: &'static [Takes],
    form: &'static str,
}

/// What a word stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// A key, a member, a value: any text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A stream's id: `*`, or numbers.
    StreamId,
}

use Takes::{Integer, Number, StreamId, Text};

const fn known(
    name: &'static str,
    words: &'static [Takes],
    rest: &'static [Takes],
    form: &'static str,
) -> Known {
    Known { name, words, rest, form }
}

/// Those that put jobs somewhere. Nothing that deletes what others wrote, and nothing that waits.
const COMMANDS: &[Known] = &[
    known("LPUSH", &[Text], &[Text], "command \"LPUSH\" key body"),
    known("RPUSH", &[Text], &[Text], "command \"RPUSH\" key body"),
    known("LPUSHX", &[Text], &[Text], "command \"LPUSHX\" key body"),
    known("RPUSHX", &[Text], &[Text], "command \"RPUSHX\" key body"),
    known("SADD", &[Text], &[Text], "command \"SADD\" \"queues\" key"),
    known("ZADD", &[Text], &[Number, Text], "command \"ZADD\" key 5 body"),
    known("XADD", &[Text, StreamId], &[Text, Text], "command \"XADD\" key \"*\" \"data\" body"),
    known("HSET", &[Text], &[Text, Text], "command \"HSET\" \"{key}:{id}\" \"data\" body"),
    known("HINCRBY", &[Text, Text, Integer], &[], "command \"HINCRBY\" key \"jobs\" 1"),
    known("SET", &[Text, Text], &[], "command \"SET\" \"{key}:{id}\" body"),
    known("SETNX", &[Text, Text], &[], "command \"SETNX\" \"{key}:{id}\" body"),
    known("SETEX", &[Text, Integer, Text], &[], "command \"SETEX\" \"{key}:{id}\" 3600 body"),
    known("PSETEX", &[Text, Integer, Text], &[], "command \"PSETEX\" \"{key}:{id}\" 1000 body"),
    known("APPEND", &[Text, Text], &[], "command \"APPEND\" key body"),
    known("INCR", &[Text], &[], "command \"INCR\" \"{key}:jobs\""),
    known("INCRBY", &[Text, Integer], &[], "command \"INCRBY\" \"{key}:jobs\" 1"),
    known("EXPIRE", &[Text, Integer], &[], "command \"EXPIRE\" key 3600"),
    known("PEXPIRE", &[Text, Integer], &[], "command \"PEXPIRE\" key 1000"),
    known("PFADD", &[Text], &[Text], "command \"PFADD\" key id"),
    known("PUBLISH", &[Text, Text], &[], "command \"PUBLISH\" key body"),
    known("SPUBLISH", &[Text, Text], &[], "command \"SPUBLISH\" key body"),
];

impl Checker<'_> {
    /// `command "XADD" key "*" "data" body`
    pub(super) fn own_command(&mut self, words: &[Value], span: Span, told: &mut Told) {
        told.first_command.get_or_insert(span);
        match self.command_words(words, span) {
            Some(command) => told.add_command(command),
            None => told.good = false,
        }
    }

    fn command_words(&mut self, words: &[Value], span: Span) -> Option<Vec<Vec<WordPart>>> {
        let (name, rest) = words.split_first()?;
        let written = self.plain_text(name)?;
        let upper = written.to_uppercase();
        let Some(known) = COMMANDS.iter().find(|known| known.name == upper) else {
            let message = format!("a job cannot run `{written}`");
            let help = match did_you_mean(&upper, COMMANDS.iter().map(|known| known.name)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => {
                    let names = COMMANDS.iter().map(|known| known.name).collect::<Vec<_>>();
                    format!("commands that put something somewhere are {}", names.join(", "))
                }
            };
            self.report(Problem::error(Code::BadCommand, name.span, message).help(help));
            return None;
        };
        if !fits(known, rest.len()) {
            let message = format!(
                "`{upper}` does not take {}",
                crate::show::plural(rest.len() as u64, "word")
            );
            self.report(
                Problem::error(Code::BadCommand, span, message)
                    .help(format!("write it like this: `{}`", known.form)),
            );
            return None;
        }
        let mut command = vec![vec![WordPart::Literal(upper)]];
        let mut good = true;
        for (place, word) in rest.iter().enumerate() {
            let parts = self.word(word);
            good &= parts.is_some();
            let Some(parts) = parts else { continue };
            good &= self.is_right(takes(known, place), &parts, word, known);
            command.push(parts);
        }
        good.then_some(command)
    }

    /// A word's pieces.
    fn word(&mut self, word: &Value) -> Option<Vec<WordPart>> {
        match &word.kind {
            ValueKind::Text(parts) => {
                let parts = parts.iter().map(|part| match part {
                    TextPart::Literal(text) => Some(WordPart::Literal(text.clone())),
                    TextPart::Value(value) => self.piece(value),
                });
                parts.collect::<Vec<_>>().into_iter().collect()
            }
            _ => self.piece(word).map(|piece| vec![piece]),
        }
    }

    fn piece(&mut self, value: &Value) -> Option<WordPart> {
        if let ValueKind::Reference(name) = &value.kind {
            match name.node.as_str() {
                "key" => return Some(WordPart::Key),
                "id" => return Some(WordPart::Id),
                "body" => return Some(WordPart::Body),
                _ => {}
            }
        }
        let mut fields = Fields::default();
        self.drawn(value, &mut fields).map(WordPart::Value)
    }

    /// Whether a word can be what the command takes there, as far as that can be told.
    fn is_right(&mut self, takes: Takes, parts: &[WordPart], word: &Value, known: &Known) -> bool {
        let wanted = match takes {
            Text => return true,
            Integer => "a whole number",
            Number => "a number",
            StreamId => "`\"*\"` or an id of the stream's",
        };
        let right = match parts {
            [WordPart::Literal(text)] => match takes {
                Integer => text.parse::<i64>().is_ok(),
                Number => text.parse::<f64>().is_ok() || matches!(text.as_str(), "+inf" | "-inf"),
                _ => text == "*" || text.split('-').all(|part| part.parse::<u64>().is_ok()),
            },
            [WordPart::Value(Drawn::Number(digits))] => {
                takes != Integer || digits.parse::<i64>().is_ok()
            }
            [WordPart::Value(Drawn::Int { .. } | Drawn::Seq)] => true,
            [WordPart::Value(Drawn::Float { .. })] => takes == Number,
            // What is put together of several pieces, or picked, is known only once it is written.
            [WordPart::Value(Drawn::Pick(_))] => true,
            [_] => false,
            _ => takes != StreamId,
        };
        if !right {
            let message = format!("`{}` takes {wanted} here", known.name);
            self.report(
                Problem::error(Code::BadCommand, word.span, message)
                    .help(format!("write it like this: `{}`", known.form)),
            );
        }
        right
    }
}

fn fits(known: &Known, words: usize) -> bool {
    match words.checked_sub(known.words.len()) {
        None => false,
        Some(more) if known.rest.is_empty() => more == 0,
        Some(more) => more > 0 && more.is_multiple_of(known.rest.len()),
    }
}

fn takes(known: &Known, place: usize) -> Takes {
    match place.checked_sub(known.words.len()) {
        None => known.words[place],
        Some(more) => known.rest[more % known.rest.len()],
    }
}
