//! What a job's framework is told: the format, its options, and what `delay`, `priority`, `timeout`
//! and `retry` become there. [`crate::job::layouts`] says what each format can say.

mod fields;
mod options;

use super::Checker;
use crate::ast::{Content, Job, JobFieldKind, Queue, Value, ValueKind};
use crate::job::layouts::{self, Carries, LAYOUTS, Layout};
use crate::job::{self, Envelope, Format, Payload, Setting, WordPart};
use crate::problem::{Code, Problem, did_you_mean};
use crate::source::Span;
use std::collections::BTreeMap;

/// What a job tells its framework, as far as it has been read.
pub(super) struct Told {
    /// The format, if there is such a one.
    pub(super) layout: Option<&'static Layout>,
    envelope: Envelope,
    /// Where each option was given.
    places: BTreeMap<String, Span>,
    /// Its arguments were given as such.
    pub(super) positional: bool,
    pub(super) first_command: Option<Span>,
    /// Nothing wrong was found.
    pub(super) good: bool,
}

impl Told {
    pub(super) fn new(layout: Option<&'static Layout>) -> Told {
        Told {
            layout,
            envelope: Envelope::default(),
            places: BTreeMap::new(),
            positional: false,
            first_command: None,
            good: true,
        }
    }

    pub(super) fn add_command(&mut self, command: Vec<Vec<WordPart>>) {
        self.envelope.commands.push(command);
    }

    /// Notes a part that was read, or found wrong.
    fn note<T>(&mut self, slot: impl FnOnce(&mut Envelope) -> &mut Option<T>, value: Option<T>) {
        self.good &= value.is_some();
        *slot(&mut self.envelope) = value;
    }
}

/// The words after `as`.
fn words() -> String {
    LAYOUTS.iter().map(|layout| format!("`{}`", layout.word)).collect::<Vec<_>>().join(", ")
}

/// A format in a reader's words.
pub(super) fn format_name(format: &Format) -> String {
    match format {
        Format::List => "a list".to_owned(),
        Format::Stream { max_len: None } => "a stream".to_owned(),
        Format::Stream { max_len: Some(len) } => format!("a stream of `maxlen {len}`"),
        other => format!("`{}`", other.word()),
    }
}

/// Whether the key of a queue's name holds its jobs, so that it can hold no others.
fn lies_at_its_name(format: &Format) -> bool {
    matches!(
        format,
        Format::List
            | Format::Stream { .. }
            | Format::Delayed
            | Format::Celery
            | Format::Arq
            | Format::Taskiq { .. }
            | Format::Custom
    )
}

/// Whether two formats can't share a name.
pub(super) fn clash(one: &Format, other: &Format) -> bool {
    one != other && (one.word() == other.word() || lies_at_its_name(one) && lies_at_its_name(other))
}

/// A JSON text of a file as a value.
fn json_value(value: serde_json::Value) -> job::Value {
    use serde_json::Value as Json;
    match value {
        Json::Null => job::Value::Null,
        Json::Bool(value) => job::Value::Bool(value),
        Json::Number(number) => job::Value::Number(number.to_string()),
        Json::String(text) => job::Value::Text(vec![job::TextPart::Literal(text)]),
        Json::Array(items) => job::Value::Array(items.into_iter().map(json_value).collect()),
        Json::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, json_value(value)));
            job::Value::Object(fields.collect())
        }
    }
}

impl Checker<'_> {
    /// A payload as the format carries it: where it is part of a JSON text it has to be JSON, and a
    /// call takes it as its only argument unless there are `args`.
    pub(super) fn carried(
        &mut self,
        payload: Payload,
        layout: Option<&Layout>,
        positional: bool,
        place: Span,
    ) -> Option<Payload> {
        let Some(layout) = layout.filter(|layout| layout.is_json()) else { return Some(payload) };
        let value = match payload {
            Payload::Body(value) => Some(value),
            Payload::Size { min, max, content: Content::Text } => {
                Some(job::Value::RandomText { min, max })
            }
            Payload::File(blob) => serde_json::from_slice(&blob.bytes).ok().map(json_value),
            Payload::Size { .. } | Payload::Mixed(_) => None,
        };
        let Some(value) = value else {
            let message = format!("a job of `as {}` is JSON, and this is not", layout.word);
            self.report(
                Problem::error(Code::CannotSay, place, message)
                    .help("write a `body`, a `size` of text, or name a file that holds JSON"),
            );
            return None;
        };
        let call = layout.carries == Carries::Arguments && !positional;
        Some(Payload::Body(if call { job::Value::Array(vec![value]) } else { value }))
    }

    /// The format of a queue, if there is such a one.
    pub(super) fn layout(&self, queue: &Queue) -> Option<&'static Layout> {
        layouts::layout(queue.format.as_ref().map_or("list", |word| &word.node))
    }

    /// The format and its options.
    pub(super) fn format(&mut self, queue: &Queue, told: &mut Told) -> Option<Format> {
        let Some(layout) = told.layout else {
            let word = queue.format.as_ref()?;
            let message = format!("there is no queue format `{}`", word.node);
            let known = LAYOUTS.iter().map(|layout| layout.word);
            let help = match did_you_mean(&word.node, known) {
                Some(meant) => format!("did you mean `as {meant}`?"),
                None => format!("formats are {}", words()),
            };
            self.report(Problem::error(Code::BadFormat, word.span, message).help(help));
            return None;
        };
        for (option, value) in &queue.options {
            self.option(layout, option, value.as_ref(), told);
        }
        let envelope = &told.envelope;
        let text = |word, default: &str| envelope.text(word).unwrap_or(default).to_owned();
        told.good.then(|| match layout.word {
            "stream" => Format::Stream { max_len: envelope.count("maxlen") },
            "delayed" => Format::Delayed,
            "pubsub" => Format::PubSub,
            "sidekiq" => Format::Sidekiq,
            "bullmq" => Format::BullMq { prefix: text("prefix", "bull") },
            "bull" => Format::Bull { prefix: text("prefix", "bull") },
            "celery" => Format::Celery,
            "rq" => Format::Rq,
            "arq" => Format::Arq,
            "dramatiq" => Format::Dramatiq { namespace: text("namespace", "dramatiq") },
            "asynq" => Format::Asynq,
            "resque" => Format::Resque { namespace: text("namespace", "resque") },
            "laravel" => Format::Laravel { prefix: text("prefix", "") },
            "taskiq" => Format::Taskiq { stream: envelope.is_set("stream") },
            "huey" => Format::Huey,
            "custom" => Format::Custom,
            _ => Format::List,
        })
    }

    /// `args [ … ]`
    pub(super) fn arguments(&mut self, value: &Value, told: &mut Told) -> Option<Payload> {
        told.positional = true;
        let layout = told.layout;
        if let Some(layout) = layout.filter(|layout| layout.carries != Carries::Arguments) {
            self.cannot_say(layout, "args", value.span, "it carries a body: write `body { … }`");
            return None;
        }
        if !matches!(value.kind, ValueKind::Array(_) | ValueKind::List { .. }) {
            self.report(
                Problem::error(Code::BadFormat, value.span, "arguments stand in brackets")
                    .help("write `args [int(1..9), \"x\"]`, or `body` for a single one"),
            );
            return None;
        }
        self.body(value).map(Payload::Body)
    }

    fn cannot_say(&mut self, layout: &Layout, word: &str, span: Span, why: &str) {
        let message = format!("`as {}` cannot say `{word}`", layout.word);
        self.report(Problem::error(Code::CannotSay, span, message).help(why));
    }

    /// Everything a job tells its framework, and whether its arguments were given as such; none if
    /// something is wrong or missing.
    pub(super) fn envelope(&mut self, job: &Job, told: Told) -> Option<(Envelope, bool)> {
        let Told { layout, mut envelope, places, positional, first_command, mut good } = told;
        let layout = layout?;
        for word in layout.options().filter(|word| word.required) {
            if !places.contains_key(word.word) {
                let message = format!("`as {}` needs its `{}`", layout.word, word.word);
                let place = queue_span(job).unwrap_or(job.name.span);
                self.report(
                    Problem::error(Code::IncompleteJob, place, message)
                        .help(format!("add it: `as {} {}`", layout.word, word.form)),
                );
                good = false;
            }
        }
        let own = layout.carries == Carries::Commands;
        if own && first_command.is_none() {
            self.report(
                Problem::error(
                    Code::IncompleteJob,
                    job.name.span,
                    "`as custom` needs its commands",
                )
                .help("add them: `command \"LPUSH\" key body`"),
            );
            good = false;
        }
        if let Some(span) = first_command.filter(|_| !own) {
            self.cannot_say(layout, "command", span, "write `as custom` for commands of your own");
            good = false;
        }
        if layout.word == "list" && envelope.is_set("left") && envelope.is_set("right") {
            let span = places.get("right").copied().unwrap_or(job.name.span);
            self.report(
                Problem::error(Code::Twice, span, "a list is pushed to at one end")
                    .help("remove one of the two"),
            );
            good = false;
        }
        if layout.word == "bullmq" {
            let name = Setting::Texts(vec![job.name.node.clone()]);
            envelope.options.entry("name".to_owned()).or_insert(name);
        }
        // What is told by the format itself is no part of the envelope.
        for word in ["maxlen", "prefix", "namespace", "stream", "left"] {
            envelope.options.remove(word);
        }
        good.then_some((envelope, positional))
    }
}

fn queue_span(job: &Job) -> Option<Span> {
    job.fields.iter().find_map(|field| match &field.kind {
        JobFieldKind::Queue(queue) => queue.format.as_ref().map(|word| word.span),
        _ => None,
    })
}
